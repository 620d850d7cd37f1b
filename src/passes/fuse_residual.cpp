// add(linear(..), x) and add(conv2d(..), x) move the addition into the epilogue of the product; x may be one row per image.
#include "passes/passes.h"

namespace hayate {

Program fuse_residual(const Program& p, const PassOptions& options) {
  std::vector<int> uses = count_uses(p);
  return rewrite(p, [&](Program& out, Value old, Node n) {
    if (n.op != Op::add) return out.add(std::move(n));
    for (size_t side : {1, 0}) {
      Node fused = out[n.in[side]];
      bool fits = (fused.op == Op::linear || fused.op == Op::conv2d) && fused.in[3] == none && fused.shape == n.shape;
      fits &= fused.rate >= out[n.in[1 - side]].rate;  // a product hoisted out of the step section stays out of it
      if (!fits || uses[size_t(p[old].in[side])] != 1 || out[n.in[1 - side]].shape.c != n.shape.c) continue;
      fused.in[3] = n.in[1 - side];
      fused.name = n.name;
      if (options.target.supports(out, fused)) return out.add(std::move(fused));
    }
    return out.add(std::move(n));
  });
}

}  // namespace hayate
