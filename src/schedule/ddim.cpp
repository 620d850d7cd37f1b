// DDIM: the clean latent and the noise that a prediction tells, put together again at the next level (arXiv 2010.02502). With eta, part of that
// noise is new.
#include <cmath>

#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {

Schedule ddim_schedule(const SchedulerConfig& config, const Sampling& s) {
  require_no_clipping(config);
  const std::vector<float> alphas = alphas_cumprod(config);
  const float final_alpha = config.set_alpha_to_one.value_or(true) ? 1.0f : alphas.front();

  Schedule schedule;
  const std::vector<int> timesteps = whole_timesteps(config, config.timestep_spacing.value_or(TimestepSpacing::leading), s.steps);
  schedule.timesteps = {timesteps.begin(), timesteps.end()};
  for (size_t i = size_t(s.begin); i < timesteps.size(); ++i) {
    const int next = timesteps[i] - config.num_train_timesteps / s.steps;  // not always the timestep that follows; as in diffusers
    const double alpha = alphas[size_t(timesteps[i])], alpha_next = next >= 0 ? alphas[size_t(next)] : final_alpha;
    const NoiseLevel from = level_of(alpha), to = level_of(alpha_next);
    const double fresh = s.eta * std::sqrt((1 - alpha_next) / (1 - alpha) * (1 - alpha / alpha_next));
    schedule.add(timesteps[i], from,
                 to.alpha * clean_of(config.prediction_type, from) +
                     std::sqrt(to.sigma * to.sigma - fresh * fresh) * noise_of(config.prediction_type, from) + fresh * new_noise);
  }
  return schedule;
}

}  // namespace hayate
