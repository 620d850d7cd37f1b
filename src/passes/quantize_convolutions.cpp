// Convolutions of kernel 3 on 8-bit factors: a switch of its own, since a row's scale does not factor out of nine taps. Each filter has one scale, and
// so has each image: in float8 a bound that is known before (result_bound.h), by which the group norm before the convolution writes eight bits
// itself; in int8, which a bound would cost most of its bits, the largest number that the norm has made.
#include "passes/fastest_type.h"
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

Value quantized(Program& p, Value v, Dtype t) {
  return p.add({.op = Op::quantize, .in = {v}, .dtype = t, .name = p[v].name + "." + name_of(t), .attr = QuantizeAttr{.whole = true}});
}

// What the norm has made, in eight bits; `none` if the device has no way to it.
Value image_in_eight_bits(Program& p, Value norm, Dtype t, const Target& target) {
  if (t != Dtype::f8) {
    const Value q = quantized(p, norm, t);
    return target.supports(p, p[q]) ? q : none;
  }
  // Another norm beside it, which is dropped if nobody reads that.
  std::optional<Node> narrow = in_eight_bits(p, Node(p[norm]), target);
  if (!narrow) return none;
  narrow->name += ".f8";
  return p.add(*std::move(narrow));
}
}  // namespace

Program quantize_convolutions(const Program& p, const PassOptions& options) {
  if (!options.quantization.convolutions) return p;
  const Target& target = options.target;
  const std::vector<int> uses = count_uses(p);
  return rewrite(p, [&](Program& out, Value old, Node n) {
    if (!may_be_quantized(p, p[old], uses)) return out.add(std::move(n));
    const Value norm = n.in[0];
    auto in_type = [&](Dtype t, bool measure) -> std::optional<Narrow> {
      Node narrow = n;
      narrow.in[0] = image_in_eight_bits(out, norm, t, target);
      if (narrow.in[0] == none) return {};
      narrow.in[1] = quantized(out, n.in[1], t);
      if (!target.supports(out, narrow)) return {};
      double seconds = 0;
      if (measure) seconds = (t == Dtype::f8 ? 0 : target.seconds(out, out[norm])) + target.seconds(out, out[narrow.in[0]]) + target.seconds(out, narrow);
      return Narrow{std::move(narrow), seconds};
    };
    return out.add(of_fastest_type(n, options, [&] { return target.seconds(out, out[norm]) + target.seconds(out, n); }, in_type));
  });
}

}  // namespace hayate
