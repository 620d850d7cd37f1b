// Published configurations, and tensors whose elements are a function of their name and place.
#include "pipeline/random_model.h"

#include <cmath>
#include <map>
#include <span>

#include "core/convert.h"
#include "core/error.h"
#include "models/clip_text.h"
#include "models/denoise_step.h"
#include "models/families.h"
#include "models/sdxl_configs.h"
#include "models/vae.h"

namespace hayate {

namespace {
// The parts of published configurations that decide a network's shape.
constexpr const char* kSdxlIndex = R"({"_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": true})";
constexpr const char* kSdxlScheduler = R"({
  "_class_name": "EulerDiscreteScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
  "interpolation_type": "linear", "num_train_timesteps": 1000, "prediction_type": "epsilon", "steps_offset": 1,
  "timestep_spacing": "leading", "use_karras_sigmas": false})";
constexpr const char* kSdxlUnet = R"({
  "act_fn": "silu", "addition_embed_type": "text_time", "addition_time_embed_dim": 256, "attention_head_dim": [5, 10, 20],
  "block_out_channels": [320, 640, 1280], "cross_attention_dim": 2048,
  "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"], "downsample_padding": 1, "flip_sin_to_cos": true,
  "freq_shift": 0, "in_channels": 4, "layers_per_block": 2, "mid_block_type": "UNetMidBlock2DCrossAttn", "norm_eps": 1e-05,
  "norm_num_groups": 32, "out_channels": 4, "projection_class_embeddings_input_dim": 2816, "sample_size": 128,
  "transformer_layers_per_block": [1, 2, 10], "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
  "use_linear_projection": true})";

// What differs from SDXL.
constexpr const char* kTurboScheduler = R"({"_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "trailing"})";
constexpr const char* kTurboUnet = R"({"sample_size": 64})";
constexpr const char* kSsd1bUnet = R"({
  "mid_block_type": "UNetMidBlock2D", "reverse_transformer_layers_per_block": [[4, 4, 10], [2, 1, 1], 1],
  "transformer_layers_per_block": [1, [2, 2], [4, 4]]})";
constexpr const char* kVegaUnet = R"({"mid_block_type": "UNetMidBlock2D", "transformer_layers_per_block": [1, 1, 2]})";
// The refiner of SDXL.
constexpr const char* kRefinerIndex = R"({"_class_name": "StableDiffusionXLImg2ImgPipeline", "requires_aesthetics_score": true})";
constexpr const char* kRefinerUnet = R"({
  "attention_head_dim": [6, 12, 24, 24], "block_out_channels": [384, 768, 1536, 1536], "cross_attention_dim": 1280,
  "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"], "projection_class_embeddings_input_dim": 2560,
  "transformer_layers_per_block": 4, "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"]})";
constexpr const char* kSdVae = R"({"scaling_factor": 0.18215, "sample_size": 512, "force_upcast": false})";

constexpr const char* kSdIndex = R"({"_class_name": "StableDiffusionPipeline"})";
constexpr const char* kSd15Unet = R"({
  "act_fn": "silu", "attention_head_dim": 8, "block_out_channels": [320, 640, 1280, 1280], "cross_attention_dim": 768,
  "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"], "downsample_padding": 1,
  "flip_sin_to_cos": true, "freq_shift": 0, "in_channels": 4, "layers_per_block": 2, "norm_eps": 1e-05, "norm_num_groups": 32,
  "out_channels": 4, "sample_size": 64,
  "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]})";
// What differs from SD 1.5.
constexpr const char* kSd21Unet = R"({
  "attention_head_dim": [5, 10, 20, 20], "cross_attention_dim": 1024, "sample_size": 96, "use_linear_projection": true})";
constexpr const char* kSd21Scheduler = R"({"prediction_type": "v_prediction"})";
constexpr const char* kOpenClipH = R"({
  "eos_token_id": 2, "hidden_act": "gelu", "hidden_size": 1024, "intermediate_size": 4096, "layer_norm_eps": 1e-05,
  "max_position_embeddings": 77, "num_attention_heads": 16, "num_hidden_layers": 23, "projection_dim": 512, "vocab_size": 49408})";

std::string changed(const char* config, const char* changes) {
  Json all = Json::parse(config);
  all.update(Json::parse(changes));
  return all.dump();
}

using Configs = std::map<std::string, std::string>;  // by component; "" is model_index.json
Configs sdxl(const char* unet_changes, const char* scheduler_changes) {
  return {{"", kSdxlIndex}, {"scheduler", changed(kSdxlScheduler, scheduler_changes)}, {"unet", changed(kSdxlUnet, unet_changes)}, {"vae", kSdxlVae},
          {"text_encoder", kClipL}, {"text_encoder_2", kOpenClipBigG}};
}
Configs refiner() {
  Configs configs = sdxl(kRefinerUnet, "{}");
  configs[""] = kRefinerIndex;
  configs.erase("text_encoder");
  return configs;
}
Configs sd(const char* unet_changes, const char* scheduler_changes, const char* text_encoder) {
  return {{"", kSdIndex}, {"scheduler", changed(kSdxlScheduler, scheduler_changes)}, {"unet", changed(kSd15Unet, unet_changes)},
          {"vae", changed(kSdxlVae, kSdVae)}, {"text_encoder", text_encoder}};
}
const std::map<std::string, Configs>& all_configs() {
  static const std::map<std::string, Configs> all = {{"sdxl", sdxl("{}", "{}")},
                                                     {"sdxl-turbo", sdxl(kTurboUnet, kTurboScheduler)},
                                                     {"sdxl-refiner", refiner()},
                                                     {"ssd-1b", sdxl(kSsd1bUnet, "{}")},
                                                     {"vega", sdxl(kVegaUnet, "{}")},
                                                     {"sd15", sd("{}", "{}", kClipL)},
                                                     {"sd21", sd(kSd21Unet, kSd21Scheduler, kOpenClipH)}};
  return all;
}

