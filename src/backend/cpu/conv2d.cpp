// conv2d as a oneDNN convolution on channels-last images.
#include <algorithm>

#include "backend/cpu/copy_rows.h"
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

// Lines [first, first + count) of the result for one image. They read some lines of their neighbours; only at the edges is there padding.
struct Band {
  TensorView x;
  Padding padding;
};
Band band_of(const Operands& o, int64_t image, int64_t first, int64_t count) {
  const TensorView& x = o.in[0];
  const auto& a = o.node.as<ConvAttr>();
  const int64_t wanted = first * a.stride - a.pad_begin, end = (first + count - 1) * a.stride - a.pad_begin + o.in[1].shape.h;
  const int64_t from = std::max<int64_t>(wanted, 0), to = std::min(end, x.shape.h);
  return {rows_of(x, (image * x.shape.h + from) * x.shape.w, {1, to - from, x.shape.w, x.shape.c}), {from - wanted, end - to}};
}
// How many lines of operand and result together are about context.staged_elements.
int64_t lines_of_band(const Operands& o, const Context& context) {
  const Shape &x = o.in[0].shape, &y = o.out.shape;
  return std::max<int64_t>(1, context.staged_elements / (o.node.as<ConvAttr>().stride * x.w * x.c + y.w * y.c));
}

// Cut into bands of lines.
Launch bind_conv2d_in_float32(const Operands& o, const Context& context, Scratch& scratch) {
  const TensorView &x = o.in[0], &y = o.out;
  const auto& a = o.node.as<ConvAttr>();
  const int64_t kernel = o.in[1].shape.h;
  const bool every_row_sees_the_image = std::max(a.pad_begin, a.pad_end) < kernel;
  if (x.shape.count() + y.shape.count() <= context.staged_elements || !residual_can_be_cut(o) || !every_row_sees_the_image)
    return bind_in_float32(o, context, scratch, binder(padding_of(o)));
  const int64_t band = lines_of_band(o, context);
  SharedScratch bands(scratch);
  for (int64_t image = 0; image < x.shape.n; ++image)
    for (int64_t first = 0; first < y.shape.h; first += band) {
      const int64_t count = std::min(band, y.shape.h - first);
      const Band read = band_of(o, image, first, count);
      const Shape s{1, count, y.shape.w, y.shape.c};
      Operands piece = o;
      piece.in[0] = read.x;
      piece.out = rows_of(y, (image * y.shape.h + first) * y.shape.w, s);
      if (o.has(3)) piece.in[3] = residual_of(o, image, first * y.shape.w, s);
      bands.add([&] { return bind_in_float32(piece, context, scratch, binder(read.padding)); });
    }
  return bands.launch();
}

// All phases of a band into scratch memory, then each pixel to where it belongs.
Launch bind_upsampling_conv2d(const Operands& o, const Context& context, Scratch& scratch) {
  const TensorView &x = o.in[0], &y = o.out;
  const Node node = all_phases(o.node, x.shape);
  Operands all{o.program, node, packed_view(node, nullptr), o.in};
  std::vector<Launch> steps;
  if (o.has(2)) {
    all.in[2] = packed_view({.shape = {1, 1, 4, y.shape.c}}, scratch.take<float>(4 * y.shape.c));
    steps.push_back(copy_rows(all.in[2], o.in[2], [](int64_t) { return 0; }));
    all.in[2].shape = {1, 1, 1, 4 * y.shape.c};
  }
  const int64_t band = lines_of_band(all, context), lines = node.shape.h, columns = node.shape.w;
  SharedScratch bands(scratch);
  for (int64_t image = 0; image < x.shape.n; ++image)
    for (int64_t first = 0; first < lines; first += band) {
      const int64_t count = std::min(band, lines - first);
      const Band read = band_of(all, image, first, count);
      bands.add([&] {
        Operands piece = all;
        piece.in[0] = read.x;
        piece.out.shape = {1, count, columns, 4 * y.shape.c};
        piece.out.data = scratch.take<std::byte>(piece.out.shape.count() * size_of(y.dtype));
        const Bind bind = binder(read.padding);
        Launch convolve = needs_float32(o, context)  ? bind_in_float32(piece, context, scratch, bind)
                          : x.packed_rows() ? bind(piece, context, scratch)
                                            : bind_packed_rows(piece, context, scratch, bind);
        // Line 2 i + p is in line i + p of the phases.
        const int64_t from = std::max<int64_t>(2 * first - 1, 0), to = std::min(2 * (first + count) - 1, y.shape.h), width = y.shape.w;
        const TensorView pixels{piece.out.data, y.shape.c, {1, count, 4 * columns, y.shape.c}, y.dtype};
        Launch place = copy_rows(rows_of(y, (image * y.shape.h + from) * width, {1, to - from, width, y.shape.c}), pixels, [=](int64_t r) {
          const int64_t line = from + r / width, column = r % width;
          return (((line + 1) / 2 - first) * columns + (column + 1) / 2) * 4 + line % 2 * 2 + column % 2;
        });
        return in_order({std::move(convolve), std::move(place)});
      });
    }
  steps.push_back(bands.launch());
  return in_order(std::move(steps));
}
}  // namespace

dnnl::primitive_desc describe_conv2d(const Operands& o, const Context& context, const Layout& weights, const dnnl::primitive_attr& attr) {
  return describe(o, context, weights, attr, padding_of(o));
}

Node all_phases(const Node& n, const Shape& x) {
  Node plain = n;
  auto& a = std::get<ConvAttr>(plain.attr);
  if (a.upsample == 1) return plain;
  a.upsample = 1;
  plain.shape = {x.n, x.h + 1, x.w + 1, 4 * n.shape.c};
  return plain;
}

Launch bind_conv2d(const Operands& o, const Context& context, Scratch& scratch) {
  if (is_product(context, o.node, o.in[0], o.in[1])) return bind_product(o, context, scratch);
  if (o.node.as<ConvAttr>().upsample > 1) return bind_upsampling_conv2d(o, context, scratch);
  if (needs_float32(o, context)) return bind_conv2d_in_float32(o, context, scratch);
  if (!o.in[0].packed_rows()) return bind_packed_rows(o, context, scratch, bind_conv2d);
  return binder(padding_of(o))(o, context, scratch);
}

}  // namespace hayate::cpu
