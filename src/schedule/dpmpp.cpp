// DPM-Solver++ multistep: the clean latents of up to three steps, extrapolated over log sigma (arXiv 2211.01095). With eta, a step goes further
// down and adds new noise; the coefficients are those of k-diffusion, which for eta = 0 and 1 are the paper's.
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "schedule/noise_levels.h"
#include "schedule/prediction.h"
#include "schedule/schedulers.h"

namespace hayate {
namespace {

// How step i leaves its level. h is the distance in log(alpha / sigma), infinite to a final sigma of zero.
struct Leap {
  double h, shrink;  // shrink = exp(-h)
  double kept;       // exp(-(1 + eta) h): what is left of x, but for the change of alpha

  Leap(double from, double to, double eta) : h(std::log(from / to)), shrink(to / from), kept(std::pow(shrink, 1 + eta)) {}
};

// The last steps are of lower order where there are few, and so is one to a final sigma of zero.
int highest_order(const SchedulerConfig& config, int steps_left, int steps) {
  const bool few = config.lower_order_final && steps < 15;
  if (steps_left == 1 && (few || config.euler_at_final || config.final_sigmas_type == FinalSigma::zero)) return 1;
  return few ? steps_left : 3;
}

Schedule dpmpp(const SchedulerConfig& config, const Sampling& s, int order) {
  const bool heun = config.solver_type == "heun";
  require((heun || config.solver_type == "midpoint") && !config.clips_lambda && !config.thresholding, ErrorKind::unsupported,
          "{}: \"solver_type\" is \"{}\", expected \"midpoint\" or \"heun\", without \"lambda_min_clipped\" and \"thresholding\"", config.what,
          config.solver_type);
  NoiseLevels levels = solver_noise_levels(config, s.steps);
  const std::vector<double>& sigmas = levels.sigmas;

  Schedule schedule;
  for (int i = s.begin; i < s.steps; ++i) {
    const int now = std::min({order, i - s.begin + 1, highest_order(config, s.steps - i, s.steps)});
    const NoiseLevel from = level_of_sigma(sigmas[size_t(i)]), to = level_of_sigma(sigmas[size_t(i) + 1]);
    const Leap leap(sigmas[size_t(i)], sigmas[size_t(i) + 1], s.eta);
    const Combination clean = clean_of(config.prediction_type, from);
    Combination moved = (1 - leap.kept) * clean;
    const double scaled = (1 + s.eta) * leap.h, linear = 1 - (1 - leap.kept) / scaled;  // k-diffusion's phi_2
    if (now > 1) {
      auto distance = [&](int back) { return std::log(sigmas[size_t(i - back)] / sigmas[size_t(i - back + 1)]) / leap.h; };
      const double r0 = distance(1);
      const Combination first = 1 / r0 * (clean - saved(0));
      if (now == 2) moved = moved + (heun ? linear : 0.5 * (1 - leap.kept)) * first;
      if (now == 3) {
        const double r1 = distance(2);
        const Combination second = 1 / (r0 + r1) * (first - 1 / r1 * (saved(0) - saved(1)));
        moved = moved + linear * (first + r0 * second) - (linear / scaled - 0.5) * second;
      }
    }
    const Combination x = to.sigma / from.sigma * std::pow(leap.shrink, s.eta) * latent + to.alpha * moved +
                          to.sigma * std::sqrt(1 - std::pow(leap.shrink, 2 * s.eta)) * new_noise;
    std::vector<Combination> kept = {clean};
    if (order == 3) kept.push_back(saved(0));
    schedule.add(levels.timesteps[size_t(i)], from, x, kept);
  }
  schedule.timesteps = std::move(levels.timesteps), schedule.sigmas = std::move(levels.sigmas);
  return schedule;
}

}  // namespace

Schedule dpmpp_2m_schedule(const SchedulerConfig& config, const Sampling& s) { return dpmpp(config, s, 2); }
Schedule dpmpp_3m_schedule(const SchedulerConfig& config, const Sampling& s) { return dpmpp(config, s, 3); }

}  // namespace hayate
