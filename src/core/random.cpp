// Box-Muller as torch does it: in float32 on blocks of 16 for 16 elements and more, one by one in double for fewer.
#include "core/random.h"

#include <array>
#include <bit>
#include <cmath>
#include <numbers>

#include "core/dtype.h"

namespace hayate {
namespace {

// log, sin and cos are Cephes' single precision approximations (logf.c, sinf.c), evaluated in the order and with the fused
// multiply-adds of torch's AVX2 kernel. Each operation is spelled out, so that no compiler flag can change a bit; without branches, so that
// eight numbers are computed at once where the processor can.
#define HAYATE_INLINE inline __attribute__((always_inline))  // into a function for a processor with more instructions

template <class... C>
HAYATE_INLINE float polynomial(float x, float first, C... coefficients) {
  float y = first;
  ((y = std::fma(y, x, coefficients)), ...);
  return y;
}

HAYATE_INLINE float log_cephes(float x) {  // of a normal positive number
  uint32_t bits = std::bit_cast<uint32_t>(x);
  float mantissa = std::bit_cast<float>((bits & 0x007fffff) | 0x3f000000);  // in [0.5, 1)
  bool small = mantissa < float(std::numbers::sqrt2 / 2);
  float exponent = float(int(bits >> 23) - 126 - int(small));
  float r = mantissa - 1 + (small ? mantissa : 0);
  float r2 = r * r;
  float y = polynomial(r, 7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f, -1.6668057665e-1f,
                           2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f);
  y = std::fma(y * r, r2, exponent * -2.12194440e-4f);  // ln 2 in two parts
  y = std::fma(r2, -0.5f, y);
  return std::fma(exponent, 0.693359375f, r + y);
}

struct SinCos {
  float sin, cos;
};

HAYATE_INLINE SinCos sincos_cephes(float x) {  // of a number in [0, 8192)
  int octant = (int(x * float(4 / std::numbers::pi)) + 1) & ~1;
  float k = float(octant);
  x = std::fma(k, -0.78515625f, x);  // pi / 4 in three parts
  x = std::fma(k, -2.4187564849853515625e-4f, x);
  x = std::fma(k, -3.77489497744594108e-8f, x);
  float x2 = x * x;
  float cos = polynomial(x2, 2.443315711809948e-5f, -1.388731625493765e-3f, 4.166664568298827e-2f) * x2;
  cos = std::fma(cos, x2, x2 * -0.5f) + 1;
  float sin = polynomial(x2, -1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f) * x2;
  sin = std::fma(sin, x, x);
  // Where the octants are 2 and 6 sine and cosine change places; their signs follow bit 2 of octant and of octant + 2.
  auto with_sign = [](float v, int negative) { return std::bit_cast<float>(std::bit_cast<uint32_t>(v) ^ uint32_t(negative & 4) << 29); };
  bool swapped = octant & 2;
  return {with_sign(swapped ? cos : sin, octant), with_sign(swapped ? sin : cos, octant + 2)};
}

// Sixteen uniform numbers become normal ones.
HAYATE_INLINE void box_muller_lanes(float* out) {
  for (int i = 0; i < 8; ++i) {
    float radius = std::sqrt(-2 * log_cephes(1 - out[i]));
    SinCos angle = sincos_cephes(float(2 * std::numbers::pi) * out[i + 8]);
    out[i] = radius * angle.cos;
    out[i + 8] = radius * angle.sin;
  }
}
#ifdef __x86_64__
__attribute__((target("avx2,fma"))) void box_muller_avx2(float* out) { box_muller_lanes(out); }
#endif
void box_muller(float* out) {
#ifdef __x86_64__
  static const bool has_fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");  // each a call of the library without it
  if (has_fma) return box_muller_avx2(out);
#endif
  box_muller_lanes(out);
}

float rounded(double x, RandnType type) {
  switch (type) {
    case RandnType::f32: break;
    case RandnType::f16: return to_float(from_float<f16>(float(x)));
    case RandnType::bf16: return to_float(from_float<bf16>(float(x)));
  }
  return float(x);
}

}  // namespace

TorchCpuGenerator::TorchCpuGenerator(uint64_t seed) : engine_(uint32_t(seed)) {}

void TorchCpuGenerator::randn(std::span<float> out, RandnType type) {
  if (out.size() < 16) {
    for (float& x : out) x = rounded(draw_one(), type);
    return;
  }
  size_t rest = out.size() % 16;
  for (size_t i = 0; i + 16 <= out.size(); i += 16) fill_block(out.subspan(i).first<16>());
  if (rest != 0) {
    std::array<uint32_t, 16> unused;  // drawn for the rest alone, then overwritten
    if (type == RandnType::f32) engine_.fill(std::span(unused).first(rest));
    fill_block(out.last<16>());
  }
  if (type != RandnType::f32)
    for (float& x : out) x = rounded(x, type);
}

void TorchCpuGenerator::fill_block(std::span<float, 16> out) {
  std::array<uint32_t, 16> bits;
  engine_.fill(bits);
  for (size_t i = 0; i < 16; ++i) out[i] = float(int(bits[i] & 0xffffff)) * 0x1p-24f;
  box_muller(out.data());
}

double TorchCpuGenerator::draw_one() {
  if (next_) {
    double x = *next_;
    next_.reset();
    return x;
  }
  double turn = uniform_double(), u = uniform_double();
  double radius = std::sqrt(-2 * std::log1p(-u)), angle = 2 * std::numbers::pi * turn;
  next_ = radius * std::sin(angle);
  return radius * std::cos(angle);
}

double TorchCpuGenerator::uniform_double() {
  uint64_t high = engine_(), low = engine_();
  return double((high << 32 | low) & ((uint64_t{1} << 53) - 1)) * 0x1p-53;
}

}  // namespace hayate
