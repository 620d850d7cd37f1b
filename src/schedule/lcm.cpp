// Consistency sampling: each step tells the clean latent at once, and new noise takes it to the next level (arXiv 2310.04378).
#include <cmath>

#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {

Schedule lcm_schedule(const SchedulerConfig& config, const Sampling& s) {
  require_no_clipping(config);
  const std::vector<float> alphas = alphas_cumprod(config);
  const std::vector<int> timesteps = distilled_timesteps(config, s.steps);

  Schedule schedule{.timesteps = {timesteps.begin(), timesteps.end()}};
  for (size_t i = size_t(s.begin); i < timesteps.size(); ++i) {
    const NoiseLevel from = level_of(alphas[size_t(timesteps[i])]);
    const NoiseLevel to = i + 1 < timesteps.size() ? level_of(alphas[size_t(timesteps[i + 1])]) : NoiseLevel{1, 0};
    // The boundary condition: at timestep 0 the answer is x itself.
    constexpr double sigma_data = 0.5;
    const double scaled = timesteps[i] * config.timestep_scaling, variance = scaled * scaled + sigma_data * sigma_data;
    const Combination clean = scaled / std::sqrt(variance) * clean_of(config.prediction_type, from) + sigma_data * sigma_data / variance * latent;
    schedule.add(timesteps[i], from, to.alpha * clean + to.sigma * new_noise);
  }
  return schedule;
}

}  // namespace hayate
