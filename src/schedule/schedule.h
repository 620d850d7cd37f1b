// A sampler as numbers: for each call of the model what it is told and one small matrix that advances the latent.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "schedule/prediction.h"
#include "schedule/scheduler_config.h"

namespace hayate {

struct StepRow {
  double timestep = 0;
  double input_scale = 1;      // the model sees input_scale * x
  std::vector<double> matrix;  // (1 + saved, 3 + saved): (x, saved...) <- matrix * (x, prediction, saved..., noise)
  bool draws = false;          // whether it needs noise of its own
};

// What an x at some step is made of: signal times a clean latent + noise times unit noise.
struct Mixture {
  double signal = 0, noise = 1;
};

struct Schedule {
  int saved = 0;                // latent-sized values kept from row to row
  Mixture start = {};           // the first x; without a picture to start from it has no signal
  std::vector<StepRow> rows = {};      // one for each call of the model; a step may take several
  int lead = 0;                        // of them, how many the first step takes beside those that any step does
  std::vector<Mixture> mixtures = {};  // the x of each row, as the scheduler's add_noise makes it
  PredictionType prediction = PredictionType::epsilon;
  std::vector<double> timesteps = {}, sigmas = {};  // the tables behind the rows, as diffusers' scheduler holds them; no sigmas where it has none
  std::string label = {};                           // for people: "Euler a"
  std::string spacing = {};                         // likewise, "Karras"; empty: the model's own, of timesteps

  // A row from x at this level to `x`, which keeps these values for the next: as many in every row. The model sees unit variance.
  void add(double timestep, const NoiseLevel& level, const Combination& x, const std::vector<Combination>& kept = {});
};

// What a request may change about the model's own scheduler.
struct ScheduleOptions {
  std::string name = {};                    // by any of its names, which may name a spacing too; empty: the config's class
  std::optional<std::string> spacing = {};  // by any of its names; goes before that of the scheduler's name
  std::optional<double> eta = {};           // 0 to 1: how much of a step is new noise
  std::optional<double> s_noise = {};       // factor of all noise but the first
  std::optional<double> s_churn = {}, s_tmin = {}, s_tmax = {};
  int begin = 0;                            // leave out so many of the first steps; or
  std::optional<double> strength = {};      // from a picture: only this share of the steps, the last ones, is done; 0 to 1
  bool is_sdxl = true;                      // else Stable Diffusion 1.x or 2.x
};

// Error(usage) for impossible steps or options, Error(unsupported) for a config whose scheduler is not in the table or that it cannot follow.
Schedule make_schedule(const SchedulerConfig& config, int steps, const ScheduleOptions& options = {});

// Where a second model goes on that shares the schedule: the first step below a timestep; `steps` if there is none.
int first_step_below(const SchedulerConfig& config, int steps, ScheduleOptions options, double timestep);

}  // namespace hayate
