// Choosing layouts with descriptors of typical consumers; nothing is computed here.
#include "backend/cpu/packing.h"

namespace hayate::cpu {

namespace {
Layout layout(Op consumer, const Shape& w, Dtype t, bool any) {
  using tag = dnnl::memory::format_tag;
  if (consumer == Op::conv2d) return {{w.n, w.c, w.h, w.w}, type_of(t), any ? tag::any : tag::ohwi};
  return {{w.c, w.w}, type_of(t), any ? tag::any : tag::ba};
}

TensorView view_of(const Shape& s, Dtype t) { return {nullptr, s.c, s, t}; }

dnnl::primitive_attr with_user_scratchpad() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}
}  // namespace

Layout plain_layout(Op consumer, const Shape& weight, Dtype t) { return layout(consumer, weight, t, false); }
Layout any_layout(Op consumer, const Shape& weight, Dtype t) { return layout(consumer, weight, t, true); }

Layout packed_layout(const Context& context, Op consumer, const Shape& w, Dtype t) {
  const Program none;
  dnnl::primitive_desc d;
  if (consumer == Op::conv2d) {
    Node node{.op = Op::conv2d, .attr = ConvAttr{.stride = 1, .pad_begin = int(w.h / 2), .pad_end = int(w.h / 2)}};
    Shape x{1, 64, 64, w.c}, y{1, 64 + w.h / 2 * 2 - w.h + 1, 64 + w.w / 2 * 2 - w.w + 1, w.n};
    d = describe_conv2d({none, node, view_of(y, t), {view_of(x, t), view_of(w, t)}}, context, any_layout(consumer, w, t), with_user_scratchpad());
  } else {
    Node node{.op = Op::linear, .attr = LinearAttr{}};
    Shape x{1, 1, 512, w.c}, y{1, 1, 512, w.w};
    d = describe_linear({none, node, view_of(y, t), {view_of(x, t), view_of(w, t)}}, context, any_layout(consumer, w, t), with_user_scratchpad());
  }
  return d ? d.query_md(dnnl::query::weights_md) : plain_layout(consumer, w, t);
}

bool gains_from_packing(const Context& context, const Program& p, const Node& n) {
  if (n.op != Op::linear && n.op != Op::conv2d) return false;
  const Node& weight = p[n.in[1]];
  auto view = [&](Value v) { return TensorView{nullptr, p[root_of(p, v).value].shape.c, p[v].shape, p[v].dtype}; };
  // One of bfloat16 with strides or padding, which is oneDNN's, reads them as they are: the shape alone tells how a weight is packed.
  if (takes_panels(context, weight.shape, weight.dtype)) return is_product(context, n, view(n.in[0]), view(n.in[1]));
  if (n.dtype == Dtype::bf16 && !context.onednn_has_bf16) return false;
  if (consumer_of(weight.shape) != n.op) return false;  // a 1x1 convolution to one channel
  Layout packed = packed_layout(context, n.op, weight.shape, weight.dtype);
  if (packed.data.format_desc.blocking.inner_nblks == 0) return false;  // rows or columns as they are
  const Node plain = n.op == Op::conv2d ? all_phases(n, p[n.in[0]].shape) : n;
  Operands o{p, plain, view_of(plain.shape, n.dtype), {view(n.in[0]), view(n.in[1])}};
  dnnl::primitive_desc d = (n.op == Op::linear ? describe_linear : describe_conv2d)(o, context, packed, with_user_scratchpad());
  return d && !is_plain_loops(d);
}

}  // namespace hayate::cpu
