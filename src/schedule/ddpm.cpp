// DDPM: a sample of what lies one level lower, given x and the clean latent (arXiv 2006.11239, formula 7).
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {

Schedule ddpm_schedule(const SchedulerConfig& config, const Sampling& s) {
  require_no_clipping(config);
  const bool large = config.variance_type == "fixed_large";
  require(large || config.variance_type == "fixed_small", ErrorKind::unsupported,
          "{}: \"variance_type\" is \"{}\", expected \"fixed_small\" or \"fixed_large\"", config.what, config.variance_type);
  const std::vector<float> alphas = alphas_cumprod(config);
  const std::vector<int> timesteps = whole_timesteps(config, config.timestep_spacing.value_or(TimestepSpacing::leading), s.steps);

  Schedule schedule{.timesteps = {timesteps.begin(), timesteps.end()}};
  for (size_t i = size_t(s.begin); i < timesteps.size(); ++i) {
    const double alpha = alphas[size_t(timesteps[i])], next = i + 1 < timesteps.size() ? alphas[size_t(timesteps[i + 1])] : 1;
    const double beta = 1 - alpha / next;  // of the whole step
    const double variance = large ? beta : (1 - next) / (1 - alpha) * beta;
    const NoiseLevel from = level_of(alpha);
    schedule.add(timesteps[i], from,
                 std::sqrt(next) * beta / (1 - alpha) * clean_of(config.prediction_type, from) +
                     std::sqrt(alpha / next) * (1 - next) / (1 - alpha) * latent +
                     (timesteps[i] > 0 ? std::sqrt(std::max(variance, 1e-20)) : 0) * new_noise);
  }
  return schedule;
}

}  // namespace hayate
