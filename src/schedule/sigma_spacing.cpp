// karras: Karras et al. 2022 (arXiv 2206.00364), equation 5, with rho = 7. beta: "Beta Sampling is All You Need" (arXiv 2407.12173), over sigmas as
// diffusers does. ays: "Align Your Steps" (arXiv 2404.14507), the tables of research.nvidia.com/labs/toronto-ai/AlignYourSteps/howto.html.
#include "schedule/sigma_spacing.h"

#include <boost/math/distributions/beta.hpp>
#include <cmath>
#include <span>

#include "core/error.h"

namespace hayate {
namespace {

constexpr double sdxl_levels[] = {14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029};
constexpr double sd15_levels[] = {14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029};

// At equal distances along the table, between whose entries logarithms are interpolated.
std::vector<double> resampled(std::span<const double> table, int steps) {
  std::vector<double> sigmas;
  for (double at : linspace(0, double(table.size() - 1), steps + 1)) {
    const size_t i = std::min(size_t(at), table.size() - 2);
    sigmas.push_back(table[i] * std::pow(table[i + 1] / table[i], at - double(i)));
  }
  sigmas.pop_back();
  return sigmas;
}

}  // namespace

std::vector<double> linspace(double start, double end, int count) {
  std::vector<double> x(size_t(count), start);
  if (count == 1) return x;
  const double step = (end - start) / (count - 1);
  for (int i = 0; i < count; ++i) x[size_t(i)] = i * step + start;
  x.back() = end;
  return x;
}

std::vector<double> spread_sigmas(const SchedulerConfig& config, double sigma_max, double sigma_min, int steps) {
  std::vector<double> sigmas = linspace(0, 1, steps);
  auto each = [&](auto sigma_at) {
    for (double& x : sigmas) x = sigma_at(x);
  };
  switch (config.sigmas) {
    case SigmaSpacing::karras: {
      constexpr double rho = 7;
      const double from = std::pow(sigma_max, 1 / rho), to = std::pow(sigma_min, 1 / rho);
      each([&](double x) { return std::pow(from + x * (to - from), rho); });
      break;
    }
    case SigmaSpacing::exponential:
      each([&](double x) { return std::exp(std::log(sigma_max) + x * (std::log(sigma_min) - std::log(sigma_max))); });
      break;
    case SigmaSpacing::beta: {
      const boost::math::beta_distribution<double> distribution(0.6, 0.6);
      each([&](double x) { return sigma_min + boost::math::quantile(distribution, 1 - x) * (sigma_max - sigma_min); });
      break;
    }
    case SigmaSpacing::ays: return resampled(config.is_sdxl ? sdxl_levels : sd15_levels, steps);
    case SigmaSpacing::timesteps: fail(ErrorKind::internal, "sigmas of timesteps are not spread here");
  }
  return sigmas;
}

}  // namespace hayate
