// Copies are casts: the same kernel widens, narrows and closes gaps.
#include "backend/cpu/staged.h"

namespace hayate::cpu {

Launch bind_in_float32(const Operands& o, const Context& context, Scratch& scratch, const Bind& inner) {
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

bool residual_can_be_cut(const Operands& o) {
  if (!o.has(3)) return true;
  const Shape &r = o.in[3].shape, &s = o.out.shape;
  return r == s || r.tokens() == 1;
}

TensorView residual_of(const Operands& o, int64_t image, int64_t first, const Shape& s) {
  const TensorView& r = o.in[3];
  if (r.shape.tokens() > 1) return rows_of(r, image * r.shape.tokens() + first, s);
  return rows_of(r, r.shape.n == 1 ? 0 : image, {1, 1, 1, r.shape.c});
}

Launch bind_packed_rows(const Operands& o, const Context& context, Scratch& scratch, const Bind& inner) {
  Operands dense = o;
  TensorView& x = dense.in[0];
  x = {scratch.take<std::byte>(x.shape.count() * size_of(x.dtype)), x.shape.c, x.shape, x.dtype};
  Launch copy = bind_cast(context, o, scratch, x, o.in[0]);
  return in_order({copy, inner(dense, context, scratch)});
}

}  // namespace hayate::cpu
