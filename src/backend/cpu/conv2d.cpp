// conv2d as a oneDNN convolution on channels-last images.
#include <algorithm>

#include "backend/cpu/primitive.h"
#include "backend/cpu/staged.h"

namespace hayate::cpu {

namespace {
struct Padding { int64_t top, bottom; };  // left and right are the op's own

dnnl::primitive_desc describe(const Operands& o, const Context& context, const Layout& weights, const dnnl::primitive_attr& attr, Padding padding) {
  const auto& a = o.node.as<ConvAttr>();
  auto image = [](const TensorView& v) {
    return Layout({v.shape.n, v.shape.c, v.shape.h, v.shape.w}, type_of(v.dtype), dnnl::memory::format_tag::nhwc);
  };
  Layout from = image(o.in[0]), to = image(o.out), bias({o.out.shape.c}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a);
  dnnl::memory::dims stride{a.stride, a.stride}, begin{padding.top, a.pad_begin}, end{padding.bottom, a.pad_end};
  using Convolution = dnnl::convolution_forward;
  constexpr auto kind = dnnl::prop_kind::forward_inference;
  constexpr auto how = dnnl::algorithm::convolution_direct;
  Convolution::desc d = o.has(2) ? Convolution::desc(kind, how, from, weights, bias, to, stride, begin, end)
                                 : Convolution::desc(kind, how, from, weights, to, stride, begin, end);
  return Convolution::primitive_desc(d, attr, context.engine, /*allow_empty=*/true);
}

Padding padding_of(const Operands& o) { return {o.node.as<ConvAttr>().pad_begin, o.node.as<ConvAttr>().pad_end}; }

Bind binder(Padding padding) {
  return [padding](const Operands& o, const Context& context, Scratch& scratch) {
    auto with_padding = [padding](const Operands& o, const Context& context, const Layout& weights, const dnnl::primitive_attr& attr) {
      return describe(o, context, weights, attr, padding);
    };
    return bind_primitive(o, context, scratch, with_padding, o.node.as<ConvAttr>().activation);
  };
}

// Cut into bands of rows of one image. A band reads some rows of its neighbours; only at the edges of the image is there padding.
Launch bind_conv2d_in_float32(const Operands& o, const Context& context, Scratch& scratch) {
  const TensorView &x = o.in[0], &y = o.out;
  const auto& a = o.node.as<ConvAttr>();
  const int64_t kernel = o.in[1].shape.h;
  const bool every_row_sees_the_image = std::max(a.pad_begin, a.pad_end) < kernel;
  if (x.shape.count() + y.shape.count() <= context.staged_elements || !residual_can_be_cut(o) || !every_row_sees_the_image)
    return bind_in_float32(o, context, scratch, binder(padding_of(o)));
  const int64_t row = a.stride * x.shape.w * x.shape.c + y.shape.w * y.shape.c;
  const int64_t band = std::max<int64_t>(1, context.staged_elements / row);
  SharedScratch bands(scratch);
  for (int64_t image = 0; image < x.shape.n; ++image)
    for (int64_t first = 0; first < y.shape.h; first += band) {
      const int64_t count = std::min(band, y.shape.h - first);
      const int64_t wanted = first * a.stride - a.pad_begin, end = (first + count - 1) * a.stride - a.pad_begin + kernel;
      const int64_t from = std::max<int64_t>(wanted, 0), to = std::min(end, x.shape.h);
      const Shape s{1, count, y.shape.w, y.shape.c};
      Operands piece = o;
      piece.in[0] = rows_of(x, (image * x.shape.h + from) * x.shape.w, {1, to - from, x.shape.w, x.shape.c});
      piece.out = rows_of(y, (image * y.shape.h + first) * y.shape.w, s);
      if (o.has(3)) piece.in[3] = residual_of(o, image, first * y.shape.w, s);
      bands.add([&] { return bind_in_float32(piece, context, scratch, binder({from - wanted, end - to})); });
    }
  return bands.launch();
}
}  // namespace

dnnl::primitive_desc describe_conv2d(const Operands& o, const Context& context, const Layout& weights, const dnnl::primitive_attr& attr) {
  return describe(o, context, weights, attr, padding_of(o));
}

Launch bind_conv2d(const Operands& o, const Context& context, Scratch& scratch) {
  if (needs_float32(o, context)) return bind_conv2d_in_float32(o, context, scratch);
  if (!o.in[0].packed_rows()) return bind_packed_rows(o, context, scratch, bind_conv2d);
  return binder(padding_of(o))(o, context, scratch);
}

}  // namespace hayate::cpu
