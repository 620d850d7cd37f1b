// Element types of tensors, and scalar conversions between them.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace hayate {

enum class Dtype : uint8_t { f32, f16, bf16, i32 };

constexpr int64_t size_of(Dtype t) { return t == Dtype::f32 || t == Dtype::i32 ? 4 : 2; }
constexpr const char* name_of(Dtype t) {
  switch (t) {
    case Dtype::f32: return "f32";
    case Dtype::f16: return "f16";
    case Dtype::bf16: return "bf16";
    case Dtype::i32: return "i32";
  }
  return "?";
}

// Storage types: bits only, all arithmetic happens in float32.
struct bf16 { uint16_t bits; };
struct f16 { uint16_t bits; };

inline float to_float(float x) { return x; }
inline float to_float(bf16 x) { return std::bit_cast<float>(uint32_t(x.bits) << 16); }
inline float to_float(f16 x) {
  uint32_t sign = uint32_t(x.bits & 0x8000) << 16, exponent = (x.bits >> 10) & 31, mantissa = x.bits & 1023;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000 | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  float subnormal = float(mantissa) * 0x1p-24f;
  return sign ? -subnormal : subnormal;
}

// Round to nearest, ties to even; NaN stays NaN.
template <class T> T from_float(float x);
template <> inline float from_float<float>(float x) { return x; }
template <> inline bf16 from_float<bf16>(float x) {
  uint32_t u = std::bit_cast<uint32_t>(x);
  if (std::isnan(x)) return {uint16_t(u >> 16 | 0x40)};
  return {uint16_t((u + 0x7fff + (u >> 16 & 1)) >> 16)};
}
template <> inline f16 from_float<f16>(float x) {
  uint32_t u = std::bit_cast<uint32_t>(x);
  uint16_t sign = uint16_t(u >> 16 & 0x8000);
  u &= 0x7fffffff;
  if (u > 0x7f800000) return {uint16_t(sign | 0x7e00)};
  if (u >= 0x477ff000) return {uint16_t(sign | 0x7c00)};  // rounds past 65504
  if (u < 0x38800000) {                                   // subnormal: let float addition round at 2^-24
    float magic = std::bit_cast<float>(u) + 0.5f;
    return {uint16_t(sign | (std::bit_cast<uint32_t>(magic) - 0x3f000000))};
  }
  u += 0xfff + (u >> 13 & 1);
  return {uint16_t(sign | ((u - 0x38000000) >> 13))};
}

}  // namespace hayate
