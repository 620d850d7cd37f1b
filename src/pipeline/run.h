// What a request has UNets do: runs over steps, one after another.
#pragma once
#include <vector>

#include "pipeline/diffusion_model.h"
#include "pipeline/job.h"

namespace hayate {

// What a run starts from.
enum class From {
  beginning,  // noise, or the picture to start from
  enlarged,   // the latent of the run before it at a larger size, with noise: the second pass of Request::hires
  handover,   // the latent of the run before it
};

struct Run {
  DiffusionModel* model;
  From from;
  Job job;
};

// `refiner` may be none. The request must outlive them. Error(usage) for what cannot be.
std::vector<Run> plan_runs(const Request&, DiffusionModel& model, DiffusionModel* refiner, int downscale, const Warn&);

}  // namespace hayate
