// Products of rows and panels by matrix registers (AMX): of 8-bit numbers, signed by signed, so that sums are exact and nothing has to be taken off
// them, or of bfloat16.
#pragma once
#include <span>

#include "backend/cpu/kernels/tile.h"
#include "backend/cpu/panels.h"

#if defined(__AMX_INT8__)
namespace hayate::cpu::HAYATE_ISA {

static_assert(kPanelColumns == kMatrix && kChunkBytes == kMatrix * kGroupBytes);

template <class E>
using MatrixSum = std::conditional_t<std::is_same_v<E, int8_t>, int32_t, float>;

// kMatrices rows times two panels. A row's chunks lie kChunkBytes apart from those of its neighbours, `next_chunk` from each other; `taps` are where
// the first chunk of each tap lies. All sums stay in registers until the end. What `meanwhile` does after each chunk costs nothing as long as it takes
// less time than the products.
template <class E, class Meanwhile>
void multiply_matrices(const std::byte* rows, std::span<const int64_t> taps, int64_t chunks, int64_t next_chunk, const std::byte* left,
                       const std::byte* right, MatrixSum<E> (&sums)[kMatrices][kMatrices], Meanwhile meanwhile) {
  constexpr int64_t panel_step = kChunkBytes * kPanelColumns, lower = kMatrix * kChunkBytes;
  std::atomic_signal_fence(std::memory_order_seq_cst);  // as for attention
  _tile_zero(0); _tile_zero(1); _tile_zero(2); _tile_zero(3);
  for (const int64_t tap : taps) {
    const std::byte* x = rows + tap;
    for (int64_t c = 0; c < chunks; ++c, x += next_chunk, left += panel_step, right += panel_step) {
      _tile_loadd(4, x, kChunkBytes); _tile_loadd(5, x + lower, kChunkBytes);
      _tile_loadd(6, left, kChunkBytes); _tile_loadd(7, right, kChunkBytes);
      if constexpr (std::is_same_v<E, int8_t>) {
        _tile_dpbssd(0, 4, 6); _tile_dpbssd(1, 4, 7); _tile_dpbssd(2, 5, 6); _tile_dpbssd(3, 5, 7);
      } else {
        _tile_dpbf16ps(0, 4, 6); _tile_dpbf16ps(1, 4, 7); _tile_dpbf16ps(2, 5, 6); _tile_dpbf16ps(3, 5, 7);
      }
      meanwhile();
    }
  }
  constexpr int64_t bytes = sizeof sums[0];
  _tile_stored(0, &sums[0][0], bytes); _tile_stored(1, &sums[0][kMatrix], bytes);
  _tile_stored(2, &sums[kMatrix][0], bytes); _tile_stored(3, &sums[kMatrix][kMatrix], bytes);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

}  // namespace hayate::cpu::HAYATE_ISA
#endif
