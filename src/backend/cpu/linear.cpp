// linear as a oneDNN matmul; rows of x may have gaps between them.
#include "backend/cpu/primitive.h"
#include "backend/cpu/staged.h"

namespace hayate::cpu {

dnnl::primitive_desc describe_linear(const Operands& o, const Context& context, const Layout& weights, const dnnl::primitive_attr& attr) {
  const TensorView& x = o.in[0];
  int64_t rows = x.shape.rows(), out = o.out.shape.c;
  Layout from({rows, x.shape.c}, type_of(x.dtype), dnnl::memory::dims{x.row_stride, 1});
  Layout to({rows, out}, type_of(o.out.dtype), dnnl::memory::format_tag::ab);
  Layout bias({1, out}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab);
  dnnl::matmul::desc d = o.has(2) ? dnnl::matmul::desc(from, weights, bias, to) : dnnl::matmul::desc(from, weights, to);
  return dnnl::matmul::primitive_desc(d, attr, context.engine, /*allow_empty=*/true);
}

Launch bind_linear(const Operands& o, const Context& context, Scratch& scratch) {
  if (needs_float32(o, context)) return bind_in_float32(o, context, scratch, bind_linear);
  return bind_primitive(o, context, scratch, describe_linear, o.node.as<LinearAttr>().activation);
}

}  // namespace hayate::cpu
