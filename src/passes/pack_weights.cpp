// Weights of products that the backend wants in a layout of its own are packed once, at load. Runs after every ladder.
#include <map>

#include "passes/passes.h"

namespace hayate {

Program pack_weights(const Program& p, const PassOptions& options) {
  std::map<Value, Value> packed;
  return rewrite(p, [&](Program& out, Value, Node n) {
    bool product = (n.op == Op::linear || n.op == Op::conv2d) && n.rate != Rate::load;
    if (product && options.target.packs(out, n)) {
      auto [found, fresh] = packed.try_emplace(n.in[1], none);
      if (fresh) found->second = out.add({.op = Op::pack, .in = {n.in[1]}, .dtype = out[n.in[1]].dtype, .name = out[n.in[1]].name + ".packed"});
      n.in[1] = found->second;
    }
    return out.add(std::move(n));
  });
}

}  // namespace hayate
