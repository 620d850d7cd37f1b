// left half * gelu(right half) of one projection becomes geglu(projection): one read, one write.
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
}  // namespace

Program fuse_geglu(const Program& p, const PassOptions&) {
  return rewrite(p, [&](Program& out, Value, Node n) {
    if (n.op == Op::mul)
      if (Value whole = halves_of(out, n.in[0], n.in[1]); whole != none) {
        n.op = Op::geglu;
        n.in = {whole};
      }
    return out.add(std::move(n));
  });
}

}  // namespace hayate
