// Comparing pictures of different batches, where the order of sums may differ. In float32: bfloat16 rounds what differs in the last bit to
// neighbouring numbers, and a byte of the picture may be off by ten.
#pragma once
#include <algorithm>
#include <climits>
#include <cstdlib>

#include "hayate/serve.h"

namespace hayate::testing {

constexpr int batch_difference = 3;  // steps of 255
inline ServeOptions in_float32() {
  ServeOptions options;
  options.pipeline.rung = "fp32";
  return options;
}

inline int largest_difference(const Image& a, const Image& b) {
  if (a.rgb.size() != b.rgb.size()) return INT_MAX;
  int largest = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) largest = std::max(largest, std::abs(a.rgb[i] - b.rgb[i]));
  return largest;
}

}  // namespace hayate::testing
