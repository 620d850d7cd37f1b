// Layers under the numbers that diffusers gives them: modules of one sequence.
#include "models/tiny_decoder.h"

#include <cmath>
#include <string>

#include "program/builder.h"

namespace hayate {

namespace {
class TinyDecoder {
 public:
  TinyDecoder(Builder& b, const TinyDecoderConfig& cfg) : b_(b), cfg_(cfg) {}

  Value decode(Value x, int begin, int end) {
    auto runs = [&, part = 0]() mutable { return begin <= part++ && part <= end; };
    int layer = 0;
    auto next = [&] { return "layers." + std::to_string(layer++); };
    auto s = b_.scope("decoder");
    const bool first = runs();
    const std::string conv_in = next(), act = next();
    if (first) x = b_.activation(act, b_.conv2d(conv_in, x, cfg_.channels, 3), Activation::relu);
    for (size_t level = 0; level < cfg_.blocks.size(); ++level) {
      for (int64_t k = 0; k < cfg_.blocks[level]; ++k)
        if (const std::string name = next(); runs()) x = block(name, x);
      const bool last = level + 1 == cfg_.blocks.size(), taken = runs();
      const std::string upsample = last ? "" : next(), conv = next();
      if (!taken) continue;
      if (last) return b_.affine("", b_.conv2d(conv, x, cfg_.out_channels, 3), 2, -1);  // 0..1 to -1..1
      x = b_.upsample_nearest(upsample, x, 2 * b_.shape(x).h, 2 * b_.shape(x).w);
      x = b_.conv2d(conv, x, cfg_.channels, 3, ConvAttr{.stride = 1, .pad_begin = 1, .pad_end = 1}, /*bias=*/false);
    }
    return x;
  }

 private:
  Value block(const std::string& name, Value x) {
    auto s = b_.scope(name);
    Value h = b_.conv2d("conv.0", x, cfg_.channels, 3);
    h = b_.conv2d("conv.2", b_.activation("conv.1", h, Activation::relu), cfg_.channels, 3);
    h = b_.conv2d("conv.4", b_.activation("conv.1", h, Activation::relu), cfg_.channels, 3);  // diffusers: conv.1 and conv.3 are one module
    return b_.activation("fuse", b_.add("sum", h, x), Activation::relu);
  }

  Builder& b_;
  const TinyDecoderConfig& cfg_;
};
}  // namespace

LatentDecoder tiny_decoder(const TinyDecoderConfig& config) {
  int parts = 1;
  for (int64_t blocks : config.blocks) parts += int(blocks) + 1;
  auto prepare = [config](std::span<float> latents) {  // here because no other network has a tanh
    for (float& x : latents) x = std::tanh((x / config.scaling_factor + config.shift_factor) / 3) * 3;
  };
  return {.parts = parts,
          .latent_channels = config.latent_channels,
          .downscale = int64_t{1} << (config.blocks.size() - 1),
          .record = recorder_of<TinyDecoder>(config),
          .prepare = prepare};
}

}  // namespace hayate
