// Weights of products that the backend wants in a layout of its own are packed once, at load, and summed where a product needs that. Runs
// after every ladder.
#include <map>

#include "passes/passes.h"

namespace hayate {

namespace {
// The bound of a result (fuse_quantize), from the packed weight that is there anyway.
Value bound_of_packed(Program& p, Value bound, Value packed) {
  Node n = p[bound];
  n.in[0] = packed;
  n.name += ".packed";
  return p.add(std::move(n));
}
}  // namespace

Program pack_weights(const Program& p, const PassOptions& options) {
  std::map<Value, Value> packed, summed;
  return rewrite(p, [&](Program& out, Value, Node n) {
    bool product = (n.op == Op::linear || n.op == Op::conv2d) && n.rate != Rate::load;
    if (product && options.target.packs(out, n)) {
      auto [found, fresh] = packed.try_emplace(n.in[1], none);
      if (fresh) found->second = out.add({.op = Op::pack, .in = {n.in[1]}, .dtype = out[n.in[1]].dtype, .name = out[n.in[1]].name + ".packed"});
      n.in[1] = found->second;
      if (n.in.size() > 5 && out[n.in[5]].op == Op::bound) n.in[5] = bound_of_packed(out, n.in[5], n.in[1]);
    }
    if (n.op == Op::linear && n.as<LinearAttr>().normalise > 0) {
      auto [found, fresh] = summed.try_emplace(n.in[1], none);
      if (fresh) found->second = out.add({.op = Op::row_sums, .in = {n.in[1]}, .dtype = Dtype::f32, .name = out[n.in[1]].name + ".sums"});
      n.in.resize(5, none);
      n.in[4] = found->second;
    }
    return out.add(std::move(n));
  });
}

}  // namespace hayate
