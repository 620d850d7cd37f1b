// One program becomes as many as its norms ask for.
#include "program/window_passes.h"

#include <algorithm>

#include "core/error.h"
#include "program/builder.h"

namespace hayate {

namespace {
Value input_of(const Program& p) {
  auto found = std::ranges::find(p.nodes(), Op::input, &Node::op);
  require(found != p.nodes().end() && p.outputs.size() == 1, ErrorKind::internal, "a program for windows has one input and one output");
  return Value(found - p.nodes().begin());
}

int scale_of(const Program& p, Value v) { return int(p[v].shape.h / p[input_of(p)].shape.h); }

// `p` up to `output`, with its input stored as `stored` and all statistics given.
Program for_windows(Program p, Value output, Dtype stored) {
  p.outputs = {output};
  return rewrite(p, [&](Program& out, Value, Node n) {
    if (n.op == Op::input && n.dtype != stored) {
      const std::string name = n.name + "." + name_of(n.dtype);
      return out.add({.op = Op::cast, .in = {out.add({.op = Op::input, .shape = n.shape, .dtype = stored, .rate = n.rate, .name = n.name})}, .name = name});
    }
    if (n.op == Op::group_norm) {
      const Shape statistics{n.shape.n, 1, n.as<NormAttr>().groups, 2};
      n.in.push_back(out.add({.op = Op::input, .shape = statistics, .rate = Rate::prompt, .name = statistics_input(n.name)}));
    }
    return out.add(std::move(n));
  });
}

// Adds the statistics of the output over a region, or (none) all of it.
void measure_output(Program& p, int groups, Value region) { p.outputs.push_back(Builder(p).group_statistics(kStatistics, p.outputs[0], groups, region)); }

Value add_region(Program& p) { return Builder(p).input(kRegion, {1, 1, 1, 4}, Rate::prompt, Dtype::i32); }

void store_output(Program& p, Dtype stored) {
  const Node& made = p[p.outputs[0]];
  if (made.dtype != stored) p.outputs[0] = p.add({.op = Op::cast, .in = {p.outputs[0]}, .dtype = stored, .name = made.name + ".stored"});
}
}  // namespace

int64_t halo_of(const Program& p) {
  std::vector<int64_t> halo(size_t(p.size()), 0);  // of each value, seen from the result
  for (Value v = p.size(); v-- > 0;) {
    const Node& n = p[v];
    int64_t wider = halo[size_t(v)];
    switch (n.op) {
      case Op::conv2d:
        require(n.as<ConvAttr>().stride == 1, ErrorKind::internal, "{}: a stride, in a program for windows", n.name);
        wider += std::max(n.as<ConvAttr>().pad_begin, n.as<ConvAttr>().pad_end);
        break;
      case Op::upsample_nearest: {
        const int64_t scale = n.shape.h / p[n.in[0]].shape.h;
        wider = (wider + scale - 1) / scale;
        break;
      }
      case Op::input: case Op::weight: case Op::cast: case Op::group_norm: case Op::silu: case Op::relu: case Op::add: case Op::affine: break;
      default: fail(ErrorKind::internal, "{} {}: not in a program for windows", name_of(n.op), n.name);
    }
    for (Value in : n.in)
      if (in != none) halo[size_t(in)] = std::max(halo[size_t(in)], wider);
  }
  return halo[size_t(input_of(p))];
}

Value norm_of_input(const Program& p) {
  const Value input = input_of(p);
  for (Value v = 0; v < p.size(); ++v)
    if (p[v].op == Op::group_norm && p[v].in[0] == input) return v;
  return none;
}

std::vector<WindowPass> window_passes(const Program& p, const Ends& ends) {
  std::vector<WindowPass> passes;
  for (Value v = 0; v < p.size(); ++v) {
    if (p[v].op != Op::group_norm || v == norm_of_input(p)) continue;
    WindowPass pass{.norm = p[v].name, .scale = scale_of(p, p[v].in[0]), .program = for_windows(p, p[v].in[0], ends.input)};
    measure_output(pass.program, p[v].as<NormAttr>().groups, add_region(pass.program));
    pass.program.outputs.erase(pass.program.outputs.begin());
    passes.push_back(std::move(pass));
  }
  WindowPass last{.scale = scale_of(p, p.outputs[0]), .program = for_windows(p, p.outputs[0], ends.input)};
  store_output(last.program, ends.result);
  if (ends.groups) measure_output(last.program, ends.groups, add_region(last.program));
  passes.push_back(std::move(last));
  return passes;
}

Program whole_pass(const Program& p, const Ends& ends) {
  Program whole = p;
  store_output(whole, ends.result);
  if (ends.groups) measure_output(whole, ends.groups, none);
  return whole;
}

}  // namespace hayate
