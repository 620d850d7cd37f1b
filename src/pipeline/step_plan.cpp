// One pass over the steps.
#include "pipeline/step_plan.h"

#include <algorithm>

#include "core/error.h"
#include "schedule/whole_steps.h"

namespace hayate {

bool StepPlan::guided() const { return std::ranges::any_of(kinds, &StepKind::guided); }
bool StepPlan::caches(bool guided) const { return std::ranges::find(kinds, StepKind{guided, true}) != kinds.end(); }

StepPlan plan_steps(int steps, bool guided, const Request& r) {
  const auto [begin, end] = r.guidance_interval;
  require(begin >= 0 && begin <= end && end <= 1, ErrorKind::usage, "guidance_interval is {} to {}; expected 0 <= begin <= end <= 1", begin, end);
  const DeepCache& cache = r.deepcache;
  require(cache.interval >= 1, ErrorKind::usage, "deepcache interval is {}; expected 1 or more", cache.interval);
  require(cache.branch >= 0, ErrorKind::usage, "deepcache branch is {}; expected 0 or more", cache.branch);
  if (cache.center) {
    require(*cache.center >= 0 && *cache.center < steps, ErrorKind::usage, "deepcache center is {}; expected a step, 0 to {}", *cache.center, steps - 1);
    require(cache.power > 1 && cache.power <= 10, ErrorKind::usage, "deepcache power is {}; expected more than 1, at most 10", cache.power);
  }
  const std::vector<int> whole = whole_steps(steps, cache.interval, cache.center, cache.power);
  StepPlan plan;
  StepKind before{};
  for (int i = 0; i < steps; ++i) {
    const double at = double(i) / steps;
    StepKind kind{.guided = guided && at >= begin && at < end};
    kind.shallow = i > 0 && kind.guided == before.guided && !std::ranges::binary_search(whole, i);
    auto found = std::ranges::find(plan.kinds, kind);
    plan.steps.push_back(size_t(found - plan.kinds.begin()));
    if (found == plan.kinds.end()) plan.kinds.push_back(kind);
    before = kind;
  }
  return plan;
}

}  // namespace hayate
