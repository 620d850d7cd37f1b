// conv2d as a oneDNN convolution on channels-last images.
#include "backend/cpu/primitive.h"
#include "backend/cpu/staged.h"

namespace hayate::cpu {

dnnl::primitive_desc describe_conv2d(const Operands& o, const Context& context, const Layout& weights, const dnnl::primitive_attr& attr) {
  const auto& a = o.node.as<ConvAttr>();
  auto image = [](const TensorView& v) {
    return Layout({v.shape.n, v.shape.c, v.shape.h, v.shape.w}, type_of(v.dtype), dnnl::memory::format_tag::nhwc);
  };
  Layout from = image(o.in[0]), to = image(o.out), bias({o.out.shape.c}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a);
  dnnl::memory::dims stride{a.stride, a.stride}, begin{a.pad_begin, a.pad_begin}, end{a.pad_end, a.pad_end};
  using Convolution = dnnl::convolution_forward;
  constexpr auto kind = dnnl::prop_kind::forward_inference;
  constexpr auto how = dnnl::algorithm::convolution_direct;
  Convolution::desc d = o.has(2) ? Convolution::desc(kind, how, from, weights, bias, to, stride, begin, end)
                                 : Convolution::desc(kind, how, from, weights, to, stride, begin, end);
  return Convolution::primitive_desc(d, attr, context.engine, /*allow_empty=*/true);
}

Launch bind_conv2d(const Operands& o, const Context& context, Scratch& scratch) {
  if (needs_float32(o, context)) return bind_in_float32(o, context, scratch, bind_conv2d);
  if (!o.in[0].packed_rows()) return bind_packed_rows(o, context, scratch, bind_conv2d);
  return bind_primitive(o, context, scratch, describe_conv2d, o.node.as<ConvAttr>().activation);
}

}  // namespace hayate::cpu
