// Kinds are read off the layers' names: nothing here knows the architecture.
#include "pipeline/quantization_errors.h"

#include <algorithm>

#include "core/error.h"
#include "passes/layer_name.h"
#include "pipeline/difference.h"
#include "pipeline/read_floats.h"

namespace hayate {

namespace {
// "ff.net.2" of "up_blocks.0.attentions.1.transformer_blocks.3.ff.net.2", "proj_in" of "up_blocks.0.attentions.1.proj_in".
std::string kind_of(const std::string& layer) {
  constexpr std::string_view block = "transformer_blocks.";
  const size_t inside = layer.rfind(block);
  return layer.substr((inside == layer.npos ? layer.rfind('.') : layer.find('.', inside + block.size())) + 1);
}

std::vector<std::string> quantized_layers(const Program& p) {
  std::vector<std::string> layers;
  for (const Node& n : p.nodes())
    if ((n.op == Op::linear || n.op == Op::conv2d) && n.rate == Rate::step && is_quantized(p[n.in[0]].dtype)) layers.push_back(layer_name(p, n.in[1]));
  return layers;
}

class Calls {
 public:
  Calls(const UNetCall& call, std::shared_ptr<const TensorSource> source, const Compiler& compiler)
      : call_(call), compiler_(compiler), weights_(compiler.backend, std::move(source), "unet") {}

  Program climb_to(const Rung& rung, const Quantization& layers) const {
    return climb(call_.record(), rung, *compiler_.backend, {.dtype = compiler_.climb.dtype, .quantization = layers});
  }
  std::vector<float> run(Program p) {
    weights_.prepare(p);
    auto exec = compiler_.backend->compile(std::move(p), weights_);
    call_.write(*exec);
    exec->run(Rate::prompt);
    exec->run(Rate::step);
    return read_floats(*exec, exec->program().outputs.back());
  }

 private:
  const UNetCall& call_;
  const Compiler& compiler_;
  PreparedWeights weights_;
};
}  // namespace

std::vector<LayersError> quantization_errors(const UNetCall& call, std::shared_ptr<const TensorSource> source, const Compiler& compiler) {
  Calls calls(call, std::move(source), compiler);
  const std::vector<float> exact = calls.run(calls.climb_to(find_rung("projections"), {}));
  std::vector<LayersError> errors;
  for (const Rung& rung : ladder()) {
    if (rung.quantized.size() != 1 || !compiler.backend->has_quantized(rung.quantized[0])) continue;
    auto add = [&](const std::string& layers, const Quantization& which) {
      Program p = calls.climb_to(rung, which);
      const int count = int(quantized_layers(p).size());
      if (count > 0) errors.push_back({rung.name, layers, count, difference(layers, calls.run(std::move(p)), exact).relative_l2});
    };
    std::vector<std::string> kinds;
    for (const std::string& layer : quantized_layers(calls.climb_to(rung, {.layers = Quantization::Layers::all})))
      if (std::ranges::find(kinds, kind_of(layer)) == kinds.end()) kinds.push_back(kind_of(layer));
    for (const std::string& kind : kinds) add(kind, {.layers = Quantization::Layers::matching, .patterns = {"*" + kind}});
    add("all linears", {.layers = Quantization::Layers::all});
    add("convolutions", {.layers = Quantization::Layers::matching, .convolutions = true});
    add("all", {.layers = Quantization::Layers::all, .convolutions = true});
  }
  require(!errors.empty(), ErrorKind::unsupported, "no rung of 8 bits is there on this device: {}; the device \"reference\" has all of them",
          compiler.backend->description());
  return errors;
}

}  // namespace hayate
