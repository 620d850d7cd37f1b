// What denoising starts from.
#pragma once
#include <vector>

#include "pipeline/job.h"
#include "pipeline/latent_noise.h"
#include "pipeline/picture_encoder.h"

namespace hayate {

// (pictures, h, w, channels): noise, and as much of the picture to start from as the first step expects. Draws in the order of diffusers: for the
// picture, then the noise.
std::vector<float> starting_latents(const Job&, PictureEncoder&, LatentNoise&, CompileSeconds&);

}  // namespace hayate
