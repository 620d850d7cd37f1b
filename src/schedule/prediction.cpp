// Predictions of the noise, of the clean latent, and of the velocity v = (alpha * noise - sigma * x0) / sqrt(alpha^2 + sigma^2).
#include "schedule/prediction.h"

#include <cmath>

#include "core/error.h"

namespace hayate {

NoiseLevel level_of(double alpha_cumprod) { return {std::sqrt(alpha_cumprod), std::sqrt(1 - alpha_cumprod)}; }
NoiseLevel level_of_sigma(double sigma) { return {1 / std::sqrt(sigma * sigma + 1), sigma / std::sqrt(sigma * sigma + 1)}; }

Combination clean_of(PredictionType type, const NoiseLevel& l) {
  switch (type) {
    case PredictionType::epsilon: return {1 / l.alpha, -l.sigma / l.alpha};
    case PredictionType::sample: return {0, 1};
    case PredictionType::v_prediction: break;
  }
  double variance = l.alpha * l.alpha + l.sigma * l.sigma;
  return {l.alpha / variance, -l.sigma / std::sqrt(variance)};
}

Combination noise_of(PredictionType type, const NoiseLevel& l) {
  switch (type) {
    case PredictionType::epsilon: return {0, 1};
    case PredictionType::sample: return {1 / l.sigma, -l.alpha / l.sigma};
    case PredictionType::v_prediction: break;
  }
  double variance = l.alpha * l.alpha + l.sigma * l.sigma;
  return {l.sigma / variance, l.alpha / std::sqrt(variance)};
}

void require_no_clipping(const SchedulerConfig& config) {
  for (auto [key, value] : {std::pair("clip_sample", config.clip_sample), std::pair("thresholding", config.thresholding)})
    require(!value, ErrorKind::unsupported, "{}: \"{}\" is true, which hayate does not do; expected false, as for all models of latents", config.what,
            key);
}

}  // namespace hayate
