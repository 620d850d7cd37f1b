// A layer is cut out of the programs of two rungs; both cuttings see the same x.
#include "pipeline/linear_measurements.h"

#include <algorithm>

#include "core/random.h"
#include "passes/layer_name.h"
#include "pipeline/difference.h"
#include "pipeline/read_floats.h"
#include "program/work.h"

namespace hayate {

namespace {
constexpr int64_t kRows = 256;  // of x, for errors: each of a linear's columns is a sample, too; of fewer, no GPU kernel normalises rows
constexpr const char* kX = "x";

bool is_measured(const Node& n) { return n.op == Op::linear && n.rate == Rate::step; }
// By layer, since what is fused differs between backends, and with it the names of values.
Value find_linear(const Program& p, const std::string& layer) {
  for (Value v = 0; v < p.size(); ++v)
    if (is_measured(p[v]) && layer_name(p, p[v].in[1]) == layer) return v;
  return none;
}
bool is_quantized_linear(const Program& p, Value v) { return v != none && is_quantized(p[p[v].in[0]].dtype); }

std::string epilogue_of(const Node& n) {
  const auto attr = n.as<LinearAttr>();
  std::vector<std::string> parts;
  if (attr.normalise > 0) parts.push_back("layer norm");
  if (n.in[2] != none) parts.push_back("bias");
  if (attr.activation != Activation::none) parts.push_back(name_of(attr.activation));
  if (n.in[3] != none) parts.push_back("residual");
  return fmt::format("{}", fmt::join(parts, ", "));
}

// The linear with the load values that it reads, and a few rows of x; without its residual.
Program cut_out(const Program& p, Value linear, Dtype stored) {
  Program out;
  auto copied = [&](auto& self, Value v) -> Value {
    if (v == none) return none;
    if (Value there = out.find(p[v].name); there != none) return there;
    Node n = p[v];
    for (Value& in : n.in) in = self(self, in);
    return out.add(std::move(n));
  };
  Node n = p[linear];
  const Node& x = p[n.in[0]];
  const Shape rows{1, 1, std::min(kRows, x.shape.rows()), x.shape.c};
  const Attributes normalise = x.op == Op::quantize ? x.attr : Attributes(QuantizeAttr{});
  Value from = out.add({.op = Op::input, .shape = rows, .dtype = is_quantized(x.dtype) ? stored : x.dtype, .rate = Rate::step, .name = kX});
  if (is_quantized(x.dtype)) from = out.add({.op = Op::quantize, .in = {from}, .dtype = x.dtype, .name = "x.quantized", .attr = normalise});
  if (is_quantized(n.dtype)) {
    n.dtype = stored;
    n.in.resize(4);  // without the scale of the result
  }
  n.in[0] = from;
  n.in[3] = none;
  for (size_t i = 1; i < n.in.size(); ++i) n.in[i] = copied(copied, n.in[i]);
  n.shape = {};
  out.outputs = {out.add(std::move(n))};
  return out;
}

// The same in float32, in layouts that every backend has.
Program widened(const Program& p) {
  return rewrite(p, [](Program& out, Value, Node n) {
    if (n.op == Op::pack) return n.in[0];
    n.dtype = Dtype::f32;
    return out.add(std::move(n));
  });
}

std::vector<float> run(Program p, const std::shared_ptr<Backend>& backend, std::shared_ptr<const TensorSource> source) {
  const Node x = p[p.find(kX)];
  std::vector<float> values(size_t(x.shape.count()));
  TorchCpuGenerator(0).randn(values, RandnType::bf16);  // what every type of x holds
  std::vector<std::byte> stored(size_t(byte_size(x)));
  if (x.dtype == Dtype::f32)
    std::ranges::copy(std::as_bytes(std::span(values)), stored.begin());
  else
    convert(Dtype::f32, std::as_bytes(std::span(values)), x.dtype, stored);
  PreparedWeights weights(backend, std::move(source), "unet");
  weights.prepare(p);
  auto exec = backend->compile(std::move(p), weights);
  exec->write(kX, stored);
  exec->run(Rate::step);
  return read_floats(*exec, exec->program().outputs[0]);
}

std::optional<double> measured(const Backend& device, const Program& p, Value v) {
  const double seconds = device.seconds(p, p[v]);
  return seconds > 0 ? std::optional(seconds) : std::nullopt;
}

// What the rungs make of the program on one backend.
class Rungs {
 public:
  Rungs(const std::function<Program()>& record, std::shared_ptr<const TensorSource> source, const ClimbOptions& how, std::shared_ptr<Backend> backend)
      : record_(record), source_(std::move(source)), how_(how), backend_(std::move(backend)), plain_(climb_to(find_rung("projections"), how_)) {}

