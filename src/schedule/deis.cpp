// DEIS: the noise that up to three steps tell, extrapolated over log sigma (arXiv 2204.13902, log-rho).
#include <algorithm>
#include <cmath>

#include "schedule/lagrange.h"
#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {
namespace {

// Steps never end at zero, of which there is no logarithm.
NoiseLevels levels_of(SchedulerConfig config, int steps) {
  config.final_sigmas_type = FinalSigma::sigma_min;
  NoiseLevels levels = solver_noise_levels(config, steps);
  if (config.sigmas != SigmaSpacing::timesteps) levels.sigmas.back() = levels.sigmas[levels.sigmas.size() - 2];
  return levels;
}

// The integral of a polynomial in u times exp(u), from 0.
double integral(const std::array<double, 4>& p, double u) {
  auto antiderivative = [&](double v) { return std::exp(v) * (p[0] + p[1] * (v - 1) + p[2] * (v * v - 2 * v + 2)); };
  return antiderivative(u) - antiderivative(0);
}

}  // namespace

Schedule deis_schedule(const SchedulerConfig& config, const Sampling& s) {
  require_no_clipping(config);
  NoiseLevels levels = levels_of(config, s.steps);
  Schedule schedule;
  for (int i = s.begin; i < s.steps; ++i) {
    const int left = s.steps - i, most = config.lower_order_final && s.steps < 15 ? left : 3;
    const double sigma = levels.sigmas[size_t(i)], next = levels.sigmas[size_t(i) + 1];
    std::vector<double> nodes;  // logarithms, relative to that of sigma
    for (int back = 0; back < std::min({config.solver_order, i - s.begin + 1, most}); ++back)
      nodes.push_back(std::log(levels.sigmas[size_t(i - back)] / sigma));
    const NoiseLevel from = level_of_sigma(sigma), to = level_of_sigma(next);
    const Combination noise = noise_of(config.prediction_type, from);
    Combination x = 1 / from.alpha * latent;
    for (size_t k = 0; k < nodes.size(); ++k) x = x + sigma * integral(lagrange(nodes, k), std::log(next / sigma)) * (k == 0 ? noise : saved(k - 1));
    schedule.add(levels.timesteps[size_t(i)], from, to.alpha * x, {noise, saved(0)});
  }
  schedule.timesteps = std::move(levels.timesteps), schedule.sigmas = std::move(levels.sigmas);
  return schedule;
}

}  // namespace hayate
