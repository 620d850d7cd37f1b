// linear(x, w) becomes linear(quantize(x), quantize(w)): products of 8-bit numbers, with a scale for each row of x, found as the program runs,
// and one for each row of w, found at load. What normalised the rows of x in the linear (fuse_layer_norm) moves into the quantize, which sees
// whole rows. Linears of one token, which embed times and sizes, stay: they take no time, and everything depends on them.
#include <algorithm>

#include "passes/fastest_type.h"
#include "passes/layer_name.h"
#include "passes/result_bound.h"

namespace hayate {

namespace {
bool may_be_quantized(const Program& p, const Node& n, const Quantization& layers) {
  if (n.op != Op::linear || n.rate != Rate::step || p[n.in[1]].rate != Rate::load || is_quantized(p[n.in[0]].dtype)) return false;
  const Shape &x = p[n.in[0]].shape, &w = p[n.in[1]].shape;
  return x.tokens() > 1 && x.c % kQuantizedColumns == 0 && layers.allows(layer_name(p, n.in[1]), w.c, w.w);
}

Value quantized(Program& p, Value v, Dtype t, float normalise) {
  // A value that several linears read is quantized once: the name says how.
  const std::string name = p[v].name + (normalise > 0 ? ".normalised." : ".") + name_of(t);
  if (Value there = p.find(name); there != none) return there;
  return p.add({.op = Op::quantize, .in = {v}, .dtype = t, .name = name, .attr = QuantizeAttr{normalise}});
}
// What the quantize will cost: where the op that makes x writes eight bits itself (fuse_quantize), what that takes longer.
double seconds_of(Program& p, Value quantize, bool only_reader, const Target& target) {
  const Node q = p[quantize], made = p[q.in[0]];
  if (q.dtype == Dtype::f8 && q.as<QuantizeAttr>().normalise == 0 && only_reader && made.rate == Rate::step)
    if (std::optional<Node> narrow = in_eight_bits(p, made, target)) return std::max(0.0, target.seconds(p, *narrow) - target.seconds(p, made));
  return target.seconds(p, q);
}
}  // namespace

Program quantize_linears(const Program& p, const PassOptions& options) {
  const Target& target = options.target;
  const std::vector<int> uses = count_uses(p);
  return rewrite(p, [&](Program& out, Value old, Node n) {
    if (!may_be_quantized(out, n, options.quantization)) return out.add(std::move(n));
    const auto attr = n.as<LinearAttr>();
    auto in_type = [&](Dtype t, bool measure) -> std::optional<Narrow> {
      Node narrow = n;
      narrow.in[0] = quantized(out, n.in[0], t, attr.normalise);
      narrow.in[1] = quantized(out, n.in[1], t, 0);
      narrow.in.resize(std::min<size_t>(narrow.in.size(), 4));  // sums of the weight's rows are not needed
      narrow.attr = LinearAttr{attr.activation};
      if (!target.supports(out, out[narrow.in[0]]) || !target.supports(out, narrow)) return {};
      const double seconds = measure ? seconds_of(out, narrow.in[0], uses[size_t(p[old].in[0])] == 1, target) + target.seconds(out, narrow) : 0;
      return Narrow{std::move(narrow), seconds};
    };
    return out.add(of_fastest_type(n, options, [&] { return target.seconds(out, n); }, in_type));
  });
}

}  // namespace hayate
