// The CPU backend with a chosen instruction set; make_cpu_backend() of backend.h takes the best one.
#pragma once
#include "backend/cpu/isa.h"

namespace hayate {

// Where oneDNN has no bf16, products are computed in float32 in pieces, so that scratch memory does not grow with the picture. The default
// is 64 MiB and keeps all cores busy.
std::shared_ptr<Backend> make_cpu_backend(cpu::Isa, int64_t staged_elements = int64_t{1} << 24);

}  // namespace hayate
