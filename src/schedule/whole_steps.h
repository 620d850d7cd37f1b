// In which steps DeepCache computes the whole UNet.
#pragma once
#include <optional>
#include <vector>

namespace hayate {

// Ascending, the first is 0. One in `interval`; with a center as many, lying denser around it: the quadratic schedule of the authors' pipelines
// (horseee/DeepCache, sample_from_quad_center). Error(usage) where that finds none for this center and power.
std::vector<int> whole_steps(int steps, int interval, std::optional<int> center, float power);

}  // namespace hayate
