// Weights of linears and convolutions in int8, packed for kernels/quantized_product.h: the same for every instruction set and any number of rows.
#pragma once
#include <cstddef>
#include <cstdint>

#include "backend/operands.h"

namespace hayate::cpu {

constexpr int64_t kPanelColumns = 16, kPanelDepth = 4;
constexpr int64_t kTapDepth = 64;              // what a matrix register holds of a row
constexpr int64_t kMostQuantizedIn = 1 << 17;  // the sum of so many products fits into 32 bits

// Panels of 16 columns of the result: outputs of a linear, filters of a convolution. In a panel, four elements of each column, then the next four. Elements
// are those of one tap of the filter after the other, each filled up with zeros to a multiple of kTapDepth; a linear is one tap. After the panels what each
// column needs once: its scale, and the sum of what is negative in it. Columns beyond the last are zero.
struct QuantizedPanels {
  std::byte* data;
  int64_t in, taps, out;  // elements of a tap, taps of a column, columns

  // Weights of linear are (1, 1, out, in), of conv2d (out, kh, kw, in).
  QuantizedPanels(const Shape& w, void* data)
      : data(static_cast<std::byte*>(data)), in(w.c), taps(is_filter(w) ? w.h * w.w : 1), out(is_filter(w) ? w.n : w.w) {}
  static bool is_filter(const Shape& w) { return w.n > 1 || w.h > 1; }

  int64_t tap_depth() const { return (in + kTapDepth - 1) / kTapDepth * kTapDepth; }
  int64_t depth() const { return taps * tap_depth(); }
  int64_t count() const { return (out + kPanelColumns - 1) / kPanelColumns; }
  int64_t bytes() const { return count() * kPanelColumns * (depth() + 2 * 4); }
  int8_t* panel(int64_t i) const { return reinterpret_cast<int8_t*>(data + i * kPanelColumns * depth()); }
  float* scales() const { return reinterpret_cast<float*>(data + count() * kPanelColumns * depth()); }
  int32_t* negatives() const { return reinterpret_cast<int32_t*>(scales() + count() * kPanelColumns); }
};

void pack_quantized(const TensorView& weight, const QuantizedPanels& to);

}  // namespace hayate::cpu
