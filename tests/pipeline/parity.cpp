// Loading goldens, recording the parts, running and comparing them.
#include "pipeline/parity.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include "core/error.h"
#include "models/clip_text.h"
#include "models/unet.h"
#include "models/vae.h"
#include "pipeline/read_floats.h"
#include "pipeline/sketch.h"
#include "support/random_weights.h"
#include "weights/checkpoint.h"
#include "weights/prepared_weights.h"
#include "weights/safetensors.h"

namespace hayate::testing {

namespace {
std::vector<float> read_tensor(const SafetensorsFile& file, const std::string& name) {
  int64_t count = 1;
  for (int64_t d : file.dims(name)) count *= d;
  std::vector<float> values(static_cast<size_t>(count));
  file.read(name, Dtype::f32, std::as_writable_bytes(std::span(values)));
  return values;
}

JsonObject config_of(const Part& part) {
  return open_checkpoint(kParityFolder + part.model, "")->config(part.folder());
}

ClipTextConfig clip_config(const Part& part) { return parse_clip_text_config(config_of(part)); }

std::vector<float> ends_of_text(const ClipTextConfig& cfg, const Golden& golden) {
  const std::vector<float>& all = golden.inputs.at("input_ids");
  std::vector<int32_t> ids(all.begin(), all.end());
  std::vector<float> ends;
  for (size_t at = 0; at < ids.size(); at += size_t(cfg.max_tokens))
    ends.push_back(float(eos_index(cfg, std::span(ids).subspan(at, size_t(cfg.max_tokens)))));
  return ends;
}

Program record_text_encoder(const Part& part, const Golden& golden) {
  ClipTextConfig cfg = clip_config(part);
  const auto& dims = golden.dims.at("input_ids");
  bool projects = golden.sketches.contains("text_projection");
  ClipTextOutput want = projects ? ClipTextOutput{.skip_layers = 1, .pooled = true} : ClipTextOutput{.final_norm = true};
  return record_clip_text(cfg, want, dims[0], dims[1]);
}

Program record_unet_part(const Part& part, const Golden& golden) {
  UNetConfig cfg = parse_unet_config(config_of(part));
  Program p;
  Builder b(p);
  auto input = [&](const char* name, Rate rate) {
    const auto& d = golden.dims.at(name);
    Shape shape = d.size() == 4   ? Shape{d[0], d[1], d[2], d[3]}
                  : d.size() == 3 ? Shape{d[0], 1, d[1], d[2]}
                                  : Shape{d[0], 1, 1, d.size() == 2 ? d[1] : 1};
    return b.input(name, shape, rate);
  };
  UNetInputs in{.sample = input("sample", Rate::step),
                .timestep = input("timestep", Rate::step),
                .encoder_hidden_states = input("encoder_hidden_states", Rate::prompt)};
  if (cfg.text_time) {
    in.text_embeds = input("text_embeds", Rate::prompt);
    in.time_ids = input("time_ids", Rate::prompt);
  }
  p.outputs = {record_unet(b, cfg, in)};
  return p;
}
}  // namespace

Golden load_golden(const Part& part) {
  SafetensorsFile file(kParityFolder + part.model + "." + part.folder() + ".safetensors");
  Golden golden;
  for (const std::string& name : file.names()) {
    if (name == "bf16_distance") continue;
    if (name.starts_with("input.")) {
      golden.inputs[name.substr(6)] = read_tensor(file, name);
      golden.dims[name.substr(6)] = file.dims(name);
    } else {
      golden.sketches[name] = read_tensor(file, name);
    }
  }
  std::vector<float> low = read_tensor(file, "bf16_distance");
  require(low.size() == golden.sketches.size(), ErrorKind::bad_file, "{}: {} bf16 distances for {} values", file.path(), low.size(),
          golden.sketches.size());
  size_t next = 0;
  for (const auto& [name, unused] : golden.sketches) golden.bf16_distance[name] = low[next++];
  if (golden.inputs.contains("input_ids")) golden.inputs["eos_index"] = ends_of_text(clip_config(part), golden);
  return golden;
}

std::vector<Part> all_parts() {
  std::vector<Part> parts;
  for (const char* model : {"tiny-sdxl", "tiny-ssd1b", "tiny-sd15"}) {
    for (const char* component : {"unet", "vae decoder", "vae encoder", "text_encoder", "text_encoder_2"})
      if (model != std::string("tiny-sd15") || component != std::string("text_encoder_2")) parts.push_back({model, component});
  }
  return parts;
}

const std::vector<std::string>& fast_devices() {
  static const std::vector<std::string> names = [] {
    std::string why;
    return cuda_devices(why).empty() ? std::vector<std::string>{"cpu"} : std::vector<std::string>{"cpu", "cuda"};
  }();
  return names;
}

std::shared_ptr<Backend> backend_named(const std::string& device) {
  return device == "cpu" ? make_cpu_backend() : device == "cuda" ? make_cuda_backend({}) : make_reference_backend();
}

std::string test_name(const Part& part) {
  std::string name = part.model + "_" + part.component;
  std::ranges::replace_if(
      name, [](char c) { return c == '-' || c == ' '; }, '_');
  return name;
}

void PrintTo(const Part& part, std::ostream* out) { *out << part.model << " " << part.component; }

Program record(const Part& part, const Golden& golden) {
  if (part.component == "unet") return record_unet_part(part, golden);
  if (part.folder() != "vae") return record_text_encoder(part, golden);
  VaeConfig cfg = parse_vae_config(config_of(part));
  bool decodes = part.component == "vae decoder";
  const auto& d = golden.dims.at(decodes ? "latents" : "pixels");
  return decodes ? record_vae_decoder(cfg, d[0], d[1], d[2]) : record_vae_encoder(cfg, d[0], d[1], d[2]);
}

bool belongs(const Part& part, const std::string& name) {
  if (part.folder() != "vae") return true;
  bool decodes = name.starts_with("decoder.") || name == "post_quant_conv";
  return decodes == (part.component == "vae decoder");
}

std::shared_ptr<const TensorSource> weights_of(const Part& part) { return open_checkpoint(kParityFolder + part.model, "")->tensors(part.folder()); }

void write_inputs(Executable& exec, const Golden& golden, const std::map<std::string, std::vector<float>>& but) {
  for (const Node& n : exec.program().nodes()) {
    if (n.op != Op::input) continue;
    auto replaced = but.find(n.name);
    const std::vector<float>& values = replaced == but.end() ? golden.inputs.at(n.name) : replaced->second;
    std::vector<int32_t> integers(values.begin(), values.end());
    exec.write(n.name, n.dtype == Dtype::i32 ? std::as_bytes(std::span(integers)) : std::as_bytes(std::span(values)));
  }
}

std::vector<Ran> read_values(Executable& exec) {
  std::vector<Ran> values;
  const Program& p = exec.program();
  for (Value v = 0; v < p.size(); ++v)
    if (!is_source(p[v]) && p[v].rate != Rate::load && !is_quantized(p[v].dtype)) values.push_back({p[v].name, read_floats(exec, v)});
  return values;
}

std::vector<Ran> run(const Program& p, std::shared_ptr<Backend> backend, std::shared_ptr<const TensorSource> source, const Golden& golden) {
  PreparedWeights weights(backend, std::move(source), "golden");
  std::unique_ptr<Executable> exec = backend->compile(p, weights, {.keep_all = true});
  write_inputs(*exec, golden);
  exec->run(Rate::prompt);
  exec->run(Rate::step);
  return read_values(*exec);
}

std::map<std::string, std::vector<float>> by_name(std::vector<Ran> values) {
  std::map<std::string, std::vector<float>> named;
  for (Ran& r : values) named[r.name] = std::move(r.data);
  return named;
}

std::vector<Distance> distances(const std::vector<Ran>& values, const Golden& golden) {
  std::vector<Distance> found;
  for (const Ran& r : values)
    if (auto it = golden.sketches.find(r.name); it != golden.sketches.end()) found.push_back({r.name, relative_l2(sketch(r.data), it->second)});
  return found;
}

double float32_bound(const std::string& name) {
  bool sinusoids = name == "time_proj" || name == "add_time_proj";
  return sinusoids ? 5e-5 : 1e-5;
}

std::string first_beyond_bound(const std::vector<Distance>& all) {
  auto it = std::ranges::find_if(all, [](const Distance& d) { return !(d.error <= float32_bound(d.name)); });
  return it == all.end() ? "" : it->name;
}

}  // namespace hayate::testing
