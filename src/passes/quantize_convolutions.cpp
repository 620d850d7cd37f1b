// Convolutions of kernel 3 on factors in float8: a switch of its own, since a row's scale does not factor out of nine taps. The group norm before
// one writes eight bits with a scale that is known before (result_bound.h), and each filter has one.
#include <algorithm>

#include "passes/passes.h"
#include "passes/result_bound.h"

namespace hayate {

namespace {
// A 3x3 convolution whose input is a group norm that nothing else reads.
bool may_be_quantized(const Program& p, const Node& n, const std::vector<int>& uses) {
  if (n.op != Op::conv2d || n.rate != Rate::step || is_quantized(p[n.in[0]].dtype)) return false;
  const Shape& w = p[n.in[1]].shape;
  const auto& a = n.as<ConvAttr>();
  return w.h == 3 && w.w == 3 && a.stride == 1 && a.upsample == 1 && w.c % kQuantizedColumns == 0 && p[n.in[0]].op == Op::group_norm &&
         uses[size_t(n.in[0])] == 1;
}
}  // namespace

Program quantize_convolutions(const Program& p, const PassOptions& options) {
  if (!options.quantization.convolutions || std::ranges::find(options.quantized, Dtype::f8) == options.quantized.end()) return p;
  const std::vector<int> uses = count_uses(p);
  return rewrite(p, [&](Program& out, Value old, Node n) {
    if (!may_be_quantized(p, p[old], uses)) return out.add(std::move(n));
    // The norm writes eight bits: another one beside it, which is dropped with the first if nobody reads that.
    Node narrow = n;
    std::optional<Node> norm = in_eight_bits(out, Node(out[n.in[0]]), options.target);
    if (!norm) return out.add(std::move(n));
    norm->name += ".f8";
    narrow.in[0] = out.add(*std::move(norm));
    narrow.in[1] = out.add({.op = Op::quantize, .in = {n.in[1]}, .dtype = Dtype::f8, .name = out[n.in[1]].name + ".f8", .attr = QuantizeAttr{.filters = true}});
    const Node& made = out[narrow.in[0]];
    const Target& target = options.target;
    if (!target.supports(out, narrow)) return out.add(std::move(n));
    const bool measured = options.quantization.layers == Quantization::Layers::gains;
    const bool slower = measured && target.seconds(out, made) + target.seconds(out, narrow) > target.seconds(out, out[n.in[0]]) + target.seconds(out, n);
    return out.add(slower ? std::move(n) : std::move(narrow));
  });
}

}  // namespace hayate
