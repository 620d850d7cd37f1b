// The sum of products that Op::row_dots is made of, the same bit by bit wherever it is computed.
#pragma once
#include <cstdint>

namespace hayate {

// In float64, in which products of float32 are exact: 32 sums, one for each column modulo 32, which are then added in halves. As a warp of a GPU does.
inline double row_dot(const float* row, const float* v, int64_t columns) {
  constexpr int64_t lanes = 32;
  double sums[lanes] = {};
  int64_t c = 0;
  for (; c + lanes <= columns; c += lanes)
    for (int64_t l = 0; l < lanes; ++l) sums[l] += double(row[c + l]) * double(v[c + l]);
  for (int64_t l = 0; c + l < columns; ++l) sums[l] += double(row[c + l]) * double(v[c + l]);
  for (int64_t half = lanes / 2; half > 0; half /= 2)
    for (int64_t l = 0; l < half; ++l) sums[l] += sums[l + half];
  return sums[0];
}

}  // namespace hayate
