"""Every value of one component of a model folder, for fixed inputs."""
import json

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from .record import CLIP_ATTENTION, Recorder

PROMPT_IDS = ([320, 70, 300, 530, 612, 19], [7, 400, 401, 33, 2, 650, 90, 511, 64])  # any tokens, two lengths


def run_unet(folder, dtype, latent_size=(8, 6), tokens=77):
    """One call for two pictures with their own timesteps, texts and sizes -> (inputs, values)."""
    model = UNet2DConditionModel.from_pretrained(folder / "unet", dtype=dtype)
    random = torch.Generator().manual_seed(1)
    config = model.config
    inputs = {"sample": torch.randn((2, config.in_channels, *latent_size), generator=random),
              "timestep": torch.tensor([801.0, 33.0]),
              "encoder_hidden_states": 1.5 * torch.randn((2, tokens, config.cross_attention_dim), generator=random)}
    conditioning = {}
    if config.addition_embed_type == "text_time":
        pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
        conditioning = {"text_embeds": torch.randn((2, pooled), generator=random),
                        "time_ids": torch.tensor([[64.0, 48, 0, 0, 64, 48], [1024, 768, 128, 17, 512, 640]])}
    with Recorder(model) as recorder, torch.no_grad():
        model(sample=inputs["sample"].to(dtype), timestep=inputs["timestep"],
              encoder_hidden_states=inputs["encoder_hidden_states"].to(dtype),
              added_cond_kwargs={key: tensor.to(dtype) if key == "text_embeds" else tensor
                                 for key, tensor in conditioning.items()})
    inputs["sample"] = inputs["sample"].permute(0, 2, 3, 1)
    return inputs | conditioning, recorder.values


def run_vae(folder, dtype, latent_size=(4, 3)):
    """Decodes two latents and encodes two pictures -> (inputs, values)."""
    model = AutoencoderKL.from_pretrained(folder / "vae", dtype=dtype)
    random = torch.Generator().manual_seed(2)
    factor = 2 ** (len(model.config.block_out_channels) - 1)
    scaling = model.config.scaling_factor
    latents = torch.randn((2, model.config.latent_channels, *latent_size), generator=random) * scaling
    pixels = torch.rand((2, 3, factor * latent_size[0], factor * latent_size[1]), generator=random) * 2 - 1
    with Recorder(model) as recorder, torch.no_grad():
        model.decode((latents / scaling).to(dtype))
        model.encode(pixels.to(dtype))
    return {"latents": latents.permute(0, 2, 3, 1), "pixels": pixels.permute(0, 2, 3, 1)}, recorder.values


def run_text_encoder(folder, name, dtype):
    """Two prompts of different lengths -> (inputs, values)."""
    config = json.loads((folder / name / "config.json").read_text())
    projected = config["architectures"][0] == "CLIPTextModelWithProjection"
    kind, prefix = (CLIPTextModelWithProjection, "") if projected else (CLIPTextModel, "text_model.")
    model = kind.from_pretrained(folder / name, dtype=dtype, attn_implementation=CLIP_ATTENTION)
    start, end = config["vocab_size"] - 2, config["vocab_size"] - 1
    pad = 0 if projected else end
    ids = torch.tensor([[start, *prompt, end] + [pad] * (75 - len(prompt)) for prompt in PROMPT_IDS])
    with Recorder(model, prefix) as recorder, torch.no_grad():
        model(ids)
    return {"input_ids": ids.float()}, recorder.values


def run_component(folder, name, dtype=torch.float32):
    """-> (inputs, values), name -> float32 array each."""
    if name == "unet":
        inputs, values = run_unet(folder, dtype)
    elif name == "vae":
        inputs, values = run_vae(folder, dtype)
    else:
        inputs, values = run_text_encoder(folder, name, dtype)
    return {key: np.ascontiguousarray(tensor.numpy()) for key, tensor in inputs.items()}, values


def components_of(folder):
    return [name for name in ("unet", "vae", "text_encoder", "text_encoder_2") if (folder / name).is_dir()]
