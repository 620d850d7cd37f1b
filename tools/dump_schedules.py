"""Writes tests/data/schedule/euler.json: what diffusers' EulerDiscreteScheduler computes, for tests/schedule/euler_test.cpp."""

import json
import math
from pathlib import Path

import torch
from diffusers import EulerDiscreteScheduler

SDXL = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, timestep_spacing="leading", steps_offset=1)
EVERY = range(1, 51)
SOME = (1, 2, 3, 4, 7, 10, 16, 25, 30, 48, 50)
V = dict(prediction_type="v_prediction")
ZERO_SNR = dict(rescale_betas_zero_snr=True, timestep_spacing="trailing")

# name: (config, steps)
GRID = {
    "sdxl": (SDXL, EVERY),
    "sdxl trailing": (SDXL | dict(timestep_spacing="trailing"), EVERY),
    "sdxl linspace": (SDXL | dict(timestep_spacing="linspace"), EVERY),
    "sdxl karras": (SDXL | dict(use_karras_sigmas=True), EVERY),
    "many steps": (SDXL, (60, 100, 250, 333, 1000)),
    "defaults": ({}, SOME),
    "no offset": (SDXL | dict(steps_offset=0), SOME),
    "karras trailing": (SDXL | dict(use_karras_sigmas=True, timestep_spacing="trailing"), SOME),
    "karras bounds": (SDXL | dict(use_karras_sigmas=True, sigma_min=0.05, sigma_max=12.5), SOME),
    "log linear": (SDXL | dict(interpolation_type="log_linear"), SOME),
    "log linear karras": (SDXL | dict(interpolation_type="log_linear", use_karras_sigmas=True), SOME),
    "sigma min": (SDXL | dict(final_sigmas_type="sigma_min"), SOME),
    "cosine": (dict(beta_schedule="squaredcos_cap_v2", timestep_spacing="trailing"), SOME),
    "trained betas": (dict(trained_betas=[0.001 + 0.0005 * i for i in range(200)], num_train_timesteps=200), SOME),
    "few timesteps": (SDXL | dict(num_train_timesteps=77), SOME),
    "v": (SDXL | V, SOME),
    "v continuous": (SDXL | V | dict(timestep_type="continuous", use_karras_sigmas=True), SOME),
    "v zero snr": (SDXL | V | ZERO_SNR, SOME),
    "v zero snr linspace": (SDXL | V | ZERO_SNR | dict(timestep_spacing="linspace"), SOME),
    "epsilon zero snr": (SDXL | ZERO_SNR, SOME),
    "sample": (SDXL | dict(prediction_type="sample"), SOME),
}
WITH_VALUES = (1, 2, 3, 7, 30)  # steps for which samples are advanced too
LANES = 3


def digits(x):
    return float(f"{float(x):.9g}")


def prediction(step):
    return torch.tensor([math.sin(1.7 * step + lane) for lane in range(LANES)], dtype=torch.float32)


def run(config, steps):
    scheduler = EulerDiscreteScheduler(**config)
    scheduler.set_timesteps(steps)
    out = {
        "steps": steps,
        "init_noise_sigma": digits(scheduler.init_noise_sigma),
        "timesteps": [digits(t) for t in scheduler.timesteps],
        "sigmas": [digits(s) for s in scheduler.sigmas],
    }
    x = torch.tensor([0.5, -1.25, 2.0]) * scheduler.init_noise_sigma
    samples, scales = [x], []
    for i, t in enumerate(scheduler.timesteps):
        scales.append(scheduler.scale_model_input(torch.ones(1), t).item())
        x = scheduler.step(prediction(i), t, x).prev_sample
        samples.append(x)
    if steps in WITH_VALUES:
        out["input_scales"] = [digits(s) for s in scales]
        out["samples"] = [[digits(v) for v in s] for s in samples]
    return out


def main():
    lines = []
    for name, (config, counts) in GRID.items():
        runs = [run(config, steps) for steps in counts]
        config = {"_class_name": "EulerDiscreteScheduler"} | config
        lines.append(json.dumps({"name": name, "config": config, "runs": runs}, separators=(",", ":")))
    folder = Path(__file__).resolve().parent.parent / "tests/data/schedule"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "euler.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


main()
