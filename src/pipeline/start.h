// What denoising starts from, and what it keeps.
#pragma once
#include <vector>

#include "models/config.h"
#include "pipeline/canvas.h"
#include "pipeline/job.h"
#include "pipeline/latent_noise.h"
#include "pipeline/picture_encoder.h"

namespace hayate {

// All of it is (pictures, h, w, channels) but the mask; empty is what the request or the UNet has no use for.
struct Start {
  std::vector<float> x{};
  std::vector<float> mask{};         // (h, w): 1 where the picture is drawn anew, else 0
  std::vector<float> clean{};        // the picture, which stays where the mask is 0
  std::vector<float> noise{};        // what it is noised with from step to step
  DeviceArray device_x{};            // x, where `x_factor` times this is it: then x is zeros
  float x_factor = 1;
  std::vector<float> masked{};       // the picture without what is drawn anew, for UNets that read it
};

// Draws in the order of diffusers: for the picture to start from, the noise, for the masked picture. `canvas` may be none. Latents that the request brings
// to the device stay there, unless they are mixed with a picture.
Start start_of(const Job&, const Canvas* canvas, const UNetConfig&, PictureEncoder&, LatentNoise&, Backend&, CompileSeconds&);
// Of a second pass that draws over `enlarged`, latents of its size; `noise` is drawn as for a first pass.
Start start_over(const Job&, std::vector<float> enlarged, LatentNoise&);
LatentNoise noise_of(const Job&, int64_t channels);

}  // namespace hayate
