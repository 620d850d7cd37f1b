// Heun: the mean of the slopes at both ends of a step (Karras et al. 2022, arXiv 2206.00364, algorithm 2 without churn).
#include "schedule/prediction.h"
#include "schedule/schedulers.h"
#include "schedule/two_calls.h"

namespace hayate {

Schedule heun_schedule(const SchedulerConfig& config, const Sampling& s) {
  return in_two_calls(config, s, sigma_noise_levels(config, s.steps), [](const SchedulerConfig& c, double from, double to, double) {
    const Combination slope = noise_of(c.prediction_type, {1, from}), slope_there = noise_of(c.prediction_type, {1, to});
    return TwoCalls{{}, latent + (to - from) * slope, latent + (to - from) / 2 * slope, saved(0) + (to - from) / 2 * slope_there};
  });
}

}  // namespace hayate
