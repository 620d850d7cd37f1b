// Weights of linears and convolutions packed for kernels/product.h: the same for every instruction set and any number of rows.
#pragma once
#include <cstddef>
#include <cstdint>

#include "backend/operands.h"

namespace hayate::cpu {

constexpr int64_t kPanelColumns = 16;
constexpr int64_t kGroupBytes = 4;             // four 8-bit numbers or two bfloat16 that lie together
constexpr int64_t kChunkBytes = 64;            // what a matrix register holds of a row
constexpr int64_t kMostQuantizedIn = 1 << 17;  // the sum of so many products fits into 32 bits

// Panels of 16 columns of the result: outputs of a linear, filters of a convolution. In a panel, the first group of each column, then the next.
// Elements are those of one tap of the filter after the other, each filled up with zeros to a multiple of kChunkBytes; a linear is one tap. Columns
// beyond the last are zero. After the panels of 8-bit numbers, what each column needs once: its scale, and the sum of what is negative in it.
struct Panels {
  std::byte* data;
  Dtype dtype;
  int64_t in, taps, out;  // elements of a tap, taps of a column, columns

  // Weights of linear are (1, 1, out, in), of conv2d (out, kh, kw, in).
  Panels(const Shape& w, Dtype t, void* data)
      : data(static_cast<std::byte*>(data)), dtype(t), in(w.c), taps(is_filter(w) ? w.h * w.w : 1), out(is_filter(w) ? w.n : w.w) {}
  static bool is_filter(const Shape& w) { return w.n > 1 || w.h > 1; }

  int64_t tap_bytes() const { return (in * size_of(dtype) + kChunkBytes - 1) / kChunkBytes * kChunkBytes; }
  int64_t column_bytes() const { return taps * tap_bytes(); }
  int64_t count() const { return (out + kPanelColumns - 1) / kPanelColumns; }
  int64_t bytes() const { return count() * kPanelColumns * (column_bytes() + (is_quantized(dtype) ? 2 * 4 : 0)); }
  std::byte* panel(int64_t i) const { return data + i * kPanelColumns * column_bytes(); }
  float* scales() const { return reinterpret_cast<float*>(panel(count())); }
  int32_t* negatives() const { return reinterpret_cast<int32_t*>(scales() + count() * kPanelColumns); }
};

void pack_panels(const TensorView& weight, const Panels& to);

}  // namespace hayate::cpu
