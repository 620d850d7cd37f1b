// The first rule of which a name has a part decides.
#include "weights/describe_tensors.h"

#include <algorithm>

#include "core/error.h"
#include "core/json.h"

namespace hayate {
namespace {

struct Rule {
  const char* part;  // of a tensor's name; "^" at the start: the name begins with the rest
  const char* what;
};

constexpr const char* lora = "a LoRA; give it as --lora beside a model";
constexpr Rule rules[] = {
    {".lora_up.", lora},
    {".lora_down.", lora},
    {".lora_A.", lora},
    {".lora_B.", lora},
    {".lora.up.", lora},
    {".hada_w1_a", "a LyCORIS adapter"},
    {".lokr_w1", "a LyCORIS adapter"},
    {"^control_model.", "a ControlNet"},
    {"controlnet_", "a ControlNet"},
    {"input_hint_block.", "a ControlNet"},
    {"^ip_adapter.", "an IP-Adapter"},
    {"^image_proj", "an IP-Adapter"},
    {"motion_modules.", "an AnimateDiff motion module"},
    {"^emb_params", "a textual inversion embedding"},
    {"^clip_g", "a textual inversion embedding"},
    {"^clip_l", "a textual inversion embedding"},
    {"double_blocks.0.", "a Flux model"},
    {"joint_blocks.0.", "a Stable Diffusion 3 model"},
    {"joint_transformer_blocks", "a Stable Diffusion 3 model"},
    {"clip_txt_mapper.", "a Stable Cascade model"},
    {"^conditioner.embedders.0.model.", "the refiner of Stable Diffusion XL"},
    {"^model.diffusion_model.", "a diffusion model of an unknown kind"},
    {"^first_stage_model.", "the autoencoder (VAE) of a model; give it as --vae beside a whole model"},
    {"^decoder.", "the autoencoder (VAE) of a model; give it as --vae beside a whole model"},
    {"^encoder.down", "the autoencoder (VAE) of a model; give it as --vae beside a whole model"},
    {"^vision_model.", "a CLIP image encoder"},
    {"^text_model.", "a CLIP text encoder; give it as --text-encoder or --text-encoder-2 beside a whole model"},
    {"^transformer.resblocks.", "a CLIP text encoder; give it as --text-encoder or --text-encoder-2 beside a whole model"},
    {"^encoder.block.", "a T5 text encoder"},
    {"^model.layers.", "a language model"},
    {"^transformer_blocks.", "a diffusion transformer"},
};

bool matches(const std::string& name, std::string_view part) {
  return part.starts_with('^') ? name.starts_with(part.substr(1)) : name.find(part) != name.npos;
}

// By the width of its cross-attention.
std::string describe_unet(const TensorSource& source, const std::vector<std::string>& names) {
  constexpr std::pair<int64_t, const char*> widths[] = {
      {768, "Stable Diffusion 1.x"}, {1024, "Stable Diffusion 2.x"}, {2048, "Stable Diffusion XL"}, {1280, "the refiner of Stable Diffusion XL"}};
  if (std::ranges::none_of(names, [](const std::string& n) { return n.starts_with("down_blocks.0.") || n.starts_with("input_blocks.0."); }))
    return "";
  if (std::ranges::any_of(names, [](const std::string& n) { return n.starts_with("controlnet_") || n.starts_with("input_hint_block."); })) return "";
  for (const std::string& name : names) {
    if (!name.ends_with(".attn2.to_k.weight") || source.dims(name).size() != 2) continue;
    for (auto [width, model] : widths)
      if (source.dims(name)[1] == width) return fmt::format("the UNet of {} alone; it is given as --unet beside a whole model", model);
  }
  return "a UNet alone; it is given as --unet beside a whole model";
}

}  // namespace

std::string describe_tensors(const TensorSource& source) {
  const std::vector<std::string> names = source.names();
  if (names.empty()) return "a file without tensors";
  if (const std::string unet = describe_unet(source, names); !unet.empty()) return unet;
  for (const Rule& rule : rules)
    if (std::ranges::any_of(names, [&](const std::string& name) { return matches(name, rule.part); })) return rule.what;
  return fmt::format("something else: {} tensors, of which the first is {}", names.size(), excerpt(*std::ranges::min_element(names)));
}

}  // namespace hayate
