// Threads, draws and Box-Muller as in torch's aten/src/ATen/native/cuda/DistributionTemplates.h and curand_normal4: thread i of T draws four numbers
// and writes them to i, i + T, i + 2T, i + 3T, then goes on 4T further.
#include "core/philox.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hayate {
namespace {

constexpr uint64_t block = 256, resident_threads = 132 * 2048;  // H100

// `x` and `y` as numbers above 0, up to 1 and up to 2 pi.
std::array<float, 2> box_muller(uint32_t x, uint32_t y) {
  constexpr float unit = 0x1p-32f, turn = float(0x1p-32 * 2 * std::numbers::pi);
  const float u = float(x) * unit + unit / 2, v = float(y) * turn + turn / 2, radius = std::sqrt(-2 * std::log(u));
  return {radius * std::sin(v), radius * std::cos(v)};
}

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * c[0], b = uint64_t{0xCD9E8D57} * c[2];
    c = {uint32_t(b >> 32) ^ c[1] ^ key[0], uint32_t(b), uint32_t(a >> 32) ^ c[3] ^ key[1], uint32_t(a)};
    key[0] += 0x9E3779B9, key[1] += 0xBB67AE85;
  }
  return c;
}

void TorchCudaGenerator::randn(std::span<float> out) {
  const uint64_t count = out.size(), threads = std::min((count + block - 1) / block * block, resident_threads);
  for (uint64_t start = 0; start < count; start += 4 * threads, ++calls_)
    for (uint64_t thread = 0; thread < std::min(threads, count - start); ++thread) {
      const std::array<uint32_t, 4> bits =
          philox({uint32_t(calls_), uint32_t(calls_ >> 32), uint32_t(thread), uint32_t(thread >> 32)}, {uint32_t(seed_), uint32_t(seed_ >> 32)});
      const std::array<float, 2> first = box_muller(bits[0], bits[1]), second = box_muller(bits[2], bits[3]);
      const float drawn[] = {first[0], first[1], second[0], second[1]};
      for (uint64_t k = 0; k < 4; ++k)
        if (const uint64_t at = start + thread + k * threads; at < count) out[at] = drawn[k];
    }
}

}  // namespace hayate
