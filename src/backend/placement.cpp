// Offsets follow the memory plan; views are resolved to addresses and strides.
#include "backend/placement.h"

#include <utility>

#include "core/error.h"

namespace hayate {

Layout lay_out(const Program& p, CompileOptions options) {
  constexpr int64_t kAlign = 64;
  Layout layout{.offset = std::vector<int64_t>(size_t(p.size()), -1)};
  for (Value v = 0; v < p.size(); ++v)
    if (p[v].op == Op::input) layout.offset[size_t(v)] = std::exchange(layout.bytes, layout.bytes + (byte_size(p[v]) + kAlign - 1) / kAlign * kAlign);
  for (Rate section : {Rate::prompt, Rate::step}) {
    MemoryPlan plan = plan_memory(p, section, !options.keep_all);
    for (size_t v = 0; v < plan.offset.size(); ++v)
      if (plan.offset[v] >= 0) layout.offset[v] = layout.bytes + plan.offset[v];
    layout.bytes += plan.size;
  }
  return layout;
}

std::vector<TensorView> place(const Program& p, const Layout& layout, std::byte* memory, const std::function<void*(Value)>& load_value) {
  std::vector<TensorView> views(static_cast<size_t>(p.size()));
  for (Value v : needed_load_values(p)) views[size_t(v)] = packed_view(p[v], load_value(v));
  for (Value v = 0; v < p.size(); ++v) {
    const Node& n = p[v];
    if (layout.offset[size_t(v)] >= 0) views[size_t(v)] = packed_view(n, memory + layout.offset[size_t(v)]);
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

Value find_input(const Program& p, const std::string& name, size_t bytes) {
  Value v = find_value(p, name, bytes);
  require(p[v].op == Op::input, ErrorKind::internal, "{} is not an input", name);
  return v;
}

}  // namespace hayate
