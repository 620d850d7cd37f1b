// Choosing among oneDNN's implementations and building the launch.
#include "backend/cpu/primitive.h"

#include <optional>
#include <string_view>

#include "backend/cpu/packing.h"

namespace hayate::cpu {

namespace {
using dnnl::algorithm;
using dnnl::query;

void append(dnnl::post_ops& ops, Activation a) {
  switch (a) {
    case Activation::none: return;
    case Activation::silu: return ops.append_eltwise(1, algorithm::eltwise_swish, 1, 0);
    case Activation::gelu: return ops.append_eltwise(1, algorithm::eltwise_gelu_erf, 0, 0);
    case Activation::quick_gelu: return ops.append_eltwise(1, algorithm::eltwise_swish, 1.702f, 0);
    case Activation::relu: return ops.append_eltwise(1, algorithm::eltwise_relu, 0, 0);
    case Activation::geglu: break;  // only in kernels/product.h
  }
}

dnnl::primitive_attr attributes(Activation a, const std::optional<Layout>& residual) {
  dnnl::post_ops ops;
  append(ops, a);
  if (residual) ops.append_binary(algorithm::binary_add, *residual);
  dnnl::primitive_attr attr;
  attr.set_post_ops(ops);
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

// oneDNN 2.6 and its convolution by matrix product, what there is before AVX2: it adds the wrong elements of the residual.
bool misreads_residual(const dnnl::primitive_desc& d, Op op) {
  return op == Op::conv2d && std::string_view(d.impl_info_str()).starts_with("x64:gemm");
}

struct Choice {
  dnnl::primitive_desc description;
  bool fused_residual = false;
};

// The first choice that is more than plain loops, else the first that exists. A residual that is not fused costs one pass over the
// result; another layout of the weights costs reordering them in each run.
Choice choose(const Operands& o, const Context& context, const Describe& describe, Activation activation, const Layout& weights, const Layout& any) {
  bool may_fuse = o.has(3) && o.in[3].shape == o.out.shape && o.in[3].packed_rows();
  Choice first;
  for (const Layout& layout : {weights, any})
    for (bool fuse : {true, false}) {
      if (fuse && !may_fuse) continue;
      dnnl::primitive_desc d = describe(o, context, layout, attributes(activation, std::nullopt));
      if (d && fuse) d = describe(o, context, layout, attributes(activation, d.query_md(query::dst_md)));
      if (!d || (fuse && misreads_residual(d, o.node.op))) continue;
      if (!is_plain_loops(d)) return {d, fuse};
      if (!first.description) first = {d, fuse};
    }
  if (!first.description) unsupported(o);
  return first;
}
}  // namespace

dnnl::memory::data_type type_of(Dtype t) { return t == Dtype::bf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32; }

bool is_plain_loops(const dnnl::primitive_desc& d) { return std::string_view(d.impl_info_str()).starts_with("ref"); }

Launch bind_primitive(const Operands& o, const Context& context, Scratch& scratch, const Describe& describe, Activation activation) {
  const TensorView& w = o.in[1];
  Op op = o.node.op;
  Layout given = o.made_by(1) == Op::pack ? packed_layout(context, op, w.shape, w.dtype) : plain_layout(op, w.shape, w.dtype);
  Choice choice = choose(o, context, describe, activation, given, any_layout(op, w.shape, w.dtype));

  auto layout = [&](query what, int index = 0) { return choice.description.query_md(what, index); };
  auto memory = [&](const Layout& l, void* data) { return dnnl::memory(l, context.engine, data); };
  auto temporary = [&](const Layout& l) { return memory(l, scratch.take<std::byte>(int64_t(l.get_size()))); };
  std::vector<Launch> steps;
  auto add = [&](const dnnl::primitive& primitive, std::unordered_map<int, dnnl::memory> args) {
    steps.push_back([primitive, args = std::move(args), stream = context.stream] { primitive.execute(stream, args); });
  };

  dnnl::memory weights = memory(given, w.data);
  if (Layout wanted = layout(query::weights_md); wanted != given) {
    dnnl::memory reordered = temporary(wanted);
    add(dnnl::reorder(weights, reordered), {{DNNL_ARG_FROM, weights}, {DNNL_ARG_TO, reordered}});
    weights = reordered;
  }
  std::unordered_map<int, dnnl::memory> args{{DNNL_ARG_SRC, memory(layout(query::src_md), o.in[0].data)},
                                             {DNNL_ARG_WEIGHTS, weights},
                                             {DNNL_ARG_DST, memory(layout(query::dst_md), o.out.data)},
                                             {DNNL_ARG_SCRATCHPAD, temporary(layout(query::scratchpad_md))}};
  if (o.has(2)) args.emplace(DNNL_ARG_BIAS, memory(layout(query::weights_md, 1), o.in[2].data));
  if (choice.fused_residual) {
    int index = activation == Activation::none ? 0 : 1;
    args.emplace(DNNL_ARG_ATTR_MULTIPLE_POST_OP(index) | DNNL_ARG_SRC_1, memory(layout(query::dst_md), o.in[3].data));
  }
  add(dnnl::primitive(choice.description), std::move(args));
  if (o.has(3) && !choice.fused_residual) steps.push_back(bind_add(context, o, scratch, o.out, o.out, o.in[3]));
  return in_order(std::move(steps));
}

}  // namespace hayate::cpu
