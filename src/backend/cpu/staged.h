// Operands that oneDNN cannot read as they are: copied into scratch memory, and the result back.
#pragma once
#include <functional>

#include "backend/cpu/context.h"

namespace hayate::cpu {

using Bind = std::function<Launch(const Operands&, const Context&, Scratch&)>;

// Everything in float32, where oneDNN has no bf16.
inline bool needs_float32(const Operands& o, const Context& context) { return o.out.dtype == Dtype::bf16 && !context.onednn_has_bf16; }
Launch bind_in_float32(const Operands&, const Context&, Scratch&, const Bind& inner);

// Launches that share their scratch memory, as they run one after another.
class SharedScratch {
 public:
  explicit SharedScratch(Scratch& scratch) : scratch_(scratch), begin_(scratch.position()) {}
  template <class BindStep>
  void add(BindStep bind_step) {
    scratch_.rewind(begin_);
    steps_.push_back(bind_step());
  }
  Launch launch() { return in_order(std::move(steps_)); }

 private:
  Scratch& scratch_;
  int64_t begin_;
  std::vector<Launch> steps_;
};

// Rows [first, first + s.rows()) of a tensor, as shape s.
inline TensorView rows_of(const TensorView& v, int64_t first, const Shape& s) {
  return {v.row<std::byte>(0) + first * v.row_stride * size_of(v.dtype), v.row_stride, s, v.dtype};
}
// Columns [begin, begin + count).
inline TensorView columns_of(const TensorView& v, int64_t begin, int64_t count) {
  return {v.row<std::byte>(0) + begin * size_of(v.dtype), v.row_stride, {v.shape.n, v.shape.h, v.shape.w, count}, v.dtype};
}
// Whether a product can be cut along the rows of its result: its residual has them all, or one row per image.
bool residual_can_be_cut(const Operands&);
// The part of the residual for rows [first, first + s.rows()) of `image`, counted from its start.
TensorView residual_of(const Operands&, int64_t image, int64_t first, const Shape& s);

// The first input without gaps between rows.
Launch bind_packed_rows(const Operands&, const Context&, Scratch&, const Bind& inner);

}  // namespace hayate::cpu
