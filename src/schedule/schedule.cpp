// The table of schedulers. A new one is a file and a row here.
#include "schedule/schedule.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "schedule/schedulers.h"

namespace hayate {
namespace {

struct Scheduler {
  const char* name;
  const char* diffusers_class;
  Schedule (*make)(const SchedulerConfig& config, int steps);
};

constexpr std::array table = {
    Scheduler{"euler", "EulerDiscreteScheduler", euler_schedule},
};

const Scheduler& find_scheduler(const SchedulerConfig& config, const std::string& name) {
  auto wanted = [&](const Scheduler& s) { return name.empty() ? s.diffusers_class == config.class_name : s.name == name; };
  auto found = std::find_if(table.begin(), table.end(), wanted);
  if (found != table.end()) return *found;
  std::string known = fmt::format("{}", fmt::join(scheduler_names(), ", "));
  if (!name.empty()) fail(ErrorKind::usage, "no scheduler is named \"{}\"; there are: {}", name, known);
  fail(ErrorKind::unsupported, "{}: the scheduler \"{}\" is not supported; choose one of: {}", config.what, config.class_name, known);
}

}  // namespace

Schedule make_schedule(const SchedulerConfig& config, int steps, const ScheduleOptions& options) {
  require(steps >= 1 && steps <= config.num_train_timesteps, ErrorKind::usage, "{} steps, expected 1 to {} (the model's num_train_timesteps)", steps,
          config.num_train_timesteps);
  SchedulerConfig chosen = config;
  if (options.timestep_spacing) chosen.timestep_spacing = timestep_spacing_named(*options.timestep_spacing);
  if (options.karras) chosen.use_karras_sigmas = *options.karras;
  return find_scheduler(config, options.name).make(chosen, steps);
}

std::vector<std::string> scheduler_names() {
  std::vector<std::string> names;
  for (const Scheduler& scheduler : table) names.push_back(scheduler.name);
  return names;
}

}  // namespace hayate
