// Reads scheduler_config.json.
#include "schedule/scheduler_config.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/error.h"

namespace hayate {
namespace {

template <class T>
struct Choice {
  std::string_view name;
  T value;
};
template <class T>
Choice(const char*, T) -> Choice<T>;  // clang 14 does not find this itself

constexpr std::array beta_schedules = {Choice{"linear", BetaSchedule::linear}, Choice{"scaled_linear", BetaSchedule::scaled_linear},
                                       Choice{"squaredcos_cap_v2", BetaSchedule::squaredcos_cap_v2}};
constexpr std::array prediction_types = {Choice{"epsilon", PredictionType::epsilon}, Choice{"v_prediction", PredictionType::v_prediction},
                                         Choice{"sample", PredictionType::sample}};
constexpr std::array timestep_spacings = {Choice{"linspace", TimestepSpacing::linspace}, Choice{"leading", TimestepSpacing::leading},
                                          Choice{"trailing", TimestepSpacing::trailing}};
constexpr std::array timestep_types = {Choice{"discrete", TimestepType::discrete}, Choice{"continuous", TimestepType::continuous}};
constexpr std::array interpolations = {Choice{"linear", Interpolation::linear}, Choice{"log_linear", Interpolation::log_linear}};
constexpr std::array algorithms = {Choice{"dpmsolver++", SolverAlgorithm::ode}, Choice{"sde-dpmsolver++", SolverAlgorithm::sde}};
constexpr std::array final_sigmas = {Choice{"zero", FinalSigma::zero}, Choice{"sigma_min", FinalSigma::sigma_min}};

template <class Choices, class T>
void read_choice(const JsonObject& json, const std::string& key, const Choices& choices, T& value) {
  if (!json.has(key)) return;
  const std::string name = json.string(key);
  std::string known;
  for (const auto& choice : choices) {
    if (choice.name == name) {
      value = choice.value;
      return;
    }
    known += (known.empty() ? "" : ", ") + std::string(choice.name);
  }
  fail(ErrorKind::unsupported, "{}: \"{}\" is \"{}\", expected one of: {}", json.what(), key, name, known);
}

std::vector<double> read_trained_betas(const JsonObject& json, int num_train_timesteps) {
  if (!json.has("trained_betas")) return {};
  const Json& list = json.raw("trained_betas");
  require(list.is_array() && list.size() == size_t(num_train_timesteps), ErrorKind::bad_model,
          "{}: \"trained_betas\" is not a list of num_train_timesteps = {} numbers", json.what(), num_train_timesteps);
  std::vector<double> betas;
  for (const Json& beta : list) {
    require(beta.is_number() && beta > 0.0 && beta < 1.0, ErrorKind::bad_model,
            "{}: \"trained_betas\" has {} at {}, expected numbers between 0 and 1", json.what(), beta.dump(), betas.size());
    betas.push_back(beta.get<double>());
  }
  return betas;
}

std::optional<double> read_optional(const JsonObject& json, const std::string& key, double lo, double hi) {
  if (!json.has(key)) return std::nullopt;
  return json.number(key, lo, hi);
}

}  // namespace

SchedulerConfig parse_scheduler_config(const JsonObject& json) {
  constexpr double above_zero = 1e-12;
  SchedulerConfig config;
  config.what = json.what();
  config.class_name = json.string("_class_name");
  config.num_train_timesteps = int(json.integer("num_train_timesteps", 2, 100'000, config.num_train_timesteps));
  auto is_one_of = [&](std::initializer_list<const char*> names) { return std::ranges::find(names, config.class_name) != names.end(); };
  const bool distilled = is_one_of({"LCMScheduler", "TCDScheduler"});  // which have defaults of their own, as some others
  if (distilled) config.beta_schedule = BetaSchedule::scaled_linear;
  if (distilled || is_one_of({"HeunDiscreteScheduler", "KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DPMSolverSDEScheduler"}))
    config.beta_start = 0.00085, config.beta_end = 0.012;
  config.beta_start = json.number("beta_start", above_zero, 1 - above_zero, config.beta_start);
  config.beta_end = json.number("beta_end", above_zero, 1 - above_zero, config.beta_end);
  config.trained_betas = read_trained_betas(json, config.num_train_timesteps);
  config.steps_offset = int(json.integer("steps_offset", 0, config.num_train_timesteps, config.steps_offset));
  for (auto [key, sigmas] : {std::pair("use_karras_sigmas", SigmaSpacing::karras), std::pair("use_exponential_sigmas", SigmaSpacing::exponential),
                             std::pair("use_beta_sigmas", SigmaSpacing::beta)}) {
    if (!json.boolean(key, false)) continue;
    require(config.sigmas == SigmaSpacing::timesteps, ErrorKind::bad_model, "{}: \"{}\" is true, and so is another spacing of sigmas", json.what(), key);
    config.sigmas = sigmas;
  }
  config.sigma_min = read_optional(json, "sigma_min", above_zero, 1e6);
  config.sigma_max = read_optional(json, "sigma_max", above_zero, 1e6);
  config.rescale_betas_zero_snr = json.boolean("rescale_betas_zero_snr", config.rescale_betas_zero_snr);
  config.original_inference_steps = int(
      json.integer("original_inference_steps", 1, config.num_train_timesteps, std::min(config.original_inference_steps, config.num_train_timesteps)));
  config.timestep_scaling = json.number("timestep_scaling", 0, 1e6, config.timestep_scaling);
  if (json.has("set_alpha_to_one")) config.set_alpha_to_one = json.boolean("set_alpha_to_one");
  config.clip_sample = json.boolean("clip_sample", is_one_of({"DDIMScheduler", "DDPMScheduler"}));
  config.thresholding = json.boolean("thresholding", config.thresholding);
  if (is_one_of({"DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "DEISMultistepScheduler"})) {
    config.solver_order = int(json.integer("solver_order", 1, 3, config.solver_order));
    config.solver_type = json.string("solver_type", config.solver_type);
    config.lower_order_final = json.boolean("lower_order_final", config.lower_order_final);
  }
  if (config.class_name == "DPMSolverMultistepScheduler") {
    read_choice(json, "algorithm_type", algorithms, config.algorithm_type);
    config.euler_at_final = json.boolean("euler_at_final", config.euler_at_final);
    config.clips_lambda = json.has("lambda_min_clipped");
  }
  config.predict_x0 = json.boolean("predict_x0", config.predict_x0);
  if (config.class_name == "PNDMScheduler") config.skip_prk_steps = json.boolean("skip_prk_steps", false);
  config.variance_type = json.string("variance_type", config.variance_type);
  read_choice(json, "beta_schedule", beta_schedules, config.beta_schedule);
  read_choice(json, "prediction_type", prediction_types, config.prediction_type);
  read_choice(json, "timestep_spacing", timestep_spacings, config.timestep_spacing);
  read_choice(json, "timestep_type", timestep_types, config.timestep_type);
  read_choice(json, "interpolation_type", interpolations, config.interpolation_type);
  read_choice(json, "final_sigmas_type", final_sigmas, config.final_sigmas_type);
  for (const char* key : {"use_lu_lambdas", "use_flow_sigmas"})
    require(!json.boolean(key, false), ErrorKind::unsupported, "{}: \"{}\" is true, which hayate does not do", json.what(), key);
  return config;
}

}  // namespace hayate
