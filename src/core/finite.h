// Whether numbers are finite.
#pragma once
#include <algorithm>
#include <cstddef>
#include <span>

#include "core/dtype.h"

namespace hayate {

// Infinity and NaN have every bit of the exponent set. The largest exponent is found without a branch, and by signed integers, so that the
// loop becomes vectors on every processor.
template <class Bits>
bool all_below(std::span<const std::byte> bytes, Bits exponent) {
  auto elements = reinterpret_cast<const Bits*>(bytes.data());
  Bits largest = 0;
  for (size_t i = 0; i < bytes.size() / sizeof(Bits); ++i) largest = std::max(largest, Bits(elements[i] & exponent));
  return largest < exponent;
}

// Elements of type t; integers are.
inline bool all_finite(std::span<const std::byte> bytes, Dtype t) {
  switch (t) {
    case Dtype::f32: return all_below<int32_t>(bytes, 0x7f800000);
    case Dtype::f16: return all_below<int16_t>(bytes, 0x7c00);
    case Dtype::bf16: return all_below<int16_t>(bytes, 0x7f80);
    case Dtype::i32: case Dtype::i8: case Dtype::f8: break;
  }
  return true;
}

}  // namespace hayate
