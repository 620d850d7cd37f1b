// Betas, cumulative alphas, spacing of timesteps, sigmas.
#include "schedule/noise_levels.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "core/error.h"
#include "schedule/sigma_spacing.h"

namespace hayate {
namespace {

// torch.linspace in float32: from both ends towards the middle, with fused multiply-adds.
std::vector<float> linspace_f32(float start, float end, int count) {
  std::vector<float> x(count);
  float step = (end - start) / float(count - 1);
  for (int i = 0; i < count; ++i) x[i] = i < count / 2 ? std::fma(step, float(i), start) : std::fma(-step, float(count - 1 - i), end);
  return x;
}

std::vector<float> cumulative_product(const std::vector<float>& factors) {
  std::vector<float> products;
  double product = 1;  // as torch: accumulated in double
  for (float factor : factors) products.push_back(float(product *= factor));
  return products;
}

std::vector<float> one_minus(std::vector<float> x) {
  for (float& value : x) value = 1 - value;
  return x;
}

std::vector<float> make_betas(const SchedulerConfig& config) {
  int count = config.num_train_timesteps;
  if (!config.trained_betas.empty()) return {config.trained_betas.begin(), config.trained_betas.end()};
  switch (config.beta_schedule) {
    case BetaSchedule::linear: return linspace_f32(float(config.beta_start), float(config.beta_end), count);
    case BetaSchedule::scaled_linear: {
      std::vector<float> betas = linspace_f32(float(std::sqrt(config.beta_start)), float(std::sqrt(config.beta_end)), count);
      for (float& beta : betas) beta *= beta;
      return betas;
    }
    case BetaSchedule::squaredcos_cap_v2: break;
  }
  auto alpha_bar = [](double t) { return std::pow(std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2), 2); };
  std::vector<float> betas;
  for (int i = 0; i < count; ++i) betas.push_back(float(std::min(1 - alpha_bar(double(i + 1) / count) / alpha_bar(double(i) / count), 0.999)));
  return betas;
}

// "Common Diffusion Noise Schedules and Sample Steps are Flawed" (arXiv 2305.08891), algorithm 1: no signal is left at the end.
std::vector<float> rescale_to_zero_snr(const std::vector<float>& betas) {
  std::vector<float> root = cumulative_product(one_minus(betas));  // sqrt(alphas_cumprod)
  for (float& x : root) x = std::sqrt(x);
  float last = root.back(), stretch = root.front() / (root.front() - last);
  for (float& x : root) x = (x - last) * stretch;

  std::vector<float> alphas;
  float previous = 1;
  for (float x : root) {
    alphas.push_back(x * x / previous);
    previous = x * x;
  }
  return one_minus(alphas);
}

// `table` at a position between its entries, clamped to its ends.
double interpolate(const std::vector<float>& table, double position) {
  if (position <= 0) return table.front();
  if (position >= double(table.size() - 1)) return table.back();
  size_t i = size_t(position);
  return (double(table[i + 1]) - double(table[i])) * (position - double(i)) + table[i];
}

// The (fractional) training timestep whose sigma this is, by interpolation between logarithms.
double timestep_of_sigma(double sigma, const std::vector<float>& log_sigmas) {
  double log_sigma = std::log(std::max(sigma, 1e-10));
  size_t low = log_sigmas.size() - 2;
  while (low > 0 && log_sigmas[low] > log_sigma) --low;
  double weight = (log_sigmas[low] - log_sigma) / double(log_sigmas[low] - log_sigmas[low + 1]);
  weight = std::clamp(weight, 0.0, 1.0);
  return (1 - weight) * double(low) + weight * double(low + 1);
}

std::vector<double> rounded_to_f32(std::vector<double> x) {
  for (double& value : x) value = float(value);
  return x;
}

}  // namespace

