// Two rows a step; the second one's timestep is looked up from its sigma.
#include "schedule/two_calls.h"

#include "schedule/prediction.h"

namespace hayate {

Schedule in_two_calls(const SchedulerConfig& config, const Sampling& s, NoiseLevels levels,
                      TwoCalls (*step)(const SchedulerConfig&, double from, double to, double eta)) {
  const std::vector<double>&sigmas = levels.sigmas, &timesteps = levels.timesteps;
  std::vector<TwoCalls> steps;
  std::vector<double> between;
  for (size_t i = 0; i + 1 < size_t(s.steps); ++i) {
    steps.push_back(step(config, sigmas[i], sigmas[i + 1], s.eta));
    between.push_back(steps[i].sigma.value_or(sigmas[i + 1]));
  }
  const std::vector<double> looked_up = timesteps_of_sigmas(config, between);

  Schedule schedule{.start = {0, initial_sigma(config, levels)}};
  for (size_t i = 0; i < size_t(s.steps); ++i) {
    schedule.timesteps.push_back(timesteps[i]);
    const bool done = i >= size_t(s.begin);
    if (i == steps.size()) {
      const Combination slope = noise_of(config.prediction_type, {1, sigmas[i]});
      schedule.add(timesteps[i], {1, sigmas[i]}, latent + (sigmas[i + 1] - sigmas[i]) * slope, {Combination{}});
      break;
    }
    const double second = steps[i].sigma ? looked_up[i] : timesteps[i + 1];
    schedule.timesteps.push_back(second);
    if (!done) continue;
    schedule.add(timesteps[i], {1, sigmas[i]}, steps[i].halfway, {steps[i].kept});
    schedule.add(second, {1, between[i]}, steps[i].next, {Combination{}});
  }
  schedule.sigmas = std::move(levels.sigmas);
  return schedule;
}

}  // namespace hayate