using Shapes = std::map<std::string, Shape>;
void add_weights(const Program& p, Shapes& shapes) {
  for (const Node& n : p.nodes())
    if (n.op == Op::weight) shapes.emplace(n.name, n.shape);
}

// The weights of a component, found by recording it at the smallest size.
Shapes shapes_of(const std::string& component, const Checkpoint& model) {
  Shapes shapes;
  if (component == "unet") {
    UNetConfig c = parse_unet_config(model.config(component));
    DenoiseShape small{
        .pictures = 1, .h = 8, .w = 8, .guided = false, .saved = 0, .tokens = 77, .pooled_width = c.added_width - 6 * c.addition_time_embed_dim};
    add_weights(record_denoise_step(c, small), shapes);
  } else if (component == "vae") {
    VaeConfig c = parse_vae_config(model.config(component));
    add_weights(record_vae_decoder(c, 1, 1, 1), shapes);
    add_weights(record_vae_encoder(c, 1, c.downscale(), c.downscale()), shapes);
  } else {
    ClipTextConfig c = parse_clip_text_config(model.config(component));
    const bool projects = component == "text_encoder_2";
    add_weights(record_clip_text(c, {.final_norm = !projects, .pooled = projects}, 1, c.max_tokens), shapes);
  }
  return shapes;
}

class RandomTensors : public TensorSource {
 public:
  explicit RandomTensors(Shapes shapes) : shapes_(std::move(shapes)) {}

  std::vector<std::string> names() const override {
    std::vector<std::string> all;
    for (const auto& [name, shape] : shapes_) all.push_back(name);
    return all;
  }
  bool has(const std::string& name) const override { return shapes_.contains(name); }
  std::vector<int64_t> dims(const std::string& name) const override {
    const Shape& s = shapes_.at(name);
    if (s.n == 1 && s.h == 1 && s.w == 1) return {s.c};
    if (s.n == 1 && s.h == 1) return {s.w, s.c};
    return {s.n, s.c, s.h, s.w};
  }
  Dtype dtype(const std::string&) const override { return Dtype::f32; }

  void read(const std::string& name, Dtype as, std::span<std::byte> out, int64_t first) const override {
    auto [mean, deviation] = distribution(name, shapes_.at(name));
    float reach = deviation * std::sqrt(3.0f);  // of an even distribution
    uint64_t seed = std::hash<std::string>{}(name);
    int64_t count = int64_t(out.size()) / size_of(as);
    std::vector<float> floats(as == Dtype::f32 ? 0 : size_t(count));
    float* to = as == Dtype::f32 ? reinterpret_cast<float*>(out.data()) : floats.data();
    for (int64_t i = 0; i < count; ++i) to[i] = mean + reach * (float(mixed(seed + uint64_t(first + i)) >> 40) * 0x1p-23f - 1);
    if (as != Dtype::f32) convert(Dtype::f32, std::as_bytes(std::span(floats)), as, out);
  }

 private:
  struct Distribution {
    float mean, deviation;
  };
  static Distribution distribution(const std::string& name, const Shape& s) {
    if (s.rows() == 1) return name.ends_with("bias") ? Distribution{0, 0.3f} : Distribution{1, 0.2f};
    float peaky = name.find("to_q") != std::string::npos || name.find("to_k") != std::string::npos ? 2.0f : 1.0f;
    return {0, peaky / std::sqrt(float(s.n > 1 ? s.h * s.w * s.c : s.c))};
  }
  static uint64_t mixed(uint64_t x) {  // splitmix64
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

  Shapes shapes_;
};

class RandomModel : public Checkpoint {
 public:
  RandomModel(const std::string& family, const Configs& configs, std::unique_ptr<Checkpoint> tokenizers)
      : path_("random " + family), configs_(configs), tokenizers_(std::move(tokenizers)) {}

  const std::string& path() const override { return path_; }
  JsonObject index() const override { return config(""); }
  bool has(const std::string& component) const override { return configs_.contains(component); }
  JsonObject config(const std::string& component) const override {
    std::string what = path_ + " " + component;
    return {parse_json(configs_.at(component), what), what};
  }
  std::shared_ptr<const TensorSource> tensors(const std::string& component) const override {
    return random_tensors(shapes_of(component, *this));
  }
  std::string tokenizer(const std::string& component) const override { return tokenizers_->tokenizer(component); }

 private:
  std::string path_;
  const Configs& configs_;
  std::unique_ptr<Checkpoint> tokenizers_;
};
}  // namespace

std::shared_ptr<const TensorSource> random_tensors(Shapes shapes) { return std::make_shared<RandomTensors>(std::move(shapes)); }

std::vector<std::string> random_families() {
  std::vector<std::string> names;
  for (const auto& [name, configs] : all_configs()) names.push_back(name);
  return names;
}

std::unique_ptr<Checkpoint> random_model(const std::string& family, std::unique_ptr<Checkpoint> tokenizers) {
  auto found = all_configs().find(family);
  if (found == all_configs().end()) {
    std::string names;
    for (const std::string& name : random_families()) names += (names.empty() ? "" : ", ") + name;
    fail(ErrorKind::usage, "there is no random model named '{}'; there are {}", family, names);
  }
  return std::make_unique<RandomModel>(family, found->second, std::move(tokenizers));
}

}  // namespace hayate