std::vector<float> alphas_cumprod(const SchedulerConfig& config) {
  std::vector<float> betas = make_betas(config);
  if (config.rescale_betas_zero_snr) betas = rescale_to_zero_snr(betas);
  std::vector<float> alphas = cumulative_product(one_minus(betas));
  size_t positive = alphas.size() - (config.rescale_betas_zero_snr ? 1 : 0);
  for (size_t t = 0; t < positive; ++t)
    require(alphas[t] > 0 && alphas[t] < 1, ErrorKind::bad_model, "{}: its betas make alphas_cumprod {} at timestep {}, expected it between 0 and 1",
            config.what, alphas[t], t);
  return alphas;
}

std::vector<double> spaced_timesteps(const SchedulerConfig& config, TimestepSpacing spacing, int steps) {
  int trained = config.num_train_timesteps;
  std::vector<double> timesteps;
  switch (spacing) {
    case TimestepSpacing::linspace:
      timesteps = linspace(0, trained - 1, steps);
      std::reverse(timesteps.begin(), timesteps.end());
      break;
    case TimestepSpacing::leading:
      for (int i = steps - 1; i >= 0; --i) timesteps.push_back(i * (trained / steps) + config.steps_offset);
      break;
    case TimestepSpacing::trailing: {
      // As numpy.arange(trained, 0, -ratio), but for the one timestep too many, -1, that it makes where rounding lets it, such
      // as for 61 steps of 1000.
      double ratio = double(trained) / steps, stride = (trained - ratio) - trained;
      for (int i = 0; i < steps; ++i) timesteps.push_back(std::nearbyint(trained + i * stride) - 1);
      break;
    }
    case TimestepSpacing::sgm_uniform:  // Stability's generative-models
      timesteps = linspace(trained - 1, 0, steps + 1);
      timesteps.pop_back();
      break;
    case TimestepSpacing::simple:  // ComfyUI
      for (int i = 0; i < steps; ++i) timesteps.push_back(trained - 1 - std::floor(i * (double(trained) / steps)));
      break;
  }
  return timesteps;
}

std::vector<int> whole_timesteps(const SchedulerConfig& config, TimestepSpacing spacing, int steps) {
  std::vector<int> timesteps;
  for (double t : spaced_timesteps(config, spacing, steps)) timesteps.push_back(int(std::nearbyint(t)));
  require(timesteps.front() < config.num_train_timesteps, ErrorKind::usage,
          "{} steps begin at timestep {} (\"steps_offset\" is {}), expected one below {}, \"num_train_timesteps\" of {}; fewer steps would do", steps,
          timesteps.front(), config.steps_offset, config.num_train_timesteps, config.what);
  return timesteps;
}

std::vector<int> distilled_timesteps(const SchedulerConfig& config, int steps) {
  const int all = config.original_inference_steps, stride = config.num_train_timesteps / all;
  require(steps <= all, ErrorKind::usage, "{} steps, expected 1 to {} (\"original_inference_steps\" of {})", steps, all, config.what);
  std::vector<int> timesteps;
  for (double index : linspace(0, all, steps + 1))
    if (int(timesteps.size()) < steps) timesteps.push_back((all - int(index)) * stride - 1);
  return timesteps;
}

