// Two ops with the same kind, inputs and attributes make the same value; the first one is kept.
#include <map>
#include <tuple>

#include "passes/passes.h"

namespace hayate {

Program merge_duplicates(const Program& p, const PassOptions&) {
  std::multimap<std::tuple<Op, Dtype, std::vector<Value>>, Value> made;
  return rewrite(p, [&](Program& out, Value, Node n) {
    if (is_source(n)) return out.add(std::move(n));
    auto key = std::tuple(n.op, n.dtype, n.in);
    auto [begin, end] = made.equal_range(key);
    for (auto it = begin; it != end; ++it)
      if (out[it->second].attr == n.attr && out[it->second].shape == n.shape) return it->second;
    return made.emplace(std::move(key), out.add(std::move(n)))->second;
  });
}

}  // namespace hayate
