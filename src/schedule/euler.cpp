// Euler steps along the probability flow, x + (landing sigma - sigma) * (x - x0) / sigma. The ancestral ones land lower, and noise
// brings them up again.
#include <algorithm>
#include <cmath>

#include "schedule/ancestral.h"
#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {
namespace {

// `step` makes the next x of what step `i` goes from and to.
Schedule over_sigmas(const SchedulerConfig& config, const Sampling& s, auto step) {
  NoiseLevels levels = sigma_noise_levels(config, s.steps);
  Schedule schedule{.start = {0, initial_sigma(config, levels)}};
  for (size_t i = size_t(s.begin); i < size_t(s.steps); ++i)
    schedule.add(levels.timesteps[i], {1, levels.sigmas[i]}, step(levels.sigmas[i], levels.sigmas[i + 1]));
  schedule.timesteps = std::move(levels.timesteps), schedule.sigmas = std::move(levels.sigmas);
  return schedule;
}

}  // namespace

Schedule euler_schedule(const SchedulerConfig& config, const Sampling& s) {
  return over_sigmas(config, s, [&](double sigma, double to) {
    const bool churns = sigma >= s.churn.least && sigma <= s.churn.most;
    const double churned = sigma * (1 + (churns ? std::min(s.churn.amount / s.steps, std::sqrt(2) - 1) : 0));
    const Combination x = latent + std::sqrt(churned * churned - sigma * sigma) * new_noise;
    // diffusers asks the model before it adds the noise, takes the answer for one about the noisier x, and for a velocity keeps the level asked at.
    const Combination asked = clean_of(config.prediction_type, {1, config.prediction_type == PredictionType::epsilon ? churned : sigma});
    const Combination clean = asked.of_x * x + asked.of_prediction * prediction;
    return x + (to - churned) / churned * (x - clean);
  });
}

Schedule euler_ancestral_schedule(const SchedulerConfig& config, const Sampling& s) {
  return over_sigmas(config, s, [&](double sigma, double to) {
    const Landing landing = ancestral(sigma, to, s.eta);
    return latent + (landing.sigma - sigma) * noise_of(config.prediction_type, {1, sigma}) + landing.noise * new_noise;
  });
}

}  // namespace hayate
