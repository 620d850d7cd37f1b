"""Writes tests/data/schedule: what diffusers' schedulers compute, for tests/schedule."""

import importlib
import json
import math
from pathlib import Path

import torch

SDXL = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, timestep_spacing="leading", steps_offset=1)
EVERY = range(1, 51)
SOME = (1, 2, 3, 4, 7, 10, 16, 25, 30, 48, 50)
FEW = (1, 2, 3, 4, 7, 10, 30, 50)
TRAILING = dict(timestep_spacing="trailing")
LINSPACE = dict(timestep_spacing="linspace")
KARRAS = dict(use_karras_sigmas=True)
V = dict(prediction_type="v_prediction")
SAMPLE = dict(prediction_type="sample")
ZERO_SNR = dict(rescale_betas_zero_snr=True) | TRAILING
COSINE = dict(beta_schedule="squaredcos_cap_v2")
NO_CLIP = dict(clip_sample=False)

# name: (config, steps)
EULER = {
    "sdxl": (SDXL, EVERY),
    "sdxl trailing": (SDXL | TRAILING, EVERY),
    "sdxl linspace": (SDXL | LINSPACE, EVERY),
    "sdxl karras": (SDXL | KARRAS, EVERY),
    "many steps": (SDXL, (60, 100, 250, 333, 1000)),
    "defaults": ({}, SOME),
    "no offset": (SDXL | dict(steps_offset=0), SOME),
    "karras trailing": (SDXL | KARRAS | TRAILING, SOME),
    "karras bounds": (SDXL | KARRAS | dict(sigma_min=0.05, sigma_max=12.5), SOME),
    "log linear": (SDXL | dict(interpolation_type="log_linear"), SOME),
    "log linear karras": (SDXL | KARRAS | dict(interpolation_type="log_linear"), SOME),
    "sigma min": (SDXL | dict(final_sigmas_type="sigma_min"), SOME),
    "cosine": (COSINE | TRAILING, SOME),
    "trained betas": (dict(trained_betas=[0.001 + 0.0005 * i for i in range(200)], num_train_timesteps=200), SOME),
    "few timesteps": (SDXL | dict(num_train_timesteps=77), SOME),
    "v": (SDXL | V, SOME),
    "v continuous": (SDXL | V | KARRAS | dict(timestep_type="continuous"), SOME),
    "v zero snr": (SDXL | V | ZERO_SNR, SOME),
    "v zero snr linspace": (SDXL | V | ZERO_SNR | LINSPACE, SOME),
    "epsilon zero snr": (SDXL | ZERO_SNR, SOME),
    "sample": (SDXL | SAMPLE, SOME),
}
EULER_ANCESTRAL = {
    "sdxl": (SDXL, FEW),
    "turbo": (SDXL | TRAILING, FEW),
    "linspace": (SDXL | LINSPACE, FEW),
    "v": (SDXL | V, FEW),
    "v zero snr": (SDXL | V | ZERO_SNR, FEW),
}
DDIM = {
    "sdxl": (SDXL | NO_CLIP | dict(set_alpha_to_one=False), EVERY),
    "sdxl trailing": (SDXL | NO_CLIP | TRAILING, EVERY),
    "sdxl linspace": (SDXL | NO_CLIP | LINSPACE, EVERY),
    "defaults": (NO_CLIP, FEW),
    "few timesteps": (SDXL | NO_CLIP | dict(num_train_timesteps=77), FEW),
    "v": (SDXL | NO_CLIP | V, FEW),
    "v zero snr": (SDXL | NO_CLIP | V | ZERO_SNR, FEW),
    "sample": (SDXL | NO_CLIP | SAMPLE, FEW),
}
DISTILLED = {
    "sdxl": (SDXL, EVERY),
    "defaults": ({}, FEW),
    "v": (SDXL | V, FEW),
    "v zero snr": (SDXL | V | ZERO_SNR, FEW),
    "sample": (SDXL | SAMPLE, FEW),
    "other distillation": (SDXL | dict(original_inference_steps=30, num_train_timesteps=500), (1, 2, 3, 7, 30)),
}
LCM = DISTILLED | {"scaling": (SDXL | dict(timestep_scaling=0.01), FEW)}
DPMPP = {
    "sdxl": (SDXL, EVERY),
    "sdxl trailing": (SDXL | TRAILING, FEW),
    "sdxl linspace": (SDXL | LINSPACE, EVERY),
    "sdxl karras": (SDXL | KARRAS, FEW),
    "defaults": ({}, FEW),
    "v": (SDXL | V, FEW),
    "v zero snr": (SDXL | V | ZERO_SNR, FEW),
    "sample": (SDXL | SAMPLE, FEW),
    "sigma min": (SDXL | dict(final_sigmas_type="sigma_min"), FEW),
    "not lower at last": (SDXL | dict(final_sigmas_type="sigma_min", lower_order_final=False), FEW),
    "euler at last": (SDXL | dict(final_sigmas_type="sigma_min", euler_at_final=True), FEW),
}
DPMPP_SDE = {name: (config | dict(algorithm_type="sde-dpmsolver++"), counts) for name, (config, counts) in DPMPP.items()}
# file: (class, its module, grid)
SCHEDULERS = {
    "euler": ("EulerDiscreteScheduler", "euler_discrete", EULER),
    "euler_ancestral": ("EulerAncestralDiscreteScheduler", "euler_ancestral_discrete", EULER_ANCESTRAL),
    "ddim": ("DDIMScheduler", "ddim", DDIM),
    "lcm": ("LCMScheduler", "lcm", LCM),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", "dpmsolver_multistep", DPMPP),
    "dpmpp_2m_sde": ("DPMSolverMultistepScheduler", "dpmsolver_multistep", DPMPP_SDE),
    "tcd": ("TCDScheduler", "tcd", DISTILLED),
}
WITH_VALUES = (1, 2, 3, 7, 30)  # steps for which samples are advanced too
LANES = 3


