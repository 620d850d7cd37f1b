// The noise that a seed stands for on NVIDIA GPUs: torch's CUDA generator and its randn.
#pragma once
#include <array>
#include <cstdint>
#include <span>

namespace hayate {

// Philox4x32-10: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// torch.Generator("cuda").manual_seed(seed), as AUTOMATIC1111 draws on a GPU and emulates with "NV", and stable-diffusion.cpp with --rng cuda. Values
// agree to about 1e-6: the GPU takes fast approximations of sine and cosine. In a draw of more numbers than the GPU has threads at once
// the order depends on their number; it is that of an H100, and the same on others up to 196,608 numbers (RTX 4090), a picture of 1773x1773 pixels.
class TorchCudaGenerator {
 public:
  explicit TorchCudaGenerator(uint64_t seed) : seed_(seed) {}

  // torch.randn(out.size(), device="cuda", generator=this); consecutive calls continue the sequence.
  void randn(std::span<float> out);

 private:
  uint64_t seed_, calls_ = 0;  // how often each thread has drawn
};

}  // namespace hayate
