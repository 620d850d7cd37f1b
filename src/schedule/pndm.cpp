// PNDM without its Runge-Kutta steps, known as PLMS: the predictions of four steps, extrapolated (arXiv 2202.09778, formulas 9 and 12). The first
// step is done twice, with the mean of the predictions at both of its ends.
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {
namespace {

// `x` of cumulative alpha `from`, taken to `to` along a prediction.
Combination transferred(PredictionType type, const Combination& x, const Combination& predicted, double from, double to) {
  const Combination noise = type == PredictionType::epsilon ? predicted : std::sqrt(from) * predicted + std::sqrt(1 - from) * x;
  return std::sqrt(to / from) * x - (to - from) / (from * std::sqrt(1 - to) + std::sqrt(from * (1 - from) * to)) * noise;
}

// Adams-Bashforth of as many predictions, the newest first.
Combination extrapolated(int count) {
  switch (count) {
    case 2: return 0.5 * (3 * prediction - saved(0));
    case 3: return 1.0 / 12 * (23 * prediction - 16 * saved(0) + 5 * saved(1));
    default: return 1.0 / 24 * (55 * prediction - 59 * saved(0) + 37 * saved(1) - 9 * saved(2));
  }
}

}  // namespace

Schedule pndm_schedule(const SchedulerConfig& config, const Sampling& s) {
  require(config.skip_prk_steps, ErrorKind::unsupported, "{}: \"skip_prk_steps\" is false, expected true: hayate has no Runge-Kutta steps",
          config.what);
  require(config.prediction_type != PredictionType::sample, ErrorKind::unsupported,
          "{}: \"prediction_type\" is \"sample\", which pndm does not have; expected \"epsilon\" or \"v_prediction\"", config.what);
  const std::vector<float> alphas = alphas_cumprod(config);
  const float final_alpha = config.set_alpha_to_one.value_or(false) ? 1.0f : alphas.front();
  const int stride = config.num_train_timesteps / s.steps;
  auto alpha_at = [&](int timestep) { return double(timestep >= 0 ? alphas[std::min(size_t(timestep), alphas.size() - 1)] : final_alpha); };
  const std::vector<int> timesteps = whole_timesteps(config, config.timestep_spacing.value_or(TimestepSpacing::leading), s.steps);

  Schedule schedule;
  for (int i = 0; i < s.steps; ++i) {
    const int timestep = timesteps[size_t(i)];
    if (i == 1) schedule.timesteps.push_back(timestep);
    schedule.timesteps.push_back(timestep);
    if (i < s.begin) continue;
    const NoiseLevel level = level_of(alpha_at(timestep));
    auto step = [&](const Combination& x, const Combination& predicted, int from, const std::vector<Combination>& kept) {
      schedule.add(timestep, level, transferred(config.prediction_type, x, predicted, alpha_at(from), alpha_at(from - stride)), kept);
    };
    if (i == s.begin) {
      step(latent, prediction, timestep, {prediction, {}, latent});
      continue;
    }
    if (i == s.begin + 1) {
      step(saved(2), 0.5 * (prediction + saved(0)), timestep + stride, {saved(0), {}, {}});
      schedule.lead = 1;
    }
    step(latent, extrapolated(i - s.begin + 1), timestep, {prediction, saved(0), saved(1)});
  }
  return schedule;
}

}  // namespace hayate
