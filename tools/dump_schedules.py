"""Writes tests/data/schedule: what diffusers' schedulers compute, for tests/schedule."""

import importlib
import json
import math
from pathlib import Path

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler
from diffusers.schedulers import AysSchedules

SDXL = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, timestep_spacing="leading", steps_offset=1)
EVERY = range(1, 51)
SOME = (1, 2, 3, 4, 7, 10, 16, 25, 30, 48, 50)
FEW = (1, 2, 3, 4, 7, 10, 30, 50)
TRAILING = dict(timestep_spacing="trailing")
LINSPACE = dict(timestep_spacing="linspace")
KARRAS = dict(use_karras_sigmas=True)
EXPONENTIAL = dict(use_exponential_sigmas=True)
BETA = dict(use_beta_sigmas=True)
SIGMA_MIN = dict(final_sigmas_type="sigma_min")
V = dict(prediction_type="v_prediction")
SAMPLE = dict(prediction_type="sample")
ZERO_SNR = dict(rescale_betas_zero_snr=True) | TRAILING
COSINE = dict(beta_schedule="squaredcos_cap_v2")
NO_CLIP = dict(clip_sample=False)

# ComfyUI's (comfy/samplers.py) and Stability's timesteps, and the levels published for Align Your Steps.
AYS_SD15 = (*AysSchedules["StableDiffusionSigmas"][:-1], 0.029)  # diffusers leaves out the last of NVIDIA's, from which no step starts
AYS_SDXL = (14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029)
SPACINGS = {
    "simple": lambda steps: dict(timesteps=[999 - int(i * (1000 / steps)) for i in range(steps)]),
    "sgm_uniform": lambda steps: dict(timesteps=list(np.linspace(999, 0, steps + 1)[:-1])),
    "ays": lambda steps, table=AYS_SDXL: dict(
        sigmas=[*np.exp(np.interp(np.linspace(0, 10, steps + 1), np.arange(11), np.log(table)))[:-1], 0.0]),
}

