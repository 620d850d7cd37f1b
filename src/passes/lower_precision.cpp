// Weights and activations become bf16 (or fp16); kernels still accumulate in float32. Which ops take part is a property
// of the op (program/ops.h). Biases and the affine vectors of norms stay float32: they cost nothing and are added to
// float32 sums.
#include "passes/passes.h"

namespace hayate {

namespace {
bool is_norm(Op op) { return op == Op::group_norm || op == Op::layer_norm; }
bool is_product(Op op) { return op == Op::linear || op == Op::conv2d; }
bool stays_float32(Op op, size_t input) { return (is_product(op) && input == 2) || (is_norm(op) && input > 0); }
bool stays(Op op, size_t input) { return stays_float32(op, input) || op == Op::group_statistics; }  // statistics are of values as they are stored

std::vector<bool> weights_kept(const Program& p) {
  std::vector<bool> kept(size_t(p.size()), false);
  for (const Node& n : p.nodes())
    for (size_t k = 0; k < n.in.size(); ++k)
      if (n.in[k] != none && stays_float32(n.op, k)) kept[size_t(n.in[k])] = true;
  return kept;
}

// Found by its name, which outlives renumbering.
Value cast_to(Program& out, Value v, Dtype dtype) {
  if (v == none || out[v].dtype == dtype || out[v].dtype == Dtype::i32) return v;
  const std::string name = out[v].name + "." + name_of(dtype);
  const Value there = out.find(name);
  return there != none ? there : out.add({.op = Op::cast, .in = {v}, .dtype = dtype, .name = name});
}

// The type in which an op computes, given inputs that are already lowered.
Dtype computing_type(const Program& out, const Node& n, Dtype rung) {
  switch (precision_of(n.op)) {
    case Precision::exact: return Dtype::f32;
    case Precision::rung: return rung;
    case Precision::follow: break;
  }
  for (Value v : n.in)
    if (out[v].dtype == rung) return rung;
  return n.dtype;
}
}  // namespace

Program lower_precision(const Program& p, const PassOptions& options) {
  std::vector<bool> kept = weights_kept(p);
  Program out = rewrite(p, [&](Program& out, Value old, Node n) {
    if (n.op == Op::weight && !kept[size_t(old)]) n.dtype = options.dtype;
    if (is_source(n)) return out.add(std::move(n));
    n.dtype = computing_type(out, n, options.dtype);
    if (n.op == Op::cast && n.dtype == out[n.in[0]].dtype) return n.in[0];
    for (size_t k = 0; k < n.in.size(); ++k)
      if (!stays(n.op, k)) n.in[k] = cast_to(out, n.in[k], n.dtype);
    return out.add(std::move(n));
  });
  // What the pipeline reads keeps its type, whatever the rung.
  for (size_t i = 0; i < out.outputs.size(); ++i) out.outputs[i] = cast_to(out, out.outputs[i], p[p.outputs[i]].dtype);
  for (Program::Carry& c : out.carries) c.from = cast_to(out, c.from, out[c.to].dtype);
  return out;
}

}  // namespace hayate
