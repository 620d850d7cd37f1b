// Medians, because a machine does other things too.
#include "repeated_runs.h"

#include <algorithm>
#include <cmath>

namespace hayate::cli {

namespace {
double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}
}  // namespace

RepeatedRuns repeat(Pipeline& pipeline, const Request& request, int warmups, int runs) {
  constexpr double slow = 5;  // seconds for the steps of a picture
  RepeatedRuns all;
  all.warmups = warmups, all.runs = runs;
  std::vector<double> total, step, text, decode;
  for (int i = 0; i < all.warmups + all.runs; ++i) {
    all.last = pipeline.generate(request);
    const Timings& t = all.last.timings;
    if (i == 0) {
      all.first = t.total;
      if (t.denoise > slow) all.warmups = std::min(warmups, 1), all.runs = std::min(runs, 2);
    }
    if (i < all.warmups) continue;
    total.push_back(t.total);
    step.push_back(t.denoise / request.steps);
    text.push_back(t.text);
    decode.push_back(t.decode);
  }
  all.median = median(total), all.least = std::ranges::min(total), all.most = std::ranges::max(total);
  all.step = median(step), all.text = median(text), all.decode = median(decode);
  return all;
}

double latent_distance(const std::vector<float>& a, const std::vector<float>& b) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) error += std::pow(double(a[i]) - b[i], 2), norm += std::pow(double(b[i]), 2);
  return std::sqrt(error / norm);
}

double picture_distance(const Image& a, const Image& b) {
  double sum = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(int(a.rgb[i]) - int(b.rgb[i]));
  return sum / double(a.rgb.size());
}

}  // namespace hayate::cli
