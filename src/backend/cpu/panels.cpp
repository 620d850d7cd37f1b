// Rows of a weight become columns of a panel.
#include "backend/cpu/panels.h"

#include <algorithm>
#include <cstring>

#include "backend/cpu/context.h"

namespace hayate::cpu {

namespace {
void pack_column(const TensorView& weight, const Panels& to, int64_t c) {
  std::byte* group = to.panel(c / kPanelColumns) + c % kPanelColumns * kGroupBytes;
  const int64_t size = size_of(to.dtype), filled = to.in * size;
  for (int64_t t = 0; t < to.taps; ++t)
    for (int64_t k = 0; k < to.tap_bytes(); k += kGroupBytes, group += kPanelColumns * kGroupBytes) {
      const int64_t given = c < to.out ? std::clamp<int64_t>(filled - k, 0, kGroupBytes) : 0;
      std::memset(group, 0, kGroupBytes);
      if (given) std::memcpy(group, static_cast<const std::byte*>(weight.data) + (c * to.taps + t) * weight.row_stride * size + k, size_t(given));
    }
}

int32_t sum_of_negatives(const TensorView& weight, const Panels& to, int64_t c) {
  int32_t sum = 0;
  for (int64_t t = 0; t < to.taps; ++t)
    for (int64_t k = 0; k < to.in; ++k) sum += std::min<int32_t>(weight.row<int8_t>(c * to.taps + t)[k], 0);
  return sum;
}
}  // namespace

bool takes_panels(const Context& context, const Shape& weight, Dtype t) {
  return is_quantized(t) || (t == Dtype::bf16 && Panels(weight, t, nullptr).taps == 1 && context.isa == Isa::avx512_amx);
}

bool is_product(const Context& context, const Node& n, const TensorView& x, const TensorView& weight) {
  if (!takes_panels(context, weight.shape, weight.dtype) || x.dtype != weight.dtype) return false;
  if (n.op == Op::linear || is_quantized(x.dtype)) return true;
  ConvAttr of_pixels = n.as<ConvAttr>();
  of_pixels.activation = Activation::none;
  return of_pixels == ConvAttr{};
}

void pack_panels(const TensorView& weight, const Panels& to) {
  for (int64_t c = 0; c < to.count() * kPanelColumns; ++c) {
    pack_column(weight, to, c);
    if (!is_quantized(to.dtype)) continue;
    to.scales()[c] = c < to.out ? weight.scales()[c * to.taps] : 0;  // one for all taps
    to.negatives()[c] = c < to.out ? sum_of_negatives(weight, to, c) : 0;
  }
}

// The kernel reads packed weights; others are packed in each run.
Launch bind_product(const Operands& o, const Context& context, Scratch& scratch) {
  if (o.made_by(1) == Op::pack) return bind_kernel(context.isa, o, scratch);
  Operands packed = o;
  packed.in[1].data = scratch.take<std::byte>(Panels(o.in[1].shape, o.in[1].dtype, nullptr).bytes());
  Launch pack = [from = o.in[1], to = Panels(o.in[1].shape, o.in[1].dtype, packed.in[1].data)] { pack_panels(from, to); };
  return in_order({std::move(pack), bind_kernel(context.isa, packed, scratch)});
}

}  // namespace hayate::cpu
