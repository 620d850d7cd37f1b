// Resnet block, downsampler, upsampler.
#include "models/blocks.h"

namespace hayate {

Value resnet_block(Builder& b, const std::string& name, Value x, int64_t out, Value time, ResnetSettings cfg) {
  auto s = b.scope(name);
  Value h = b.activation("nonlinearity", b.group_norm("norm1", x, cfg.groups, cfg.eps), Activation::silu);
  h = b.conv2d("conv1", h, out, 3);
  if (time != none) h = b.add("add_time", h, b.linear("time_emb_proj", b.activation("nonlinearity", time, Activation::silu), out));
  h = b.activation("nonlinearity", b.group_norm("norm2", h, cfg.groups, cfg.eps), Activation::silu);
  h = b.conv2d("conv2", h, out, 3);
  if (b.shape(x).c != out) x = b.conv2d("conv_shortcut", x, out, 1);
  return b.add("", x, h);
}

Value downsample(Builder& b, Value x, int64_t out, bool asymmetric) {
  return b.conv2d("downsamplers.0.conv", x, out, 3, ConvAttr{.stride = 2, .pad_begin = asymmetric ? 0 : 1, .pad_end = 1});
}

Value upsample(Builder& b, Value x, int64_t out, int64_t h, int64_t w) {
  return b.conv2d("upsamplers.0.conv", b.upsample_nearest("upsamplers.0.nearest", x, h, w), out, 3);
}

}  // namespace hayate
