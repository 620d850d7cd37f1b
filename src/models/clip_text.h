// The CLIP text encoder, with the value names of transformers' CLIPTextModel.
#pragma once
#include <span>

#include "models/config.h"
#include "program/builder.h"

namespace hayate {

// Which hidden state conditions the UNet.
struct ClipTextOutput {
  int skip_layers = 0;       // leave out this many layers at the end: 1 is the penultimate state
  bool final_norm = false;   // SD 1.x and 2.x normalise it, SDXL does not
  bool pooled = false;       // also the projected state of the end-of-text token (CLIPTextModelWithProjection)
};

// Inputs input_ids (n, 1, tokens, 1) and, if pooled, eos_index (n, 1, 1, 1), both i32. Outputs: hidden (n, 1, tokens,
// hidden_size) and, if pooled, text_embeds (n, 1, 1, projection_dim).
Program record_clip_text(const ClipTextConfig&, const ClipTextOutput&, int64_t batch, int64_t tokens);

// Where the end-of-text token stands, by the rule that the config's eos_token_id selects.
int32_t eos_index(const ClipTextConfig&, std::span<const int32_t> ids);

}  // namespace hayate
