// Products of 8-bit numbers, four in a row to each of kLanes sums, with what the instruction set has for it.
#pragma once
#include "backend/cpu/kernels/simd.h"

namespace hayate::cpu::HAYATE_ISA {

// The instructions multiply unsigned by signed numbers, and those before VNNI add two products in 16 bits. So |w| (x ^ m) is taken,
// where m has all bits set where w is negative: two times 127 * 128 fit, and as x ^ m is -x - 1 there, that is w x + w. Who sums takes the negative w
// off again, which are the same for every x (Panels::negatives). Changing the sign of x by vpsignb would keep a multiplying pipe busy.
typedef int8_t Bytes __attribute__((vector_size(4 * HAYATE_LANES)));

struct FourWeights {
  Bytes magnitude, negative;
  explicit FourWeights(const int8_t* w) {
    Bytes v;
    std::memcpy(&v, w, sizeof v);
    negative = v < 0;
    magnitude = (v ^ negative) - negative;
  }
};

inline Bytes repeat_four(const int8_t* x) {
  int32_t four;
  std::memcpy(&four, x, sizeof four);
  return reinterpret_cast<Bytes>(Ints{} + four);
}

inline Ints add_products(Ints sum, const FourWeights& w, Bytes x) {
  const Bytes factor = x ^ w.negative;
#if defined(__AVX512VNNI__)
  return reinterpret_cast<Ints>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), reinterpret_cast<__m512i>(w.magnitude), reinterpret_cast<__m512i>(factor)));
#elif defined(__AVX512BW__)
  const auto pairs = _mm512_maddubs_epi16(reinterpret_cast<__m512i>(w.magnitude), reinterpret_cast<__m512i>(factor));
  return sum + reinterpret_cast<Ints>(_mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
#elif defined(__AVX2__)
  const auto pairs = _mm256_maddubs_epi16(reinterpret_cast<__m256i>(w.magnitude), reinterpret_cast<__m256i>(factor));
  return sum + reinterpret_cast<Ints>(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#else
  for (int64_t i = 0; i < kLanes; ++i)
    for (int64_t q = 0; q < 4; ++q) sum[i] += w.magnitude[4 * i + q] * factor[4 * i + q];
  return sum;
#endif
}

}  // namespace hayate::cpu::HAYATE_ISA
