// scores -> softmax -> mix becomes one op that never stores the score matrix.
#include "passes/passes.h"

namespace hayate {

Program fuse_attention(const Program& p, const PassOptions& options) {
  return rewrite(p, [&](Program& out, Value, Node n) {
    if (n.op == Op::attention_mix) {
      const Node& scores = out[out[n.in[0]].in[0]];  // softmax occurs nowhere but between scores and mix
      Node fused = n;
      fused.op = Op::attention;
      fused.in = {scores.in[0], scores.in[1], n.in[1]};
      fused.attr = scores.attr;
      if (options.target.supports(out, fused)) n = std::move(fused);
    }
    return out.add(std::move(n));  // scores and softmax are dead now; rewrite() drops them
  });
}

}  // namespace hayate
