"""Writes tests/data/single_file: what diffusers' own scripts make of a model in the original naming.

    python tools/dump_single_files.py SCRIPTS tests/data/single_file

SCRIPTS is a folder with convert_diffusers_to_original_sdxl.py and convert_diffusers_to_original_stable_diffusion.py, which are in the
scripts folder of the repository of diffusers and not in its package.

- tiny-*.json: the tiny models of tests/data/parity: type, shape and FNV-1a of the bytes of each tensor of the single file.
- NAME.original.json, NAME.diffusers.json: full-size models without weights: the shape of each tensor under either naming.

Each file is a tree of the parts of names.
"""

import json
import runpy
import sys
import tempfile
from pathlib import Path

import safetensors.torch
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

ROOT = Path(__file__).resolve().parent.parent
FILES = {
    "unet": "unet/diffusion_pytorch_model.safetensors",
    "vae": "vae/diffusion_pytorch_model.safetensors",
    "text_encoder": "text_encoder/model.safetensors",
    "text_encoder_2": "text_encoder_2/model.safetensors",
}
CROSS, PLAIN = "CrossAttn{}Block2D", "{}Block2D"


def blocks(side, attends):
    return [(CROSS if a else PLAIN).format(side) for a in attends]


XL_UNET = dict(
    block_out_channels=[320, 640, 1280], down_block_types=blocks("Down", [0, 1, 1]), up_block_types=blocks("Up", [1, 1, 0]),
    attention_head_dim=[5, 10, 20], cross_attention_dim=2048, transformer_layers_per_block=[1, 2, 10], use_linear_projection=True,
    addition_embed_type="text_time", addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816)
SSD_UNET = XL_UNET | dict(
    mid_block_type="UNetMidBlock2D", transformer_layers_per_block=[1, [2, 2], [4, 4]],
    reverse_transformer_layers_per_block=[[4, 4, 10], [2, 1, 1], 1])
SD_UNET = dict(
    block_out_channels=[320, 640, 1280, 1280], down_block_types=blocks("Down", [1, 1, 1, 0]), up_block_types=blocks("Up", [0, 1, 1, 1]),
    cross_attention_dim=768)
SD2_UNET = SD_UNET | dict(cross_attention_dim=1024, attention_head_dim=[5, 10, 20, 20], use_linear_projection=True)
VAE = dict(
    block_out_channels=[128, 256, 512, 512], layers_per_block=2, latent_channels=4,
    down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4)
CLIP_L = dict(hidden_size=768, intermediate_size=3072, num_attention_heads=12, num_hidden_layers=12, projection_dim=768)
CLIP_G = dict(hidden_size=1280, intermediate_size=5120, num_attention_heads=20, num_hidden_layers=32, projection_dim=1280, hidden_act="gelu")
CLIP_H = dict(hidden_size=1024, intermediate_size=4096, num_attention_heads=16, num_hidden_layers=23, projection_dim=512, hidden_act="gelu")
FULL_SIZE = {
    "sdxl": dict(unet=XL_UNET, text_encoder=CLIP_L, text_encoder_2=CLIP_G),
    "ssd1b": dict(unet=SSD_UNET, text_encoder=CLIP_L, text_encoder_2=CLIP_G),
    "sd15": dict(unet=SD_UNET, text_encoder=CLIP_L),
    "sd21": dict(unet=SD2_UNET, text_encoder=CLIP_H),
}  # fmt: skip


def full_size(parts):
    """The state dict of each component, without storage."""
    with torch.device("meta"):
        models = {"unet": UNet2DConditionModel(**parts["unet"]), "vae": AutoencoderKL(**VAE)}
        for name in ("text_encoder", "text_encoder_2"):
            if name in parts:
                kind = CLIPTextModelWithProjection if name.endswith("2") else CLIPTextModel
                models[name] = kind(CLIPTextConfig(vocab_size=49408, max_position_embeddings=77, **parts[name]))
    return {name: with_prefix(name, dict(model.state_dict())) for name, model in models.items()}


def with_prefix(component, tensors):
    """As published folders have it: transformers 5 saves CLIPTextModel without the prefix of its only module."""
    if not component.startswith("text_encoder"):
        return tensors
    bare = ("embeddings.", "encoder.", "final_layer_norm.")
    return {("text_model." if name.startswith(bare) else "") + name: t for name, t in tensors.items() if not name.endswith("position_ids")}


def original(script, components):
    """What the script would save, given what it would load."""
    with tempfile.TemporaryDirectory() as folder:
        for component in components:
            path = Path(folder) / FILES[component]
            path.parent.mkdir()
            path.touch()
        of_path = {str(Path(folder) / file): components.get(name) for name, file in FILES.items()}
        saved = {}
        load, save, arguments = safetensors.torch.load_file, safetensors.torch.save_file, sys.argv
        safetensors.torch.load_file = lambda path, device: dict(of_path[str(path)])
        safetensors.torch.save_file = lambda tensors, path: saved.update(tensors)
        sys.argv = [str(script), "--model_path", folder, "--checkpoint_path", "none", "--use_safetensors"]
        try:
            runpy.run_path(str(script), run_name="__main__")
        finally:
            safetensors.torch.load_file, safetensors.torch.save_file, sys.argv = load, save, arguments
        return saved


def fnv(tensor):
    value = 0xCBF29CE484222325
    for byte in tensor.contiguous().view(-1).view(torch.uint8).tolist():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def write_tree(path, tensors, leaf):
    tree = {}
    for name, tensor in tensors.items():
        *modules, last = name.split(".")
        place = tree
        for module in modules:
            place = place.setdefault(module, {})
        place[last] = leaf(tensor)
    path.write_text(json.dumps(tree, separators=(",", ":")).replace("},", "},\n") + "\n")


def main():
    scripts, target = (Path(argument) for argument in sys.argv[1:])
    target.mkdir(exist_ok=True)

    def script(components):
        return scripts / f"convert_diffusers_to_original_{'sdxl' if 'text_encoder_2' in components else 'stable_diffusion'}.py"

    types = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
    for name in ("tiny-sdxl", "tiny-ssd1b", "tiny-sd15"):
        folder = ROOT / "tests/data/parity" / name
        components = {c: with_prefix(c, safetensors.torch.load_file(folder / f)) for c, f in FILES.items() if (folder / f).exists()}
        write_tree(target / f"{name}.json", original(script(components), components), lambda t: [types[t.dtype], list(t.shape), fnv(t)])
    for name, parts in FULL_SIZE.items():
        components = full_size(parts)
        write_tree(target / f"{name}.original.json", original(script(components), components), lambda t: list(t.shape))
        for component, tensors in components.items():
            components[component] = {f"{component}.{k}": t for k, t in tensors.items()}
        everything = {k: t for tensors in components.values() for k, t in tensors.items()}
        write_tree(target / f"{name}.diffusers.json", everything, lambda t: list(t.shape))


if __name__ == "__main__":
    main()
