// Vectors of floats by the compiler's vector extension: the same source becomes SSE, NEON, AVX2 or AVX-512.
// HAYATE_ISA (namespace) and HAYATE_LANES come from the file that is being compiled.
#pragma once
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "backend/cpu/isa.h"
#include "core/dtype.h"
#include "core/parallel.h"

namespace hayate::cpu::HAYATE_ISA {

constexpr int64_t kLanes = HAYATE_LANES;
constexpr int64_t kElementGrain = 1 << 13;  // elements per thread below which waking it costs more than it saves
inline int64_t round_up(int64_t count, int64_t to = kLanes) { return (count + to - 1) / to * to; }

typedef float Floats __attribute__((vector_size(4 * HAYATE_LANES)));
typedef int32_t Ints __attribute__((vector_size(4 * HAYATE_LANES)));
typedef uint32_t Bits __attribute__((vector_size(4 * HAYATE_LANES)));
typedef uint16_t Halves __attribute__((vector_size(2 * HAYATE_LANES)));
typedef int8_t Quarters __attribute__((vector_size(HAYATE_LANES)));

inline Floats splat(float x) { return Floats{} + x; }

inline Floats load(const float* p) {
  Floats v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline Floats load(const bf16* p) {
  Halves h;
  std::memcpy(&h, p, sizeof h);
#if defined(__AVX512F__)
  return reinterpret_cast<Floats>(_mm512_maskz_slli_epi32(0xffff, _mm512_maskz_cvtepu16_epi32(0xffff, reinterpret_cast<__m256i>(h)), 16));  // gcc goes by halves
#else
  return reinterpret_cast<Floats>(__builtin_convertvector(h, Bits) << 16);
#endif
}
inline void store(float* p, Floats v) { std::memcpy(p, &v, sizeof v); }
#if defined(__AVX512BF16__)
inline void store(bf16* p, Floats v) {  // as from_float<bf16>, but that numbers below the smallest normal one become 0
  const auto h = _mm512_cvtneps_pbh(reinterpret_cast<__m512>(v));
  std::memcpy(p, &h, sizeof h);
}
#else
inline void store(bf16* p, Floats v) {  // as from_float<bf16>
  Bits u = reinterpret_cast<Bits>(v);
  Bits rounded = (u + 0x7fff + (u >> 16 & 1)) >> 16, quiet = u >> 16 | 0x40;
  Halves h = __builtin_convertvector(v == v ? rounded : quiet, Halves);
  std::memcpy(p, &h, sizeof h);
}
#endif
inline void store(int8_t* p, Floats v) {  // to the nearest integer, ties to even; |v| < 128
  const Bits low = reinterpret_cast<Bits>(v + 0x1.8p23f);
#if defined(__AVX512F__)
  const auto q = _mm512_maskz_cvtepi32_epi8(0xffff, reinterpret_cast<__m512i>(low));
#else
  const auto q = __builtin_convertvector(__builtin_convertvector(low, Halves), Quarters);  // straight to 8 bits gcc goes element by element
#endif
  std::memcpy(p, &q, sizeof q);
}

// The last count < kLanes elements of a row; the other lanes are zero.
template <class T>
Floats load_part(const T* p, int64_t count) {
  T lanes[kLanes] = {};
  std::copy_n(p, count, lanes);
  return load(lanes);
}
template <class T>
void store_part(T* p, int64_t count, Floats v) {
  T lanes[kLanes];
  store(lanes, v);
  std::copy_n(lanes, count, p);
}

// Lane i becomes lane i ^ Distance.
template <int Distance, class V, int... Lane>
V swapped(V v, std::integer_sequence<int, Lane...>) { return __builtin_shuffle(v, Ints{(Lane ^ Distance)...}); }

// Over all lanes, halves at a time: one of them after the other takes as long as the exponentials of a row of scores.
template <int Half = HAYATE_LANES / 2, class V, class F>
auto reduce(V v, F f) {
  if constexpr (Half == 0)
    return v[0];
  else
    return reduce<Half / 2>(f(v, swapped<Half>(v, std::make_integer_sequence<int, HAYATE_LANES>())), f);
}
inline float sum_of(Floats v) {
  return reduce(v, [](Floats a, Floats b) { return a + b; });
}
// b where one of them is NaN.
#if defined(__AVX512F__)
inline Floats max(Floats a, Floats b) { return reinterpret_cast<Floats>(_mm512_maskz_max_ps(0xffff, reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b))); }
inline Floats min(Floats a, Floats b) { return reinterpret_cast<Floats>(_mm512_maskz_min_ps(0xffff, reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b))); }
#elif defined(__AVX2__)
inline Floats max(Floats a, Floats b) { return reinterpret_cast<Floats>(_mm256_max_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b))); }
inline Floats min(Floats a, Floats b) { return reinterpret_cast<Floats>(_mm256_min_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b))); }
#else
inline Floats max(Floats a, Floats b) { return a > b ? a : b; }
inline Floats min(Floats a, Floats b) { return a < b ? a : b; }
#endif
inline float max_of(Floats v) {
  return reduce(v, [](Floats a, Floats b) { return max(a, b); });
}

