// Which schedulers there are, and what they are called here and elsewhere.
#pragma once
#include <optional>
#include <span>
#include <string>

#include "schedule/sampling.h"
#include "schedule/schedule.h"
#include "schedule/spacings.h"

namespace hayate {

// What a scheduler goes over, and so which spacings mean something to it.
enum class Course {
  distilled,  // the timesteps at which a few-step model was trained
  timesteps,
  sigmas,     // levels between timesteps too
};

struct Scheduler {
  const char* name;
  const char* a1111;      // what AUTOMATIC1111 calls it, or would
  const char* comfyui;    // and others; empty: not there
  const char* sd_cpp;     // stable-diffusion.cpp
  const char* diffusers;  // class
  const char* what;
  Course course;
  Schedule (*make)(const SchedulerConfig&, const Sampling&);
  std::optional<double> eta = {};  // where it has one: what it is if nobody says
  bool churns = false;
  struct Solver {
    SolverAlgorithm algorithm;
    int order;
  };
  std::optional<Solver> solver = {};  // tells those of one class apart
};

std::span<const Scheduler> scheduler_table();

struct NamedScheduler {
  const Scheduler* scheduler;
  const Spacing* spacing;  // that the name says too, as "DPM++ 2M Karras" does; else null
};
// By any of its names; Error(usage) otherwise.
NamedScheduler find_scheduler(const std::string& name);

// The model's own. Error(unsupported) for one that is not in the table.
const Scheduler& scheduler_of(const SchedulerConfig&);

}  // namespace hayate