namespace {

TimestepSpacing spacing_or_linspace(const SchedulerConfig& config) { return config.timestep_spacing.value_or(TimestepSpacing::linspace); }

// Of each training timestep.
std::vector<float> training_sigmas(const SchedulerConfig& config) {
  std::vector<float> alphas = alphas_cumprod(config), sigmas;
  if (config.rescale_betas_zero_snr) alphas.back() = 0x1p-24f;  // keeps the first sigma finite
  for (float alpha : alphas) sigmas.push_back(std::sqrt((1 - alpha) / alpha));
  return sigmas;
}

std::vector<float> logarithms(std::vector<float> x) {
  for (float& value : x) value = float(std::log(double(value)));
  return x;
}

std::vector<double> timesteps_of_sigmas(std::vector<double> sigmas, const std::vector<float>& log_trained) {
  for (double& sigma : sigmas) sigma = timestep_of_sigma(sigma, log_trained);
  return sigmas;
}

// `whole` is what becomes of the timestep of a sigma that is spread otherwise than by timesteps.
NoiseLevels noise_levels_at(const SchedulerConfig& config, const std::vector<double>& timesteps, const std::function<double(double)>& whole) {
  const std::vector<float> trained = training_sigmas(config), log_trained = logarithms(trained);
  const int steps = int(timesteps.size());
  NoiseLevels levels{.timesteps = rounded_to_f32(timesteps), .sigmas = {}};
  switch (config.interpolation_type) {
    case Interpolation::linear:
      for (double t : levels.timesteps) levels.sigmas.push_back(interpolate(trained, t));
      break;
    case Interpolation::log_linear:  // one level more than there are steps, as in diffusers: the final sigma is never reached
      for (float x : linspace_f32(log_trained.back(), log_trained.front(), steps + 1)) levels.sigmas.push_back(float(std::exp(double(x))));
      break;
  }
  if (config.sigmas != SigmaSpacing::timesteps) {
    levels.sigmas = spread_sigmas(config, config.sigma_max.value_or(levels.sigmas.front()), config.sigma_min.value_or(levels.sigmas.back()), steps);
    levels.timesteps = timesteps_of_sigmas(levels.sigmas, log_trained);
    std::ranges::transform(levels.timesteps, levels.timesteps.begin(), whole);
  }
  levels.sigmas.push_back(config.final_sigmas_type == FinalSigma::sigma_min ? trained.front() : 0);
  levels.sigmas = rounded_to_f32(levels.sigmas);

  if (config.timestep_type == TimestepType::continuous && config.prediction_type == PredictionType::v_prediction)
    for (int i = 0; i < steps; ++i) levels.timesteps[i] = 0.25 * std::log(levels.sigmas[i]);
  levels.timesteps = rounded_to_f32(levels.timesteps);
  return levels;
}

}  // namespace

NoiseLevels sigma_noise_levels(const SchedulerConfig& config, int steps) {
  return noise_levels_at(config, spaced_timesteps(config, spacing_or_linspace(config), steps), [](double t) { return t; });
}

NoiseLevels solver_noise_levels(const SchedulerConfig& config, int steps) {
  SchedulerConfig ends = config;
  if (config.sigmas != SigmaSpacing::timesteps) {
    const std::vector<float> trained = training_sigmas(config);
    ends.sigma_max = config.sigma_max.value_or(trained.back()), ends.sigma_min = config.sigma_min.value_or(trained.front());
  }
  const TimestepSpacing spacing = spacing_or_linspace(config);
  const bool goes_to_the_end = spacing == TimestepSpacing::linspace || spacing == TimestepSpacing::leading;
  const std::vector<int> whole = whole_timesteps(config, spacing, goes_to_the_end ? steps + 1 : steps);
  // As diffusers does, which for Karras' sigmas and cosine betas cuts off instead: up to one training timestep less.
  const bool cut_off = config.sigmas == SigmaSpacing::exponential || config.sigmas == SigmaSpacing::beta;
  return noise_levels_at(ends, {whole.begin(), whole.begin() + steps}, [cut_off](double t) { return cut_off ? std::floor(t) : std::nearbyint(t); });
}

std::vector<double> timesteps_of_sigmas(const SchedulerConfig& config, const std::vector<double>& sigmas) {
  return rounded_to_f32(timesteps_of_sigmas(sigmas, logarithms(training_sigmas(config))));
}

double initial_sigma(const SchedulerConfig& config, const NoiseLevels& levels) {
  double largest = *std::max_element(levels.sigmas.begin(), levels.sigmas.end());
  return spacing_or_linspace(config) == TimestepSpacing::leading ? std::sqrt(largest * largest + 1) : largest;
}

}  // namespace hayate
