// Played through before the request, so that what is forecast is what is done.
#include "pipeline/staging.h"

#include <algorithm>

namespace hayate {

void Stage::add(Component& network, const Component::Need& n) {
  networks.push_back({&network, n.weights});
  need.weights += n.weights;
  need.loading = std::max(need.loading, n.loading);
  if (n.running.total() > need.running.total()) need.running = n.running;
}

std::vector<StagePlan> plan_stages(const std::vector<Stage>& stages, int64_t budget) {
  auto runs_in = [](const Stage& stage, const Component* network) {
    return std::ranges::find(stage.networks, network, &Stage::Network::component) != stage.networks.end();
  };
  std::vector<Stage::Network> held;  // a network may run in several stages
  auto hold = [&](Component* network, int64_t bytes) {
    const auto found = std::ranges::find(held, network, &Stage::Network::component);
    found == held.end() ? void(held.push_back({network, bytes})) : void(found->weights = bytes);
  };
  for (const Stage& stage : stages)
    for (const Stage::Network& n : stage.networks) hold(n.component, n.component->loaded_bytes());
  std::vector<StagePlan> plans;
  for (size_t i = 0; i < stages.size(); ++i) {
    const Component::Need& need = stages[i].need;
    auto kept = [&] {
      int64_t bytes = 0;
      for (const Stage::Network& n : held) bytes += runs_in(stages[i], n.component) ? 0 : n.weights;
      return bytes;
    };
    const int64_t own = need.weights + std::max(need.loading, need.running.total());
    StagePlan plan;
    // The stage before is repeated last; what runs in a stage on the way to it is needed sooner.
    for (size_t after = stages.size() - 1; after > 0 && own > budget - kept(); --after)
      for (Stage::Network& n : held) {
        auto runs_at = [&](size_t later) { return runs_in(stages[(i + later) % stages.size()], n.component); };
        bool sooner = false;
        for (size_t later = 0; later < after; ++later) sooner = sooner || runs_at(later);
        if (n.weights == 0 || sooner || !runs_at(after)) continue;
        plan.gives_way.push_back(n.component);
        n.weights = 0;
      }
    plan.memory = {.name = stages[i].name, .weights = need.weights, .kept = kept(), .activations = need.running.activations,
                   .scratch = need.running.scratch, .peak = kept() + own};
    for (const Stage::Network& n : stages[i].networks) hold(n.component, n.weights);
    plans.push_back(std::move(plan));
  }
  return plans;
}

}  // namespace hayate
