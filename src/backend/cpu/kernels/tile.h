// Products of small matrices that lie in cache, summed in float32, and packing rows of any type into them.
// HAYATE_TILE_ROWS: rows for which the registers of the instruction set hold two vectors of sums each.
#pragma once
#include <atomic>
#include <bit>
#include <type_traits>

#include "backend/cpu/kernels/simd.h"

namespace hayate::cpu::HAYATE_ISA {

constexpr int64_t kTileRows = HAYATE_TILE_ROWS;

// Two bfloat16 that are multiplied with two others and added, in one instruction (AVX512_BF16): half of the instructions of float32, and of the
// bytes. What is summed over lies in pairs: neighbours of a row on the left, of a column on the right; where it is odd, the last one is 0.
struct __attribute__((may_alias)) Pair { bf16 first, second; };
#if defined(__AVX512BF16__)
constexpr bool kMultipliesPairs = true;
#else
constexpr bool kMultipliesPairs = false;
#endif
// What products read of matrices of T.
template <class T>
using Factor = std::conditional_t<kMultipliesPairs && std::is_same_v<T, bf16>, Pair, float>;
template <class E>
constexpr int64_t kSummedAtOnce = std::is_same_v<E, Pair> ? 2 : 1;
template <class E>
constexpr int64_t factors(int64_t depth) { return (depth + kSummedAtOnce<E> - 1) / kSummedAtOnce<E>; }

// A matrix in scratch memory; rows are `stride` apart.
template <class E>
struct Block {
  E* data;
  int64_t stride;
  E* row(int64_t r) const { return data + r * stride; }
};

inline Floats load_factors(const float* p) { return load(p); }
inline void add_product(Floats& sum, float a, Floats b) { sum += a * b; }
#if defined(__AVX512BF16__)
inline __m512bh load_factors(const Pair* p) {
  __m512bh v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void add_product(Floats& sum, Pair a, __m512bh b) {
  sum = reinterpret_cast<Floats>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(_mm512_set1_epi32(std::bit_cast<int32_t>(a))), b));
}
#endif

// kTileRows rows and Vectors * kLanes columns of c (+)= a b.
template <int Vectors, class E>
void multiply_tile(const E* a, int64_t a_stride, const E* b, int64_t b_stride, float* c, int64_t c_stride, int64_t depth, bool add) {
  Floats sum[kTileRows][Vectors];
  for (int64_t i = 0; i < kTileRows; ++i)
    for (int j = 0; j < Vectors; ++j) sum[i][j] = add ? load(c + i * c_stride + j * kLanes) : Floats{};
  for (int64_t k = 0; k < depth; ++k, b += b_stride) {
    decltype(load_factors(b)) column[Vectors];
#pragma GCC unroll 4
    for (int j = 0; j < Vectors; ++j) column[j] = load_factors(b + j * kLanes);
#pragma GCC unroll 16
    for (int64_t i = 0; i < kTileRows; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < Vectors; ++j) add_product(sum[i][j], a[i * a_stride + k], column[j]);
  }
  for (int64_t i = 0; i < kTileRows; ++i)
    for (int j = 0; j < Vectors; ++j) store(c + i * c_stride + j * kLanes, sum[i][j]);
}

constexpr int64_t kMatrix = 16;             // rows of a matrix register, and pairs or sums in one of them
constexpr int64_t kMatrices = 2 * kMatrix;  // rows and columns that are computed at a time
#if defined(__AMX_BF16__)
struct MatrixShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {kMatrix, kMatrix, kMatrix, kMatrix, kMatrix, kMatrix, kMatrix, kMatrix};
};
alignas(64) constexpr MatrixShapes kMatrixShapes;
// While it lives, this thread has the matrix registers. oneDNN takes them for itself and gives them back, too.
struct MatrixRegisters {
  MatrixRegisters() { _tile_loadconfig(&kMatrixShapes); }
  ~MatrixRegisters() { _tile_release(); }
};

// kMatrices rows and columns of c (+)= a b.
inline void multiply_matrices(const Pair* a, int64_t a_stride, const Pair* b, int64_t b_stride, float* c, int64_t c_stride, int64_t depth, bool add) {
  constexpr int64_t bytes = sizeof(Pair);
  float *right = c + kMatrix, *lower = c + kMatrix * c_stride, *corner = lower + kMatrix;
  std::atomic_signal_fence(std::memory_order_seq_cst);  // the compiler does not know that registers are loaded from what was written before
  if (add) {
    _tile_loadd(0, c, c_stride * bytes); _tile_loadd(1, right, c_stride * bytes);
    _tile_loadd(2, lower, c_stride * bytes); _tile_loadd(3, corner, c_stride * bytes);
  } else {
    _tile_zero(0); _tile_zero(1); _tile_zero(2); _tile_zero(3);
  }
  for (int64_t k = 0; k < depth; k += kMatrix) {
    _tile_loadd(4, a + k, a_stride * bytes); _tile_loadd(5, a + kMatrix * a_stride + k, a_stride * bytes);
    _tile_loadd(6, b + k * b_stride, b_stride * bytes); _tile_loadd(7, b + k * b_stride + kMatrix, b_stride * bytes);
    _tile_dpbf16ps(0, 4, 6); _tile_dpbf16ps(1, 4, 7); _tile_dpbf16ps(2, 5, 6); _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, c, c_stride * bytes); _tile_stored(1, right, c_stride * bytes);
  _tile_stored(2, lower, c_stride * bytes); _tile_stored(3, corner, c_stride * bytes);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}
