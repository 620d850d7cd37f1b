// DPM-Solver-2 as in k-diffusion: the slope in the middle of a step, in the logarithm of sigma, takes it to its end. With eta it lands lower, and
// new noise brings it up again.
#include <cmath>

#include "schedule/ancestral.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"
#include "schedule/two_calls.h"

namespace hayate {

Schedule dpm2_schedule(const SchedulerConfig& config, const Sampling& s) {
  NoiseLevels levels = sigma_noise_levels(config, s.steps);
  if (config.sigmas == SigmaSpacing::karras)
    for (double& t : levels.timesteps) t = std::nearbyint(t);  // as diffusers does here
  return in_two_calls(config, s, std::move(levels), [](const SchedulerConfig& c, double from, double to, double eta) {
    const Landing landing = ancestral(from, to, eta);
    const double middle = std::sqrt(from * landing.sigma);
    const Combination slope = noise_of(c.prediction_type, {1, from}), slope_there = noise_of(c.prediction_type, {1, middle});
    return TwoCalls{middle, latent + (middle - from) * slope, latent, saved(0) + (landing.sigma - from) * slope_there + landing.noise * new_noise};
  });
}

}  // namespace hayate
