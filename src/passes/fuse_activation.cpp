// silu(group_norm(x)), gelu(linear(x)) and the like: the activation moves into the op whose result it alone reads.
#include "passes/passes.h"

namespace hayate {

namespace {
Activation activation_of(Op op) {
  switch (op) {
    case Op::silu: return Activation::silu;
    case Op::gelu: return Activation::gelu;
    case Op::quick_gelu: return Activation::quick_gelu;
    case Op::relu: return Activation::relu;
    default: return Activation::none;
  }
}

// The op with the activation added, if it can carry one: a residual is added after it, so both do not go together.
bool absorb(Node& made, Activation a) {
  auto set = [&](auto* attr) { return attr && attr->activation == Activation::none && (attr->activation = a, true); };
  if (made.op != Op::group_norm && made.in.size() > 3 && made.in[3] != none) return false;
  return set(std::get_if<LinearAttr>(&made.attr)) || set(std::get_if<ConvAttr>(&made.attr)) || set(std::get_if<NormAttr>(&made.attr));
}
}  // namespace

Program fuse_activation(const Program& p, const PassOptions& options) {
  std::vector<int> uses = count_uses(p);
  return rewrite(p, [&](Program& out, Value old, Node n) {
    Activation a = activation_of(n.op);
    if (a != Activation::none && uses[size_t(p[old].in[0])] == 1) {
      Node fused = out[n.in[0]];
      fused.name = n.name;
      if (absorb(fused, a) && options.target.supports(out, fused)) return out.add(std::move(fused));
    }
    return out.add(std::move(n));
  });
}

}  // namespace hayate
