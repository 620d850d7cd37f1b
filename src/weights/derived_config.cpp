// Reads structure from names and sizes from the first tensor that shows them.
#include "weights/derived_config.h"

#include <algorithm>

#include "core/error.h"
#include "weights/name_tree.h"

namespace hayate {
namespace {

int64_t dim(const TensorSource& source, const std::string& name, size_t axis) {
  const std::vector<int64_t> dims = source.dims(name);
  require(axis < dims.size(), ErrorKind::bad_model, "tensor {} has {} dimensions, expected more than {}", name, dims.size(), axis);
  return dims[axis];
}

// Transformer layers after each resnet of one block; 0: no attention there.
std::vector<int64_t> attention_depths(const NameTree& names, const std::string& block) {
  std::vector<int64_t> depths;
  for (int64_t i = 0, resnets = names.count(block + "resnets."); i < resnets; ++i)
    depths.push_back(names.count(fmt::format("{}attentions.{}.transformer_blocks.", block, i)));
  return depths;
}

bool attends(const std::vector<int64_t>& depths) {
  return std::ranges::any_of(depths, [](int64_t d) { return d > 0; });
}
bool uniform(const std::vector<int64_t>& depths) { return std::ranges::adjacent_find(depths, std::not_equal_to()) == depths.end(); }

// One number where all are alike.
Json shortened(const std::vector<int64_t>& values) { return uniform(values) && !values.empty() ? Json(values[0]) : Json(values); }

struct Depths {
  std::vector<std::vector<int64_t>> down, up;  // in the order in which the blocks run
  int64_t mid = 0;
};

// diffusers states the depths of the down blocks, and those of the up blocks only where they are not the same the other way round.
void write_depths(const Depths& d, Json& config) {
  bool mirrored = true;
  Json down = Json::array(), up = Json::array();
  for (size_t i = 0; i < d.down.size(); ++i) {
    const std::vector<int64_t>&down_depths = d.down[i], &up_depths = d.up[d.up.size() - 1 - i];
    const bool innermost = i + 1 == d.down.size();
    // The middle takes its depth from the innermost entry, also where that block has no attention of its own.
    down.push_back(attends(down_depths) ? shortened(down_depths) : Json(innermost ? std::max<int64_t>(d.mid, 1) : 1));
    const bool same = uniform(down_depths) && uniform(up_depths) && down_depths[0] == up_depths[0];
    mirrored &= same || !attends(up_depths);
  }
  for (const std::vector<int64_t>& depths : d.up) up.push_back(attends(depths) ? shortened(depths) : Json(1));
  config["transformer_layers_per_block"] = down;
  config["reverse_transformer_layers_per_block"] = mirrored ? Json() : up;
}

Json derive_unet_config(const TensorSource& source) {
  const NameTree names(source);
  Json config = {{"_class_name", "UNet2DConditionModel"},
                 {"in_channels", dim(source, "conv_in.weight", 1)},
                 {"out_channels", dim(source, "conv_out.weight", 0)}};
  const int64_t levels = names.count("down_blocks.");
  require(levels >= 1 && names.count("up_blocks.") == levels, ErrorKind::bad_model, "a unet of {} down blocks and {} up blocks", levels,
          names.count("up_blocks."));
  Depths depths{.down = {}, .up = {}, .mid = names.count("mid_block.attentions.0.transformer_blocks.")};
  std::vector<int64_t> channels, resnets;
  Json down_types = Json::array(), up_types = Json::array();
  for (int64_t i = 0; i < levels; ++i) {
    const std::string down = fmt::format("down_blocks.{}.", i), up = fmt::format("up_blocks.{}.", i);
    channels.push_back(dim(source, down + "resnets.0.conv1.weight", 0));
    depths.down.push_back(attention_depths(names, down));
    depths.up.push_back(attention_depths(names, up));
    require(!depths.up.back().empty(), ErrorKind::bad_model, "the unet has no resnets under {}", up);
    resnets.push_back(int64_t(depths.down.back().size()));
    down_types.push_back(attends(depths.down.back()) ? "CrossAttnDownBlock2D" : "DownBlock2D");
    up_types.push_back(attends(depths.up.back()) ? "CrossAttnUpBlock2D" : "UpBlock2D");
  }
  config["block_out_channels"] = channels;
  config["layers_per_block"] = shortened(resnets);
  config["down_block_types"] = down_types;
  config["up_block_types"] = up_types;
  if (depths.mid > 0)
    config["mid_block_type"] = "UNetMidBlock2DCrossAttn";
  else
    config["mid_block_type"] = names.has_under("mid_block.") ? Json("UNetMidBlock2D") : Json();
  write_depths(depths, config);

  for (const std::string& name : source.names())
    if (name.ends_with(".attn2.to_k.weight")) {
      config["cross_attention_dim"] = dim(source, name, 1);
      break;
    }
  for (const std::string& name : source.names())
    if (name.ends_with(".proj_in.weight")) {
      config["use_linear_projection"] = source.dims(name).size() == 2;
      break;
    }
  const bool text_time = source.has("add_embedding.linear_1.weight");
  config["addition_embed_type"] = text_time ? Json("text_time") : Json();
  if (text_time) config["projection_class_embeddings_input_dim"] = dim(source, "add_embedding.linear_1.weight", 1);
  return config;
}

Json derive_vae_config(const TensorSource& source) {
  const NameTree names(source);
  const int64_t levels = names.count("decoder.up_blocks.");
  std::vector<int64_t> channels;
  for (int64_t i = levels - 1; i >= 0; --i) channels.push_back(dim(source, fmt::format("decoder.up_blocks.{}.resnets.0.conv1.weight", i), 0));
  return {{"_class_name", "AutoencoderKL"},
          {"block_out_channels", channels},
          {"layers_per_block", names.count("decoder.up_blocks.0.resnets.") - 1},
          {"down_block_types", std::vector<std::string>(size_t(levels), "DownEncoderBlock2D")},
          {"up_block_types", std::vector<std::string>(size_t(levels), "UpDecoderBlock2D")},
          {"in_channels", source.has("encoder.conv_in.weight") ? dim(source, "encoder.conv_in.weight", 1) : 3},
          {"out_channels", dim(source, "decoder.conv_out.weight", 0)},
          {"latent_channels", dim(source, "decoder.conv_in.weight", 1)},
          {"use_quant_conv", names.has_under("quant_conv.")},
          {"use_post_quant_conv", names.has_under("post_quant_conv.")},
          {"mid_block_add_attention", names.has_under("decoder.mid_block.attentions.")}};
}

Json derive_clip_text_config(const TensorSource& source) {
  const std::string tokens = "text_model.embeddings.token_embedding.weight", projection = "text_projection.weight";
  const int64_t hidden = dim(source, tokens, 1);
  return {{"vocab_size", dim(source, tokens, 0)},
          {"hidden_size", hidden},
          {"max_position_embeddings", dim(source, "text_model.embeddings.position_embedding.weight", 0)},
          {"num_hidden_layers", NameTree(source).count("text_model.encoder.layers.")},
          {"intermediate_size", dim(source, "text_model.encoder.layers.0.mlp.fc1.weight", 0)},
          {"projection_dim", source.has(projection) ? dim(source, projection, 0) : hidden}};
}

}  // namespace

Json derive_config(OriginalPart part, const TensorSource& diffusers) {
  switch (part) {
    case OriginalPart::unet: return derive_unet_config(diffusers);
    case OriginalPart::vae: return derive_vae_config(diffusers);
    case OriginalPart::clip:
    case OriginalPart::open_clip: return derive_clip_text_config(diffusers);
  }
  fail(ErrorKind::internal, "no config for part {}", int(part));
}

}  // namespace hayate
