// Greedy by size: the largest value first, at the lowest offset that is free for its whole life.
#include "program/plan_memory.h"

#include <algorithm>

#include "core/error.h"

namespace hayate {

namespace {
constexpr int64_t kAlignment = 256;  // cache lines, vector loads and cuBLAS all like this
int64_t aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// Index of the last op that reads each value (through views); `size` if it must outlive its section.
std::vector<Value> last_reads(const Program& p, Rate section) {
  std::vector<Value> root(size_t(p.size())), last(size_t(p.size()));
  for (Value i = 0; i < p.size(); ++i) {
    root[size_t(i)] = is_view(p[i]) ? root[size_t(p[i].in[0])] : i;
    last[size_t(i)] = i;
    for (Value v : p[i].in)
      if (v != none) last[size_t(root[size_t(v)])] = p[i].rate > section ? p.size() : std::max(i, last[size_t(root[size_t(v)])]);
  }
  for (Value v : p.outputs) last[size_t(root[size_t(v)])] = p.size();
  for (auto c : p.carries) last[size_t(root[size_t(c.from)])] = p.size();
  return last;
}

bool owned(const Node& n, Rate section) { return n.rate == section && !is_source(n) && !is_view(n); }
}  // namespace

MemoryPlan plan_memory(const Program& p, Rate section, bool reuse) {
  std::vector<Value> last = last_reads(p, section), order;
  for (Value i = 0; i < p.size(); ++i) {
    if (!owned(p[i], section)) continue;
    if (!reuse) last[size_t(i)] = p.size();
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](Value a, Value b) { return byte_size(p[a]) > byte_size(p[b]); });

  MemoryPlan plan{.offset = std::vector<int64_t>(size_t(p.size()), -1)};
  auto offset = [&](Value v) -> int64_t& { return plan.offset[size_t(v)]; };
  std::vector<Value> placed;  // by offset
  for (Value v : order) {
    int64_t need = aligned(byte_size(p[v])), at = 0;
    for (Value u : placed) {
      if (last[size_t(u)] < v || last[size_t(v)] < u) continue;  // never alive together
      if (at + need <= offset(u)) break;
      at = std::max(at, offset(u) + aligned(byte_size(p[u])));
    }
    offset(v) = at;
    plan.size = std::max(plan.size, at + need);
    plan.without_reuse += need;
    placed.insert(std::upper_bound(placed.begin(), placed.end(), v, [&](Value a, Value b) { return offset(a) < offset(b); }), v);
  }
  return plan;
}

void verify_plan(const Program& p, Rate section, const MemoryPlan& plan) {
  std::vector<Value> last = last_reads(p, section);
  for (Value a = 0; a < p.size(); ++a) {
    int64_t begin = plan.offset[size_t(a)], end = begin + byte_size(p[a]);
    require(owned(p[a], section) == (begin >= 0), ErrorKind::internal, "plan: {} is {}placed", p[a].name, begin >= 0 ? "" : "not ");
    if (begin < 0) continue;
    require(end <= plan.size, ErrorKind::internal, "plan: {} lies outside the arena", p[a].name);
    for (Value b = a + 1; b < p.size() && b <= last[size_t(a)]; ++b) {
      int64_t other = plan.offset[size_t(b)];
      if (other >= 0 && begin < other + byte_size(p[b]) && other < end)
        fail(ErrorKind::internal, "plan: {} and {} are alive together and overlap", p[a].name, p[b].name);
    }
  }
}

}  // namespace hayate
