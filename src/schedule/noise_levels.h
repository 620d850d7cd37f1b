// The tables that schedulers are made from. They repeat diffusers' arithmetic, float32 where torch computes and double where
// numpy does: 1 - alphas_cumprod cancels so badly that a last bit of a beta moves the smallest sigma by 1e-4 of itself.
#pragma once
#include <vector>

#include "schedule/scheduler_config.h"

namespace hayate {

// How much of the signal's variance is left after each training timestep; 0 after the last with rescale_betas_zero_snr.
std::vector<float> alphas_cumprod(const SchedulerConfig& config);

// Timesteps, descending, for `steps` steps.
std::vector<double> spaced_timesteps(const SchedulerConfig& config, TimestepSpacing spacing, int steps);
// The same as indices of alphas_cumprod. Error(usage) for steps that begin beyond it.
std::vector<int> whole_timesteps(const SchedulerConfig& config, TimestepSpacing spacing, int steps);

// Of the timesteps that a few-step model was distilled at, `steps` evenly chosen ones, descending. Error(usage) for more than there are.
std::vector<int> distilled_timesteps(const SchedulerConfig& config, int steps);

struct NoiseLevels {
  std::vector<double> timesteps;  // one per step, descending; what the model is told; float32 values
  std::vector<double> sigmas;     // one more or two, ending at the final sigma; float32 values
};

// The sigma parametrisation, x = x0 + sigma * noise, of Euler and its relatives. Sigmas that are spread otherwise than by timesteps have timesteps
// of their own.
NoiseLevels sigma_noise_levels(const SchedulerConfig& config, int steps);

// The same levels, sigma / alpha, for the solvers that keep x at unit variance: whole timesteps, of which the last is left out where they go to the
// end; and sigmas that are spread otherwise span all that was trained.
NoiseLevels solver_noise_levels(const SchedulerConfig& config, int steps);

// The (fractional) training timesteps whose sigmas these are, by interpolation between logarithms; float32 values.
std::vector<double> timesteps_of_sigmas(const SchedulerConfig& config, const std::vector<double>& sigmas);

// The factor of the first noise in the sigma parametrisation.
double initial_sigma(const SchedulerConfig& config, const NoiseLevels& levels);

}  // namespace hayate
