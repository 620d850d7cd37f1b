"""Writes the trained parts as a diffusers folder with float16 weights."""

import argparse
import json
import shutil
from pathlib import Path

from diffusers import AutoencoderKL, EulerDiscreteScheduler
from safetensors.torch import load_file, save_file

from networks import NOISE_SCHEDULE, TextEncoders, build_unet

CONFIG_NOISE = ("_name_or_path", "_use_default_values")


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({k: v for k, v in content.items() if k not in CONFIG_NOISE}, indent=2, sort_keys=True) + "\n")


def write_part(folder, config, tensors, weights_name):
    write_json(folder / "config.json", config)
    save_file({name: t.half().contiguous() for name, t in tensors.items()}, folder / weights_name, {"format": "pt"})


def save_whole(tensors, path, metadata=None):
    """A file that is whole at any time, the old one or the new."""
    building = path.with_suffix(".tmp")
    save_file(tensors, building, metadata)
    building.chmod(0o644)
    building.rename(path)


def part_of(state, prefix):
    return {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}


def state_of(folder):
    """The inverse for the trained parts: what train_unet.py saves, from a diffusers folder."""
    files = {"unet.": "unet/diffusion_pytorch_model.safetensors", "encoders.one.": "text_encoder/model.safetensors", "encoders.two.": "text_encoder_2/model.safetensors"}
    return {prefix + name: t for prefix, file in files.items() for name, t in load_file(folder / file).items()}


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--vae", type=Path, required=True)
    args.add_argument("--tokenizers", type=Path, required=True)
    args.add_argument("--state", type=Path, required=True, help="state.safetensors of train_unet.py")
    args.add_argument("--out", type=Path, required=True)
    args = args.parse_args()

    for name in ("tokenizer", "tokenizer_2"):
        shutil.copytree(args.tokenizers / name, args.out / name, dirs_exist_ok=True)
    vocabulary = json.loads((args.tokenizers / "tokenizer" / "vocab.json").read_text())
    state, encoders = load_file(args.state), TextEncoders(len(vocabulary))
    for name, encoder, prefix in (("text_encoder", encoders.one, "encoders.one."), ("text_encoder_2", encoders.two, "encoders.two.")):
        write_part(args.out / name, encoder.config(), part_of(state, prefix), "model.safetensors")
    vae = AutoencoderKL.from_pretrained(args.vae)
    write_part(args.out / "vae", dict(vae.config), vae.state_dict(), "diffusion_pytorch_model.safetensors")
    write_part(args.out / "unet", dict(build_unet().config), part_of(state, "unet."), "diffusion_pytorch_model.safetensors")

    scheduler = EulerDiscreteScheduler(**NOISE_SCHEDULE)
    write_json(args.out / "scheduler" / "scheduler_config.json", {"_class_name": "EulerDiscreteScheduler", **scheduler.config})
    write_json(args.out / "model_index.json", {
        "_class_name": "StableDiffusionXLPipeline", "force_zeros_for_empty_prompt": True, "add_watermarker": False,
        "text_encoder": ["transformers", "CLIPTextModel"], "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "tokenizer_2": ["transformers", "CLIPTokenizer"], "scheduler": ["diffusers", "EulerDiscreteScheduler"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]})


if __name__ == "__main__":
    main()
