// Trajectory consistency sampling: each step lands below the next level, and new noise takes it up to there (arXiv 2402.19159).
#include <cmath>

#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {

Schedule tcd_schedule(const SchedulerConfig& config, int steps) {
  constexpr double gamma = 0.3;  // 0: no new noise, 1: each step lands on the clean latent
  const std::vector<float> alphas = alphas_cumprod(config);
  const std::vector<int> timesteps = distilled_timesteps(config, steps);

  Schedule schedule{.uses_noise = true};
  for (size_t i = 0; i < timesteps.size(); ++i) {
    const bool last = i + 1 == timesteps.size();
    const int next = last ? 0 : timesteps[i + 1], landing = int(float(1 - gamma) * float(next));  // float32 as in diffusers
    const NoiseLevel from = level_of(alphas[size_t(timesteps[i])]), below = level_of(alphas[size_t(landing)]);
    const double kept = last ? 1 : double(alphas[size_t(next)]) / double(alphas[size_t(landing)]);  // of the variance, by the noise
    Combination landed = below.alpha * clean_of(config.prediction_type, from) + below.sigma * noise_of(config.prediction_type, from);
    Combination x = std::sqrt(kept) * landed;
    schedule.mixtures.push_back({from.alpha, from.sigma});
    schedule.rows.push_back({double(timesteps[i]), 1, {x.of_x, x.of_prediction, std::sqrt(1 - kept)}});
    schedule.timesteps.push_back(timesteps[i]);
  }
  return schedule;
}

}  // namespace hayate
