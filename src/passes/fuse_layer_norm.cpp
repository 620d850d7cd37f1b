// linear(layer_norm(x)) becomes a linear that normalises what it has summed: with w' = w * gamma and b' = w beta + b, both made once at load,
// norm(x) w^T + b = (x w'^T - mean * row sums of w') / deviation + b'. Neither the normalised rows nor a launch of their own are left.
#include "passes/passes.h"

namespace hayate {

namespace {
Node folded_of(const Program& p, const Node& linear) {
  Node n = linear;
  const Node& norm = p[n.in[0]];
  n.in[0] = norm.in[0];
  n.attr = LinearAttr{n.as<LinearAttr>().activation, norm.as<NormAttr>().eps};
  return n;
}

bool folds(const Program& p, const Node& n, const Target& target) {
  if (n.op != Op::linear || n.rate == Rate::load || n.as<LinearAttr>().normalise > 0) return false;
  const Node& norm = p[n.in[0]];
  auto is_weight = [&](Value v) { return p[v].op == Op::weight; };
  return norm.op == Op::layer_norm && norm.as<NormAttr>().activation == Activation::none && is_weight(norm.in[1]) && is_weight(norm.in[2]) &&
         is_weight(n.in[1]) && (n.in[2] == none || is_weight(n.in[2])) && target.supports(p, folded_of(p, n));
}
}  // namespace

Program fuse_layer_norm(const Program& p, const PassOptions& options) {
  return rewrite(p, [&](Program& out, Value old, Node n) {
    if (!folds(p, p[old], options.target)) return out.add(std::move(n));
    const Node norm = out[n.in[0]], weight = out[n.in[1]];
    Node folded = folded_of(out, n);
    folded.in[2] = out.add({.op = Op::row_dots, .in = {n.in[1], norm.in[2], n.in[2]}, .dtype = Dtype::f32, .name = n.name + ".shifted_bias"});
    folded.in[1] = out.add({.op = Op::scale_columns, .in = {n.in[1], norm.in[1]}, .dtype = weight.dtype, .name = weight.name + ".scaled"});
    return out.add(std::move(folded));
  });
}

}  // namespace hayate
