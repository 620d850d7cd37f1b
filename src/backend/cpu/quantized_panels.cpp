// Rows of a weight become columns of a panel.
#include "backend/cpu/quantized_panels.h"

#include <algorithm>

namespace hayate::cpu {

void pack_quantized(const TensorView& weight, const QuantizedPanels& to) {
  for (int64_t c = 0; c < to.count() * kPanelColumns; ++c) {
    int8_t* column = to.panel(c / kPanelColumns) + c % kPanelColumns * kPanelDepth;
    const int8_t* from = c < to.out ? weight.row<int8_t>(c) : nullptr;
    int32_t negatives = 0;
    for (int64_t k = 0; k < to.in; k += kPanelDepth)
      for (int64_t q = 0; q < kPanelDepth; ++q) {
        const int8_t w = from ? from[k + q] : int8_t{0};
        column[k * kPanelColumns + q] = w;
        negatives += std::min<int32_t>(w, 0);
      }
    to.scales()[c] = from ? weight.scales()[c] : 0;
    to.negatives()[c] = negatives;
  }
}

}  // namespace hayate::cpu
