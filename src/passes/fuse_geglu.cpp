// left half * gelu(right half) of one projection becomes geglu(projection): one read, one write; or part of the projection where the
// target has that.
#include "passes/passes.h"

namespace hayate {

namespace {
// The value of which `left` and `gelu` take the two halves, or none.
Value halves_of(const Program& out, Value left, Value gelu) {
  if (out[gelu].op != Op::gelu) return none;
  const Node &a = out[left], &b = out[out[gelu].in[0]];
  if (a.op != Op::slice || b.op != Op::slice || a.in[0] != b.in[0]) return none;
  bool in_order = a.as<SliceAttr>().begin == 0 && b.as<SliceAttr>().begin == a.shape.c && out[a.in[0]].shape.c == 2 * a.shape.c;
  return in_order ? a.in[0] : none;
}

// The projection with its halves already multiplied, if the target computes that and nobody else reads the projection.
bool absorb(const Program& out, const Target& target, Value whole, Node& n) {
  Node gated = out[whole];
  if (gated.op != Op::linear || gated.as<LinearAttr>() != LinearAttr{} || gated.in[3] != none) return false;
  gated.attr = LinearAttr{Activation::geglu};
  gated.name = n.name;
  gated.shape = n.shape;
  if (!target.supports(out, gated)) return false;
  n = std::move(gated);
  return true;
}
}  // namespace

Program fuse_geglu(const Program& p, const PassOptions& options) {
  std::vector<int> uses = count_uses(p);
  return rewrite(p, [&](Program& out, Value old, Node n) {
    Value whole = n.op == Op::mul ? halves_of(out, n.in[0], n.in[1]) : none;
    if (whole == none) return out.add(std::move(n));
    int readers = uses[size_t(p[p[old].in[0]].in[0])];  // the two halves, if nobody else
    if (readers == 2 && absorb(out, options.target, whole, n)) return out.add(std::move(n));
    n.op = Op::geglu;
    n.in = {whole};
    return out.add(std::move(n));
  });
}

}  // namespace hayate
