// Played through before the request, so that what is forecast is what is done.
#include "pipeline/staging.h"

#include <algorithm>
#include <numeric>

namespace hayate {

void Stage::add(Component& network, const Component::Need& n) {
  networks.push_back(&network);
  need.weights += n.weights;
  need.loading = std::max(need.loading, n.loading);
  if (n.running.total() > need.running.total()) need.running = n.running;
}

int64_t Stage::loaded_bytes() const {
  int64_t bytes = 0;
  for (const Component* network : networks) bytes += network->loaded_bytes();
  return bytes;
}

void Stage::release() const {
  for (Component* network : networks) network->release();
}

std::vector<StagePlan> plan_stages(const std::vector<Stage>& stages, int64_t budget) {
  std::vector<int64_t> held;
  for (const Stage& stage : stages) held.push_back(stage.loaded_bytes());
  std::vector<StagePlan> plans;
  for (size_t i = 0; i < stages.size(); ++i) {
    const Component::Need& need = stages[i].need;
    auto kept = [&] { return std::accumulate(held.begin(), held.end(), int64_t{0}) - held[i]; };
    const int64_t own = need.weights + std::max(need.loading, need.running.total());
    StagePlan plan;
    for (size_t back = 1; back < stages.size() && own > budget - kept(); ++back) {
      const size_t last_needed = (i + stages.size() - back) % stages.size();
      if (held[last_needed] > 0) plan.gives_way.push_back(last_needed);
      held[last_needed] = 0;
    }
    plan.memory = {.name = stages[i].name, .weights = need.weights, .kept = kept(), .activations = need.running.activations,
                   .scratch = need.running.scratch, .peak = kept() + own};
    held[i] = need.weights;
    plans.push_back(std::move(plan));
  }
  return plans;
}

}  // namespace hayate
