"""SDXL's architecture and its smaller relatives in diffusers, with the random weights that all peers are measured with.

Families are those of `hayate bench --random`; what they differ by is src/pipeline/random_model.cpp.
"""

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

UNET = dict(
    addition_embed_type="text_time", addition_time_embed_dim=256, attention_head_dim=(5, 10, 20), block_out_channels=(320, 640, 1280),
    cross_attention_dim=2048, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"), layers_per_block=2,
    projection_class_embeddings_input_dim=2816, sample_size=128, transformer_layers_per_block=(1, 2, 10),
    up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), use_linear_projection=True)
FAMILIES = {
    "sdxl": {},
    "ssd-1b": dict(mid_block_type="UNetMidBlock2D", reverse_transformer_layers_per_block=((4, 4, 10), (2, 1, 1), 1),
                   transformer_layers_per_block=(1, (2, 2), (4, 4))),
    "vega": dict(mid_block_type="UNetMidBlock2D", transformer_layers_per_block=(1, 1, 2)),
}
VAE = dict(
    block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4, layers_per_block=2, sample_size=1024,
    scaling_factor=0.13025, up_block_types=("UpDecoderBlock2D",) * 4, force_upcast=False)
CLIP_L = dict(hidden_act="quick_gelu", hidden_size=768, intermediate_size=3072, num_attention_heads=12, num_hidden_layers=12, projection_dim=768)
BIG_G = dict(hidden_act="gelu", hidden_size=1280, intermediate_size=5120, num_attention_heads=20, num_hidden_layers=32, projection_dim=1280)
SCHEDULER = dict(beta_end=0.012, beta_schedule="scaled_linear", beta_start=0.00085, steps_offset=1, timestep_spacing="leading")

PARTS = dict(
    unet=lambda family: UNet2DConditionModel(**UNET | FAMILIES[family]), vae=lambda family: AutoencoderKL(**VAE),
    text_encoder=lambda family: CLIPTextModel(CLIPTextConfig(**CLIP_L)),
    text_encoder_2=lambda family: CLIPTextModelWithProjection(CLIPTextConfig(**BIG_G)))


def show_errors(module):
    """Weights that let errors show: see src/pipeline/random_model.h."""
    for name, p in module.named_parameters():
        if p.dim() == 1:
            torch.nn.init.normal_(p, 0, 0.3) if name.endswith("bias") else torch.nn.init.normal_(p, 1, 0.2)
        else:
            peaky = 2.0 if "to_q" in name or "to_k" in name else 1.0
            torch.nn.init.normal_(p, 0, peaky / p[0].numel() ** 0.5)
    return module


def random_part(part, family="sdxl", device="cpu"):
    """One network of a family: `part` is its name in StableDiffusionXLPipeline."""
    with torch.device(device):
        return show_errors(PARTS[part](family)).eval().requires_grad_(False)


def random_pipeline(tokenizer, seed, device, family="sdxl"):
    torch.manual_seed(seed)
    with torch.device(device):
        parts = {part: make(family) for part, make in PARTS.items()}
        parts = {name: show_errors(part).eval().requires_grad_(False) for name, part in parts.items()}
    tokenizer = CLIPTokenizer.from_pretrained(tokenizer)
    pipe = StableDiffusionXLPipeline(tokenizer=tokenizer, tokenizer_2=tokenizer, scheduler=EulerDiscreteScheduler(**SCHEDULER), **parts,
                                     add_watermarker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def processor():
    """The name of the processor, for the line that says where numbers are from."""
    names = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else "CPU"


def save_random(family, folder):
    """Writes a family in float16 as a diffusers folder, one network in memory at a time; without a tokenizer."""
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float16)
    index = dict(_class_name="StableDiffusionXLPipeline", force_zeros_for_empty_prompt=True, scheduler=["diffusers", "EulerDiscreteScheduler"])
    for part in PARTS:
        made = random_part(part, family)
        made.save_pretrained(f"{folder}/{part}")
        index[part] = [type(made).__module__.split(".")[0], type(made).__name__]
    torch.set_default_dtype(torch.float32)
    EulerDiscreteScheduler(**SCHEDULER).save_pretrained(f"{folder}/scheduler")
    (Path(folder) / "model_index.json").write_text(json.dumps(index))
