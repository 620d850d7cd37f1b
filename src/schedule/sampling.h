// What a scheduler is asked for beside the model's own settings.
#pragma once
#include <limits>

namespace hayate {

// "S_churn" of Karras et al. 2022 (arXiv 2206.00364), algorithm 2: noise added before a step, and taken away in it.
struct Churn {
  double amount = 0;  // in all steps together
  double least = 0, most = std::numeric_limits<double>::infinity();  // the sigmas at which it is added
};

struct Sampling {
  int steps = 0;
  int begin = 0;   // rows are made of the steps from this one on, which has no step before it
  double eta = 0;  // how much of a step is new noise, 0 to 1
  Churn churn = {};
};

}  // namespace hayate
