#!/usr/bin/env python3
"""Compares hayate on a GPU with diffusers on a full-size SDXL with random weights, step by step: the same prompt, seed and noise.

    sdxl_parity.py BENCH_LATENTS MODEL --json FILE [--make] [--side 1024] [--steps 30]

MODEL is a diffusers folder in float16; --make makes it first, from the seed of random_model.py. BENCH_LATENTS is the program
of that name. Bounds: float32 against float32, relative L2 of the UNet's output <= 1e-4 at every step and of the last latent
<= 1e-3; a bf16 rung's last latent no further from float32 than 1.2 times that of diffusers in bfloat16.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline
from diffusers_ladder import PROMPT
from random_model import random_pipeline

RUNGS = ["fp32", "tf32", "bf16", "attention", "compile", "projections"]


def latents_of_diffusers(model, dtype, side, steps):
    """The latent after each step (NHWC), and the picture."""
    pipe = StableDiffusionXLPipeline.from_pretrained(model, torch_dtype=dtype, add_watermarker=False).to("cuda")
    if dtype == torch.float32:
        pipe.vae.to(dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    kept = []

    def keep(pipe, step, timestep, values):
        kept.append(values["latents"].float().permute(0, 2, 3, 1).contiguous().cpu().numpy())
        return values

    noise = torch.randn((1, 4, side // 8, side // 8), generator=torch.Generator().manual_seed(0)).to("cuda", dtype)
    image = pipe(PROMPT, num_inference_steps=steps, guidance_scale=5.0, height=side, width=side, latents=noise, output_type="np",
                 callback_on_step_end=keep, callback_on_step_end_tensor_inputs=["latents"]).images[0]
    return np.stack(kept), np.asarray(image * 255)


def relative(a, b):
    return float(np.linalg.norm(a.astype(np.float64) - b) / np.linalg.norm(b.astype(np.float64)))


def derivatives(latents, noise, sigmas):
    """What Euler's steps say the (guided) output of the UNet was."""
    before = np.concatenate([noise[None] * np.sqrt(sigmas[0] ** 2 + 1), latents[:-1]])
    return (latents - before) / (sigmas[1:] - sigmas[:-1]).reshape(-1, 1, 1, 1, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--make", metavar="TOKENIZER", help="make MODEL with this CLIP tokenizer, for example models/builtin/tokenizer")
    parser.add_argument("--json", required=True)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rungs", nargs="+", default=RUNGS)
    args = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    if args.make:
        random_pipeline(args.make, 0, "cuda").to(dtype=torch.float16).save_pretrained(args.model)
        torch.cuda.empty_cache()
        for folder in ("tokenizer", "tokenizer_2"):  # in the published form too: newer transformers write tokenizer.json alone
            for name in ("vocab.json", "merges.txt"):
                shutil.copy(pathlib.Path(args.make) / name, pathlib.Path(args.model) / folder)

    scheduler = EulerDiscreteScheduler.from_pretrained(args.model, subfolder="scheduler")
    scheduler.set_timesteps(args.steps)
    sigmas = scheduler.sigmas.double().numpy()
    noise = torch.randn((1, 4, args.side // 8, args.side // 8), generator=torch.Generator().manual_seed(0)).permute(0, 2, 3, 1).numpy()
    exact, exact_picture = latents_of_diffusers(args.model, torch.float32, args.side, args.steps)
    rounded, rounded_picture = latents_of_diffusers(args.model, torch.bfloat16, args.side, args.steps)
    torch.cuda.empty_cache()
    exact_output = derivatives(exact, noise, sigmas)

    def against_exact(latents, picture):
        outputs = derivatives(latents, noise, sigmas)
        return dict(first_output=relative(outputs[0], exact_output[0]),
                    worst_output=max(relative(a, b) for a, b in zip(outputs, exact_output)),
                    last_latent=relative(latents[-1], exact[-1]),
                    picture=float(np.abs(picture.astype(np.float64) - exact_picture).mean()))

    report = {"gpu": torch.cuda.get_device_name(), "torch": torch.__version__, "side": args.side, "steps": args.steps,
              "diffusers bf16": against_exact(rounded, rounded_picture)}
    bound = 1.2 * report["diffusers bf16"]["last_latent"]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for rung in args.rungs:
            out = f"{folder}/out"
            subprocess.run([args.program, args.model, "cuda", str(args.side), str(args.steps), out, rung], check=True, stdout=sys.stderr)
            latents = np.fromfile(f"{out}.{rung}.latents", np.float32).reshape(exact.shape)
            picture = np.fromfile(f"{out}.{rung}.rgb", np.uint8).reshape(args.side, args.side, 3)
            row = report[rung] = against_exact(latents, picture)
            if rung == "fp32":
                row["within"] = bool(row["first_output"] <= 1e-4 and row["last_latent"] <= 1e-3)
            elif rung != "tf32":
                row["within"] = bool(row["last_latent"] <= bound)
            failed |= not row.get("within", True)
    pathlib.Path(args.json).write_text(json.dumps(report, indent=2) + "\n")
    for name, row in report.items():
        if isinstance(row, dict):
            print(f"{name:16}" + "".join(f" {key} {value:.2e}" if isinstance(value, float) else f" {key} {value}" for key, value in row.items()))
    sys.exit(failed)


if __name__ == "__main__":
    main()
