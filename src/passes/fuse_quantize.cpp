// What a quantize reads is written in eight bits by the op that makes it, where that sees only parts of a row: a gated linear, attention, a group
// norm. It cannot find the largest of a row, and takes a scale that is certain beforehand (result_bound.h). float8 only.
#include "passes/passes.h"
#include "passes/result_bound.h"

namespace hayate {

Program fuse_quantize(const Program& p, const PassOptions& options) {
  const std::vector<int> uses = count_uses(p);
  std::vector<bool> taken(size_t(p.size()), false);
  for (const Node& n : p.nodes())
    if (n.op == Op::quantize && n.dtype == Dtype::f8 && n.rate == Rate::step && n.as<QuantizeAttr>().normalise == 0 && uses[size_t(n.in[0])] == 1) taken[size_t(n.in[0])] = true;
  return rewrite(p, [&](Program& out, Value old, Node n) {
    if (n.op == Op::quantize && is_quantized(out[n.in[0]].dtype)) return n.in[0];
    if (!taken[size_t(old)]) return out.add(std::move(n));
    return out.add(in_eight_bits(out, n, options.target).value_or(n));
  });
}

}  // namespace hayate
