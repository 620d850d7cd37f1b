// Enlarging along one side at a time: every number of the result is a weighted sum of its neighbours.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "hayate/hayate.h"

namespace hayate {

// Where a number comes from: weights of those from `first` on.
struct Taps {
  int64_t first = 0;
  std::vector<float> weights{};
};
// Of each of `to` numbers, from `from` of them. As torch's interpolate with bilinear, bicubic and nearest-exact, corners not aligned: what lies beyond the edges
// is as the edge.
std::vector<Taps> linear_taps(int64_t from, int64_t to);
std::vector<Taps> cubic_taps(int64_t from, int64_t to);
std::vector<Taps> nearest_taps(int64_t from, int64_t to);
// As Pillow's LANCZOS: what lies beyond the edges does not count.
std::vector<Taps> lanczos_taps(int64_t from, int64_t to);

// (h, w, channels) to (rows.size(), columns.size(), channels).
std::vector<float> resampled(std::span<const float>, int64_t w, int64_t channels, const std::vector<Taps>& rows, const std::vector<Taps>& columns);
// With bytes in between too, as Pillow does.
Image resampled(const Image&, const std::vector<Taps>& rows, const std::vector<Taps>& columns);

}  // namespace hayate
