// Offsets follow the memory plan; views are resolved to addresses and strides.
#include "backend/placement.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/error.h"

namespace hayate {

Layout lay_out(std::span<const Program> turns, CompileOptions options) {
  constexpr int64_t kAlign = 64;
  Layout layout;
  std::map<std::tuple<std::string, std::string, Dtype>, int64_t> inputs;
  for (const Program& p : turns) {
    std::vector<int64_t>& offset = layout.offsets.emplace_back(size_t(p.size()), -1);
    for (Value v = 0; v < p.size(); ++v) {
      if (p[v].op != Op::input) continue;
      const auto [place, fresh] = inputs.try_emplace({p[v].name, to_string(p[v].shape), p[v].dtype}, layout.bytes);
      if (fresh) layout.bytes += (byte_size(p[v]) + kAlign - 1) / kAlign * kAlign;
      offset[size_t(v)] = place->second;
    }
  }
  for (Rate section : {Rate::prompt, Rate::step}) {
    int64_t most = 0;
    for (size_t t = 0; t < turns.size(); ++t) {
      const MemoryPlan plan = plan_memory(turns[t], section, !options.keep_all);
      for (size_t v = 0; v < plan.offset.size(); ++v)
        if (plan.offset[v] >= 0) layout.offsets[t][v] = layout.bytes + plan.offset[v];
      if (section == Rate::prompt) layout.bytes += plan.size;
      most = std::max(most, plan.size);
    }
    if (section == Rate::step) layout.bytes += most;
  }
  return layout;
}

std::vector<TensorView> place(const Program& p, const std::vector<int64_t>& offset, std::byte* memory, const std::function<void*(Value)>& load_value) {
  std::vector<TensorView> views(static_cast<size_t>(p.size()));
  for (Value v : needed_load_values(p)) views[size_t(v)] = packed_view(p[v], load_value(v));
  for (Value v = 0; v < p.size(); ++v) {
    const Node& n = p[v];
    if (offset[size_t(v)] >= 0) views[size_t(v)] = packed_view(n, memory + offset[size_t(v)]);
    if (is_view(n) && n.rate != Rate::load) {
      const TensorView& whole = views[size_t(n.in[0])];
      views[size_t(v)] = {static_cast<std::byte*>(whole.data) + n.as<SliceAttr>().begin * size_of(n.dtype), whole.row_stride, n.shape, n.dtype};
    }
  }
  return views;
}

Operands operands_of(const Program& p, const std::vector<TensorView>& views, Value v) {
  const Node& n = p[v];
  Operands operands{p, n, views[size_t(v)], {}};
  for (Value in : n.in) operands.in.push_back(in == none ? TensorView{} : views[size_t(in)]);
  return operands;
}

std::vector<double> seconds_by_value(const Program& p, Rate section, const std::function<double(size_t)>& seconds) {
  std::vector<double> all(size_t(p.size()), 0.0);
  size_t launch = 0;
  for (Value v = 0; v < p.size(); ++v)
    if (runs(p[v]) && p[v].rate == section) all[size_t(v)] = seconds(launch++);
  return all;
}

Value find_value(const Program& p, const std::string& name, size_t bytes) {
  Value v = p.find(name);
  require(v != none, ErrorKind::internal, "there is no value named {}", name);
  require(size_t(byte_size(p[v])) == bytes, ErrorKind::internal, "{}: {} bytes given, {} expected", name, bytes, byte_size(p[v]));
  return v;
}

InputPlace find_input(std::span<const Program> turns, const std::string& name, size_t bytes) {
  for (size_t t = 0; t < turns.size(); ++t)
    if (const Value v = turns[t].find(name); v != none && turns[t][v].op == Op::input && size_t(byte_size(turns[t][v])) == bytes) return {t, v};
  fail(ErrorKind::internal, "there is no input named {} of {} bytes", name, bytes);
}

}  // namespace hayate
