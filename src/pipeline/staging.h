// Which networks' weights are held while each stage of a request runs.
#pragma once
#include <vector>

#include "hayate/hayate.h"
#include "pipeline/component.h"

namespace hayate {

struct Stage {
  struct Network {
    Component* component;
    int64_t weights;  // bytes
  };
  const char* name;
  std::vector<Network> networks{};     // run one after another
  Component::Need need{};              // of all: their weights together, and the most that one takes beside

  void add(Component&, const Component::Need&);
};

struct StagePlan {
  MemoryStage memory{};
  std::vector<Component*> gives_way{};  // whose weights are released before this one starts
};

// Everything stays while it fits into `budget` bytes; else the weights give way that will be needed last, stages being repeated in their
// order for the next request. A stage that does not fit alone exceeds the budget in its peak.
std::vector<StagePlan> plan_stages(const std::vector<Stage>&, int64_t budget);

}  // namespace hayate
