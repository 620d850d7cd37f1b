// Weights of linears in int8, packed for kernels/quantized_linear.h: the same for every instruction set and any number of rows.
#pragma once
#include <cstddef>
#include <cstdint>

#include "backend/operands.h"

namespace hayate::cpu {

constexpr int64_t kPanelColumns = 16, kPanelDepth = 4;
constexpr int64_t kMostQuantizedIn = 1 << 17;  // the sum of so many products fits into 32 bits

// Panels of 16 columns of the result (rows of the weight); in a panel, four elements of each column, then the next four. After the panels
// what each column needs once: its scale, and the sum of what is negative in it. Columns beyond the last are zero.
struct QuantizedPanels {
  std::byte* data;
  int64_t in, out;  // elements of a column, columns

  QuantizedPanels(const Shape& weight, void* data) : data(static_cast<std::byte*>(data)), in(weight.c), out(weight.w) {}

  int64_t count() const { return (out + kPanelColumns - 1) / kPanelColumns; }
  int64_t bytes() const { return count() * kPanelColumns * (in + 2 * 4); }
  int8_t* panel(int64_t i) const { return reinterpret_cast<int8_t*>(data + i * kPanelColumns * in); }
  float* scales() const { return reinterpret_cast<float*>(data + count() * kPanelColumns * in); }
  int32_t* negatives() const { return reinterpret_cast<int32_t*>(scales() + count() * kPanelColumns); }
};

void pack_quantized(const TensorView& weight, const QuantizedPanels& to);

}  // namespace hayate::cpu
