// AutoencoderKL: latents to pixels and back.
#pragma once
#include "models/config.h"
#include "models/latent_decoder.h"
#include "program/builder.h"

namespace hayate {

// Input latents (n, h, w, latent_channels) as the denoiser leaves them (scaled). Output decoder.conv_out
// (n, h * downscale, w * downscale, 3), about -1..1.
Program record_vae_decoder(const VaeConfig&, int64_t n, int64_t h, int64_t w, Wrap = {});

// The same in parts: from the latents through the mid block, every resnet, every upsampler, and from the last norm on.
LatentDecoder vae_decoder(const VaeConfig&);

// Input pixels (n, h, w, 3) in -1..1. Output (n, h / downscale, w / downscale, 2 * latent_channels): mean and log
// variance of the posterior, not scaled.
Program record_vae_encoder(const VaeConfig&, int64_t n, int64_t h, int64_t w, Wrap = {});

}  // namespace hayate
