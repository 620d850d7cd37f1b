// Results past the caches: a large one would displace what is read again, and a line that is written whole need not be read before.
#pragma once
#include "backend/cpu/kernels/simd.h"
#include "backend/operands.h"

namespace hayate::cpu::HAYATE_ISA {

constexpr int64_t kStreamedBytes = 1 << 20;  // of a result, from which it pays
#if defined(__AVX512BF16__)
constexpr bool kStreams = true;
// Two vectors to a multiple of 64 bytes. Others see them after end_streams().
inline void stream(bf16* p, Floats a, Floats b) {
  _mm512_stream_si512(reinterpret_cast<__m512i*>(p),
                      reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(a))));
}
inline void stream(float* p, Floats a, Floats b) {
  _mm512_stream_ps(p, reinterpret_cast<__m512>(a));
  _mm512_stream_ps(p + kLanes, reinterpret_cast<__m512>(b));
}
inline void end_streams() { _mm_sfence(); }
#else
constexpr bool kStreams = false;
template <class T>
void stream(T* p, Floats a, Floats b) { store(p, a), store(p + kLanes, b); }
inline void end_streams() {}
#endif

// Whether pairs of vectors from a row's begin on may be streamed.
template <class T>
bool is_streamed(const TensorView& out) {
  return kStreams && out.shape.count() * int64_t(sizeof(T)) >= kStreamedBytes && reinterpret_cast<uintptr_t>(out.data) % 64 == 0 &&
         out.row_stride * int64_t(sizeof(T)) % 64 == 0;
}

// map_row, past the caches where the result is_streamed.
template <class Out, class F, class... In>
void map_row_to(bool streamed, Out* out, int64_t count, F f, const In*... in) {
  int64_t i = 0;
  for (; streamed && i + 2 * kLanes <= count; i += 2 * kLanes) stream(out + i, f(load(in + i)...), f(load(in + i + kLanes)...));
  map_row(out + i, count - i, f, in + i...);
}

}  // namespace hayate::cpu::HAYATE_ISA
