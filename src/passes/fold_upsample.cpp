// conv2d(upsample_nearest(x)), twice as large, becomes a conv2d of x with a weight folded at load: 4/9 of the arithmetic, and the
// large map is never stored. Exact algebra: see program/fold_nearest.h.
#include "passes/passes.h"

namespace hayate {

namespace {
constexpr ConvAttr kFoldable{.stride = 1, .pad_begin = 1, .pad_end = 1};  // of kernel 3

// Such a convolution as one of x, with the weight still to be folded; if the target has it.
bool fold(const Program& p, const Target& target, Node& n) {
  if (n.op != Op::conv2d || n.in[3] != none) return false;
  const Node &map = p[n.in[0]], &weight = p[n.in[1]];
  ConvAttr attr = n.as<ConvAttr>();
  if (map.op != Op::upsample_nearest || weight.op != Op::weight || weight.shape.h != 3 || weight.shape.w != 3) return false;
  const Shape& x = p[map.in[0]].shape;
  if (map.shape.h != 2 * x.h || map.shape.w != 2 * x.w) return false;
  ConvAttr plain = attr;
  plain.activation = Activation::none;
  if (plain != kFoldable) return false;
  Node folded = n;
  folded.in[0] = map.in[0];
  attr.upsample = 2;
  folded.attr = attr;
  if (!target.supports(p, folded)) return false;
  n = std::move(folded);
  return true;
}
}  // namespace

Program fold_upsample(const Program& p, const PassOptions& options) {
  return rewrite(p, [&](Program& out, Value, Node n) {
    if (fold(out, options.target, n))  // the sums are taken of what the file holds, and rounded once
      n.in[1] = out.add({.op = Op::fold_nearest, .in = {n.in[1]}, .dtype = n.dtype, .name = out[n.in[1]].name + ".folded"});
    return out.add(std::move(n));
  });
}

}  // namespace hayate
