// DDIM: the clean latent and the noise that a prediction tells, put together again at the next level (arXiv 2010.02502, eta = 0).
#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {

Schedule ddim_schedule(const SchedulerConfig& config, int steps) {
  require_no_clipping(config);
  const std::vector<float> alphas = alphas_cumprod(config);
  const NoiseLevel final_level = level_of(config.set_alpha_to_one ? 1.0f : alphas.front());

  Schedule schedule;
  for (int timestep : whole_timesteps(config, config.timestep_spacing.value_or(TimestepSpacing::leading), steps)) {
    int next = timestep - config.num_train_timesteps / steps;  // not always the timestep that follows; as in diffusers
    const NoiseLevel from = level_of(alphas[size_t(timestep)]), to = next >= 0 ? level_of(alphas[size_t(next)]) : final_level;
    Combination x = to.alpha * clean_of(config.prediction_type, from) + to.sigma * noise_of(config.prediction_type, from);
    schedule.mixtures.push_back({from.alpha, from.sigma});
    schedule.rows.push_back({double(timestep), 1, {x.of_x, x.of_prediction, 0}});
    schedule.timesteps.push_back(timestep);
  }
  return schedule;
}

}  // namespace hayate
