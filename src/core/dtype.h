// Element types of tensors, and scalar conversions between them.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace hayate {

// i8 and f8 (e4m3, core/float8.h) are of quantized values: rows with a scale each (program/quantized.h).
enum class Dtype : uint8_t { f32, f16, bf16, i32, i8, f8 };

constexpr bool is_quantized(Dtype t) { return t == Dtype::i8 || t == Dtype::f8; }
constexpr int64_t size_of(Dtype t) { return is_quantized(t) ? 1 : t == Dtype::f32 || t == Dtype::i32 ? 4 : 2; }
constexpr const char* name_of(Dtype t) {
  switch (t) {
    case Dtype::f32: return "f32";
    case Dtype::f16: return "f16";
    case Dtype::bf16: return "bf16";
    case Dtype::i32: return "i32";
    case Dtype::i8: return "i8";
    case Dtype::f8: return "f8";
  }
  return "?";
}

// Storage types: bits only, all arithmetic happens in float32.
struct bf16 { uint16_t bits; };
struct f16 { uint16_t bits; };

inline float to_float(float x) { return x; }
inline float to_float(bf16 x) { return std::bit_cast<float>(uint32_t(x.bits) << 16); }
// `yes` where the condition holds, else `no`. A mask, because of a select the compiler may make a branch around the float
// arithmetic on one side, and then no loop over it is vectorised.
constexpr uint32_t choose(bool condition, uint32_t yes, uint32_t no) { return no ^ ((yes ^ no) & -uint32_t(condition)); }

inline float to_float(f16 x) {
  uint32_t sign = uint32_t(x.bits & 0x8000) << 16, rest = uint32_t(x.bits & 0x7fff) << 13;
  uint32_t subnormal = std::bit_cast<uint32_t>(std::bit_cast<float>(rest + 0x38800000) - 0x1p-14f);
  uint32_t normal = rest + choose(rest >= 0x0f800000, 0x70000000, 0x38000000);  // infinity and NaN: the largest exponent
  return std::bit_cast<float>(sign | choose(rest < 0x00800000, subnormal, normal));
}

// Round to nearest, ties to even; NaN stays NaN.
template <class T> T from_float(float x);
template <> inline float from_float<float>(float x) { return x; }
template <> inline bf16 from_float<bf16>(float x) {
  uint32_t u = std::bit_cast<uint32_t>(x), rounded = u + 0x7fff + (u >> 16 & 1);
  return {uint16_t(std::isnan(x) ? u >> 16 | 0x40 : rounded >> 16)};
}
template <> inline f16 from_float<f16>(float x) {
  uint32_t u = std::bit_cast<uint32_t>(x), sign = u >> 16 & 0x8000;
  u &= 0x7fffffff;
  uint32_t subnormal = std::bit_cast<uint32_t>(std::bit_cast<float>(u) + 0.5f) - 0x3f000000;  // the addition rounds at 2^-24
  uint32_t normal = (u + 0xfff + (u >> 13 & 1) - 0x38000000) >> 13;
  uint32_t finite = choose(u < 0x38800000, subnormal, normal);
  uint32_t special = choose(u > 0x7f800000, 0x7e00, 0x7c00);
  return {uint16_t(sign | choose(u >= 0x477ff000, special, finite))};  // from 65520 on the nearest is infinity
}

}  // namespace hayate
