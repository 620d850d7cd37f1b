// The random numbers of a request: one generator per picture, drawing again for each step that needs noise.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "hayate/hayate.h"

namespace hayate {

class LatentNoise {
 public:
  // One generator per seed; with `shared`, one for the whole batch from the first seed.
  LatentNoise(const std::vector<uint64_t>& seeds, Noise kind, bool shared, int64_t channels, int64_t h, int64_t w);

  int64_t channels() const { return channels_; }
  // Next draw for all pictures, (n, h, w, channels).
  std::vector<float> draw();
  // The next draw, of each picture on its way to that of a generator of its own: `strengths` says how far, 0 to 1.
  std::vector<float> draw_varied(LatentNoise& other, std::span<const float> strengths);

 private:
  int64_t pictures_, channels_, h_, w_;
  std::vector<std::function<void(std::span<float>)>> generators_;
};

}  // namespace hayate
