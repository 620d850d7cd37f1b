// Small stand-ins for large values, from which the relative L2 distance of the whole value can be told to about a quarter.
// A count sketch: every element is added, with a sign, to one of 32 sums that its index chooses. tools/reference/sketch.py
// writes the same, and says why it works.
#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

namespace hayate::testing {

constexpr uint32_t kSketchSums = 32;

inline uint32_t mix_bits(uint32_t x) {  // the finalizer of MurmurHash3
  x = (x ^ (x >> 16)) * 0x85EBCA6B;
  x = (x ^ (x >> 13)) * 0xC2B2AE35;
  return x ^ (x >> 16);
}

// Up to 32 elements are kept as they are. A masked score, minus infinity, counts as 0; NaN stays and fails every bound.
inline std::vector<float> sketch(std::vector<float> values) {
  for (float& x : values)
    if (x == -INFINITY) x = 0;
  if (values.size() <= kSketchSums) return values;
  std::vector<double> sums(kSketchSums, 0.0);
  for (uint32_t i = 0; i < values.size(); ++i) {
    uint32_t hash = mix_bits(i);
    sums[hash % kSketchSums] += hash >> 31 ? -values[i] : values[i];
  }
  return {sums.begin(), sums.end()};
}

}  // namespace hayate::testing