# name: (config, steps), and options of hayate where the config does not say all: spacing, and what step() is given
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
    "exponential": (SDXL | EXPONENTIAL, FEW),
    "beta": (SDXL | BETA, FEW),
    "simple": (SDXL | LINSPACE, FEW, dict(spacing="simple")),
    "sgm uniform": (SDXL | LINSPACE, FEW, dict(spacing="sgm_uniform")),
    "ays": (SDXL | LINSPACE, (1, 2, 3, 7, 10, 30), dict(spacing="ays")),
    "ays sd15": (SDXL | LINSPACE, (1, 2, 3, 7, 10, 30), dict(spacing="ays", is_sdxl=False)),
    "churn": (SDXL, FEW, dict(s_churn=4.0)),
    "some churn": (SDXL | KARRAS, FEW, dict(s_churn=20.0, s_tmin=0.5, s_tmax=10.0, s_noise=1.1)),
    "churn v": (SDXL | V, FEW, dict(s_churn=4.0)),
    "churn sample": (SDXL | SAMPLE, FEW, dict(s_churn=4.0)),
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
    "some noise": (SDXL | NO_CLIP | dict(set_alpha_to_one=False), FEW, dict(eta=0.6)),
    "all noise": (SDXL | NO_CLIP | V, FEW, dict(eta=1.0)),
}
DDPM = {
    "sdxl": (SDXL | NO_CLIP, SOME),
    "sdxl trailing": (SDXL | NO_CLIP | TRAILING, FEW),
    "sdxl linspace": (SDXL | NO_CLIP | LINSPACE, FEW),
    "large": (SDXL | NO_CLIP | dict(variance_type="fixed_large"), FEW),
    "defaults": (NO_CLIP, FEW),
    "v": (SDXL | NO_CLIP | V, FEW),
    "sample": (SDXL | NO_CLIP | SAMPLE, FEW),
}
SKIP_PRK = dict(skip_prk_steps=True)
PNDM = {
    "sdxl": (SDXL | SKIP_PRK, SOME),
    "sdxl trailing": (SDXL | SKIP_PRK | TRAILING, FEW),
    "sdxl linspace": (SDXL | SKIP_PRK | LINSPACE, FEW),
    "to one": (SDXL | SKIP_PRK | dict(set_alpha_to_one=True), FEW),
    "defaults": (SKIP_PRK, FEW),
    "v": (SDXL | SKIP_PRK | V, FEW),
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
SDE = dict(algorithm_type="sde-dpmsolver++")
DPMPP |= {
    "exponential": (SDXL | EXPONENTIAL, FEW),
    "beta": (SDXL | BETA, FEW),
    "heun": (SDXL | dict(solver_type="heun"), FEW),
}
DPMPP_3M = {name: (config | dict(solver_order=3), FEW) for name, (config, _) in DPMPP.items()}


def with_sde(grid):
    return {name: (config | SDE, counts) for name, (config, counts) in grid.items()}


# Over sigmas, by classes that know less than Euler's.
SIGMAS = {
    "sdxl": (SDXL, SOME),
    "sdxl trailing": (SDXL | TRAILING, FEW),
    "sdxl linspace": (SDXL | LINSPACE, FEW),
    "sdxl karras": (SDXL | KARRAS, FEW),
    "exponential": (SDXL | EXPONENTIAL, FEW),
    "beta": (SDXL | BETA, FEW),
    "defaults": ({}, FEW),
    "v": (SDXL | V, FEW),
}
SIGMAS_AND_SAMPLE = SIGMAS | {"sample": (SDXL | SAMPLE, FEW)}
SOLVER = SIGMAS_AND_SAMPLE | {
    "order 1": (SDXL | dict(solver_order=1), FEW),
    "order 3": (SDXL | dict(solver_order=3), FEW),
}
DEIS = SOLVER | {"order 3 to the end": (SDXL | dict(solver_order=3, lower_order_final=False), FEW)}
UNIPC = SOLVER | {
    "order 3 to the end": (SDXL | SIGMA_MIN | dict(solver_order=3, lower_order_final=False), FEW),
    "bh1": (SDXL | SIGMA_MIN | dict(solver_type="bh1"), FEW),
    "bh1 order 3": (SDXL | SIGMA_MIN | dict(solver_type="bh1", solver_order=3), FEW),
    "sigma min": (SDXL | SIGMA_MIN, FEW),
    "v zero snr": (SDXL | V | ZERO_SNR, FEW),
}


class ThirdOrderSDE(DPMSolverMultistepScheduler):
    """With the sign of a constant as in k-diffusion's sample_dpmpp_3m_sde: diffusers 0.42 subtracts the half that makes the term vanish in
    small steps. Compared with k-diffusion 0.1.1, whose second step is that of solver_type "heun": over 3, 7, 10 and 30 Karras steps off by 2e-7 at most."""

    def multistep_dpm_solver_third_order_update(self, model_output_list, *args, sample=None, noise=None, **kwargs):
        x = super().multistep_dpm_solver_third_order_update(model_output_list, *args, sample=sample, noise=noise, **kwargs)
        alphas, sigmas = zip(*(self._sigma_to_alpha_sigma_t(self.sigmas[self.step_index + k]) for k in (1, 0, -1, -2)))
        at = [torch.log(a) - torch.log(s) for a, s in zip(alphas, sigmas)]
        h = at[0] - at[1]
        r0, r1 = (at[1] - at[2]) / h, (at[2] - at[3]) / h
        m0, m1, m2 = (model_output_list[-k] for k in (1, 2, 3))
        return x + alphas[0] * ((m0 - m1) / r0 - (m1 - m2) / r1) / (r0 + r1)


class BrownianPath:
    """In place of torchsde's tree: increments over sigma, scaled to unit variance, of a path through noise(i) for each call i."""

    def __init__(self):
        self.calls, self.first = 0, None

    def __call__(self, start, end):
        fresh, self.calls = noise(self.calls), self.calls + 1
        if self.first is None:
            self.first = (start, end, fresh)
            return fresh
        (begin, middle, came), self.first = self.first, None
        assert begin == start
        part = float((start - middle) / (start - end))
        return part**0.5 * came + (1 - part) ** 0.5 * fresh


# file: (class, its module, grid)
SCHEDULERS = {
    "euler": ("EulerDiscreteScheduler", "euler_discrete", EULER),
    "euler_ancestral": ("EulerAncestralDiscreteScheduler", "euler_ancestral_discrete", EULER_ANCESTRAL),
    "ddim": ("DDIMScheduler", "ddim", DDIM),
    "ddpm": ("DDPMScheduler", "ddpm", DDPM),
    "pndm": ("PNDMScheduler", "pndm", PNDM),
    "lcm": ("LCMScheduler", "lcm", LCM),
    "tcd": ("TCDScheduler", "tcd", DISTILLED),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", "dpmsolver_multistep", DPMPP),
    "dpmpp_2m_sde": ("DPMSolverMultistepScheduler", "dpmsolver_multistep", with_sde(DPMPP)),
    "dpmpp_3m": ("DPMSolverMultistepScheduler", "dpmsolver_multistep", DPMPP_3M),
    "dpmpp_3m_sde": ("DPMSolverMultistepScheduler", "dpmsolver_multistep", with_sde(DPMPP_3M)),
    "dpmpp_sde": ("DPMSolverSDEScheduler", "dpmsolver_sde", SIGMAS),
    "heun": ("HeunDiscreteScheduler", "heun_discrete", SIGMAS_AND_SAMPLE),
    "dpm2": ("KDPM2DiscreteScheduler", "k_dpm_2_discrete", SIGMAS),
    "dpm2_ancestral": ("KDPM2AncestralDiscreteScheduler", "k_dpm_2_ancestral_discrete", SIGMAS),
    "lms": ("LMSDiscreteScheduler", "lms_discrete", SIGMAS_AND_SAMPLE),
    "unipc": ("UniPCMultistepScheduler", "unipc_multistep", UNIPC),
    "deis": ("DEISMultistepScheduler", "deis_multistep", DEIS),
}
WITH_VALUES = (1, 2, 3, 7, 30)  # steps for which samples are advanced too
LANES = 3


def digits(x):
    return float(f"{float(x):.9g}")


def lanes(wave, step, phase):
    return torch.tensor([[wave(phase * step + lane) for lane in range(LANES)]], dtype=torch.float32).double()


def prediction(step):
    return lanes(math.sin, step, 1.7)


def noise(step):
    return lanes(math.cos, step, 2.3)


def table_of_sigmas(scheduler, steps):
    """Each once: where a step takes two calls, its sigma stands twice."""
    sigmas = list(getattr(scheduler, "sigmas", []))
    if scheduler.order == 2:
        sigmas = ([sigmas[0]] + sigmas[1::2])[: steps + 1]
    return [digits(s) for s in sigmas]


class DoubleNumpy:
    """numpy in which float32 is float64, for tables that cancel: the levels below which ancestral steps land."""

    float32 = np.float64

    def __getattr__(self, name):
        return getattr(np, name)


def run(module, scheduler, steps, options):
    """The scheduler's tables; samples[i + 1] is what call i makes of samples[i], prediction(i) and noise(i), in float64 where the scheduler lets it
    be: steps of float32 lose digits where levels lie close together."""
    to_step = {key: value for key, value in options.items() if key not in ("spacing", "is_sdxl")}
    table = {} if options.get("is_sdxl", True) else dict(table=AYS_SD15)
    scheduler.set_timesteps(**(SPACINGS[options["spacing"]](steps, **table) if "spacing" in options else dict(num_inference_steps=steps)))
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(0)  # as pipelines do: timesteps alone may stand twice
    if hasattr(scheduler, "noise_sampler"):
        scheduler.noise_sampler = BrownianPath()
    out = {
        "steps": steps,
        "init_noise_sigma": digits(scheduler.init_noise_sigma),
        "timesteps": [digits(t) for t in scheduler.timesteps],
        "sigmas": table_of_sigmas(scheduler, steps),
    }
    for name, table in vars(scheduler).items():
        if name.startswith("sigmas") or name == "alphas_cumprod":
            setattr(scheduler, name, table.double())
    x = torch.tensor([[0.5, -1.25, 2.0]], dtype=torch.float64) * scheduler.init_noise_sigma
    samples, scales = [x], []
    for i, t in enumerate(scheduler.timesteps):
        scales.append(scheduler.scale_model_input(torch.ones(1, 1), t).item())
        module.randn_tensor = lambda *_, i=i, **__: noise(i)
        x = scheduler.step(prediction(i), t, x, **to_step).prev_sample
        samples.append(x)
    if steps in WITH_VALUES:
        out["input_scales"] = [digits(s) for s in scales]
        out["samples"] = [[digits(v) for v in s[0]] for s in samples]
    return out


def main():
    folder = Path(__file__).resolve().parent.parent / "tests/data/schedule"
    folder.mkdir(parents=True, exist_ok=True)
    for file, (name, module, grid) in SCHEDULERS.items():
        module = importlib.import_module(f"diffusers.schedulers.scheduling_{module}")
        if file == "dpm2_ancestral":
            module.np = DoubleNumpy()
        lines = []
        for case, (config, counts, *more) in grid.items():
            options = more[0] if more else {}
            make = ThirdOrderSDE if file == "dpmpp_3m_sde" else getattr(module, name)
            runs = [run(module, make(**config), steps, options) for steps in counts]
            entry = {"name": case, "config": {"_class_name": name} | config} | ({"options": options} if options else {}) | {"runs": runs}
            lines.append(json.dumps(entry, separators=(",", ":"), allow_nan=False))
        (folder / f"{file}.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


main()