  const Program& plain() const { return plain_; }
  Program climb_to(const Rung& rung, const ClimbOptions& how) const { return climb(record_(), rung, *backend_, how); }
  Program all_quantized(const Rung& rung) const { return climb_to(rung, {.dtype = how_.dtype, .quantization = {.layers = Quantization::Layers::all}}); }
  // Of the linear in a program of this backend.
  double error(const Program& p, const std::string& layer) {
    auto [exact, fresh] = exact_.try_emplace(layer);
    if (fresh) exact->second = run(widened(cut_out(plain_, find_linear(plain_, layer), how_.dtype)), reference(), source_);
    return difference(layer, run(cut_out(p, find_linear(p, layer), how_.dtype), backend_, source_), exact->second).relative_l2;
  }
  static std::shared_ptr<Backend> reference() {
    static const std::shared_ptr<Backend> backend = make_reference_backend();
    return backend;
  }

 private:
  const std::function<Program()>& record_;
  std::shared_ptr<const TensorSource> source_;
  ClimbOptions how_;
  std::shared_ptr<Backend> backend_;
  Program plain_;
  std::map<std::string, std::vector<float>> exact_;  // by layer
};

// The layers of each shape.
std::vector<std::pair<LinearShape, std::vector<std::string>>> shapes_of(const Program& p) {
  std::vector<std::pair<LinearShape, std::vector<std::string>>> found;
  for (const Node& n : p.nodes()) {
    if (!is_measured(n)) continue;
    const Shape &x = p[n.in[0]].shape, &w = p[n.in[1]].shape;
    const LinearShape shape{
        .layer = layer_name(p, n.in[1]), .rows = x.rows(), .in = w.c, .out = w.w, .epilogue = epilogue_of(n), .flops = flops_of(p, n)};
    auto same = std::ranges::find_if(found, [&](const auto& other) {
      const LinearShape& o = other.first;
      return o.rows == shape.rows && o.in == shape.in && o.out == shape.out && o.epilogue == shape.epilogue;
    });
    if (same == found.end()) same = found.insert(found.end(), {shape, {}});
    same->second.push_back(shape.layer);
    ++same->first.count;
  }
  std::ranges::stable_sort(found, std::greater(), [](const auto& s) { return s.first.count * s.first.flops; });
  return found;
}
}  // namespace

std::vector<LinearShape> measure_linears(const std::function<Program()>& record, std::shared_ptr<const TensorSource> source,
                                         const Compiler& compiler) {
  const Backend& device = *compiler.backend;
  Rungs here(record, source, compiler.climb, compiler.backend);
  std::optional<Rungs> elsewhere;
  auto shapes = shapes_of(here.plain());
  for (auto& [shape, layers] : shapes) {
    shape.seconds = measured(device, here.plain(), find_linear(here.plain(), layers[0]));
    shape.error = here.error(here.plain(), layers[0]);
  }
  for (const Rung& rung : ladder()) {
    if (rung.quantized.size() != 1) continue;
    const bool has = device.has_quantized(rung.quantized[0]);
    if (!has && !elsewhere) elsewhere.emplace(record, source, compiler.climb, Rungs::reference());
    Rungs& rungs = has ? here : *elsewhere;
    const Program all = rungs.all_quantized(rung), chosen = has ? here.climb_to(rung, compiler.climb) : Program();
    for (auto& [shape, layers] : shapes) {
      QuantizedLinear& form = shape.quantized[rung.name];
      const Value linear = find_linear(all, layers[0]);
      if (!is_quantized_linear(all, linear)) continue;
      form.error = rungs.error(all, layers[0]);
      if (!has) continue;
      form.seconds = measured(device, all, linear);
      if (const Value x = all[linear].in[0]; all[x].op == Op::quantize) form.quantize_seconds = measured(device, all, x);
      form.chosen = int(std::ranges::count_if(layers, [&](const std::string& layer) { return is_quantized_linear(chosen, find_linear(chosen, layer)); }));
    }
  }
  std::vector<LinearShape> result;
  for (auto& [shape, layers] : shapes) result.push_back(std::move(shape));
  return result;
}

}  // namespace hayate
