// The public lists of schedulers and spacings, from their tables.
#include "hayate/hayate.h"
#include "schedule/scheduler_table.h"

namespace hayate {

std::vector<SchedulerInfo> schedulers() {
  std::vector<SchedulerInfo> infos;
  for (const Scheduler& s : scheduler_table()) {
    SchedulerInfo info{s.name, s.what, s.a1111, s.comfyui, s.sd_cpp, s.diffusers, {}};
    if (s.course != Course::distilled) info.options.emplace_back("spacing");
    if (s.course == Course::sigmas) info.options.emplace_back("sigmas");
    if (s.eta) info.options.emplace_back("eta");
    if (s.churns) info.options.emplace_back("s_churn");
    infos.push_back(std::move(info));
  }
  return infos;
}

std::vector<SpacingInfo> spacings() {
  std::vector<SpacingInfo> infos;
  for (const Spacing& s : spacing_table()) infos.push_back({s.name, s.what, s.label, s.comfyui, s.sd_cpp, s.sigmas != SigmaSpacing::timesteps});
  return infos;
}

NamedSampler scheduler_named(const std::string& name) {
  const NamedScheduler found = find_scheduler(name);
  NamedSampler sampler{.scheduler = found.scheduler->name};
  if (found.spacing) sampler.spacing = found.spacing->name;
  return sampler;
}

std::string spacing_name(const std::string& name) { return spacing_named(name).name; }

}  // namespace hayate
