// Choosing an instruction set at run time.
#include "backend/cpu/isa.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "backend/processor.h"
#include "core/error.h"

namespace hayate::cpu {

const char* name_of(Isa isa) {
  constexpr const char* names[] = {"baseline", "avx2", "avx512", "avx512_vnni", "avx512_bf16", "avx512_amx"};
  return names[size_t(isa)];
}

#ifdef __x86_64__
namespace {
// Linux gives a process the matrix registers when it asks for them.
bool has_amx() {
  constexpr unsigned needed = 1u << 22 | 1u << 24 | 1u << 25;  // of leaf 7's edx: bfloat16, registers, int8
  constexpr long request_permission = 0x1023, tile_data = 18;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (edx & needed) != needed) return false;
  static const bool permitted = syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
  return permitted;
}
}  // namespace

bool runs_here(Isa isa) {
  switch (isa) {
    case Isa::baseline: return true;
    case Isa::avx2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
    case Isa::avx512_vnni: return runs_here(Isa::avx512) && __builtin_cpu_supports("avx512vnni");
    case Isa::avx512_bf16: return runs_here(Isa::avx512_vnni) && __builtin_cpu_supports("avx512bf16");
    case Isa::avx512_amx: return runs_here(Isa::avx512_bf16) && has_amx();
  }
  return false;
}

Launch bind_kernel(Isa isa, const Operands& o, Scratch& scratch) {
  switch (isa) {
    case Isa::baseline: break;
    case Isa::avx2: return avx2::bind(o, scratch);
    case Isa::avx512: return avx512::bind(o, scratch);
    case Isa::avx512_vnni: return avx512_vnni::bind(o, scratch);
    case Isa::avx512_bf16: return avx512_bf16::bind(o, scratch);
    case Isa::avx512_amx: return avx512_amx::bind(o, scratch);
  }
  return baseline::bind(o, scratch);
}
#else
bool runs_here(Isa isa) { return isa == Isa::baseline; }
Launch bind_kernel(Isa, const Operands& o, Scratch& scratch) { return baseline::bind(o, scratch); }
#endif

void unsupported(const Operands& o) {
  fail(ErrorKind::unsupported, "{} {}: the CPU has no kernel for {}", name_of(o.node.op), o.node.name, name_of(o.out.dtype));
}

Isa best_isa() {
  for (Isa isa : {Isa::avx512_amx, Isa::avx512_bf16, Isa::avx512_vnni, Isa::avx512, Isa::avx2})
    if (runs_here(isa)) return isa;
  return Isa::baseline;
}

}  // namespace hayate::cpu

std::string hayate::cpu_instruction_set() { return cpu::name_of(cpu::best_isa()); }
