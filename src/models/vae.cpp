// Encoder and decoder, in the order in which diffusers runs them.
#include "models/vae.h"

#include <cmath>

#include "core/error.h"
#include "models/blocks.h"

namespace hayate {

namespace {
constexpr float kEps = 1e-6f;  // fixed in diffusers

class Vae {
 public:
  Vae(Builder& b, const VaeConfig& cfg) : b_(b), cfg_(cfg) {}

  // Parts [begin, end).
  Value decode(Value h, int begin, int end) {
    auto runs = [&, part = 0]() mutable { return begin <= part++ && part <= end; };
    if (runs()) h = first_part(h);
    auto s = b_.scope("decoder");
    size_t levels = cfg_.channels.size();
    for (size_t i = 0; i < levels; ++i) {
      auto t = b_.scope("up_blocks." + std::to_string(i));
      int64_t c = cfg_.channels[levels - 1 - i];
      for (int64_t k = 0; k < cfg_.layers_per_block + 1; ++k)
        if (runs()) h = resnet(size_t(k), h, c);
      if (i + 1 < levels && runs()) h = upsample(b_, h, c, 2 * b_.shape(h).h, 2 * b_.shape(h).w);
    }
    return runs() ? head(h, cfg_.out_channels) : h;
  }

  Value encode(Value pixels) {
    Value h = none;
    {
      auto s = b_.scope("encoder");
      h = b_.conv2d("conv_in", pixels, cfg_.channels[0], 3);
      for (size_t i = 0; i < cfg_.channels.size(); ++i) {
        auto t = b_.scope("down_blocks." + std::to_string(i));
        for (int64_t k = 0; k < cfg_.layers_per_block; ++k) h = resnet(size_t(k), h, cfg_.channels[i]);
        if (i + 1 < cfg_.channels.size()) h = downsample(b_, h, cfg_.channels[i], /*asymmetric=*/true);
      }
      h = head(mid_block(h), 2 * cfg_.latent_channels);
    }
    return cfg_.quant_conv ? b_.conv2d("quant_conv", h, 2 * cfg_.latent_channels, 1) : h;
  }

 private:
  Value resnet(size_t i, Value x, int64_t out) {
    return resnet_block(b_, "resnets." + std::to_string(i), x, out, none, {int(cfg_.groups), kEps});
  }

  Value first_part(Value latents) {
    // diffusers: latents / scaling_factor + shift_factor
    Value z = b_.affine("latents.unscaled", latents, 1 / cfg_.scaling_factor, cfg_.shift_factor);
    if (cfg_.post_quant_conv) z = b_.conv2d("post_quant_conv", z, cfg_.latent_channels, 1);
    auto s = b_.scope("decoder");
    return mid_block(b_.conv2d("conv_in", z, cfg_.channels.back(), 3));
  }

  Value mid_block(Value h) {
    auto s = b_.scope("mid_block");
    int64_t c = cfg_.channels.back();
    h = resnet(0, h, c);
    if (cfg_.mid_attention) h = attention(h, c);
    return resnet(1, h, c);
  }

  Value attention(Value x, int64_t c) {  // one head over all positions
    auto s = b_.scope("attentions.0");
    Value n = b_.group_norm("group_norm", x, int(cfg_.groups), kEps);
    Value q = b_.linear("to_q", n, c), k = b_.linear("to_k", n, c), v = b_.linear("to_v", n, c);
    return b_.add("", b_.linear("to_out.0", b_.attention(q, k, v, 1, 1 / std::sqrt(float(c))), c), x);
  }

  Value head(Value h, int64_t out) {
    h = b_.activation("conv_act", b_.group_norm("conv_norm_out", h, int(cfg_.groups), kEps), Activation::silu);
    return b_.conv2d("conv_out", h, out, 3);
  }

  Builder& b_;
  const VaeConfig& cfg_;
};
}  // namespace

LatentDecoder vae_decoder(const VaeConfig& config) {
  const int levels = int(config.channels.size());
  return {.parts = 1 + levels * int(config.layers_per_block + 1) + (levels - 1) + 1, .latent_channels = config.latent_channels,
          .downscale = config.downscale(), .groups = int(config.groups), .record = recorder_of<Vae>(config)};
}

Program record_vae_decoder(const VaeConfig& config, int64_t n, int64_t h, int64_t w, Wrap wrap) { return vae_decoder(config).whole(n, h, w, wrap); }

Program record_vae_encoder(const VaeConfig& cfg, int64_t n, int64_t h, int64_t w, Wrap wrap) {
  int64_t down = cfg.downscale();
  require(h % down == 0 && w % down == 0, ErrorKind::usage, "picture of {}x{} pixels: width and height must be divisible by {}", w, h, down);
  Program p;
  Builder b(p);
  b.wrap(wrap);
  p.outputs = {Vae(b, cfg).encode(b.input("pixels", {n, h, w, cfg.in_channels}, Rate::prompt))};
  return p;
}

}  // namespace hayate
