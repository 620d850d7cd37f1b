// Configs in this order: what the file states, else what the shapes decide over what the family has in common.
#include "weights/single_file_checkpoint.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/error.h"
#include "weights/describe_tensors.h"
#include "weights/folder_listing.h"
#include "weights/mapped_source.h"
#include "weights/names.h"
#include "weights/original_families.h"
#include "weights/scaled_source.h"
#include "weights/tokenizer_folder.h"

namespace hayate {
namespace {

constexpr int64_t clip_tokens = 49408;
constexpr int64_t sd2_text_layers = 23;  // of 24: the original reads the last state but one, diffusers' folders lack the layer
constexpr double sd2_v_prediction_spread = 0.09;

constexpr const char* scheduler_settings = R"({"_class_name": "EulerDiscreteScheduler", "beta_schedule": "scaled_linear", "beta_start": 0.00085,
  "beta_end": 0.012, "num_train_timesteps": 1000, "prediction_type": "epsilon", "timestep_spacing": "leading", "steps_offset": 1,
  "interpolation_type": "linear", "use_karras_sigmas": false})";

std::string flag_of(std::string component) {
  std::ranges::replace(component, '_', '-');
  return component;
}

bool is_unused_layer(const std::string& name) {
  constexpr std::string_view layers = "text_model.encoder.layers.";
  return name == "text_projection.weight" || (name.starts_with(layers) && std::strtol(name.c_str() + layers.size(), nullptr, 10) >= sd2_text_layers);
}

class WithoutUnusedLayers : public TensorSource {
 public:
  explicit WithoutUnusedLayers(std::shared_ptr<const TensorSource> source) : source_(std::move(source)) {}
  std::vector<std::string> names() const override {
    std::vector<std::string> names = source_->names();
    std::erase_if(names, is_unused_layer);
    return names;
  }
  bool has(const std::string& name) const override { return !is_unused_layer(name) && source_->has(name); }
  std::vector<int64_t> dims(const std::string& name) const override { return source_->dims(name); }
  Dtype dtype(const std::string& name) const override { return source_->dtype(name); }
  std::string stored_as(const std::string& name) const override { return source_->stored_as(name); }
  void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const override { source_->read(name, as, out, first); }
  void announce(const std::string& name) const override { source_->announce(name); }

 private:
  std::shared_ptr<const TensorSource> source_;
};

// The two kinds of SD 2 have the same tensors. Velocity prediction left this bias with a wider spread: ComfyUI tells them apart so
// (comfy/supported_models.py, SD20).
bool predicts_velocity(const TensorSource& unet) {
  const std::string name = "up_blocks.3.attentions.2.transformer_blocks.0.norm1.bias";
  if (!unet.has(name)) return false;
  std::vector<float> values(size_t(element_count(unet.dims(name))));
  unet.read(name, Dtype::f32, std::as_writable_bytes(std::span(values)));
  double sum = 0, squares = 0;
  for (float v : values) sum += v, squares += double(v) * v;
  const double n = double(values.size()), mean = sum / n;
  return std::sqrt(squares / n - mean * mean) > sd2_v_prediction_spread;
}

Json parse_stated(const SafetensorsFile& file) {
  auto found = file.metadata().find(SingleFileCheckpoint::configs_key);
  if (found == file.metadata().end()) return Json::object();
  const std::string what = fmt::format("{}: metadata \"{}\"", file.path(), found->first);
  Json stated = parse_json(found->second, what);
  require(stated.is_object(), ErrorKind::bad_file, "{}: found {}, expected a JSON object", what, excerpt(stated));
  return stated;
}

}  // namespace

SingleFileCheckpoint::SingleFileCheckpoint(const std::string& path, const std::string& tokenizers)
    : file_(std::make_shared<SafetensorsFile>(path)),
      tokenizers_(tokenizers),
      stated_(parse_stated(*file_)),
      family_(&recognise_family(*file_, path)) {
  const std::shared_ptr<const TensorSource> weights = with_scales(file_, path);
  for (const OriginalComponent& c : family_->components) {
    std::shared_ptr<const TensorSource> stored = under_prefix(weights, c.prefix);
    if (stored->names().empty()) continue;
    std::shared_ptr<const TensorSource> tensors = with_current_names(from_original(c.part, stored));
    if (c.part == OriginalPart::open_clip && c.name == std::string("text_encoder")) tensors = std::make_shared<WithoutUnusedLayers>(tensors);
    components_[c.name] = tensors;
  }
}

