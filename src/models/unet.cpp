// In the order in which diffusers runs it.
#include "models/unet.h"

#include <cmath>

#include "core/error.h"
#include "models/blocks.h"

namespace hayate {

namespace {
class UNet {
 public:
  UNet(Builder& b, const UNetConfig& cfg, const UNetInputs& in) : b_(b), cfg_(cfg), in_(in) {}

  Value forward() {
    time_ = embed_time();
    skips_ = {b_.conv2d("conv_in", in_.sample, cfg_.levels[0].channels, cfg_.conv_in_kernel)};
    Value h = skips_[0];
    for (size_t i = 0; i < cfg_.levels.size(); ++i) h = down_block(i, h);
    h = mid_block(h);
    for (size_t i = 0; i < cfg_.levels.size(); ++i) h = up_block(i, h);
    h = b_.activation("conv_act", b_.group_norm("conv_norm_out", h, int(cfg_.groups), cfg_.norm_eps), Activation::silu);
    return b_.conv2d("conv_out", h, cfg_.out_channels, cfg_.conv_out_kernel);
  }

 private:
  Value embed_time() {
    TimestepAttr sinusoids{.dim = int(cfg_.levels[0].channels), .flip_sin_to_cos = cfg_.flip_sin_to_cos, .freq_shift = cfg_.freq_shift};
    Value time = b_.timestep_embedding("time_proj", in_.timestep, sinusoids);
    if (cfg_.guidance_embed_dim) time = b_.add("time_embedding.conditioned", time, embed_guidance());
    time = mlp("time_embedding", time);
    if (!cfg_.text_time) return time;
    sinusoids.dim = int(cfg_.addition_time_embed_dim);
    Value added = b_.concat("add_embeds", in_.text_embeds, b_.timestep_embedding("add_time_proj", in_.time_ids, sinusoids));
    require(b_.shape(added).c == cfg_.added_width, ErrorKind::bad_model,
            "unet: text_embeds and time ids make {} columns, projection_class_embeddings_input_dim is {}", b_.shape(added).c, cfg_.added_width);
    return b_.add("emb", time, mlp("add_embedding", added));
  }

  // Luo et al., "Latent Consistency Models", arXiv 2310.04378: the network knows the scale, so one half is enough.
  Value embed_guidance() {
    const Value scaled = b_.affine("guidance_scaled", in_.guidance, 1000, -1000);
    const Value sinusoids =
        b_.timestep_embedding("guidance_proj", scaled, {.dim = int(cfg_.guidance_embed_dim), .flip_sin_to_cos = false, .freq_shift = 1});
    return b_.linear("time_embedding.cond_proj", sinusoids, cfg_.levels[0].channels, false);
  }

  Value mlp(const std::string& name, Value x) {
    auto s = b_.scope(name);
    int64_t width = cfg_.levels[0].channels * 4;
    return b_.linear("linear_2", b_.activation("act", b_.linear("linear_1", x, width), Activation::silu), width);
  }

  Value resnet(size_t i, Value x, int64_t out) {
    return resnet_block(b_, "resnets." + std::to_string(i), x, out, time_, {int(cfg_.groups), cfg_.norm_eps});
  }

  Value attention(const std::string& name, Value x, Value context, int64_t heads) {
    auto s = b_.scope(name);
    int64_t c = b_.shape(x).c;
    Value q = b_.linear("to_q", x, c, false), k = b_.linear("to_k", context, c, false), v = b_.linear("to_v", context, c, false);
    return b_.linear("to_out.0", b_.attention(q, k, v, int(heads), 1 / std::sqrt(float(c / heads))), c);
  }

  Value feed_forward(Value x) {
    auto s = b_.scope("ff");
    int64_t c = b_.shape(x).c, inner = 4 * c;
    Value both = b_.linear("net.0.proj", x, 2 * inner);
    Value value = b_.slice("net.0.value", both, 0, inner), gate = b_.slice("net.0.gate", both, inner, inner);
    return b_.linear("net.2", b_.mul("net.0", value, b_.activation("net.0.gelu", gate, Activation::gelu)), c);
  }

