"""Draws a sheet of sample pictures with diffusers from an exported folder."""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionXLPipeline
from PIL import Image

PROMPTS = ["a castle on a hill at night", "a lighthouse by the sea at sunset", "a red hot air balloon over the mountains",
           "a blue sailboat on a lake at dawn", "a windmill in the desert at noon", "a house in the snow at night, full moon",
           "a big tree on a hill in autumn", "a city by a lake at night, starry sky", "a castle in the forest in the morning",
           "mountains at sunset", "a yellow cottage by the ocean on a sunny day", "a lighthouse on a cliff at night under a crescent moon"]


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--model", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--steps", type=int, default=30)
    args.add_argument("--guidance", type=float, default=5.)
    args.add_argument("--seed", type=int, default=0)
    args.add_argument("--columns", type=int, default=4)
    args.add_argument("--prompts", nargs="*", default=PROMPTS)
    args = args.parse_args()

    torch.set_num_threads(1)
    pipe = StableDiffusionXLPipeline.from_pretrained(args.model, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    start, pictures = time.time(), []
    for prompt in args.prompts:
        pictures += pipe(prompt, height=256, width=256, num_inference_steps=args.steps, guidance_scale=args.guidance,
                         generator=torch.Generator().manual_seed(args.seed)).images
    print(f"{len(pictures)} pictures in {time.time() - start:.0f}s")
    cells = [np.asarray(p) for p in pictures]
    rows = [np.concatenate(cells[k:k + args.columns], 1) for k in range(0, len(cells) - args.columns + 1, args.columns)]
    Image.fromarray(np.concatenate(rows)).save(args.out)


if __name__ == "__main__":
    main()
