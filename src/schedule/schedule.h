// A sampler as numbers: for each step what the model is told and one small matrix that advances the latent.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "schedule/scheduler_config.h"

namespace hayate {

struct StepRow {
  double timestep = 0;
  double input_scale = 1;      // the model sees input_scale * x
  std::vector<double> matrix;  // (1 + saved, 3 + saved): (x, saved...) <- matrix * (x, prediction, saved..., noise)
};

// What an x at some step is made of: signal times a clean latent + noise times unit noise.
struct Mixture {
  double signal = 0, noise = 1;
};

struct Schedule {
  int saved = 0;                // latent-sized values kept from step to step
  Mixture start = {};           // the first x; without a picture to start from it has no signal
  bool uses_noise = false;      // fresh unit noise in each step
  std::vector<StepRow> rows = {};
  std::vector<Mixture> mixtures = {};  // the x of each row, as the scheduler's add_noise makes it
  std::vector<double> timesteps = {}, sigmas = {};  // the tables behind the rows, as diffusers' scheduler holds them; no sigmas where it has none
  std::string label = {};                           // for people: "Euler a"
  bool karras = false;                              // whether the sigmas are Karras'
};

// What a request may change about the model's own scheduler.
struct ScheduleOptions {
  std::string name = {};                             // "euler"; empty: the config's class
  std::optional<std::string> timestep_spacing = {};  // "leading", "trailing", "linspace"
  std::optional<bool> karras = {};
  std::optional<double> strength = {};               // from a picture: only this share of the steps, the last ones, is done; 0 to 1
};

// Error(usage) for impossible steps or options, Error(unsupported) for a config whose scheduler is not in the table or that it cannot follow.
Schedule make_schedule(const SchedulerConfig& config, int steps, const ScheduleOptions& options = {});

struct SchedulerSummary {
  std::string name, what, label;
};
std::vector<SchedulerSummary> all_schedulers();

}  // namespace hayate
