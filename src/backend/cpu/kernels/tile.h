// Products of small float32 matrices that lie in cache, and packing rows of any type into them.
// HAYATE_TILE_ROWS: rows for which the registers of the instruction set hold two vectors of sums each.
#pragma once
#include "backend/cpu/kernels/simd.h"

namespace hayate::cpu::HAYATE_ISA {

constexpr int64_t kTileRows = HAYATE_TILE_ROWS;

// A matrix of floats in scratch memory; rows are `stride` apart.
struct Block {
  float* data;
  int64_t stride;
  float* row(int64_t r) const { return data + r * stride; }
};

// kTileRows rows and Vectors * kLanes columns of c (+)= a b.
template <int Vectors>
void multiply_tile(const float* a, int64_t a_stride, const float* b, int64_t b_stride, float* c, int64_t c_stride, int64_t depth, bool add) {
  Floats sum[kTileRows][Vectors];
  for (int64_t i = 0; i < kTileRows; ++i)
    for (int j = 0; j < Vectors; ++j) sum[i][j] = add ? load(c + i * c_stride + j * kLanes) : Floats{};
  for (int64_t k = 0; k < depth; ++k, b += b_stride) {
    Floats column[Vectors];
#pragma GCC unroll 4
    for (int j = 0; j < Vectors; ++j) column[j] = load(b + j * kLanes);
#pragma GCC unroll 16
    for (int64_t i = 0; i < kTileRows; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < Vectors; ++j) sum[i][j] += a[i * a_stride + k] * column[j];
  }
  for (int64_t i = 0; i < kTileRows; ++i)
    for (int j = 0; j < Vectors; ++j) store(c + i * c_stride + j * kLanes, sum[i][j]);
}

// c (+)= a b for `rows` a multiple of kTileRows and `columns` a multiple of kLanes.
inline void multiply(Block c, Block a, Block b, int64_t rows, int64_t columns, int64_t depth, bool add) {
  int64_t j = 0;
  for (; j + 2 * kLanes <= columns; j += 2 * kLanes)
    for (int64_t i = 0; i < rows; i += kTileRows)
      multiply_tile<2>(a.row(i), a.stride, b.data + j, b.stride, c.row(i) + j, c.stride, depth, add);
  if (j < columns)
    for (int64_t i = 0; i < rows; i += kTileRows)
      multiply_tile<1>(a.row(i), a.stride, b.data + j, b.stride, c.row(i) + j, c.stride, depth, add);
}

// to = from * scale for `count` rows of `width` elements; the rest of `padded` rows and of the stride is zero.
template <class T>
void pack_rows(Block to, int64_t padded, const T* from, int64_t from_stride, int64_t count, int64_t width, float scale) {
  for (int64_t r = 0; r < padded; ++r) {
    int64_t filled = r < count ? width : 0;
    if (filled) map_row(to.row(r), width, [scale](Floats v) { return v * scale; }, from + r * from_stride);
    std::fill(to.row(r) + filled, to.row(r) + to.stride, 0.0f);
  }
}

// to[e][r] = from[r][e]; columns from `count` to the stride are zero.
template <class T>
void pack_transposed(Block to, const T* from, int64_t from_stride, int64_t count, int64_t width) {
  for (int64_t e = 0; e < width; ++e) {
    for (int64_t r = 0; r < count; ++r) to.row(e)[r] = to_float(from[r * from_stride + e]);
    std::fill(to.row(e) + count, to.row(e) + to.stride, 0.0f);
  }
}

}  // namespace hayate::cpu::HAYATE_ISA
