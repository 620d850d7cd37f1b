// Every backend that runs on this machine, but for the reference.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "backend/cpu/cpu_backend.h"

namespace hayate::testing {

struct Candidate {
  std::string name;
  std::shared_ptr<Backend> backend;
  std::vector<Dtype> dtypes = {Dtype::f32, Dtype::bf16};
};

inline std::vector<Candidate> make_candidates() {
  std::vector<Candidate> all;
  for (cpu::Isa isa : {cpu::Isa::baseline, cpu::Isa::avx2, cpu::Isa::avx512, cpu::Isa::avx512_vnni, cpu::Isa::avx512_bf16, cpu::Isa::avx512_amx})
    if (cpu::runs_here(isa)) all.push_back({std::string("cpu_") + name_of(isa), make_cpu_backend(isa)});
  if (std::string why; !cuda_devices(why).empty())
    for (bool deterministic : {true, false}) {
      CudaOptions options;
      options.deterministic = deterministic;
      all.push_back({deterministic ? "cuda" : "cuda_measured", make_cuda_backend(options), {Dtype::f32, Dtype::bf16, Dtype::f16}});
    }
  if (std::string why; !cuda_devices(why).empty())
    for (int capability : {80, 89}) {  // the kernels of older GPUs
      CudaOptions options;
      options.deterministic = true, options.force_capability = capability;
      all.push_back({fmt::format("cuda_{}", capability), make_cuda_backend(options), {Dtype::bf16}});
    }
  return all;
}

// Made once and never destroyed: a driver may be gone before static objects are.
inline const std::vector<Candidate>& candidates() {
  static const auto* all = new std::vector<Candidate>(make_candidates());
  return *all;
}

}  // namespace hayate::testing
