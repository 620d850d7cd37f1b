// With a second pass the refiner goes on in that one, as in AUTOMATIC1111's web UI.
#include "pipeline/run.h"

#include <numeric>

namespace hayate {

std::vector<Run> plan_runs(const Request& request, DiffusionModel& model, DiffusionModel* refiner, int downscale, const Warn& warn) {
  std::vector<Run> runs;
  auto add = [&](DiffusionModel& of, From from, Part part, bool enlarged, const Warn& tell) {
    SchedulerConfig scheduler = model.scheduler();  // of all: what a model is handed must have the noise that it expects
    scheduler.prediction_type = of.scheduler().prediction_type;
    runs.push_back({&of, from, make_job(request, of, scheduler, part, enlarged, downscale, tell)});
  };
  const Part last = refiner ? Part::before_handover : Part::all;
  const bool enlarges = request.hires.has_value();
  add(model, From::beginning, enlarges ? Part::all : last, false, warn);
  if (enlarges) add(model, From::enlarged, last, true, {});  // which has nothing new to tell
  if (refiner) add(*refiner, From::handover, Part::after_handover, enlarges, warn);

  auto steps = [](int sum, const Run& run) { return sum + int(run.job.schedule.rows.size()); };
  for (auto run = runs.begin(); run != runs.end(); ++run) {
    run->job.steps_before = std::accumulate(runs.begin(), run, 0, steps);
    run->job.steps_after = std::accumulate(run + 1, runs.end(), 0, steps);
  }
  return runs;
}

}  // namespace hayate
