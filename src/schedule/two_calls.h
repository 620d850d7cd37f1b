// Steps over sigmas that call the model twice: at the step's own sigma, and where that answer leads.
#pragma once
#include <optional>

#include "schedule/combination.h"
#include "schedule/noise_levels.h"
#include "schedule/sampling.h"
#include "schedule/schedule.h"

namespace hayate {

struct TwoCalls {
  std::optional<double> sigma;  // of the second call, between the step's own and the next one; none: the next one, at its own timestep
  Combination halfway;   // the x that it sees, made of the step's own x
  Combination kept;      // of the same; saved(0) in what follows
  Combination next;      // made of the x and the prediction of the second call, and saved(0)
};

// `step` tells how to get from one sigma to another. The last step is an Euler step in one call, as in diffusers and k-diffusion.
Schedule in_two_calls(const SchedulerConfig&, const Sampling&, NoiseLevels, TwoCalls (*step)(const SchedulerConfig&, double from, double to, double eta));

}  // namespace hayate
