"""Scores a diffusers folder on prompts that ask for pairs of attributes never met in training: python evaluate.py --model ../../models/builtin"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import LCMScheduler, StableDiffusionXLPipeline
from PIL import Image

from drawing import as_input
from scoring import Score, load_classifier
from train_vae import evaluate as evaluate_vae

MODELS = Path(__file__).parents[2] / "models"


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--model", type=Path, default=MODELS / "builtin")
    args.add_argument("--quality", type=Path, default=MODELS / "quality", help="folder of the classifier and the prompts")
    args.add_argument("--prompts", type=int, help="as many from the head of the list; all, if not given")
    args.add_argument("--steps", type=int, default=30)
    args.add_argument("--guidance", type=float, default=5.)
    args.add_argument("--lora", type=Path)
    args.add_argument("--lcm", action="store_true", help="with LCMScheduler")
    args.add_argument("--batch", type=int, default=8)
    args.add_argument("--vae-pictures", type=int, default=128, help="fresh drawings that the VAE is to rebuild; 0 for none")
    args.add_argument("--device", default="cpu")
    args.add_argument("--json", type=Path, help="where to write the result too")
    args.add_argument("--pictures", type=Path, help="a folder for the pictures")
    args = args.parse_args()

    torch.backends.cudnn.allow_tf32 = False  # strict float32 on a GPU too
    pipe = StableDiffusionXLPipeline.from_pretrained(args.model, torch_dtype=torch.float32).to(args.device)
    if args.lora:
        pipe.load_lora_weights(str(args.lora))
        pipe.fuse_lora()
    if args.lcm:
        pipe.scheduler = LCMScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    classifier, score = load_classifier(args.quality, args.device), Score()
    entries, start = json.loads((args.quality / "prompts.json").read_text())["prompts"][:args.prompts], time.time()
    for k in range(0, len(entries), args.batch):
        part = entries[k:k + args.batch]
        drawn = pipe([e["prompt"] for e in part], height=256, width=256, num_inference_steps=args.steps, guidance_scale=args.guidance, output_type="np",
                     generator=[torch.Generator().manual_seed(e["seed"]) for e in part]).images
        pictures = torch.from_numpy((drawn * 255).round().astype(np.uint8)).to(args.device)
        score.add(classifier, as_input(pictures), part)
        if args.pictures:
            args.pictures.mkdir(parents=True, exist_ok=True)
            for e, picture in zip(part, pictures.cpu().numpy()):
                Image.fromarray(picture).save(args.pictures / f"{e['seed']:04d}.png")
        print(f"{k + len(part)} of {len(entries)} prompts, {score.table()['attribute_score']:.4f} so far, {time.time() - start:.0f}s", flush=True)
    result = score.table() | dict(seconds=round(time.time() - start), steps=args.steps, guidance=args.guidance,
                                  lora=args.lora and args.lora.name, lcm=args.lcm)
    if args.vae_pictures:
        with torch.no_grad():
            result["vae"] = evaluate_vae(pipe.vae, torch.Generator(args.device).manual_seed(999_999), n=args.vae_pictures)
    print(json.dumps(result, indent=1))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