  Value transformer_block(size_t i, Value h, int64_t heads) {
    auto s = b_.scope("transformer_blocks." + std::to_string(i));
    constexpr float eps = 1e-5f;  // fixed in diffusers
    Value n = b_.layer_norm("norm1", h, eps);
    h = b_.add("add_attn1", h, attention("attn1", n, n, heads));
    h = b_.add("add_attn2", h, attention("attn2", b_.layer_norm("norm2", h, eps), in_.encoder_hidden_states, heads));
    return b_.add("", h, feed_forward(b_.layer_norm("norm3", h, eps)));
  }

  Value transformer(size_t i, Value x, int64_t layers, int64_t heads) {
    if (layers == 0) return x;
    auto s = b_.scope("attentions." + std::to_string(i));
    int64_t c = b_.shape(x).c;
    constexpr float eps = 1e-6f;  // fixed in diffusers
    Value h = b_.linear("proj_in", b_.group_norm("norm", x, int(cfg_.groups), eps), c);  // or a 1x1 convolution: the same product
    for (size_t k = 0; k < size_t(layers); ++k) h = transformer_block(k, h, heads);
    return b_.add("", b_.linear("proj_out", h, c), x);
  }

  Value down_block(size_t i, Value h) {
    auto s = b_.scope("down_blocks." + std::to_string(i));
    const auto& level = cfg_.levels[i];
    for (size_t k = 0; k < level.down_layers.size(); ++k) {
      h = transformer(k, resnet(k, h, level.channels), level.down_layers[k], level.heads);
      skips_.push_back(h);
    }
    if (i + 1 < cfg_.levels.size()) skips_.push_back(h = downsample(b_, h, level.channels, cfg_.asymmetric_downsample));
    return h;
  }

  Value mid_block(Value h) {
    if (cfg_.mid == UNetConfig::Mid::none) return h;
    auto s = b_.scope("mid_block");
    const auto& level = cfg_.levels.back();
    h = resnet(0, h, level.channels);
    if (cfg_.mid == UNetConfig::Mid::resnet) return h;
    return resnet(1, transformer(0, h, cfg_.mid_layers, level.heads), level.channels);
  }

  Value up_block(size_t i, Value h) {
    auto s = b_.scope("up_blocks." + std::to_string(i));
    const auto& level = cfg_.levels[cfg_.levels.size() - 1 - i];
    for (size_t k = 0; k < level.up_layers.size(); ++k) {
      h = b_.concat("cat." + std::to_string(k), h, skips_.back());
      skips_.pop_back();
      h = transformer(k, resnet(k, h, level.channels), level.up_layers[k], level.heads);
    }
    if (skips_.empty()) return h;
    const Shape& next = b_.shape(skips_.back());  // not always twice the size: an odd size was halved upwards
    return upsample(b_, h, level.channels, next.h, next.w);
  }

  Builder& b_;
  const UNetConfig& cfg_;
  const UNetInputs& in_;
  Value time_ = none;
  std::vector<Value> skips_;
};
}  // namespace

Value record_unet(Builder& b, const UNetConfig& cfg, const UNetInputs& in) { return UNet(b, cfg, in).forward(); }

int skip_count(const UNetConfig& cfg) {
  size_t count = 0;
  for (const UNetConfig::Level& level : cfg.levels) count += level.up_layers.size();
  return int(count);
}

std::string skip_name(const UNetConfig& cfg, int skip) {
  int at = skip_count(cfg);
  for (size_t block = 0; block < cfg.levels.size(); ++block)
    for (size_t layer = 0; layer < cfg.levels[cfg.levels.size() - 1 - block].up_layers.size(); ++layer)
      if (--at == skip) return fmt::format("up_blocks.{}.cat.{}", block, layer);
  fail(ErrorKind::usage, "deepcache branch is {}; the UNet has {}: expected 0 to {}", skip, skip_count(cfg), skip_count(cfg) - 1);
}

int64_t time_id_count(const UNetConfig& cfg, int64_t pooled_width) {
  int64_t rest = cfg.added_width - pooled_width;
  require(rest > 0 && rest % cfg.addition_time_embed_dim == 0, ErrorKind::bad_model,
          "unet: projection_class_embeddings_input_dim {} does not fit {} pooled columns and time ids of {} columns", cfg.added_width, pooled_width,
          cfg.addition_time_embed_dim);
  return rest / cfg.addition_time_embed_dim;
}

}  // namespace hayate
