// The same kernel sources (kernels/*.h) are compiled once per instruction set, each in its own namespace.
#pragma once
#include "backend/host_executable.h"

namespace hayate::cpu {

enum class Isa : uint8_t { baseline, avx2, avx512, avx512_vnni, avx512_bf16, avx512_amx };
const char* name_of(Isa);

bool runs_here(Isa);
Isa best_isa();

// Binds every op that kernels/ implements; see kernels/bind.h.
namespace baseline { Launch bind(const Operands&, Scratch&); }
namespace avx2 { Launch bind(const Operands&, Scratch&); }
namespace avx512 { Launch bind(const Operands&, Scratch&); }
namespace avx512_vnni { Launch bind(const Operands&, Scratch&); }
namespace avx512_bf16 { Launch bind(const Operands&, Scratch&); }
namespace avx512_amx { Launch bind(const Operands&, Scratch&); }
[[noreturn]] void unsupported(const Operands&);
Launch bind_kernel(Isa, const Operands&, Scratch&);

}  // namespace hayate::cpu
