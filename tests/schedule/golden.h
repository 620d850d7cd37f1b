// What diffusers' schedulers compute (tools/dump_schedules.py), and how far a schedule is from it.
#pragma once
#include <string>

#include "core/json.h"
#include "schedule/schedule.h"

namespace hayate::testing {

// All cases of one scheduler: {"name", "config", "options", "runs": [{"steps", "timesteps", "sigmas", ...}]}.
Json goldens_of(const std::string& scheduler);
Json golden_named(const std::string& scheduler, const std::string& name);
SchedulerConfig config_of(const Json& golden);
ScheduleOptions options_of(const Json& golden);

struct Errors {
  double timesteps, sigmas, init, scales = 0;
  double steps = 0;       // the worst single step, from the sample that diffusers had
  double trajectory = 0;  // of the last sample, all steps from the first sample on
  bool within(double bound) const;
  std::string text() const;
};

// Relative; infinite for NaN.
Errors compare(const Schedule& schedule, const Json& run);

double tolerance_of(const SchedulerConfig& config);

}  // namespace hayate::testing
