// Building blocks that UNet and VAE share, with the names of diffusers' modules.
#pragma once
#include <string>

#include "program/builder.h"

namespace hayate {

struct ResnetSettings {
  int groups;
  float eps;
};

// ResnetBlock2D: x (n, h, w, c) -> (n, h, w, out). `time` (n, 1, 1, t) is added after conv1; `none` in the VAE.
Value resnet_block(Builder&, const std::string& name, Value x, int64_t out, Value time, ResnetSettings);

// Downsample2D with a convolution: halves h and w. Asymmetric pads one row and column at the end only.
Value downsample(Builder&, Value x, int64_t out, bool asymmetric);

// Upsample2D: nearest to (h, w), then a convolution.
Value upsample(Builder&, Value x, int64_t out, int64_t h, int64_t w);

}  // namespace hayate
