// In float32, means in double.
#include "pipeline/emphasis.h"

#include <numeric>

namespace hayate {

namespace {
double mean(std::span<const float> values) { return std::accumulate(values.begin(), values.end(), 0.0) / double(values.size()); }
}  // namespace

void emphasize_a1111(std::span<float> states, std::span<const float> weights) {
  double before = mean(states);
  size_t width = states.size() / weights.size();
  for (size_t i = 0; i < states.size(); ++i) states[i] *= weights[i / width];
  float restore = float(before / mean(states));
  for (float& s : states) s *= restore;
}

void emphasize_comfy(std::span<float> states, std::span<const float> empty, std::span<const float> weights) {
  size_t width = states.size() / weights.size();
  for (size_t i = 0; i < states.size(); ++i)
    if (float w = weights[i / width]; w != 1) states[i] = (states[i] - empty[i]) * w + empty[i];
}

}  // namespace hayate
