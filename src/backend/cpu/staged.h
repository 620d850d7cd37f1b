// Operands that oneDNN cannot read as they are: copied into scratch memory, and the result back.
#pragma once
#include "backend/cpu/context.h"

namespace hayate::cpu {

// Everything in float32, where oneDNN has no bf16.
inline bool needs_float32(const Operands& o, const Context& context) { return o.out.dtype == Dtype::bf16 && !context.onednn_has_bf16; }
template <class Inner>
Launch bind_in_float32(const Operands& o, const Context& context, Scratch& scratch, Inner inner) {
  std::vector<Launch> steps;
  Operands wide = o;
  auto widen = [&](TensorView& v) { v = {scratch.take<float>(v.shape.count()), v.shape.c, v.shape, Dtype::f32}; };
  for (size_t k = 0; k < o.in.size(); ++k)
    if (o.has(k) && o.in[k].dtype == Dtype::bf16) {
      widen(wide.in[k]);
      steps.push_back(bind_cast(context, o, scratch, wide.in[k], o.in[k]));
    }
  widen(wide.out);
  steps.push_back(inner(wide, context, scratch));
  steps.push_back(bind_cast(context, o, scratch, o.out, wide.out));
  return in_order(std::move(steps));
}

// The first input without gaps between rows.
template <class Inner>
Launch bind_packed_rows(const Operands& o, const Context& context, Scratch& scratch, Inner inner) {
  Operands dense = o;
  TensorView& x = dense.in[0];
  x = {scratch.take<std::byte>(x.shape.count() * size_of(x.dtype)), x.shape.c, x.shape, x.dtype};
  Launch copy = bind_cast(context, o, scratch, x, o.in[0]);
  return in_order({copy, inner(dense, context, scratch)});
}

}  // namespace hayate::cpu