def digits(x):
    return float(f"{float(x):.9g}")


def lanes(wave, step, phase):
    return torch.tensor([wave(phase * step + lane) for lane in range(LANES)], dtype=torch.float32)


def prediction(step):
    return lanes(math.sin, step, 1.7)


def noise(step):
    return lanes(math.cos, step, 2.3)


def run(module, scheduler, steps):
    """The scheduler's tables; samples[i + 1] is what step i makes of samples[i], prediction(i) and noise(i)."""
    scheduler.set_timesteps(steps)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(0)  # as pipelines do: timesteps alone may stand twice
    sigmas = scheduler.sigmas if hasattr(scheduler, "sigmas") else []
    out = {
        "steps": steps,
        "init_noise_sigma": digits(scheduler.init_noise_sigma),
        "timesteps": [digits(t) for t in scheduler.timesteps],
        "sigmas": [digits(s) for s in sigmas],
    }
    x = torch.tensor([0.5, -1.25, 2.0]) * scheduler.init_noise_sigma
    samples, scales = [x], []
    for i, t in enumerate(scheduler.timesteps):
        scales.append(scheduler.scale_model_input(torch.ones(1), t).item())
        module.randn_tensor = lambda *_, i=i, **__: noise(i)
        x = scheduler.step(prediction(i), t, x).prev_sample
        samples.append(x)
    if steps in WITH_VALUES:
        out["input_scales"] = [digits(s) for s in scales]
        out["samples"] = [[digits(v) for v in s] for s in samples]
    return out


def main():
    folder = Path(__file__).resolve().parent.parent / "tests/data/schedule"
    folder.mkdir(parents=True, exist_ok=True)
    for file, (name, module, grid) in SCHEDULERS.items():
        module = importlib.import_module(f"diffusers.schedulers.scheduling_{module}")
        lines = []
        for case, (config, counts) in grid.items():
            runs = [run(module, getattr(module, name)(**config), steps) for steps in counts]
            lines.append(json.dumps({"name": case, "config": {"_class_name": name} | config, "runs": runs}, separators=(",", ":")))
        (folder / f"{file}.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


main()
