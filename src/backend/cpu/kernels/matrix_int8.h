// Products of 8-bit numbers by matrix registers (AMX): signed by signed, so the sums are exact and nothing has to be taken off them.
#pragma once
#include <span>

#include "backend/cpu/kernels/tile.h"
#include "backend/cpu/quantized_panels.h"

#if defined(__AMX_INT8__)
namespace hayate::cpu::HAYATE_ISA {

static_assert(kPanelColumns == kMatrix && kTapDepth == kMatrix * kPanelDepth);

// kMatrices rows, `stride` bytes apart, times two panels. Of each row the bytes at `taps` are factors, `depth` from each on: a multiple of kTapDepth.
inline void multiply_matrices(const int8_t* rows, int64_t stride, std::span<const int64_t> taps, int64_t depth, const int8_t* left, const int8_t* right,
                              int32_t (&sums)[kMatrices][kMatrices]) {
  constexpr int64_t step = kTapDepth * kPanelColumns;
  std::atomic_signal_fence(std::memory_order_seq_cst);  // as for bfloat16
  _tile_zero(0); _tile_zero(1); _tile_zero(2); _tile_zero(3);
  for (const int64_t tap : taps) {
    const int8_t *upper = rows + tap, *lower = upper + kMatrix * stride;
    for (int64_t k = 0; k < depth; k += kTapDepth, left += step, right += step) {
      _tile_loadd(4, upper + k, stride); _tile_loadd(5, lower + k, stride);
      _tile_loadd(6, left, kTapDepth); _tile_loadd(7, right, kTapDepth);
      _tile_dpbssd(0, 4, 6); _tile_dpbssd(1, 4, 7); _tile_dpbssd(2, 5, 6); _tile_dpbssd(3, 5, 7);
    }
  }
  constexpr int64_t bytes = sizeof sums[0];
  _tile_stored(0, &sums[0][0], bytes); _tile_stored(1, &sums[0][kMatrix], bytes);
  _tile_stored(2, &sums[kMatrix][0], bytes); _tile_stored(3, &sums[kMatrix][kMatrix], bytes);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

}  // namespace hayate::cpu::HAYATE_ISA
#endif
