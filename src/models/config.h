// What each component's config.json says, checked. An unsupported value is an Error(unsupported) that names the key.
#pragma once
#include <string>
#include <vector>

#include "core/json.h"
#include "program/ops.h"

namespace hayate {

// CLIPTextModel and CLIPTextModelWithProjection (transformers).
struct ClipTextConfig {
  int64_t vocab_size, hidden_size, intermediate_size, layers, heads, max_tokens, projection_dim;
  Activation activation;
  float layer_norm_eps;
  int64_t eos_token_id;  // 2: the published models' rule, the end of text is where the largest id stands
  bool operator==(const ClipTextConfig&) const = default;
};

// UNet2DConditionModel (diffusers), as far as SDXL, SSD-1B and SD 1.x/2.x use it. Levels from the outside in.
struct UNetConfig {
  struct Level {
    int64_t channels, heads;
    std::vector<int64_t> down_layers, up_layers;  // transformer layers after each resnet; 0: no attention there
    bool operator==(const Level&) const = default;
  };
  std::vector<Level> levels{};
  enum class Mid { none, resnet, cross_attention } mid;
  int64_t mid_layers;  // transformer layers of the mid block
  int64_t in_channels, out_channels, groups, cross_attention_dim, sample_size;
  float norm_eps, freq_shift;
  bool flip_sin_to_cos, asymmetric_downsample;  // downsample_padding 0: one row and column at the end
  int conv_in_kernel, conv_out_kernel;
  bool text_time;                               // SDXL's added embedding: pooled text and time ids
  int64_t addition_time_embed_dim, added_width; // added_width: columns that add_embedding reads
  int64_t guidance_embed_dim;                   // time_cond_proj_dim of LCM UNets, which are told the guidance scale; 0: not told
  // Made for inpainting: beside x it reads a mask and the latent of the picture without what is under the mask.
  bool reads_mask() const { return in_channels == 2 * out_channels + 1; }
  bool operator==(const UNetConfig&) const = default;
};

// AutoencoderKL (diffusers).
struct VaeConfig {
  std::vector<int64_t> channels{};  // from the outside in
  int64_t in_channels, out_channels, latent_channels, layers_per_block, groups;
  float scaling_factor, shift_factor;
  bool quant_conv, post_quant_conv, mid_attention;
  int64_t downscale() const { return int64_t{1} << (channels.size() - 1); }
  bool operator==(const VaeConfig&) const = default;
};

// The decoder of AutoencoderTiny (diffusers): one width throughout.
struct TinyDecoderConfig {
  int64_t channels, latent_channels, out_channels;
  std::vector<int64_t> blocks{};  // at each size, from the smallest
  float scaling_factor, shift_factor;
};

ClipTextConfig parse_clip_text_config(const JsonObject&);
UNetConfig parse_unet_config(const JsonObject&);
VaeConfig parse_vae_config(const JsonObject&);
TinyDecoderConfig parse_tiny_decoder_config(const JsonObject&);

}  // namespace hayate
