// What a model's prediction says about the clean latent and about the noise in x = alpha * x0 + sigma * noise.
#pragma once
#include "schedule/combination.h"
#include "schedule/scheduler_config.h"

namespace hayate {

struct NoiseLevel {
  double alpha, sigma;
};
NoiseLevel level_of(double alpha_cumprod);   // variance preserving: alpha^2 + sigma^2 = 1
NoiseLevel level_of_sigma(double sigma);     // likewise, with this sigma / alpha

// x0 and noise; infinite where the level leaves nothing to tell them by, as epsilon does at alpha = 0.
Combination clean_of(PredictionType, const NoiseLevel&);
Combination noise_of(PredictionType, const NoiseLevel&);

// Error(unsupported) for a config that asks to clip x0, which no matrix does. Latents are not bounded by 1, so that is for pixels.
void require_no_clipping(const SchedulerConfig&);

}  // namespace hayate
