// Eight-bit floats as checkpoints store them, beside the types of core/dtype.h. Source: "OCP 8-bit Floating Point Specification
// (OFP8)", Open Compute Project 2023.
#pragma once
#include <algorithm>
#include <limits>

#include "core/dtype.h"

namespace hayate {

struct f8_e4m3 {
  uint8_t bits;
};  // "E4M3FN" in PyTorch: no infinities, S1111111 is NaN
struct f8_e5m2 {
  uint8_t bits;
};  // the upper half of a float16

inline float to_float(f8_e4m3 x) {
  const int exponent = x.bits >> 3 & 15, mantissa = x.bits & 7;
  float magnitude = exponent == 0 ? float(mantissa) * 0x1p-9f : std::bit_cast<float>(uint32_t(exponent + 120) << 23 | uint32_t(mantissa) << 20);
  if (exponent == 15 && mantissa == 7) magnitude = std::numeric_limits<float>::quiet_NaN();
  return x.bits & 0x80 ? -magnitude : magnitude;
}
// Round to nearest, ties to even; what lies beyond 448 becomes 448, as in the conversions of GPUs that saturate. NaN stays NaN.
template <> inline f8_e4m3 from_float<f8_e4m3>(float x) {
  const uint8_t sign = uint8_t(std::bit_cast<uint32_t>(x) >> 24 & 0x80);
  if (std::isnan(x)) return {uint8_t(sign | 0x7f)};
  const float magnitude = std::min(std::abs(x), 448.f);
  if (magnitude < 0x1p-6f) return {uint8_t(sign | uint8_t(std::nearbyint(magnitude * 0x1p9f)))};  // 8 of them make the first normal number
  const uint32_t bits = std::bit_cast<uint32_t>(magnitude), rounded = bits + 0x7ffff + (bits >> 20 & 1);
  return {uint8_t(sign | ((rounded >> 20) - (120 << 3)))};
}

inline float to_float(f8_e5m2 x) { return to_float(f16{uint16_t(x.bits << 8)}); }
inline float to_float(double x) { return float(x); }

}  // namespace hayate
