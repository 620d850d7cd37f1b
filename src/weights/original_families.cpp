// THE TABLE of single-file families, and what else a file may be.
#include "weights/original_families.h"

#include <algorithm>

#include "core/error.h"
#include "weights/derived_config.h"
#include "weights/describe_tensors.h"
#include "weights/name_tree.h"

namespace hayate {
namespace {

constexpr int64_t published_head_width = 64;  // SDXL, SD 2 and the CLIP encoders
constexpr int64_t published_sd1_heads = 8;
constexpr const char* unet_prefix = "model.diffusion_model.";
constexpr const char* vae_prefix = "first_stage_model.";
constexpr const char* clip_l =
    R"({"model_type": "clip_text_model", "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1})";
constexpr const char* open_clip =
    R"({"model_type": "clip_text_model", "hidden_act": "gelu", "layer_norm_eps": 1e-5, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1})";

constexpr const char* no_safety_checker = R"({"safety_checker": [null, null], "feature_extractor": [null, null], "requires_safety_checker": false})";

OriginalComponent unet(const char* settings) { return {"unet", "diffusers", "UNet2DConditionModel", unet_prefix, OriginalPart::unet, settings}; }
OriginalComponent vae(const char* settings) { return {"vae", "diffusers", "AutoencoderKL", vae_prefix, OriginalPart::vae, settings}; }
OriginalComponent encoder(const char* name, const char* class_name, const char* prefix, OriginalPart part) {
  return {name, "transformers", class_name, prefix, part, part == OriginalPart::clip ? clip_l : open_clip};
}

const std::vector<OriginalFamily>& all_families() {
  static const std::vector<OriginalFamily> all = {
      {.name = "Stable Diffusion XL",
       .pipeline_class = "StableDiffusionXLPipeline",
       .components = {unet(R"({"sample_size": 128, "addition_time_embed_dim": 256})"),
                      vae(R"({"sample_size": 1024, "scaling_factor": 0.13025, "force_upcast": true})"),
                      encoder("text_encoder", "CLIPTextModel", "conditioner.embedders.0.transformer.", OriginalPart::clip),
                      encoder("text_encoder_2", "CLIPTextModelWithProjection", "conditioner.embedders.1.model.", OriginalPart::open_clip)},
       .index_settings = R"({"force_zeros_for_empty_prompt": true})",
       .v_prediction_by_weights = false},
      {.name = "Stable Diffusion 1.x",
       .pipeline_class = "StableDiffusionPipeline",
       .components = {unet(R"({"sample_size": 64})"), vae(R"({"sample_size": 512, "scaling_factor": 0.18215})"),
                      encoder("text_encoder", "CLIPTextModel", "cond_stage_model.transformer.", OriginalPart::clip)},
       .index_settings = no_safety_checker,
       .v_prediction_by_weights = false},
      {.name = "Stable Diffusion 2.x",
       .pipeline_class = "StableDiffusionPipeline",
       .components = {unet(R"({"sample_size": 64})"), vae(R"({"sample_size": 768, "scaling_factor": 0.18215})"),
                      encoder("text_encoder", "CLIPTextModel", "cond_stage_model.model.", OriginalPart::open_clip)},
       .index_settings = no_safety_checker,
       .v_prediction_by_weights = true},
  };
  return all;
}

void add_heads(OriginalPart part, Json& config) {
  if (part == OriginalPart::clip || part == OriginalPart::open_clip) {
    config["num_attention_heads"] = std::max<int64_t>(config["hidden_size"].get<int64_t>() / published_head_width, 1);
  } else if (part == OriginalPart::unet && config.value("use_linear_projection", false)) {
    std::vector<int64_t> heads;
    for (int64_t channels : config["block_out_channels"].get<std::vector<int64_t>>())
      heads.push_back(std::max<int64_t>(channels / published_head_width, 1));
    config["attention_head_dim"] = heads;  // diffusers' name for the number of heads
  } else if (part == OriginalPart::unet) {
    config["attention_head_dim"] = published_sd1_heads;
  }
}

}  // namespace

const OriginalFamily& recognise_family(const TensorSource& file, const std::string& path) {
  const std::string prefix = unet_prefix, conv_in = prefix + "input_blocks.0.0.weight";
  const NameTree names(file);
  const std::vector<int64_t> in = file.has(conv_in) ? file.dims(conv_in) : std::vector<int64_t>();
  require(in.size() == 4, ErrorKind::bad_model, "{}: is not a Stable Diffusion checkpoint: it looks like {}", path, describe_tensors(file));
  if (const char* kind = names.has_under("edm_mean") ? "a Playground v2.5 model" : names.has_under("edm_vpred.") ? "a CosXL model" : nullptr)
    fail(ErrorKind::unsupported, "{}: is {}, whose noise schedule (EDM) is not supported", path, kind);
  require(!names.has_under("control_model."), ErrorKind::unsupported, "{}: is a ControlNet, which is not supported", path);
  require(!names.has_under("conditioner.embedders.0.model."), ErrorKind::unsupported,
          "{}: is the refiner of Stable Diffusion XL, which is not supported; the base model is", path);
  require(in[1] == 4 || in[1] == 9, ErrorKind::unsupported,
          "{}: the unet reads {} channels, expected 4, or 9 for inpainting: it is made for {}, which is not supported", path, in[1],
          in[1] == 8   ? "editing pictures"
          : in[1] == 5 ? "depth maps"
                       : "more than text to image");

  const bool added = names.has_under(prefix + "label_emb."), open_clip = names.has_under("cond_stage_model.model.");
  require(!added || !(open_clip || names.has_under("cond_stage_model.")), ErrorKind::unsupported,
          "{}: is a Stable Diffusion 2.1 model for image variations (unCLIP), which is not supported", path);
  if (added) return all_families()[0];
  bool linear = open_clip;  // without a text encoder: SD 2 has linear projections around its transformers, SD 1 convolutions
  for (const std::string& name : file.names())
    if (name.starts_with(prefix) && name.ends_with(".proj_in.weight")) linear |= file.dims(name).size() == 2;
  return all_families()[linear ? 2 : 1];
}

const OriginalFamily& original_family_of(const Checkpoint& model) {
  const JsonObject index = model.index();
  const std::string pipeline_class = index.string("_class_name");
  // SD 1 and SD 2 are one class; the encoders of OpenCLIP are those with plain GELU.
  const bool gelu = model.has("text_encoder") && model.config("text_encoder").string("hidden_act", "quick_gelu") == "gelu";
  for (const OriginalFamily& family : all_families()) {
    const bool is_sd2 = family.components[2].part == OriginalPart::open_clip, one_encoder = family.components.size() == 3;
    if (pipeline_class == family.pipeline_class && (!one_encoder || is_sd2 == gelu)) return family;
  }
  fail(ErrorKind::unsupported, "{}: _class_name is {}, for which there is no original form", index.what(), excerpt(pipeline_class));
}

Json published_config(const OriginalComponent& component, const TensorSource& diffusers) {
  Json config = Json::parse(component.settings);
  config.update(derive_config(component.part, diffusers));
  add_heads(component.part, config);
  return config;
}

}  // namespace hayate