const Json* SingleFileCheckpoint::stated_config(const std::string& component) const {
  auto found = stated_.find(component);
  return found == stated_.end() ? nullptr : &*found;
}

JsonObject SingleFileCheckpoint::index() const {
  if (const Json* stated = stated_config("model_index")) return {*stated, path() + ": metadata model_index"};
  Json index = Json::parse(family_->index_settings);
  index["_class_name"] = family_->pipeline_class;
  index["scheduler"] = {"diffusers", "EulerDiscreteScheduler"};
  for (const OriginalComponent& c : family_->components) {
    index[c.name] = {c.library, c.class_name};
    if (c.part == OriginalPart::clip || c.part == OriginalPart::open_clip)
      index[std::string(c.name).replace(0, sizeof "text_encoder" - 1, "tokenizer")] = {"transformers", "CLIPTokenizer"};
  }
  return {std::move(index), path()};
}

bool SingleFileCheckpoint::has(const std::string& component) const { return components_.contains(component) || component == "scheduler"; }

JsonObject SingleFileCheckpoint::config(const std::string& component) const {
  if (const Json* stated = stated_config(component)) return {*stated, fmt::format("{}: metadata {}", path(), component)};
  const std::string what = fmt::format("{}: {}", path(), component);
  if (component == "scheduler") return {scheduler_config(), what};
  const std::shared_ptr<const TensorSource> source = tensors(component);
  auto row = std::ranges::find(family_->components, component, &OriginalComponent::name);
  return {published_config(*row, *source), what};
}

Json SingleFileCheckpoint::scheduler_config() const {
  Json config = Json::parse(scheduler_settings);
  auto type = file_->metadata().find("modelspec.prediction_type");
  const bool stated = file_->has("v_pred") || (type != file_->metadata().end() && type->second == "v");
  if (stated || (family_->v_prediction_by_weights && has("unet") && predicts_velocity(*tensors("unet")))) config["prediction_type"] = "v_prediction";
  if (file_->has("ztsnr")) {  // "Common Diffusion Noise Schedules and Sample Steps are Flawed": no signal is left at the last timestep
    config["rescale_betas_zero_snr"] = true;
    config["timestep_spacing"] = "trailing";
  }
  return config;
}

std::shared_ptr<const TensorSource> SingleFileCheckpoint::tensors(const std::string& component) const {
  auto found = components_.find(component);
  require(found != components_.end(), ErrorKind::bad_model, "{}: has no {}. It is a {} checkpoint without one: give another file for it as --{}",
          path(), component, family_->name, flag_of(component));
  return found->second;
}

int64_t SingleFileCheckpoint::embedded_tokens(const std::string& encoder) const {
  const std::string embedding = "text_model.embeddings.token_embedding.weight";
  auto found = components_.find(encoder);
  const bool known = found != components_.end() && found->second->has(embedding) && !found->second->dims(embedding).empty();
  return known ? found->second->dims(embedding)[0] : clip_tokens;
}

std::string SingleFileCheckpoint::tokenizer(const std::string& component) const {
  const std::string folder = std::filesystem::path(path()).parent_path().string(), beside = (folder.empty() ? "" : folder + "/") + component;
  if (present(beside + "/vocab.json")) return beside;
  const int64_t tokens = embedded_tokens(std::string(component).replace(0, sizeof "tokenizer" - 1, "text_encoder"));
  require(
      tokens == clip_tokens, ErrorKind::not_found,
      "{}: the model has {} tokens of its own instead of CLIP's {}, and its vocabulary is not in the file. Copy the folder {} of the model it was "
      "made from, with vocab.json and merges.txt, to {}",
      path(), tokens, clip_tokens, component, beside);
  // Those of OpenCLIP fill up with "!", as the second one of SDXL does.
  const bool open_clip = component != "tokenizer" || family_->components[2].part == OriginalPart::open_clip;
  return installed_tokenizer(tokenizers_, open_clip ? "tokenizer_2" : "tokenizer", path());
}

}  // namespace hayate
