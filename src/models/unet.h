// UNet2DConditionModel: predicts the noise (or velocity) in a latent, given text.
#pragma once
#include "models/config.h"
#include "program/builder.h"

namespace hayate {

struct UNetInputs {
  Value sample;                 // (n, h, w, in_channels)
  Value timestep;               // (n, 1, 1, 1)
  Value encoder_hidden_states;  // (n, 1, tokens, cross_attention_dim)
  Value text_embeds = none;     // (n, 1, 1, pooled width), with text_time only
  Value time_ids = none;        // (n, 1, 1, ids): original size, crop, target size
  Value guidance = none;        // (n, 1, 1, 1), with guidance_embed_dim only: guidance scale
};

// Records the whole network; returns conv_out, (n, h, w, out_channels). Value names are diffusers' module paths.
Value record_unet(Builder&, const UNetConfig&, const UNetInputs&);

// Skip connections, counted from the outside: conv_in, then what each layer of the down blocks makes.
int skip_count(const UNetConfig&);
// The value at which a skip connection joins the way up; its first operand comes from deeper inside.
std::string skip_name(const UNetConfig&, int skip);

// Number of time ids that the config's added embedding leaves room for beside `pooled_width` columns.
int64_t time_id_count(const UNetConfig&, int64_t pooled_width);

}  // namespace hayate
