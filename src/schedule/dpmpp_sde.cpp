// DPM-Solver++ (SDE) as in k-diffusion: a step to the middle, in the logarithm of sigma, whose clean latent takes the whole step. Both parts add
// noise of one Brownian path over sigma: what came up to the middle is part of what comes in the whole step.
#include <cmath>

#include "schedule/ancestral.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"
#include "schedule/two_calls.h"

namespace hayate {

Schedule dpmpp_sde_schedule(const SchedulerConfig& config, const Sampling& s) {
  return in_two_calls(config, s, sigma_noise_levels(config, s.steps), [](const SchedulerConfig& c, double from, double to, double eta) {
    const double middle = std::sqrt(from * to), first_part = (from - middle) / (from - to);
    const Landing near = ancestral(from, middle, eta), far = ancestral(from, to, eta);
    auto landed = [&](const Landing& landing, double at) { return (1 - landing.sigma / from) * clean_of(c.prediction_type, {1, at}); };
    return TwoCalls{middle, near.sigma / from * latent + landed(near, from) + near.noise * new_noise,
                    far.sigma / from * latent + far.noise * std::sqrt(first_part) * new_noise,
                    saved(0) + landed(far, middle) + far.noise * std::sqrt(1 - first_part) * new_noise};
  });
}

}  // namespace hayate
