// Token and position embeddings, pre-norm transformer layers with a causal mask.
#include "models/clip_text.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace hayate {

namespace {
Value self_attention(Builder& b, const ClipTextConfig& cfg, Value x) {
  auto s = b.scope("self_attn");
  Value q = b.linear("q_proj", x, cfg.hidden_size), k = b.linear("k_proj", x, cfg.hidden_size), v = b.linear("v_proj", x, cfg.hidden_size);
  float scale = 1 / std::sqrt(float(cfg.hidden_size / cfg.heads));
  return b.linear("out_proj", b.attention(q, k, v, int(cfg.heads), scale, /*causal=*/true), cfg.hidden_size);
}

Value layer(Builder& b, const ClipTextConfig& cfg, const std::string& name, Value x) {
  auto s = b.scope(name);
  x = b.add("add_attention", x, self_attention(b, cfg, b.layer_norm("layer_norm1", x, cfg.layer_norm_eps)));
  Value h = b.linear("mlp.fc1", b.layer_norm("layer_norm2", x, cfg.layer_norm_eps), cfg.intermediate_size);
  h = b.linear("mlp.fc2", b.activation("mlp.activation_fn", h, cfg.activation), cfg.hidden_size);
  return b.add("", x, h);
}
}  // namespace

Program record_clip_text(const ClipTextConfig& cfg, const ClipTextOutput& want, int64_t batch, int64_t tokens) {
  require(want.skip_layers >= 0 && want.skip_layers < cfg.layers, ErrorKind::usage,
          "clip_skip: skipping {} layers of a text encoder that has {}", want.skip_layers, cfg.layers);
  require(tokens == cfg.max_tokens, ErrorKind::unsupported, "text encoder: {} tokens, max_position_embeddings is {}", tokens, cfg.max_tokens);
  require(!(want.final_norm && want.pooled), ErrorKind::internal, "text encoder: a normalised and a pooled state together");
  Program p;
  Builder b(p);
  Value ids = b.input("input_ids", {batch, 1, tokens, 1}, Rate::prompt, Dtype::i32);
  Value hidden = none, last = none;
  {
    auto s = b.scope("text_model");
    Value x = b.embedding("embeddings.token_embedding", ids, cfg.vocab_size, cfg.hidden_size);
    Value positions = b.weight("embeddings.position_embedding.weight", {1, 1, cfg.max_tokens, cfg.hidden_size});
    x = b.add("embeddings", x, positions);
    for (int64_t i = 0; i < cfg.layers; ++i) {
      x = layer(b, cfg, "encoder.layers." + std::to_string(i), x);
      if (i == cfg.layers - 1 - want.skip_layers) hidden = x;
    }
    // Models that condition on the normalised state have no use for the pooled one, so one norm serves either.
    last = b.layer_norm("final_layer_norm", want.final_norm ? hidden : x, cfg.layer_norm_eps);
    if (want.final_norm) hidden = last;
  }
  p.outputs = {hidden};
  if (want.pooled) {
    Value index = b.input("eos_index", {batch, 1, 1, 1}, Rate::prompt, Dtype::i32);
    p.outputs.push_back(b.linear("text_projection", b.take_token("pooled", last, index), cfg.projection_dim, /*bias=*/false));
  }
  return drop_dead(p);
}

int32_t eos_index(const ClipTextConfig& cfg, std::span<const int32_t> ids) {
  auto at = cfg.eos_token_id == 2 ? std::max_element(ids.begin(), ids.end()) : std::find(ids.begin(), ids.end(), int32_t(cfg.eos_token_id));
  return at == ids.end() ? 0 : int32_t(at - ids.begin());  // argmax of all-false is 0 in the published rule
}

}  // namespace hayate
