// The noise that a seed stands for: torch's CPU generator and its randn.
#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "core/mersenne_twister.h"

namespace hayate {

// The dtype that torch.randn is asked for. It matters: at sizes that 16 does not divide, half types use up fewer random bits.
enum class RandnType { f32, f16, bf16 };

// Equal to torch.Generator("cpu").manual_seed(seed), bit for bit with torch 2.15 on a processor with AVX2; on others torch runs
// other approximations of log and sin, which differ in the last bit. Before pytorch pull request 175988 (February 2026) half
// types drew 11 or 8 bits per uniform: other numbers altogether, not offered here.
class TorchCpuGenerator {
 public:
  explicit TorchCpuGenerator(uint64_t seed);  // torch uses the low 32 bits

  // torch.randn(out.size(), generator=this, dtype=type); half types arrive rounded and widened again. Consecutive calls
  // continue the sequence as consecutive calls of torch.randn do.
  void randn(std::span<float> out, RandnType type);

 private:
  void fill_block(std::span<float, 16> out);
  double draw_one();
  double uniform_double();

  MersenneTwister engine_;
  std::optional<double> next_;  // draw_one() makes normals in pairs
};

}  // namespace hayate
