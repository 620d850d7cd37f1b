// Reading configs. Bounds are far above every published model and far below what could overflow a size.
#include "models/config.h"

#include <algorithm>

#include "core/error.h"

namespace hayate {

namespace {
constexpr int64_t kMaxWidth = 1 << 16, kMaxLayers = 256;

[[noreturn]] void unsupported(const JsonObject& c, const std::string& key, const std::string& supported) {
  fail(ErrorKind::unsupported, "{}: {} is {}; supported: {}", c.what(), key, c.has(key) ? c.raw(key).dump() : "missing", supported);
}

// The key must be absent, null, or equal to one of the values.
void only(const JsonObject& c, const std::string& key, std::initializer_list<Json> values) {
  if (!c.has(key)) return;
  std::string text;
  for (const Json& v : values) {
    if (c.raw(key) == v) return;
    text += (text.empty() ? "" : ", ") + v.dump();
  }
  unsupported(c, key, text);
}

// One number for all levels, or a list with one per level.
std::vector<int64_t> per_level(const JsonObject& c, const std::string& key, size_t levels, int64_t lo, int64_t hi, int64_t fallback) {
  if (!c.has(key) || !c.raw(key).is_array()) return std::vector<int64_t>(levels, c.integer(key, lo, hi, fallback));
  std::vector<int64_t> values = c.integers(key, lo, hi);
  require(values.size() == levels, ErrorKind::bad_model, "{}: {} has {} entries, expected {} (one per block)", c.what(), key, values.size(), levels);
  return values;
}

// Transformer layers after each resnet of one level: a number, or a list of `resnets` numbers.
std::vector<int64_t> per_resnet(const JsonObject& c, const std::string& key, const Json& entry, size_t resnets) {
  auto layer_count = [&](const Json& v) {
    bool ok = v.is_number_integer() && v >= 1 && v <= kMaxLayers;
    require(ok, ErrorKind::bad_model, "{}: {} holds {}, expected a whole number from 1 to {}", c.what(), key, v.dump(), kMaxLayers);
    return v.get<int64_t>();
  };
  if (!entry.is_array()) return std::vector<int64_t>(resnets, layer_count(entry));
  require(entry.size() == resnets, ErrorKind::bad_model, "{}: {} holds {}, expected {} numbers", c.what(), key, entry.dump(), resnets);
  std::vector<int64_t> layers;
  for (const Json& v : entry) layers.push_back(layer_count(v));
  return layers;
}

const Json& entry_at(const JsonObject& c, const std::string& key, const Json& list, size_t i, size_t levels) {
  if (!list.is_array()) return list;
  require(list.size() == levels, ErrorKind::bad_model, "{}: {} has {} entries, expected {} (one per block)", c.what(), key, list.size(), levels);
  return list[i];
}

std::vector<std::string> block_types(const JsonObject& c, const std::string& key, size_t levels) {
  require(c.has(key) && c.raw(key).is_array() && c.raw(key).size() == levels, ErrorKind::bad_model,
          "{}: {} must be a list of {} block names (one per entry of block_out_channels)", c.what(), key, levels);
  std::vector<std::string> types;
  for (const Json& v : c.raw(key)) types.push_back(v.is_string() ? v.get<std::string>() : v.dump());
  return types;
}

// True for a block with cross-attention.
bool attends(const JsonObject& c, const std::string& key, const std::string& type, const std::string& plain, const std::string& cross) {
  if (type != plain && type != cross)
    fail(ErrorKind::unsupported, "{}: {} holds {}; supported: {}, {}", c.what(), key, type, plain, cross);
  return type == cross;
}

void reject_unknown_unet_features(const JsonObject& c) {
  only(c, "center_input_sample", {false});
  only(c, "only_cross_attention", {false});
  only(c, "mid_block_only_cross_attention", {false});
  only(c, "dual_cross_attention", {false});
  only(c, "act_fn", {"silu", "swish"});
  only(c, "mid_block_scale_factor", {1});
  only(c, "resnet_out_scale_factor", {1});
  only(c, "resnet_time_scale_shift", {"default"});
  only(c, "resnet_skip_time_act", {false});
  only(c, "time_embedding_type", {"positional"});
  only(c, "attention_type", {"default"});
  only(c, "class_embeddings_concat", {false});
  only(c, "addition_embed_type", {"text_time"});
  for (const char* key : {"encoder_hid_dim", "encoder_hid_dim_type", "class_embed_type", "num_class_embeds", "time_embedding_dim",
                          "time_embedding_act_fn", "timestep_post_act", "cross_attention_norm", "num_attention_heads"})
    only(c, key, {nullptr});
}

UNetConfig::Mid mid_block(const JsonObject& c) {
  // In diffusers an absent key means cross-attention, an explicit null means no block at all.
  if (!c.has("mid_block_type")) {
    std::vector<std::string> keys = c.keys();
    bool null = std::find(keys.begin(), keys.end(), "mid_block_type") != keys.end();
    return null ? UNetConfig::Mid::none : UNetConfig::Mid::cross_attention;
  }
  only(c, "mid_block_type", {"UNetMidBlock2DCrossAttn", "UNetMidBlock2D", nullptr});
  return c.string("mid_block_type") == "UNetMidBlock2D" ? UNetConfig::Mid::resnet : UNetConfig::Mid::cross_attention;
}

void read_levels(const JsonObject& c, UNetConfig& u) {
  std::vector<int64_t> channels = c.integers("block_out_channels", 1, kMaxWidth);
  size_t levels = channels.size();
  require(levels >= 1 && levels <= 8, ErrorKind::bad_model, "{}: block_out_channels has {} entries, expected 1 to 8", c.what(), levels);
  std::vector<int64_t> resnets = per_level(c, "layers_per_block", levels, 1, 16, 2);
  std::vector<int64_t> heads = per_level(c, "attention_head_dim", levels, 1, kMaxWidth, 8);
  std::vector<std::string> down = block_types(c, "down_block_types", levels), up = block_types(c, "up_block_types", levels);
  const Json depth = c.has("transformer_layers_per_block") ? c.raw("transformer_layers_per_block") : Json(1);
  bool reversed = c.has("reverse_transformer_layers_per_block");
  for (size_t i = 0; i < levels; ++i) {
    size_t from_top = levels - 1 - i;  // up blocks are listed from the inside out
    UNetConfig::Level level{.channels = channels[i], .heads = heads[i], .down_layers = {}, .up_layers = {}};
    size_t count = size_t(resnets[i]);
    if (attends(c, "down_block_types", down[i], "DownBlock2D", "CrossAttnDownBlock2D"))
      level.down_layers = per_resnet(c, "transformer_layers_per_block", entry_at(c, "transformer_layers_per_block", depth, i, levels), count);
    else
      level.down_layers.assign(count, 0);
    if (!attends(c, "up_block_types", up[from_top], "UpBlock2D", "CrossAttnUpBlock2D")) {
      level.up_layers.assign(count + 1, 0);
    } else if (reversed) {
      const char* key = "reverse_transformer_layers_per_block";
      level.up_layers = per_resnet(c, key, entry_at(c, key, c.raw(key), from_top, levels), count + 1);
    } else {
      const Json& entry = entry_at(c, "transformer_layers_per_block", depth, i, levels);
      level.up_layers = per_resnet(c, "transformer_layers_per_block", entry, count + 1);
    }
    require(level.channels % level.heads == 0, ErrorKind::bad_model, "{}: block_out_channels {} is not divisible by attention_head_dim {} (heads)",
            c.what(), level.channels, level.heads);
    require(level.channels % u.groups == 0, ErrorKind::bad_model, "{}: block_out_channels {} is not divisible by norm_num_groups {}", c.what(),
            level.channels, u.groups);
    u.levels.push_back(std::move(level));
  }
  const Json& innermost = entry_at(c, "transformer_layers_per_block", depth, levels - 1, levels);
  if (u.mid == UNetConfig::Mid::cross_attention)
    u.mid_layers = per_resnet(c, "transformer_layers_per_block", innermost.is_array() && !innermost.empty() ? innermost[0] : innermost, 1)[0];
}

int odd_kernel(const JsonObject& c, const std::string& key) {
  int64_t k = c.integer(key, 1, 15, 3);
  if (k % 2 == 0) unsupported(c, key, "odd sizes");
  return int(k);
}
}  // namespace

ClipTextConfig parse_clip_text_config(const JsonObject& c) {
  only(c, "hidden_act", {"quick_gelu", "gelu"});
  ClipTextConfig t{
      .vocab_size = c.integer("vocab_size", 1, 1 << 24, 49408),
      .hidden_size = c.integer("hidden_size", 1, kMaxWidth, 512),
      .intermediate_size = c.integer("intermediate_size", 1, 4 * kMaxWidth, 2048),
      .layers = c.integer("num_hidden_layers", 1, kMaxLayers, 12),
      .heads = c.integer("num_attention_heads", 1, kMaxWidth, 8),
      .max_tokens = c.integer("max_position_embeddings", 2, 1 << 16, 77),
      .projection_dim = c.integer("projection_dim", 1, kMaxWidth, 512),
      .activation = c.string("hidden_act", "quick_gelu") == "gelu" ? Activation::gelu : Activation::quick_gelu,
      .layer_norm_eps = float(c.number("layer_norm_eps", 0, 1, 1e-5)),
      .eos_token_id = c.integer("eos_token_id", 0, 1 << 24, 49407),
  };
  require(t.hidden_size % t.heads == 0, ErrorKind::bad_model, "{}: hidden_size {} is not divisible by num_attention_heads {}", c.what(),
          t.hidden_size, t.heads);
  return t;
}

UNetConfig parse_unet_config(const JsonObject& c) {
  reject_unknown_unet_features(c);
  UNetConfig u{};
  u.groups = c.integer("norm_num_groups", 1, kMaxWidth, 32);
  u.mid = mid_block(c);
  read_levels(c, u);
  u.in_channels = c.integer("in_channels", 1, 1024, 4);
  u.out_channels = c.integer("out_channels", 1, 1024, 4);
  std::vector<int64_t> cross = per_level(c, "cross_attention_dim", u.levels.size(), 1, kMaxWidth, 1280);
  for (int64_t width : cross)
    if (width != cross[0]) unsupported(c, "cross_attention_dim", "one width for all blocks");
  u.cross_attention_dim = cross[0];
  u.sample_size = c.integer("sample_size", 1, 4096, 64);
  u.norm_eps = float(c.number("norm_eps", 0, 1, 1e-5));
  u.freq_shift = float(c.number("freq_shift", 0, 1, 0));
  u.flip_sin_to_cos = c.boolean("flip_sin_to_cos", true);
  u.asymmetric_downsample = c.integer("downsample_padding", 0, 1, 1) == 0;
  u.conv_in_kernel = odd_kernel(c, "conv_in_kernel");
  u.conv_out_kernel = odd_kernel(c, "conv_out_kernel");
  u.text_time = c.has("addition_embed_type");
  if (u.text_time) {
    u.addition_time_embed_dim = c.integer("addition_time_embed_dim", 2, kMaxWidth);
    u.added_width = c.integer("projection_class_embeddings_input_dim", 1, 1 << 20);
    if (u.addition_time_embed_dim % 2) unsupported(c, "addition_time_embed_dim", "even numbers");
  }
  u.guidance_embed_dim = c.has("time_cond_proj_dim") ? c.integer("time_cond_proj_dim", 4, kMaxWidth) : 0;
  if (u.guidance_embed_dim % 2) unsupported(c, "time_cond_proj_dim", "even numbers");
  if (u.levels[0].channels % 2) unsupported(c, "block_out_channels", "an even first width");
  return u;
}

VaeConfig parse_vae_config(const JsonObject& c) {
  only(c, "act_fn", {"silu", "swish"});
  for (const char* key : {"latents_mean", "latents_std"}) only(c, key, {nullptr});
  VaeConfig v{};
  v.channels = c.integers("block_out_channels", 1, kMaxWidth);
  require(v.channels.size() >= 1 && v.channels.size() <= 8, ErrorKind::bad_model, "{}: block_out_channels has {} entries, expected 1 to 8", c.what(),
          v.channels.size());
  for (const std::string& t : block_types(c, "down_block_types", v.channels.size()))
    if (t != "DownEncoderBlock2D") unsupported(c, "down_block_types", "DownEncoderBlock2D");
  for (const std::string& t : block_types(c, "up_block_types", v.channels.size()))
    if (t != "UpDecoderBlock2D") unsupported(c, "up_block_types", "UpDecoderBlock2D");
  v.in_channels = c.integer("in_channels", 1, 16, 3);
  v.out_channels = c.integer("out_channels", 1, 16, 3);
  v.latent_channels = c.integer("latent_channels", 1, 1024, 4);
  v.layers_per_block = c.integer("layers_per_block", 1, 16, 1);
  v.groups = c.integer("norm_num_groups", 1, kMaxWidth, 32);
  for (int64_t width : v.channels)
    require(width % v.groups == 0, ErrorKind::bad_model, "{}: block_out_channels {} is not divisible by norm_num_groups {}", c.what(), width, v.groups);
  v.scaling_factor = float(c.number("scaling_factor", 1e-6, 1e6, 0.18215));
  v.shift_factor = float(c.number("shift_factor", -1e6, 1e6, 0));
  v.quant_conv = c.boolean("use_quant_conv", true);
  v.post_quant_conv = c.boolean("use_post_quant_conv", true);
  v.mid_attention = c.boolean("mid_block_add_attention", true);
  return v;
}

TinyDecoderConfig parse_tiny_decoder_config(const JsonObject& c) {
  only(c, "act_fn", {"relu"});
  only(c, "upsample_fn", {"nearest"});
  only(c, "upsampling_scaling_factor", {2});
  TinyDecoderConfig t{};
  t.blocks = c.integers("num_decoder_blocks", 1, kMaxLayers);
  require(t.blocks.size() >= 1 && t.blocks.size() <= 8, ErrorKind::bad_model, "{}: num_decoder_blocks has {} entries, expected 1 to 8", c.what(), t.blocks.size());
  const std::vector<int64_t> channels = per_level(c, "decoder_block_out_channels", t.blocks.size(), 1, kMaxWidth, 64);
  if (std::ranges::count(channels, channels[0]) != std::ssize(channels)) unsupported(c, "decoder_block_out_channels", "one number, as often as there are blocks");
  t.channels = channels[0];
  t.latent_channels = c.integer("latent_channels", 1, 1024, 4);
  t.out_channels = c.integer("out_channels", 3, 3, 3);
  t.scaling_factor = float(c.number("scaling_factor", 1e-6, 1e6, 1));
  t.shift_factor = float(c.number("shift_factor", -1e6, 1e6, 0));
  return t;
}

}  // namespace hayate