// The functions below take T, which their results are rounded to. For bfloat16 a term less does, but not two: errors of 1e-4, far below its rounding
// but the same wherever x is, do not cancel in sums as rounding does.

// 2^x for x <= 126, within 2e-7 or for bfloat16 3e-6 of it; 0 below 2^-126.
template <class T>
Floats exp2(Floats x) {
  const Floats low = splat(-126.0f), y = max(low, x);  // keeps NaN
#if defined(__AVX512F__)
  const Floats n = reinterpret_cast<Floats>(_mm512_maskz_roundscale_ps(0xffff, reinterpret_cast<__m512>(y), 0));
#else
  const Floats round = splat(0x1.8p23f), n = y + round - round;
#endif
  const Floats r = y - n;
  Floats p;  // minimax for |r| <= 1/2
  if constexpr (std::is_same_v<T, bf16>) {
    p = r * 9.582852469e-3f + 5.590642550e-2f;
    p = p * r + 2.402409863e-1f;
    p = p * r + 6.931241933e-1f;
  } else {
    p = r * 1.326472640e-3f + 9.671512697e-3f;
    p = p * r + 5.550733746e-2f;
    p = p * r + 2.402224208e-1f;
    p = p * r + 6.931469776e-1f;
  }
  p = p * r + 1.0f;
#if defined(__AVX512F__)
  const Floats power = reinterpret_cast<Floats>(_mm512_maskz_scalef_ps(0xffff, reinterpret_cast<__m512>(p), reinterpret_cast<__m512>(n)));
#else
  const Floats power = p * reinterpret_cast<Floats>((__builtin_convertvector(n, Ints) + 127) << 23);
#endif
  return x < low ? Floats{} : power;
}
constexpr float kLog2E = 1.44269504f;  // e^x = 2^(x kLog2E)

// 1 / x for x >= 1, within 1e-7: dividing takes as long as twenty multiplications.
inline Floats inverse(Floats x) {
#if defined(__AVX512F__)
  const Floats near = reinterpret_cast<Floats>(_mm512_maskz_rcp14_ps(0xffff, reinterpret_cast<__m512>(x)));
  return near * (2.0f - x * near);
#else
  return 1.0f / x;
#endif
}

template <class T>
Floats sigmoid(Floats x) { return inverse(1.0f + exp2<T>(min(splat(126.0f), x * -kLog2E))); }

// x times the normal distribution; erfc by Abramowitz and Stegun 7.1.26, absolute error 1.5e-7.
template <class T>
Floats gelu(Floats x) {
  Floats z = (x < 0.0f ? -x : x) * 0.70710678f;
  Floats t = inverse(1.0f + 0.3275911f * z);
  Floats p = splat(1.061405429f);
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  Floats tail = 0.5f * p * t * exp2<T>(z * z * -kLog2E);
  return x * (x < 0.0f ? tail : 1.0f - tail);
}

// Calls f with the activation as a function of vectors.
template <class T, class F>
auto with_activation(Activation a, F f) {
  switch (a) {
    case Activation::none: case Activation::geglu: break;  // geglu is of two numbers
    case Activation::silu: return f([](Floats x) { return x * sigmoid<T>(x); });
    case Activation::gelu: return f([](Floats x) { return gelu<T>(x); });
    case Activation::quick_gelu: return f([](Floats x) { return x * sigmoid<T>(1.702f * x); });
    case Activation::relu: return f([](Floats x) { return x < 0.0f ? Floats{} : x; });
  }
  return f([](Floats x) { return x; });
}

// Calls f with a value of the type of an operand's elements, by default the result's.
template <class F>
auto with_type(const Operands& o, Dtype t, F f) {
  switch (t) {
    case Dtype::f32: return f(float{});
    case Dtype::bf16: return f(bf16{});
    default: unsupported(o);
  }
}
template <class F>
auto with_type(const Operands& o, F f) {
  return with_type(o, o.out.dtype, f);
}

// out[i] = f(in[i]...) for one row.
template <class Out, class F, class... In>
void map_row(Out* out, int64_t count, F f, const In*... in) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(out + i, f(load(in + i)...));
  if (i < count) store_part(out + i, count - i, f(load_part(in + i, count - i)...));
}

}  // namespace hayate::cpu::HAYATE_ISA
