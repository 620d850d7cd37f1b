// Sigmas that are not those of evenly spaced timesteps.
#pragma once
#include <vector>

#include "schedule/scheduler_config.h"

namespace hayate {

// numpy.linspace
std::vector<double> linspace(double start, double end, int count);

// `steps` of them, descending from sigma_max to sigma_min, spread as config.sigmas says. The published tables of ays have ends of their own, and a
// last level after the steps, which is left out.
std::vector<double> spread_sigmas(const SchedulerConfig& config, double sigma_max, double sigma_min, int steps);

}  // namespace hayate
