// linear as a oneDNN matmul; rows of x may have gaps between them.
#include <algorithm>

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

namespace {
// Cut into columns of the result if the weights are large, as those of many stacked layers are, and into rows if the rest is.
Launch bind_linear_in_float32(const Operands& o, const Context& context, Scratch& scratch) {
  const TensorView& x = o.in[0];
  const int64_t images = x.shape.n, tokens = x.shape.tokens(), in = x.shape.c, out = o.out.shape.c;
  const int64_t columns = std::clamp<int64_t>(context.staged_elements / in, 1, out), rows = std::max<int64_t>(1, context.staged_elements / (in + columns));
  SharedScratch pieces(scratch);
  auto add = [&](int64_t begin, Operands piece) {
    const int64_t count = std::min(columns, out - begin);
    piece.out = columns_of(piece.out, begin, count);
    piece.in[1] = rows_of(o.in[1], begin, {1, 1, count, in});
    if (o.has(2)) piece.in[2] = columns_of(o.in[2], begin, count);
    if (o.has(3)) piece.in[3] = columns_of(piece.in[3], begin, count);
    pieces.add([&] { return bind_in_float32(piece, context, scratch, bind_linear); });
  };
  for (int64_t begin = 0; begin < out; begin += columns) {
    if (images * tokens <= rows || !residual_can_be_cut(o)) {
      add(begin, o);
      continue;
    }
    for (int64_t image = 0; image < images; ++image)
      for (int64_t first = 0; first < tokens; first += rows) {
        const Shape s{1, 1, std::min(rows, tokens - first), in}, y{1, 1, s.w, out};
        Operands piece = o;
        piece.in[0] = rows_of(x, image * tokens + first, s);
        piece.out = rows_of(o.out, image * tokens + first, y);
        if (o.has(3)) piece.in[3] = residual_of(o, image, first, y);
        add(begin, std::move(piece));
      }
  }
  return pieces.launch();
}
}  // namespace

Launch bind_linear(const Operands& o, const Context& context, Scratch& scratch) {
  if (is_product(context, o.node, o.in[0], o.in[1])) return bind_product(o, context, scratch);
  if (needs_float32(o, context)) return bind_linear_in_float32(o, context, scratch);
  return bind_primitive(o, context, scratch, describe_linear, o.node.as<LinearAttr>().activation);
}

}  // namespace hayate::cpu
