// Linears that read one value (to_q, to_k and to_v; the text keys and values of all layers; the time embeddings of all
// resnets) become one linear over stacked weights, and each old result a slice of columns. Stacking is an op on weights,
// so it runs once at load.
#include <functional>
#include <map>

#include "passes/passes.h"

namespace hayate {

namespace {
using Group = std::vector<Value>;                 // linears of the old program, in order
struct Key {
  Value reads;
  bool bias;
  float normalise;
  auto operator<=>(const Key&) const = default;
};

Key key_of(const Node& n) { return {n.in[0], n.in[2] != none, n.as<LinearAttr>().normalise}; }

bool stackable(const Node& n) {
  return n.op == Op::linear && n.in[3] == none && n.rate != Rate::load && n.as<LinearAttr>().activation == Activation::none;
}

std::map<Key, Group> groups_of(const Program& p) {
  std::map<Key, Group> groups;
  for (Value v = 0; v < p.size(); ++v)
    if (stackable(p[v])) groups[key_of(p[v])].push_back(v);
  std::erase_if(groups, [](const auto& g) { return g.second.size() < 2; });
  return groups;
}
}  // namespace

Program fuse_projections(const Program& p, const PassOptions&) {
  std::map<Key, Group> groups = groups_of(p);
  std::map<Value, Value> moved;  // load values: a stack needs all of them where its first linear stands
  std::function<Value(Program&, Value)> move_weight = [&](Program& out, Value w) {
    if (auto found = moved.find(w); found != moved.end()) return found->second;
    Node n = p[w];
    for (Value& in : n.in)
      if (in != none) in = move_weight(out, in);
    return moved[w] = out.add(std::move(n));
  };
  auto stack = [&](Program& out, const Group& group, size_t input) {
    Node n{.op = Op::stack, .dtype = p[p[group[0]].in[input]].dtype, .name = p[p[group[0]].in[input]].name + "+"};
    for (Value linear : group) n.in.push_back(move_weight(out, p[linear].in[input]));
    return out.add(std::move(n));
  };

  std::map<Key, Value> fused;
  return rewrite(p, [&](Program& out, Value old, Node n) {
    if (n.rate == Rate::load) return move_weight(out, old);
    auto group = stackable(n) ? groups.find(key_of(p[old])) : groups.end();
    if (group == groups.end()) return out.add(std::move(n));

    auto [whole, fresh] = fused.try_emplace(group->first, none);
    if (fresh) {
      Node all = n;
      all.name += "+";
      all.in[1] = stack(out, group->second, 1);
      if (all.in[2] != none) all.in[2] = stack(out, group->second, 2);
      whole->second = out.add(std::move(all));
    }
    int64_t begin = 0;
    for (Value member : group->second) {
      if (member == old) break;
      begin += p[member].shape.c;
    }
    return out.add({.op = Op::slice, .in = {whole->second}, .shape = n.shape, .dtype = n.dtype, .name = n.name, .attr = SliceAttr{begin}});
  });
}

}  // namespace hayate
