// Comparing pictures of different batches, where the order of sums may differ.
#pragma once
#include <algorithm>
#include <climits>
#include <cstdlib>

#include "hayate/hayate.h"

namespace hayate::testing {

constexpr int batch_difference = 16;  // steps of 255

inline int largest_difference(const Image& a, const Image& b) {
  if (a.rgb.size() != b.rgb.size()) return INT_MAX;
  int largest = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) largest = std::max(largest, std::abs(a.rgb[i] - b.rgb[i]));
  return largest;
}

}  // namespace hayate::testing
