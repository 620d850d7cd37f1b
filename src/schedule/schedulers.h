// The schedulers that the table in scheduler_table.cpp lists, one file each.
#pragma once
#include "schedule/sampling.h"
#include "schedule/schedule.h"

namespace hayate {

// diffusers' EulerDiscreteScheduler: algorithm 2 of Karras et al. 2022 (arXiv 2206.00364) without its second order.
Schedule euler_schedule(const SchedulerConfig&, const Sampling&);

// EulerAncestralDiscreteScheduler. Karras sigmas and what else that class does not know are done as for Euler.
Schedule euler_ancestral_schedule(const SchedulerConfig&, const Sampling&);

// DDIMScheduler. Error(unsupported) for clipping, Error(usage) for steps that begin beyond the trained timesteps.
Schedule ddim_schedule(const SchedulerConfig&, const Sampling&);

// LCMScheduler and TCDScheduler. Error(usage) for more steps than the model was distilled at, Error(unsupported) where LCM is to clip.
Schedule lcm_schedule(const SchedulerConfig&, const Sampling&);
Schedule tcd_schedule(const SchedulerConfig&, const Sampling&);

// DPMSolverMultistepScheduler of order 2 and 3: "dpmsolver++" with eta = 0, "sde-dpmsolver++" with 1. Error(unsupported) for other solver types.
Schedule dpmpp_2m_schedule(const SchedulerConfig&, const Sampling&);
Schedule dpmpp_3m_schedule(const SchedulerConfig&, const Sampling&);

// DPMSolverSDEScheduler. torchsde's Brownian tree, which draws the noise there, is not repeated.
Schedule dpmpp_sde_schedule(const SchedulerConfig&, const Sampling&);

// HeunDiscreteScheduler; KDPM2DiscreteScheduler and, with eta = 1, KDPM2AncestralDiscreteScheduler; LMSDiscreteScheduler. What else the Euler class
// knows and these do not is done as for Euler.
Schedule heun_schedule(const SchedulerConfig&, const Sampling&);
Schedule dpm2_schedule(const SchedulerConfig&, const Sampling&);
Schedule lms_schedule(const SchedulerConfig&, const Sampling&);

// UniPCMultistepScheduler, "bh1" and "bh2"; DEISMultistepScheduler. Both of order 1 to 3. Error(unsupported) for thresholding.
Schedule unipc_schedule(const SchedulerConfig&, const Sampling&);
Schedule deis_schedule(const SchedulerConfig&, const Sampling&);

// PNDMScheduler with "skip_prk_steps", else Error(unsupported).
Schedule pndm_schedule(const SchedulerConfig&, const Sampling&);

// DDPMScheduler with fixed variance. Error(unsupported) for clipping and learned variance.
Schedule ddpm_schedule(const SchedulerConfig&, const Sampling&);

}  // namespace hayate
