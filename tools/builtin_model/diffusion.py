"""The diffusion process: how much signal and noise each timestep has, and how much it counts in training."""

import torch
from diffusers import EulerDiscreteScheduler

from networks import NOISE_SCHEDULE

# Fine noise levels are plentiful and easy and should not lead (min-SNR, Hang et al. 2023), but unlike there the coarse ones keep their full
# weight: they settle the colours of sky and ground, and only there must the model listen to the text.
SNR_LIMIT = 5.
# Where text decides, how many of each thing for one, there are more training steps: timesteps are shifted up (Esser et al. 2024), so that 45 %, not
# 35 %, are beyond 650; not more, because outlines need the others.
TIME_SHIFT = 1.5


def schedule(device):
    """Signal and noise (1000,) of each timestep; in the last there is no signal."""
    kept = EulerDiscreteScheduler(**NOISE_SCHEDULE).alphas_cumprod.to(device).float()
    return kept.sqrt(), (1 - kept).sqrt()


def signal_and_noise(tables, times):
    """Of the timesteps (n,), to multiply latents with (n, 1, 1, 1)."""
    return (t[times][:, None, None, None] for t in tables)


def weight_of(a, s):
    """How much the square error of v prediction counts."""
    return (SNR_LIMIT / ((a / s) ** 2 + 1)).clamp(max=1.)


def random_times(n, generator):
    """Timesteps (n,), one from each n-th of their distribution: less varied losses than independent draws."""
    device = generator.device
    even = (torch.randperm(n, generator=generator, device=device) + torch.rand(n, generator=generator, device=device)) / n
    return (TIME_SHIFT * even / (1 + (TIME_SHIFT - 1) * even) * 1000).long().clamp(max=999)
