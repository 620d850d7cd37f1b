// By kind of op.
#include "passes/result_bound.h"

#include <cmath>

namespace hayate {

namespace {
constexpr float kMargin = 1.0625f;  // rounding to eight bits makes a row longer by no more

bool is_normalised(const Program& p, Value x) { return p[x].op == Op::quantize && p[x].as<QuantizeAttr>().normalise > 0; }
float length_of(const Program& p, Value x) { return kMargin * std::sqrt(float(p[x].shape.c)); }

// A linear on normalised rows that makes v, nothing added; else `none`.
Value made_by_linear(const Program& p, Value v) {
  const Value root = root_of(p, v).value;
  return p[root].op == Op::linear && p[root].as<LinearAttr>().activation == Activation::none && is_normalised(p, p[root].in[0]) &&
                 (p[root].in.size() < 4 || p[root].in[3] == none)
             ? root
             : none;
}

size_t scale_input(Op op) { return op == Op::attention ? 3 : op == Op::group_norm ? 4 : 5; }

// Without inputs if there is none.
Node bound_of(const Program& p, const Node& n) {
  using Of = BoundAttr::Of;
  Node bound{.op = Op::bound, .dtype = Dtype::f32, .name = n.name + ".bound"};
  if (n.op == Op::linear && n.as<LinearAttr>().activation == Activation::geglu && is_normalised(p, n.in[0])) {
    bound.in = {n.in[1], n.in[2]};
    bound.attr = BoundAttr{.of = Of::gated, .norm = length_of(p, n.in[0])};
  } else if (n.op == Op::attention) {
    const Value v = n.in[2], linear = made_by_linear(p, v);
    if (linear != none) {
      bound.in = {p[linear].in[1], p[linear].in[2]};
      bound.attr = BoundAttr{.of = Of::rows, .norm = length_of(p, p[linear].in[0]), .begin = root_of(p, v).column, .count = p[v].shape.c};
    } else if (p[v].rate != Rate::step) {
      bound.in = {v};
      bound.attr = BoundAttr{.of = Of::elements};
    }
  } else if (n.op == Op::group_norm && p[n.in[1]].rate == Rate::load && (n.in.size() < 4 || n.in[3] == none)) {
    const double count = double(n.shape.tokens()) * double(n.shape.c) / n.as<NormAttr>().groups;
    bound.in = {n.in[1], n.in[2]};
    bound.attr = BoundAttr{.of = Of::elements, .norm = float(std::sqrt(count))};
  }
  return bound;
}
}  // namespace

std::optional<Node> in_eight_bits(Program& p, const Node& n, const Target& target) {
  Node bound = bound_of(p, n), narrow = n;
  if (bound.in.empty()) return {};
  narrow.dtype = Dtype::f8;
  narrow.in.resize(scale_input(n.op), none);
  narrow.in.push_back(p.add(std::move(bound)));
  return target.supports(p, narrow) ? std::optional(std::move(narrow)) : std::nullopt;
}

}  // namespace hayate
