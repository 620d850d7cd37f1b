// Euler steps along the probability flow: x + (next sigma - sigma) * (x - x0) / sigma.
#include <algorithm>
#include <cmath>

#include "schedule/noise_levels.h"
#include "schedule/schedulers.h"

namespace hayate {
namespace {

struct Derivative {
  double of_x, of_prediction;  // dx/dsigma = of_x * x + of_prediction * prediction
};

Derivative derivative(PredictionType type, double sigma) {
  switch (type) {
    case PredictionType::epsilon: return {0, 1};
    case PredictionType::sample: return {1 / sigma, -1 / sigma};
    case PredictionType::v_prediction: break;
  }
  double variance = sigma * sigma + 1;
  return {sigma / variance, 1 / std::sqrt(variance)};
}

}  // namespace

Schedule euler_schedule(const SchedulerConfig& config, int steps) {
  TimestepSpacing spacing = config.timestep_spacing.value_or(TimestepSpacing::linspace);
  NoiseLevels levels = sigma_noise_levels(config, spacing, steps);

  Schedule schedule;
  for (int i = 0; i < steps; ++i) {
    double sigma = levels.sigmas[i], step = levels.sigmas[i + 1] - sigma;
    Derivative d = derivative(config.prediction_type, sigma);
    schedule.rows.push_back({levels.timesteps[i], 1 / std::sqrt(sigma * sigma + 1), {1 + step * d.of_x, step * d.of_prediction, 0}});
  }
  double largest = *std::max_element(levels.sigmas.begin(), levels.sigmas.end());
  schedule.init_noise_sigma = spacing == TimestepSpacing::leading ? std::sqrt(largest * largest + 1) : largest;
  schedule.timesteps = std::move(levels.timesteps);
  schedule.sigmas = std::move(levels.sigmas);
  return schedule;
}

}  // namespace hayate
