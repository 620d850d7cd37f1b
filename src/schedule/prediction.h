// What a model's prediction says about the clean latent and about the noise in x = alpha * x0 + sigma * noise.
#pragma once
#include "schedule/scheduler_config.h"

namespace hayate {

struct NoiseLevel {
  double alpha, sigma;
};
NoiseLevel level_of(double alpha_cumprod);  // variance preserving: alpha^2 + sigma^2 = 1

struct Combination {
  double of_x, of_prediction;  // of_x * x + of_prediction * prediction
};
inline Combination operator*(double factor, const Combination& c) { return {factor * c.of_x, factor * c.of_prediction}; }
inline Combination operator+(const Combination& a, const Combination& b) { return {a.of_x + b.of_x, a.of_prediction + b.of_prediction}; }

// x0 and noise; infinite where the level leaves nothing to tell them by, as epsilon does at alpha = 0.
Combination clean_of(PredictionType, const NoiseLevel&);
Combination noise_of(PredictionType, const NoiseLevel&);

// Error(unsupported) for a config that asks to clip x0, which no matrix does. Latents are not bounded by 1, so that is for pixels.
void require_no_clipping(const SchedulerConfig&);

}  // namespace hayate
