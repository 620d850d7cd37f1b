// What one run of a UNet over its steps has to do: a request, checked, with every default resolved.
#pragma once
#include "hayate/hayate.h"
#include "pipeline/conditioning.h"
#include "pipeline/step_plan.h"
#include "schedule/schedule.h"

namespace hayate {

class DiffusionModel;

struct Job {
  const Request& request;
  int width, height;      // pixels
  int64_t pictures, h, w; // h x w: of a latent
  bool guided;            // whether any step has an unconditional half
  Schedule schedule;
  StepPlan plan;
  PromptChunks prompts;
};

constexpr int kMaxSide = 16384, kMaxPictures = 256, kMaxSteps = 10000;

// `downscale`: pixels to a number of the latent. Error(usage) for what cannot be.
Job make_job(const Request&, const DiffusionModel&, int downscale, const Warn&);

}  // namespace hayate
