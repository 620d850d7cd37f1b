// Linear multistep of fourth order: the slopes of four steps, extrapolated over sigma (Katherine Crowson's k-diffusion).
#include <algorithm>
#include <cmath>

#include "schedule/lagrange.h"
#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {

Schedule lms_schedule(const SchedulerConfig& config, const Sampling& s) {
  NoiseLevels levels = sigma_noise_levels(config, s.steps);
  Schedule schedule{.start = {0, initial_sigma(config, levels)}};
  for (int i = s.begin; i < s.steps; ++i) {
    const double sigma = levels.sigmas[size_t(i)], to = levels.sigmas[size_t(i) + 1] - sigma;
    std::vector<double> nodes;  // relative to sigma
    for (int back = 0; back < std::min(i - s.begin + 1, 4); ++back) nodes.push_back(levels.sigmas[size_t(i - back)] - sigma);
    const Combination slope = noise_of(config.prediction_type, {1, sigma});
    Combination x = latent;
    for (size_t k = 0; k < nodes.size(); ++k) {
      double integral = 0;
      const std::array<double, 4> p = lagrange(nodes, k);
      for (size_t power = p.size(); power-- > 0;) integral = (integral + p[power] / double(power + 1)) * to;
      x = x + integral * (k == 0 ? slope : saved(k - 1));
    }
    schedule.add(levels.timesteps[size_t(i)], {1, sigma}, x, {slope, saved(0), saved(1)});
  }
  schedule.timesteps = std::move(levels.timesteps), schedule.sigmas = std::move(levels.sigmas);
  return schedule;
}

}  // namespace hayate
