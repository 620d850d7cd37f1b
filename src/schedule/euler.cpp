// Euler steps along the probability flow, x + (landing sigma - sigma) * (x - x0) / sigma. The ancestral ones land lower, and noise
// brings them up again.
#include <cmath>

#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {
namespace {

struct Landing {
  double sigma, noise;  // sigma^2 + noise^2 is the square of the next sigma
};

Landing on_the_flow(double, double to) { return {to, 0}; }
Landing ancestral(double from, double to) { return {to * to / from, to * std::sqrt(1 - to * to / (from * from))}; }

Schedule euler(const SchedulerConfig& config, int steps, Landing (*land)(double from, double to)) {
  TimestepSpacing spacing = config.timestep_spacing.value_or(TimestepSpacing::linspace);
  NoiseLevels levels = sigma_noise_levels(config, spaced_timesteps(config, spacing, steps));

  Schedule schedule;
  for (int i = 0; i < steps; ++i) {
    double sigma = levels.sigmas[i];
    Landing landing = land(sigma, levels.sigmas[i + 1]);
    Combination next = Combination{1, 0} + (landing.sigma - sigma) * noise_of(config.prediction_type, {1, sigma});
    schedule.mixtures.push_back({1, sigma});
    schedule.rows.push_back({levels.timesteps[i], 1 / std::sqrt(sigma * sigma + 1), {next.of_x, next.of_prediction, landing.noise}});
  }
  schedule.start.noise = initial_sigma(levels, spacing);
  schedule.timesteps = std::move(levels.timesteps);
  schedule.sigmas = std::move(levels.sigmas);
  return schedule;
}

}  // namespace

Schedule euler_schedule(const SchedulerConfig& config, int steps) { return euler(config, steps, on_the_flow); }

Schedule euler_ancestral_schedule(const SchedulerConfig& config, int steps) {
  Schedule schedule = euler(config, steps, ancestral);
  schedule.uses_noise = true;
  return schedule;
}

}  // namespace hayate
