// What the CPU backend makes of the processor.
#pragma once
#include <string>

namespace hayate {

std::string cpu_instruction_set();  // that make_cpu_backend() compiles for: "avx512"

}  // namespace hayate
