// Ops that only move rows: concat, stack, repeat, upsample_nearest, pad, embedding, take_token.
#include "backend/cpu/copy_rows.h"
#include "core/error.h"

namespace hayate::cpu {

namespace {
// The part of `whole` that starts at a row and column and has shape s.
TensorView part(const TensorView& whole, int64_t row, int64_t column, const Shape& s) {
  return {whole.row<std::byte>(0) + (row * whole.row_stride + column) * size_of(whole.dtype), whole.row_stride, s, whole.dtype};
}

Launch bind_concat(const Operands& o) {
  auto same = [](int64_t r) { return r; };
  std::vector<Launch> steps;
  int64_t column = 0;
  for (const TensorView& x : o.in) {
    steps.push_back(copy_rows(part(o.out, 0, column, x.shape), x, same));
    column += x.shape.c;
  }
  return in_order(std::move(steps));
}

Launch bind_stack(const Operands& o) {
  if (o.out.shape.rows() == 1) return bind_concat(o);  // vectors
  auto same = [](int64_t r) { return r; };
  std::vector<Launch> steps;
  int64_t row = 0;
  for (const TensorView& x : o.in) {
    steps.push_back(copy_rows(part(o.out, row, 0, x.shape), x, same));
    row += x.shape.rows();
  }
  return in_order(std::move(steps));
}

Launch bind_repeat(const Operands& o) {
  return copy_rows(o.out, o.in[0], [rows = o.in[0].shape.rows()](int64_t r) { return r % rows; });
}

// torch's 'nearest': source of target i is floor(i * source size / target size).
Launch bind_upsample_nearest(const Operands& o) {
  return copy_rows(o.out, o.in[0], [to = o.out.shape, from = o.in[0].shape](int64_t r) {
    int64_t w = r % to.w, h = r / to.w % to.h, image = r / to.tokens();
    return (image * from.h + h * from.h / to.h) * from.w + w * from.w / to.w;
  });
}

Launch bind_pad(const Operands& o) {
  return copy_rows(o.out, o.in[0], [to = o.out.shape, from = o.in[0].shape, a = o.node.as<PadAttr>()](int64_t r) {
    int64_t column = r % to.w - a.size, line = r / to.w % to.h - a.size;
    if (a.wrap_x) column = (column + from.w) % from.w;
    if (a.wrap_y) line = (line + from.h) % from.h;
    const bool inside = line >= 0 && line < from.h && column >= 0 && column < from.w;
    return inside ? (r / to.tokens() * from.h + line) * from.w + column : kZeros;
  });
}

// Row r is row index[r] of the table, or of image r's part of it.
Launch bind_gather(const Operands& o, const TensorView& table, const TensorView& index, bool per_image) {
  int64_t limit = per_image ? table.shape.tokens() : table.shape.rows();
  return copy_rows(o.out, table, [=, name = o.node.name](int64_t r) {
    int64_t at = *index.row<int32_t>(r);
    require(at >= 0 && at < limit, ErrorKind::usage, "{}: index {} is outside 0..{}", name, at, limit - 1);
    return per_image ? r * limit + at : at;
  });
}
}  // namespace

Launch bind_copy(const Operands& o) {
  switch (o.node.op) {
    case Op::concat: return bind_concat(o);
    case Op::stack: return bind_stack(o);
    case Op::repeat: return bind_repeat(o);
    case Op::upsample_nearest: return bind_upsample_nearest(o);
    case Op::pad: return bind_pad(o);
    case Op::embedding: return bind_gather(o, o.in[1], o.in[0], false);
    case Op::take_token: return bind_gather(o, o.in[0], o.in[1], true);
    default: unsupported(o);
  }
}

}  // namespace hayate::cpu
