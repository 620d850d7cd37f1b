// What each denoising step of a request computes: both halves or the conditional one, the whole UNet or what DeepCache leaves of it.
#pragma once
#include "hayate/hayate.h"

namespace hayate {

struct StepKind {
  bool guided = false, shallow = false;
  bool operator==(const StepKind&) const = default;
};

struct StepPlan {
  std::vector<StepKind> kinds{};  // those that occur; the first step is of the first kind
  std::vector<size_t> steps{};    // of each step, which of them

  bool guided() const;            // whether any step is
  bool caches(bool guided) const; // whether a shallow step reads what a whole one with as many halves has left
};

// `guided`: whether any picture asks for guidance. A step whose halves are not those of the step before is whole: what is cached has another shape.
// Error(usage) for settings of the request that make no sense.
StepPlan plan_steps(int steps, bool guided, const Request&);

}  // namespace hayate
