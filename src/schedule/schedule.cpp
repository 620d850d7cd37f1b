// The table of schedulers. A new one is a file and a row here.
#include "schedule/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "schedule/schedulers.h"

namespace hayate {
namespace {

struct Scheduler {
  const char* name;
  const char* label;  // what AUTOMATIC1111 calls it
  const char* diffusers_class;
  const char* what;
  bool spaced, karras;  // whether timestep spacing and Karras sigmas mean something to it
  Schedule (*make)(const SchedulerConfig& config, int steps);
  SolverAlgorithm algorithm = SolverAlgorithm::ode;  // tells two of one class apart
};

constexpr std::array table = {
    Scheduler{"euler", "Euler", "EulerDiscreteScheduler", "the plain choice, and for Lightning models with trailing spacing", true, true,
              euler_schedule},
    Scheduler{"euler_ancestral", "Euler a", "EulerAncestralDiscreteScheduler", "new noise in each step; for SDXL Turbo, in 1 to 4 steps", true, true,
              euler_ancestral_schedule},
    Scheduler{"ddim", "DDIM", "DDIMScheduler", "the oldest without new noise; for Hyper-SD models with trailing spacing", true, false, ddim_schedule},
    Scheduler{"lcm", "LCM", "LCMScheduler", "for LCM and LCM-LoRA models, in 1 to 8 steps", false, false, lcm_schedule},
    Scheduler{"tcd", "TCD", "TCDScheduler", "for TCD and Hyper-SD models, in 1 to 8 steps", false, false, tcd_schedule},
    Scheduler{"dpmpp_2m", "DPM++ 2M", "DPMSolverMultistepScheduler", "of second order: good pictures in 15 to 25 steps, best with Karras sigmas",
              true, true, dpmpp_2m_schedule},
    Scheduler{"dpmpp_2m_sde", "DPM++ 2M SDE", "DPMSolverMultistepScheduler", "the same with new noise in each step", true, true,
              dpmpp_2m_sde_schedule, SolverAlgorithm::sde},
};

const Scheduler& find_scheduler(const SchedulerConfig& config, const std::string& name) {
  auto wanted = [&](const Scheduler& s) {
    return name.empty() ? s.diffusers_class == config.class_name && s.algorithm == config.algorithm_type : s.name == name;
  };
  auto found = std::find_if(table.begin(), table.end(), wanted);
  if (found != table.end()) return *found;
  std::string known;
  for (const Scheduler& scheduler : table) known += (known.empty() ? "" : ", ") + std::string(scheduler.name);
  if (!name.empty()) fail(ErrorKind::usage, "no scheduler is named \"{}\"; there are: {}", name, known);
  fail(ErrorKind::unsupported, "{}: the scheduler \"{}\" is not supported; choose one of: {}", config.what, config.class_name, known);
}

// A division by zero, such as of epsilon prediction where no signal is left, is found here for all schedulers.
void require_finite(const Schedule& schedule, const SchedulerConfig& config, const char* name) {
  for (const StepRow& row : schedule.rows)
    for (double m : row.matrix)
      require(std::isfinite(m), ErrorKind::unsupported,
              "{}: {} divides by zero at timestep {} of {} steps, with this prediction type and these betas", config.what, name, row.timestep,
              schedule.rows.size());
}

// Only the last steps, a share `strength` of them as diffusers counts, from a picture. What a step finds saved by one that is left out is what
// it saves itself, which is what multistep methods do at their first step.
Schedule from_picture(Schedule s, double strength) {
  require(strength >= 0 && strength <= 1, ErrorKind::usage, "strength is {}; expected 0 to 1", strength);
  const int steps = int(s.rows.size()), done = std::min(int(steps * strength), steps), left_out = steps - done;
  require(done > 0, ErrorKind::usage, "strength {} of {} steps leaves no step to do; expected at least {:.3g}", strength, steps, 1.0 / steps);
  s.rows.erase(s.rows.begin(), s.rows.begin() + left_out);
  s.mixtures.erase(s.mixtures.begin(), s.mixtures.begin() + left_out);
  s.start = s.mixtures.front();
  std::vector<double>& m = s.rows.front().matrix;
  const int width = 3 + s.saved;
  for (int k = 1; k <= s.saved; ++k) {
    const double of_saved = std::exchange(m[size_t(1 + k)], 0.0);
    for (int column = 0; column < width; ++column) m[size_t(column)] += of_saved * m[size_t(k * width + column)];
  }
  return s;
}

}  // namespace

Schedule make_schedule(const SchedulerConfig& config, int steps, const ScheduleOptions& options) {
  require(steps >= 1 && steps <= config.num_train_timesteps, ErrorKind::usage, "{} steps, expected 1 to {} (the model's num_train_timesteps)", steps,
          config.num_train_timesteps);
  const Scheduler& scheduler = find_scheduler(config, options.name);
  require(scheduler.spaced || !options.timestep_spacing, ErrorKind::usage,
          "the scheduler {} has timesteps of its own: no timestep spacing goes with it", scheduler.name);
  require(scheduler.karras || !options.karras.value_or(false), ErrorKind::usage,
          "the scheduler {} does not step over sigmas: Karras sigmas do not go with it", scheduler.name);
  SchedulerConfig chosen = config;
  if (options.timestep_spacing) chosen.timestep_spacing = timestep_spacing_named(*options.timestep_spacing);
  if (options.karras) chosen.use_karras_sigmas = *options.karras;
  Schedule schedule = scheduler.make(chosen, steps);
  schedule.label = scheduler.label;
  schedule.karras = scheduler.karras && chosen.use_karras_sigmas;
  require_finite(schedule, config, scheduler.name);
  return options.strength ? from_picture(std::move(schedule), *options.strength) : schedule;
}

std::vector<SchedulerSummary> all_schedulers() {
  std::vector<SchedulerSummary> all;
  for (const Scheduler& scheduler : table) all.push_back({scheduler.name, scheduler.what, scheduler.label});
  return all;
}

}  // namespace hayate
