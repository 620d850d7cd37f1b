// The CPU backend with a chosen instruction set; make_cpu_backend() of backend.h takes the best one.
#pragma once
#include "backend/cpu/isa.h"

namespace hayate {

std::shared_ptr<Backend> make_cpu_backend(cpu::Isa);

}  // namespace hayate
