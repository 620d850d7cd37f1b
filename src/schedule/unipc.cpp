// UniPC: a multistep predictor over log sigma, and a corrector that does the step again once the clean latent at its end is known (arXiv
// 2302.04867, algorithms 5 to 8, B(h) version, in terms of the clean latent).
#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "core/error.h"
#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {
namespace {

// The `count` unknowns of a system of equations, by elimination; `count` is 3 at most, and no pivot is 0 as nodes differ.
std::vector<double> solved(std::vector<std::vector<double>> a, std::vector<double> b) {
  const size_t count = b.size();
  for (size_t k = 0; k < count; ++k)
    for (size_t row = 0; row < count; ++row) {
      if (row == k) continue;
      const double factor = a[row][k] / a[k][k];
      for (size_t column = k; column < count; ++column) a[row][column] -= factor * a[k][column];
      b[row] -= factor * b[k];
    }
  for (size_t k = 0; k < count; ++k) b[k] /= a[k][k];
  return b;
}

// A step from level `from` of `sigmas` to the next. cleans[k] is the clean latent k levels before `from`; `arrived` the one at the end, which the
// corrector knows.
Combination step(const std::vector<double>& sigmas, size_t from, bool bh1, const Combination& x, std::span<const Combination> cleans,
                 const std::optional<Combination>& arrived) {
  const NoiseLevel start = level_of_sigma(sigmas[from]), end = level_of_sigma(sigmas[from + 1]);
  const double h = std::log(sigmas[from] / sigmas[from + 1]), phi_1 = std::expm1(-h), scale = bh1 ? -h : phi_1;
  std::vector<double> nodes;  // in units of h
  std::vector<Combination> differences;
  for (size_t k = 1; k < cleans.size(); ++k) {
    nodes.push_back(std::log(sigmas[from] / sigmas[from - k]) / h);
    differences.push_back(1 / nodes.back() * (cleans[k] - cleans[0]));
  }
  if (arrived) {
    nodes.push_back(1);
    differences.push_back(*arrived - cleans[0]);
  }
  std::vector<double> weights(nodes.size(), 0.5);
  if (nodes.size() > 1) {
    std::vector<std::vector<double>> powers;
    double phi = phi_1 / -h - 1, factorial = 1;
    for (size_t i = 0; i < nodes.size(); ++i) {
      powers.emplace_back();
      for (double node : nodes) powers.back().push_back(std::pow(node, double(i)));
      weights[i] = phi * factorial / scale;
      factorial *= double(i + 2);
      phi = phi / -h - 1 / factorial;
    }
    weights = solved(powers, weights);
  }
  Combination to = end.sigma / start.sigma * x - end.alpha * phi_1 * cleans[0];
  for (size_t k = 0; k < differences.size(); ++k) to = to - end.alpha * scale * weights[k] * differences[k];
  return to;
}

}  // namespace

Schedule unipc_schedule(const SchedulerConfig& config, const Sampling& s) {
  require_no_clipping(config);
  require(config.predict_x0, ErrorKind::unsupported, "{}: \"predict_x0\" is false, expected true", config.what);
  NoiseLevels levels = solver_noise_levels(config, s.steps);
  const bool bh1 = config.solver_type == "bh1";
  const size_t order = size_t(config.solver_order);
  size_t used = 0;  // the order of the last step

  Schedule schedule;
  for (int i = s.begin; i < s.steps; ++i) {
    // saved: the clean latents of the steps before, the newest first, and the corrected x of the last one.
    const NoiseLevel level = level_of_sigma(levels.sigmas[size_t(i)]);
    const Combination clean = clean_of(config.prediction_type, level);
    std::vector<Combination> cleans;
    for (size_t k = 0; k < order; ++k) cleans.push_back(saved(k));
    Combination x = latent;
    if (i > s.begin) x = step(levels.sigmas, size_t(i) - 1, bh1, saved(order), std::span(cleans).first(used), clean);
    cleans.insert(cleans.begin(), clean);
    used = std::min({order, config.lower_order_final ? size_t(s.steps - i) : order, size_t(i - s.begin) + 1});
    const Combination next = step(levels.sigmas, size_t(i), bh1, x, std::span(cleans).first(used), {});
    std::vector<Combination> kept(cleans.begin(), cleans.begin() + long(order));
    kept.push_back(x);
    schedule.add(levels.timesteps[size_t(i)], level, next, kept);
  }
  schedule.timesteps = std::move(levels.timesteps), schedule.sigmas = std::move(levels.sigmas);
  return schedule;
}

}  // namespace hayate
