// The settings of a noise schedule: what scheduler_config.json of a diffusers folder says.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"

namespace hayate {

enum class BetaSchedule { linear, scaled_linear, squaredcos_cap_v2 };
enum class PredictionType { epsilon, v_prediction, sample };
enum class TimestepSpacing { linspace, leading, trailing, sgm_uniform, simple };
enum class SigmaSpacing { timesteps, karras, exponential, beta, ays };  // timesteps: the sigmas of the chosen timesteps
enum class TimestepType { discrete, continuous };
enum class Interpolation { linear, log_linear };
enum class SolverAlgorithm { ode, sde };
enum class FinalSigma { zero, sigma_min };

// Defaults are those of diffusers. Keys that no scheduler here reads are ignored, as diffusers does, and so are keys that only others read.
struct SchedulerConfig {
  std::string what = "scheduler_config.json";  // names the file in messages
  std::string class_name;                      // diffusers' name of the scheduler: "EulerDiscreteScheduler"
  int num_train_timesteps = 1000;
  double beta_start = 0.0001, beta_end = 0.02;
  BetaSchedule beta_schedule = BetaSchedule::linear;
  std::vector<double> trained_betas;  // one per training timestep; empty: from beta_schedule
  PredictionType prediction_type = PredictionType::epsilon;
  std::optional<TimestepSpacing> timestep_spacing;  // schedulers differ in their default
  TimestepType timestep_type = TimestepType::discrete;
  int steps_offset = 0;
  SigmaSpacing sigmas = SigmaSpacing::timesteps;
  std::optional<double> sigma_min, sigma_max;  // ends of sigmas that are spread otherwise; default: those of the chosen timesteps
  bool is_sdxl = true;                         // not in the file: which model the sigmas of ays are for
  Interpolation interpolation_type = Interpolation::linear;
  FinalSigma final_sigmas_type = FinalSigma::zero;
  bool rescale_betas_zero_snr = false;
  std::optional<bool> set_alpha_to_one;                   // DDIM: the last step ends without noise, not at the first training timestep
  int original_inference_steps = 50;                      // LCM, TCD: how many timesteps the model was distilled at
  double timestep_scaling = 10;                           // LCM: of the boundary condition
  SolverAlgorithm algorithm_type = SolverAlgorithm::ode;  // this and what follows: DPM-Solver++, UniPC, DEIS
  int solver_order = 2;
  std::string solver_type = "midpoint";
  bool lower_order_final = true, euler_at_final = false, clips_lambda = false;
  bool predict_x0 = true;                          // UniPC
  bool skip_prk_steps = true;                      // PNDM: no Runge-Kutta steps at first
  std::string variance_type = "fixed_small";       // DDPM
  bool clip_sample = false, thresholding = false;  // of the predicted x0
};

// Error(bad_model) for a value of the wrong type or range, Error(unsupported) for a choice that hayate does not know; both
// name the key.
SchedulerConfig parse_scheduler_config(const JsonObject& json);

}  // namespace hayate
