// What one run of a UNet over its steps has to do: a request, checked, with every default resolved.
#pragma once
#include "hayate/hayate.h"
#include "models/config.h"
#include "pipeline/conditioning.h"
#include "pipeline/step_plan.h"
#include "program/builder.h"
#include "schedule/schedule.h"

namespace hayate {

class DiffusionModel;

inline Wrap wrap_of(const Request& r) { return {r.seamless_x, r.seamless_y}; }

struct Job {
  const Request& request;
  int width, height;      // pixels
  int64_t pictures, h, w; // h x w: of a latent
  bool enlarged;          // in the second pass, of Request::hires
  bool mimics;            // whether any picture asks for dynamic thresholding
  bool guided;            // whether any step has an unconditional half
  Schedule schedule;
  StepPlan plan;
  PromptChunks prompts;
  int steps_before = 0, steps_after = 0;  // of other runs, in the same request
};

constexpr int kMaxSide = 16384, kMaxPictures = 256, kMaxSteps = 10000;

// Of all steps, which ones a model does.
enum class Part { all, before_handover, after_handover };

// All but the prompts, which needs no more than a model's configs. `downscale`: pixels to a number of the latent. Error(usage) for what cannot be.
Job check_request(const Request&, const UNetConfig&, const SchedulerConfig&, Part, bool enlarged, int downscale);
Job make_job(const Request&, const DiffusionModel&, const SchedulerConfig&, Part, bool enlarged, int downscale, const Warn&);

std::array<int, 2> picture_size(const Job&);  // width and height of what is drawn, which is put back into a whole picture where that is an area of it

}  // namespace hayate
