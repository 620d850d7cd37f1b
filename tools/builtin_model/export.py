"""Writes the trained parts as a diffusers folder with float16 weights."""

import argparse
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler
from safetensors.torch import save_file

import concepts
from architecture import NOISE_SCHEDULE, build_unet

CONFIG_NOISE = ("_name_or_path", "transformers_version", "dtype", "torch_dtype", "_use_default_values")


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({k: v for k, v in content.items() if k not in CONFIG_NOISE}, indent=2, sort_keys=True) + "\n")


def write_part(folder, config, tensors, weights_name):
    write_json(folder / "config.json", config)
    save_file({name: t.half().contiguous() for name, t in tensors.items() if "position_ids" not in name}, folder / weights_name, {"format": "pt"})


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--vae", type=Path, required=True)
    args.add_argument("--tokenizers", type=Path, required=True)
    args.add_argument("--state", type=Path, required=True, help="state.pt of train_unet.py")
    args.add_argument("--out", type=Path, required=True)
    args = args.parse_args()

    for name in ("tokenizer", "tokenizer_2"):
        shutil.copytree(args.tokenizers / name, args.out / name, dirs_exist_ok=True)
    vocabulary = json.loads((args.tokenizers / "tokenizer" / "vocab.json").read_text())
    for name, encoder in zip(("text_encoder", "text_encoder_2"), concepts.build(vocabulary)):
        config = encoder.config.to_dict()
        config.update(architectures=[type(encoder).__name__], torch_dtype="float16")
        # checkpoints of SDXL name these text_model.*, whatever the version of transformers that trained them
        tensors = {k if k.startswith(("text_model.", "text_projection.")) else "text_model." + k: v for k, v in encoder.state_dict().items()}
        write_part(args.out / name, config, tensors, "model.safetensors")

    vae, unet = AutoencoderKL.from_pretrained(args.vae), build_unet()
    for name, model, tensors in (("vae", vae, vae.state_dict()), ("unet", unet, torch.load(args.state, weights_only=True)["average"])):
        write_part(args.out / name, dict(model.config), tensors, "diffusion_pytorch_model.safetensors")

    scheduler = EulerDiscreteScheduler(**NOISE_SCHEDULE)
    write_json(args.out / "scheduler" / "scheduler_config.json", {"_class_name": "EulerDiscreteScheduler", **scheduler.config})
    write_json(args.out / "model_index.json", {
        "_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": True, "add_watermarker": False,
        "scheduler": ["diffusers", "EulerDiscreteScheduler"], "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"], "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "tokenizer_2": ["transformers", "CLIPTokenizer"]})


if __name__ == "__main__":
    main()
