// The schedulers that the table in schedule.cpp lists, one file each.
#pragma once
#include "schedule/schedule.h"

namespace hayate {

// diffusers' EulerDiscreteScheduler without churn: algorithm 2 of Karras et al. 2022 (arXiv 2206.00364) with S_churn = 0.
Schedule euler_schedule(const SchedulerConfig& config, int steps);

// EulerAncestralDiscreteScheduler. Karras sigmas and what else that class does not know are done as for Euler.
Schedule euler_ancestral_schedule(const SchedulerConfig& config, int steps);

// DDIMScheduler with eta = 0. Error(unsupported) for clipping, Error(usage) for steps that begin beyond the trained timesteps.
Schedule ddim_schedule(const SchedulerConfig& config, int steps);

// LCMScheduler and, with gamma ("eta" there) = 0.3, TCDScheduler. Error(usage) for more steps than the model was distilled at,
// Error(unsupported) where LCM is to clip.
Schedule lcm_schedule(const SchedulerConfig& config, int steps);
Schedule tcd_schedule(const SchedulerConfig& config, int steps);

// DPMSolverMultistepScheduler of order 2, "dpmsolver++" and "sde-dpmsolver++". Error(unsupported) for other orders and solver types.
Schedule dpmpp_2m_schedule(const SchedulerConfig& config, int steps);
Schedule dpmpp_2m_sde_schedule(const SchedulerConfig& config, int steps);

}  // namespace hayate
