// Adding ops, rewriting, dropping dead ops, verifying.
#include "program/program.h"

#include <algorithm>

#include "core/error.h"

namespace hayate {

const char* name_of(Rate r) {
  constexpr const char* names[] = {"load", "prompt", "step"};
  return names[size_t(r)];
}

Value Program::add(Node n) {
  for (Value v : n.in)
    require(v == none || (v >= 0 && v < size()), ErrorKind::internal, "{} {}: reads value %{}, which does not exist yet", name_of(n.op), n.name, v);
  n.shape = result_shape(*this, n);
  if (n.op == Op::weight) n.rate = Rate::load;
  if (!is_source(n)) {
    n.rate = Rate::load;
    for (Value v : n.in)
      if (v != none) n.rate = std::max(n.rate, (*this)[v].rate);
  }
  require(!n.name.empty(), ErrorKind::internal, "{}: a value needs a name", name_of(n.op));
  require(by_name_.emplace(n.name, size()).second, ErrorKind::internal, "two values are named {}", n.name);
  nodes_.push_back(std::move(n));
  return size() - 1;
}

Value Program::find(const std::string& name) const {
  auto found = by_name_.find(name);
  return found == by_name_.end() ? none : found->second;
}

std::vector<int> count_uses(const Program& p) {
  std::vector<int> uses(size_t(p.size()), 0);
  for (const Node& n : p.nodes())
    for (Value v : n.in)
      if (v != none) ++uses[size_t(v)];
  for (Value v : p.outputs) ++uses[size_t(v)];
  for (auto c : p.carries) ++uses[size_t(c.from)], ++uses[size_t(c.to)];
  return uses;
}

std::vector<Value> needed_load_values(const Program& p) {
  std::vector<bool> needed(size_t(p.size()), false);
  for (const Node& n : p.nodes())
    for (Value v : n.in)
      if (v != none && n.rate != Rate::load && p[v].rate == Rate::load && p[v].op != Op::input) needed[size_t(v)] = true;
  std::vector<Value> values;
  for (Value v = 0; v < p.size(); ++v)
    if (needed[size_t(v)]) values.push_back(v);
  return values;
}

Root root_of(const Program& p, Value v) {
  int64_t column = 0;
  for (; is_view(p[v]); v = p[v].in[0]) column += p[v].as<SliceAttr>().begin;
  return {v, column};
}

namespace {
// Copies what `keep` accepts through `edit`, renumbering inputs, outputs and carries.
Program copy(const Program& p, const std::vector<bool>& keep, const Edit& edit) {
  Program out;
  std::vector<Value> moved(size_t(p.size()), none);
  for (Value i = 0; i < p.size(); ++i) {
    if (!keep[size_t(i)]) continue;
    Node n = p[i];
    for (Value& v : n.in)
      if (v != none) v = moved[size_t(v)];
    moved[size_t(i)] = edit(out, i, std::move(n));
  }
  for (Value v : p.outputs) out.outputs.push_back(moved[size_t(v)]);
  for (auto c : p.carries) out.carries.push_back({moved[size_t(c.from)], moved[size_t(c.to)]});
  out.ends_step = p.ends_step;
  return out;
}
}  // namespace

Program rewrite(const Program& p, const Edit& edit) {
  return drop_dead(copy(p, std::vector<bool>(size_t(p.size()), true), edit));
}

Program drop_dead(const Program& p) {
  std::vector<bool> live(size_t(p.size()), false);
  for (Value v : p.outputs) live[size_t(v)] = true;
  for (auto c : p.carries) live[size_t(c.from)] = live[size_t(c.to)] = true;
  for (Value i = p.size(); i-- > 0;)
    if (live[size_t(i)])
      for (Value v : p[i].in)
        if (v != none) live[size_t(v)] = true;
  return copy(p, live, [](Program& out, Value, Node n) { return out.add(std::move(n)); });
}

namespace {
void verify_dtypes(const Program& p, const Node& n) {
  auto broken = [&](const char* what) { fail(ErrorKind::internal, "{} {}: {}", name_of(n.op), n.name, what); };
  auto dtype = [&](size_t k) { return p[n.in[k]].dtype; };
  switch (n.op) {
    case Op::input: case Op::weight: case Op::cast: return;
    case Op::embedding: case Op::take_token: {
      size_t ids = n.op == Op::embedding ? 0 : 1;
      if (dtype(ids) != Dtype::i32) broken("indices are not i32");
      if (dtype(1 - ids) != n.dtype) broken("result and table differ in type");
      return;
    }
    case Op::linear: case Op::conv2d: case Op::group_norm: case Op::layer_norm:
      if ((n.op == Op::linear || n.op == Op::conv2d) && is_quantized(dtype(0))) {
        if (dtype(1) != dtype(0)) broken("quantized input and weight differ in type");
      } else if (is_quantized(n.dtype) && n.op == Op::group_norm) {
        if (is_quantized(dtype(0))) broken("input is quantized");
      } else {
        if (dtype(0) != n.dtype) broken("result and first input differ in type");
        if ((n.op == Op::linear || n.op == Op::conv2d) && dtype(1) != n.dtype) broken("result and weight differ in type");
      }
      if (n.op == Op::linear && n.in.size() > 4 && n.in[4] != none && dtype(4) != Dtype::f32) broken("sums are not f32");
      if (n.in.size() <= 3 || n.in[3] == none) return;
      if (n.op == Op::group_norm && dtype(3) != Dtype::f32) broken("statistics are not f32");
      if (n.op != Op::group_norm && n.op != Op::layer_norm && dtype(3) != n.dtype) broken("result and residual differ in type");
      return;
    case Op::quantize:
      if (!is_quantized(n.dtype) || is_quantized(dtype(0))) broken("not from a wide type to an 8-bit one");
      return;
    case Op::scale_columns:
      if (dtype(0) != n.dtype) broken("result and matrix differ in type");
      return;
    case Op::attention:
      if (dtype(1) != dtype(0) || dtype(2) != dtype(0) || (n.dtype != dtype(0) && !is_quantized(n.dtype))) broken("inputs and result differ in type");
      return;
    case Op::row_dots: case Op::row_sums: case Op::bound:
      if (n.dtype != Dtype::f32) broken("result is not f32");
      return;
    case Op::group_statistics:
      if (n.dtype != Dtype::f32) broken("result is not f32");
      if (n.in[1] != none && dtype(1) != Dtype::i32) broken("region is not i32");
      return;
    default:
      for (size_t k = 0; k < n.in.size(); ++k)
        if (dtype(k) != n.dtype) broken("inputs and result differ in type");
  }
}
}  // namespace

void verify(const Program& p, const Target* target) {
  for (Value i = 0; i < p.size(); ++i) {
    const Node& n = p[i];
    Rate rate = n.rate;
    for (Value v : n.in) {
      require(v == none || (v >= 0 && v < i), ErrorKind::internal, "{} {}: reads %{} before it is made", name_of(n.op), n.name, v);
      if (v != none) rate = std::max(rate, p[v].rate);
    }
    require(result_shape(p, n) == n.shape, ErrorKind::internal, "{} {}: shape is {}, expected {}", name_of(n.op), n.name,
            to_string(n.shape), to_string(result_shape(p, n)));
    require(rate == n.rate, ErrorKind::internal, "{} {}: rate is {}, expected {}", name_of(n.op), n.name, name_of(n.rate), name_of(rate));
    require(p.find(n.name) == i, ErrorKind::internal, "two values are named {}", n.name);
    verify_dtypes(p, n);
    if (target && n.rate != Rate::load && !is_source(n))
      require(target->supports(p, n), ErrorKind::unsupported, "this device has no {} {} kernel for {} {}", name_of(n.dtype), name_of(n.op), n.name,
              to_string(n.shape));
  }
  for (auto c : p.carries)
    require(p[c.from].shape == p[c.to].shape && p[c.from].dtype == p[c.to].dtype && p[c.to].op == Op::input && p[c.to].rate == Rate::step,
            ErrorKind::internal, "carry {} {} -> {} {}: not a step input of the same shape and type", p[c.from].name, name_of(p[c.from].dtype), p[c.to].name,
            name_of(p[c.to].dtype));
}

}  // namespace hayate
