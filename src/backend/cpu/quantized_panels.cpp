// Rows of a weight become columns of a panel.
#include "backend/cpu/quantized_panels.h"

#include <algorithm>

#include "backend/cpu/context.h"

namespace hayate::cpu {

void pack_quantized(const TensorView& weight, const QuantizedPanels& to) {
  for (int64_t c = 0; c < to.count() * kPanelColumns; ++c) {
    int8_t* column = to.panel(c / kPanelColumns) + c % kPanelColumns * kPanelDepth;
    int32_t negatives = 0;
    for (int64_t t = 0; t < to.taps; ++t) {
      const int8_t* from = c < to.out ? weight.row<int8_t>(c * to.taps + t) : nullptr;
      for (int64_t k = 0; k < to.tap_depth(); k += kPanelDepth, column += kPanelColumns * kPanelDepth)
        for (int64_t q = 0; q < kPanelDepth; ++q) {
          column[q] = from && k < to.in ? from[k + q] : int8_t{0};
          negatives += std::min<int32_t>(column[q], 0);
        }
    }
    to.scales()[c] = c < to.out ? weight.scales()[c * to.taps] : 0;  // one for all taps
    to.negatives()[c] = negatives;
  }
}

// The kernel reads packed weights; others are packed in each run.
Launch bind_quantized_product(const Operands& o, const Context& context, Scratch& scratch) {
  if (o.made_by(1) == Op::pack) return bind_kernel(context.isa, o, scratch);
  Operands packed = o;
  packed.in[1].data = scratch.take<std::byte>(QuantizedPanels(o.in[1].shape, nullptr).bytes());
  Launch pack = [from = o.in[1], to = QuantizedPanels(o.in[1].shape, packed.in[1].data)] { pack_quantized(from, to); };
  return in_order({std::move(pack), bind_kernel(context.isa, packed, scratch)});
}

}  // namespace hayate::cpu
