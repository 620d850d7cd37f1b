// Consistency sampling: each step tells the clean latent at once, and new noise takes it to the next level (arXiv 2310.04378).
#include <cmath>

#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {

Schedule lcm_schedule(const SchedulerConfig& config, int steps) {
  require_no_clipping(config);
  const std::vector<float> alphas = alphas_cumprod(config);
  const std::vector<int> timesteps = distilled_timesteps(config, steps);

  Schedule schedule{.uses_noise = true};
  for (size_t i = 0; i < timesteps.size(); ++i) {
    const NoiseLevel from = level_of(alphas[size_t(timesteps[i])]);
    const NoiseLevel to = i + 1 < timesteps.size() ? level_of(alphas[size_t(timesteps[i + 1])]) : NoiseLevel{1, 0};
    // The boundary condition: at timestep 0 the answer is x itself.
    constexpr double sigma_data = 0.5;
    const double scaled = timesteps[i] * config.timestep_scaling, variance = scaled * scaled + sigma_data * sigma_data;
    const Combination identity{1, 0};
    Combination clean = scaled / std::sqrt(variance) * clean_of(config.prediction_type, from) + sigma_data * sigma_data / variance * identity;
    Combination x = to.alpha * clean;
    schedule.mixtures.push_back({from.alpha, from.sigma});
    schedule.rows.push_back({double(timesteps[i]), 1, {x.of_x, x.of_prediction, to.sigma}});
    schedule.timesteps.push_back(timesteps[i]);
  }
  return schedule;
}

}  // namespace hayate