template <class E>
constexpr bool kMultipliesMatrices = std::is_same_v<E, Pair>;
#else
struct MatrixRegisters { MatrixRegisters() {} };
template <class E>
constexpr bool kMultipliesMatrices = false;
#endif

// c (+)= a b for `rows` a multiple of kTileRows and `columns` a multiple of kLanes; depth: of factors.
template <class E>
void multiply(Block<float> c, Block<E> a, Block<E> b, int64_t rows, int64_t columns, int64_t depth, bool add) {
#if defined(__AMX_BF16__)
  if constexpr (std::is_same_v<E, Pair>)
    if (rows % kMatrices == 0 && columns % kMatrices == 0 && depth % kMatrix == 0) {
      for (int64_t i = 0; i < rows; i += kMatrices)
        for (int64_t at = 0; at < columns; at += kMatrices)
          multiply_matrices(a.row(i), a.stride, b.data + at, b.stride, c.row(i) + at, c.stride, depth, add);
      return;
    }
#endif
  int64_t j = 0;
  for (; j + 2 * kLanes <= columns; j += 2 * kLanes)
    for (int64_t i = 0; i < rows; i += kTileRows)
      multiply_tile<2>(a.row(i), a.stride, b.data + j, b.stride, c.row(i) + j, c.stride, depth, add);
  if (j < columns)
    for (int64_t i = 0; i < rows; i += kTileRows)
      multiply_tile<1>(a.row(i), a.stride, b.data + j, b.stride, c.row(i) + j, c.stride, depth, add);
}

// Factors on the left: `count` rows of `width` elements; the rest of `padded` rows and of the stride is zero.
template <class T>
void pack_rows(Block<float> to, int64_t padded, const T* from, int64_t from_stride, int64_t count, int64_t width) {
  for (int64_t r = 0; r < padded; ++r) {
    int64_t filled = r < count ? width : 0;
    if (filled) map_row(to.row(r), width, [](Floats v) { return v; }, from + r * from_stride);
    std::fill(to.row(r) + filled, to.row(r) + to.stride, 0.0f);
  }
}
inline void pack_rows(Block<Pair> to, int64_t padded, const bf16* from, int64_t from_stride, int64_t count, int64_t width) {
  for (int64_t r = 0; r < padded; ++r) {
    auto* row = reinterpret_cast<bf16*>(to.row(r));
    int64_t filled = r < count ? width : 0;
    std::copy_n(from + r * from_stride, filled, row);
    std::fill(row + filled, row + 2 * to.stride, bf16{});
  }
}

// Factors on the right, one of whose columns is a row here: columns from `count` to the stride are zero.
template <class T>
void pack_transposed(Block<float> to, const T* from, int64_t from_stride, int64_t count, int64_t width) {
  for (int64_t e = 0; e < width; ++e) {
    for (int64_t r = 0; r < count; ++r) to.row(e)[r] = to_float(from[r * from_stride + e]);
    std::fill(to.row(e) + count, to.row(e) + to.stride, 0.0f);
  }
}
inline void pack_transposed(Block<Pair> to, const bf16* from, int64_t from_stride, int64_t count, int64_t width) {
  for (int64_t e = 0; e < width; e += 2) {
    Pair* row = to.row(e / 2);
    for (int64_t r = 0; r < count; ++r) row[r] = {from[r * from_stride + e], e + 1 < width ? from[r * from_stride + e + 1] : bf16{}};
    std::fill(row + count, row + to.stride, Pair{});
  }
}

// Factors on the right, of which `count` rows are given; the rest of `padded` rows and of the stride is zero.
template <class T>
void pack_columns(Block<float> to, int64_t padded, const T* from, int64_t from_stride, int64_t count, int64_t width) {
  pack_rows(to, padded, from, from_stride, count, width);
}
inline void pack_columns(Block<Pair> to, int64_t padded, const bf16* from, int64_t from_stride, int64_t count, int64_t width) {
  for (int64_t r = count + count % 2; r < padded; r += 2) std::fill_n(to.row(r / 2), to.stride, Pair{});
  for (int64_t r = 0; r < count; r += 2) {
    const bf16 *upper = from + r * from_stride, *lower = upper + from_stride;
    Pair* row = to.row(r / 2);
    for (int64_t c = 0; c < width; ++c) row[c] = {upper[c], r + 1 < count ? lower[c] : bf16{}};
    std::fill(row + width, row + to.stride, Pair{});
  }
}

}  // namespace hayate::cpu::HAYATE_ISA
