// TAESD's decoder (github.com/madebyollin/taesd; AutoencoderTiny of diffusers): pixels from latents by few convolutions, distilled from a VAE's.
#pragma once
#include "models/config.h"
#include "models/latent_decoder.h"

namespace hayate {

LatentDecoder tiny_decoder(const TinyDecoderConfig&);

}  // namespace hayate
