// Operands of random numbers, and a key that tells ops apart.
#include "backend/cuda/fastest.h"

#include <limits>
#include <optional>

#include "backend/cuda/test_pattern.h"
#include "core/error.h"

namespace hayate::cuda {

namespace {
int64_t bytes_of(const TensorView& t) {
  if (is_quantized(t.dtype)) return scales_offset(t.shape) + scales_bytes(t.shape);
  return ((t.shape.rows() - 1) * t.row_stride + t.shape.c) * size_of(t.dtype);
}

class Sample {
 public:
  Sample(const Operands& o, const Context& context) : memory_(context, sizes(o)), operands{o.program, o.node, o.out, o.in} {
    operands.out.data = memory_.get(0);
    for (size_t i = 0; i < o.in.size(); ++i)
      if (o.in[i].data) operands.in[i].data = memory_.get(i + 1);
  }

 private:
  static std::vector<int64_t> sizes(const Operands& o) {
    std::vector<int64_t> all{bytes_of(o.out)};
    for (const TensorView& t : o.in) all.push_back(t.data ? bytes_of(t) : 0);
    return all;
  }
  TestPattern memory_;

 public:
  Operands operands;
};

std::string key_of(const Operands& o, size_t ways, const std::string& what) {
  std::string key = fmt::format("{} {}of {}{}", name_of(o.node.op), what.empty() ? "" : what + " ", ways, to_string(o.node.attr));
  auto add = [&](const TensorView& t) {
    key += t.data ? fmt::format(" {} {} rows {}", name_of(t.dtype), to_string(t.shape), t.row_stride) : " none";
  };
  add(o.out);
  for (const TensorView& t : o.in) add(t);
  return key;
}
}  // namespace

namespace {
// Where the op would find its operands, but for the addresses, of which only the alignment is right.
Operands nowhere(const Program& p, const Node& n) {
  auto* address = reinterpret_cast<std::byte*>(uintptr_t{1} << 20);
  Operands o{p, n, packed_view(n, address), {}};
  for (Value v : n.in) {
    if (v == none) {
      o.in.emplace_back();
      continue;
    }
    const Root root = root_of(p, v);
    o.in.push_back({address + root.column * size_of(p[v].dtype), p[root.value].shape.c, p[v].shape, p[v].dtype});
  }
  return o;
}
}  // namespace

double seconds_alone(const Program& p, const Node& n, const Context& context) {
  const Operands o = nowhere(p, n);
  auto nanoseconds = [&] {
    Sample sample(o, context);
    BindOptions options;
    Buffer moments;
    if (n.op == Op::linear && n.as<LinearAttr>().normalise > 0) {
      moments = context.device->allocate(moments_bytes(o.in[0].shape.rows(), o.in[0].shape.c));
      options.x_moments = reinterpret_cast<const float2*>(moments.get());
    }
    Launch launch = bind(sample.operands, context, options);
    Buffer workspace = launch.workspace ? context.device->allocate(launch.workspace) : Buffer{};
    return int(1e9 * context.seconds([&] { launch.enqueue(workspace.get()); }, kMeasuredRuns));
  };
  return 1e-9 * context.algorithms->remember(key_of(o, 0, "alone"), nanoseconds);
}

Launch bind_fastest(const Operands& o, const Context& context, const std::vector<Way>& ways, const std::string& what) {
  std::optional<Sample> sample;
  auto seconds = [&](int i, double rival) {
    if (!sample) sample.emplace(o, context);
    Launch launch = ways[size_t(i)](sample->operands);
    if (!launch.enqueue) return std::numeric_limits<double>::infinity();
    Buffer workspace = launch.workspace ? context.device->allocate(launch.workspace) : Buffer{};
    return context.seconds([&] { launch.enqueue(workspace.get()); }, kMeasuredRuns, rival);
  };
  int best = context.algorithms->choose(key_of(o, ways.size(), what), int(ways.size()), seconds);
  Launch launch = ways[size_t(best)](o);
  for (size_t i = 0; i < ways.size() && !launch.enqueue; ++i) launch = ways[i](o);
  require(bool(launch.enqueue), ErrorKind::internal, "{} {}: no kernel takes it", name_of(o.node.op), o.node.name);
  return launch;
}

}  // namespace hayate::cuda
