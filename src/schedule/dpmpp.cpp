// DPM-Solver++ (2M) in its midpoint form: the clean latents of two steps, extrapolated over log sigma (arXiv 2211.01095). Its SDE variant
// goes further down and adds new noise.
#include <cmath>

#include "core/error.h"
#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {
namespace {

// One more than there are steps, of which the last is left out, but for trailing ones.
std::vector<double> timesteps_of(const SchedulerConfig& config, int steps) {
  TimestepSpacing spacing = config.timestep_spacing.value_or(TimestepSpacing::linspace);
  std::vector<int> whole = whole_timesteps(config, spacing, spacing == TimestepSpacing::trailing ? steps : steps + 1);
  return {whole.begin(), whole.begin() + steps};
}

// Karras sigmas here span all that was trained, not only the timesteps chosen.
SchedulerConfig with_karras_ends(SchedulerConfig config) {
  if (!config.use_karras_sigmas) return config;
  config.use_karras_sigmas = false;
  NoiseLevels ends = sigma_noise_levels(config, {double(config.num_train_timesteps - 1), 0});
  config.use_karras_sigmas = true;
  config.sigma_max = config.sigma_max.value_or(ends.sigmas[0]);
  config.sigma_min = config.sigma_min.value_or(ends.sigmas[1]);
  return config;
}

NoiseLevel level_of_sigma(double sigma) { return {1 / std::sqrt(sigma * sigma + 1), sigma / std::sqrt(sigma * sigma + 1)}; }

Schedule dpmpp(const SchedulerConfig& config, int steps, bool sde) {
  require(config.solver_order == 2 && config.solver_type == "midpoint" && !config.clips_lambda && !config.thresholding, ErrorKind::unsupported,
          "{}: \"solver_order\" is {} and \"solver_type\" \"{}\", expected 2 and \"midpoint\", without \"lambda_min_clipped\" and \"thresholding\"",
          config.what, config.solver_order, config.solver_type);
  NoiseLevels levels = sigma_noise_levels(with_karras_ends(config), timesteps_of(config, steps));
  if (config.use_karras_sigmas)  // diffusers cuts those of cosine betas off instead, which is up to one training timestep less
    for (double& t : levels.timesteps) t = std::nearbyint(t);
  const std::vector<double>& sigmas = levels.sigmas;

  Schedule schedule{.saved = 1, .uses_noise = sde};
  for (int i = 0; i < steps; ++i) {
    const NoiseLevel from = level_of_sigma(sigmas[i]), to = level_of_sigma(sigmas[i + 1]);
    const double shrink = sigmas[i + 1] / sigmas[i], kept = sde ? shrink * shrink : shrink;
    double of_clean = to.alpha * (1 - kept), of_previous = 0;
    const bool last = i + 1 == steps;
    const bool few = config.lower_order_final && steps < 15;
    if (i > 0 && !(last && (few || config.euler_at_final || config.final_sigmas_type == FinalSigma::zero))) {
      of_previous = -0.5 * of_clean * std::log(sigmas[i] / sigmas[i + 1]) / std::log(sigmas[i - 1] / sigmas[i]);
      of_clean -= of_previous;
    }
    const Combination clean = clean_of(config.prediction_type, from),
                      x = Combination{to.sigma / from.sigma * (sde ? shrink : 1), 0} + of_clean * clean;
    schedule.mixtures.push_back({from.alpha, from.sigma});
    schedule.rows.push_back({levels.timesteps[i],
                             1,
                             {x.of_x, x.of_prediction, of_previous, sde ? to.sigma * std::sqrt(1 - kept) : 0,  //
                              clean.of_x, clean.of_prediction, 0, 0}});
  }
  schedule.timesteps = std::move(levels.timesteps);
  schedule.sigmas = std::move(levels.sigmas);
  return schedule;
}

}  // namespace

Schedule dpmpp_2m_schedule(const SchedulerConfig& config, int steps) { return dpmpp(config, steps, false); }
Schedule dpmpp_2m_sde_schedule(const SchedulerConfig& config, int steps) { return dpmpp(config, steps, true); }

}  // namespace hayate
