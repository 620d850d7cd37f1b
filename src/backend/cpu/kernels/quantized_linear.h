// linear of int8 rows and packed int8 weights: scales, bias, activation and residual are applied to the sums while they are in registers.
#pragma once
#include "backend/cpu/kernels/dot_int8.h"
#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/quantized_panels.h"

namespace hayate::cpu::HAYATE_ISA {

constexpr int64_t kProductRows = 2 * kTileRows - 2;  // the other registers hold a vector of weights, its signs and what is multiplied
constexpr int64_t kBlockRows = 6 * kProductRows;
constexpr int64_t kProductGrain = 1 << 16;           // multiplications per thread below which waking it costs more than it saves

template <class T>
class QuantizedLinear {
 public:
  explicit QuantizedLinear(const Operands& o)
      : out_(o.out), x_(o.in[0]), bias_(o.has(2) ? o.in[2].row<float>(0) : nullptr), residual_(o.has(3) ? o.in[3] : TensorView{}),
        weight_(o.in[1].shape, o.in[1].data), activation_(o.node.as<LinearAttr>().activation) {}

  // A block of rows, which a second-level cache holds, times one panel, which the first level holds, is a task.
  void operator()() const {
    const int64_t rows = out_.shape.rows(), panels = weight_.count(), blocks = (rows + kBlockRows - 1) / kBlockRows;
    const int64_t grain = std::max<int64_t>(1, kProductGrain / (std::min(rows, kBlockRows) * weight_.in));
    with_activation(activation_, [&](auto act) {
      parallel_for(blocks * panels, grain, [&](int64_t begin, int64_t end) {
        for (int64_t task = begin; task < end; ++task) {
          const int64_t first = task / panels * kBlockRows, last = std::min(first + kBlockRows, rows);
          for (int64_t c = 0; c < kPanelColumns; c += kLanes)
            for (int64_t r = first; r < last; r += kProductRows) tile(r, std::min(kProductRows, last - r), task % panels, c, act);
        }
      });
    });
  }

 private:
  // `count` rows from r on, kLanes columns from c on of a panel.
  template <class Activate>
  void tile(int64_t r, int64_t count, int64_t panel, int64_t c, Activate act) const {
    const int64_t column = panel * kPanelColumns + c, columns = std::min(kLanes, weight_.out - column);
    if (columns <= 0) return;
    const int8_t *w = weight_.panel(panel) + c * kPanelDepth, *x[kProductRows];
#pragma GCC unroll 32
    for (int64_t i = 0; i < kProductRows; ++i) x[i] = x_.row<int8_t>(r + std::min(i, count - 1));
    Ints sum[kProductRows];
#pragma GCC unroll 32
    for (int64_t i = 0; i < kProductRows; ++i) sum[i] = Ints{};
    for (int64_t k = 0; k < weight_.in; k += kPanelDepth, w += kPanelColumns * kPanelDepth) {
      const FourWeights four(w);
#pragma GCC unroll 32
      for (int64_t i = 0; i < kProductRows; ++i) sum[i] = add_products(sum[i], four, repeat_four(x[i] + k));
    }
#pragma GCC unroll 32
    for (int64_t i = 0; i < kProductRows; ++i)
      if (i < count) finish(sum[i], r + i, column, columns, act);
  }

  template <class Activate>
  void finish(Ints sum, int64_t r, int64_t column, int64_t columns, Activate act) const {
    Ints negatives;
    std::memcpy(&negatives, weight_.negatives() + column, sizeof negatives);
    Floats y = __builtin_convertvector(sum - negatives, Floats) * (x_.scales()[r] * load(weight_.scales() + column));
    auto some = [&](const auto* p) { return columns == kLanes ? load(p) : load_part(p, columns); };
    if (bias_) y += some(bias_ + column);
    y = act(y);
    if (residual_.data) y += some(residual_.row<T>(residual_.shape == out_.shape ? r : broadcast_row(out_.shape, residual_.shape, r)) + column);
    T* to = out_.row<T>(r) + column;
    if (columns == kLanes) store(to, y);
    else store_part(to, columns, y);
  }

  TensorView out_, x_;
  const float* bias_;
  TensorView residual_;
  QuantizedPanels weight_;
  Activation activation_;
};

inline Launch bind_quantized_linear(const Operands& o) {
  return with_type(o, [&]<class T>(T) -> Launch { return QuantizedLinear<T>(o); });
}

}  // namespace hayate::cpu::HAYATE_ISA
