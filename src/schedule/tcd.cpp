// Trajectory consistency sampling: each step lands below the next level, and new noise takes it up to there (arXiv 2402.19159).
#include <cmath>

#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {

// eta is the paper's gamma: with 0 there is no new noise, with 1 each step lands on the clean latent.
Schedule tcd_schedule(const SchedulerConfig& config, const Sampling& s) {
  const std::vector<float> alphas = alphas_cumprod(config);
  const std::vector<int> timesteps = distilled_timesteps(config, s.steps);

  Schedule schedule{.timesteps = {timesteps.begin(), timesteps.end()}};
  for (size_t i = size_t(s.begin); i < timesteps.size(); ++i) {
    const bool last = i + 1 == timesteps.size();
    const int next = last ? 0 : timesteps[i + 1], landing = int(float(1 - s.eta) * float(next));  // float32 as in diffusers
    const NoiseLevel from = level_of(alphas[size_t(timesteps[i])]), below = level_of(alphas[size_t(landing)]);
    const double kept = last ? 1 : double(alphas[size_t(next)]) / double(alphas[size_t(landing)]);  // of the variance, by the noise
    const Combination landed = below.alpha * clean_of(config.prediction_type, from) + below.sigma * noise_of(config.prediction_type, from);
    schedule.add(timesteps[i], from, std::sqrt(kept) * landed + std::sqrt(1 - kept) * new_noise);
  }
  return schedule;
}

}  // namespace hayate
