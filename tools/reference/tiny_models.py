"""Random models of a few hundred kilobytes with the structure of the published ones, as diffusers folders.

Configuration values are those of the published checkpoints except sizes. Weights are random in such a way that a
mistake in any of them shows: see randomize().
"""
import json
import shutil

import torch
import diffusers
from diffusers import (AutoencoderKL, EulerDiscreteScheduler, StableDiffusionPipeline, StableDiffusionXLImg2ImgPipeline,
                       StableDiffusionXLPipeline, UNet2DConditionModel)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from .tiny_tokenizer import save_tokenizer, vocabulary

F32, F16, BF16 = torch.float32, torch.float16, torch.bfloat16
END_OF_TEXT = len(vocabulary()[0]) - 1

EULER = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000,
             prediction_type="epsilon", timestep_spacing="leading", steps_offset=1, use_karras_sigmas=False,
             interpolation_type="linear")

XL_UNET = dict(
    sample_size=8, block_out_channels=[8, 16, 24], norm_num_groups=4, layers_per_block=2, use_linear_projection=True,
    down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    attention_head_dim=[1, 2, 3], cross_attention_dim=16 + 24, transformer_layers_per_block=[1, 1, 2],
    addition_embed_type="text_time", addition_time_embed_dim=8, projection_class_embeddings_input_dim=6 * 8 + 20)
# One transformer block where SDXL has two or ten, and no attention in the middle.
SSD_UNET = XL_UNET | dict(
    block_out_channels=[8, 16, 16], attention_head_dim=[1, 2, 4], mid_block_type="UNetMidBlock2D",
    transformer_layers_per_block=[1, [2, 1], [1, 2]], reverse_transformer_layers_per_block=[[2, 1, 3], [2, 1, 1], 1])
SD_UNET = dict(
    sample_size=8, block_out_channels=[8, 16, 16, 16], norm_num_groups=4, layers_per_block=2,
    down_block_types=["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3, attention_head_dim=8, cross_attention_dim=16)

CLIP_L = dict(hidden_size=16, intermediate_size=64, num_attention_heads=2, num_hidden_layers=3, hidden_act="quick_gelu",
              projection_dim=16, bos_token_id=0, eos_token_id=2, pad_token_id=1)
CLIP_G = dict(hidden_size=24, intermediate_size=96, num_attention_heads=3, num_hidden_layers=4, hidden_act="gelu",
              projection_dim=20, bos_token_id=0, eos_token_id=2, pad_token_id=1)

VAE = dict(sample_size=64, norm_num_groups=4, latent_channels=4, layers_per_block=1, block_out_channels=[4, 8, 8, 8],
           down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4)

# Files of all three dtypes; the pipeline's scheduler is Euler everywhere (the published SD 1.5 folder says PNDM). The
# seeds were picked from seventeen: with these no value of the UNet is off by more than 4e-6 in PyTorch's own float32
# (against float64), so that a bound of 1e-5 asks something of the implementation and not of the weights.
MODELS = {
    "tiny-sdxl": dict(seed=96, unet=(XL_UNET, F16), text_encoder=(CLIP_L, F32), text_encoder_2=(CLIP_G, BF16),
                      vae=(VAE | dict(layers_per_block=2, block_out_channels=[4, 8, 8, 16], scaling_factor=0.13025), F16)),
    # Here the second text encoder states its real end-of-text id, as checkpoints saved since 2023 do.
    "tiny-ssd1b": dict(seed=176, unet=(SSD_UNET, BF16), text_encoder=(CLIP_L, F16),
                       text_encoder_2=(CLIP_G | dict(eos_token_id=END_OF_TEXT), F16),
                       vae=(VAE | dict(scaling_factor=0.13025), F16)),
    "tiny-sd15": dict(seed=160, unet=(SD_UNET, F16), text_encoder=(CLIP_L, F16),
                      vae=(VAE | dict(scaling_factor=0.18215), BF16)),
}

# A refiner has the second text encoder only, and is told a score.
XL_REFINER_UNET = XL_UNET | dict(
    block_out_channels=[8, 16], attention_head_dim=[1, 2], transformer_layers_per_block=[1, 1], layers_per_block=1, cross_attention_dim=24,
    down_block_types=["DownBlock2D", "CrossAttnDownBlock2D"], up_block_types=["CrossAttnUpBlock2D", "UpBlock2D"],
    projection_class_embeddings_input_dim=5 * 8 + 20)
REFINERS = {"tiny-refiner": dict(seed=40, unet=(XL_REFINER_UNET, F16), text_encoder_2=(CLIP_G, BF16),
                                 vae=(VAE | dict(block_out_channels=[4, 4, 4, 4], scaling_factor=0.13025), F16))}

# UNets that a request takes instead of its model's: of latent consistency models, which are told the guidance scale.
LCM_UNET = SD_UNET | dict(block_out_channels=[8, 16], layers_per_block=1, down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"],
                          up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"], time_cond_proj_dim=8)
# For inpainting: they read a mask and the latent of what is around it.
INPAINT = dict(in_channels=9, layers_per_block=1)
XL_INPAINT_UNET = XL_UNET | INPAINT | dict(
    block_out_channels=[8, 16], attention_head_dim=[1, 2], transformer_layers_per_block=[1, 1],
    down_block_types=["DownBlock2D", "CrossAttnDownBlock2D"], up_block_types=["CrossAttnUpBlock2D", "UpBlock2D"])
SD_INPAINT_UNET = LCM_UNET | INPAINT | dict(time_cond_proj_dim=None)
UNETS = {"tiny-lcm-unet": dict(seed=30, unet=(LCM_UNET, F16)),
         "tiny-xl-inpaint-unet": dict(seed=31, unet=(XL_INPAINT_UNET, F16)),
         "tiny-sd15-inpaint-unet": dict(seed=32, unet=(SD_INPAINT_UNET, F16))}


def gain_of(path):
    """How much wider than 1/sqrt(inputs) a layer's weights are, by the end of its path; the first match counts."""
    for ends, gain in (
            (("to_q", "to_k", "q_proj", "k_proj"), 1.25),                # attention that picks a few tokens
            (("conv1", "conv2", "time_emb_proj", "linear_2"), 1.6),      # SiLU leaves 0.6 of a unit
            (("net.2", "fc2"), 1.5),                                     # likewise GELU
            (("encoder.conv_out", "unet.conv_out"), 1.6),
            (("decoder.conv_out",), 0.6),                                # most pixels stay inside [-1, 1]
            (("proj_out",), 0.5)):                                       # closes a sum of several branches
        if path.endswith(ends):
            return gain
    return 1.0


# Layers of a thirtieth of the usual output. The norms that read them see a variance near their eps, so that 1e-5 where
# 1e-6 belongs is no rounding error: the first norms of UNet and VAE, of a transformer, of its first block, of CLIP.
QUIET = ("conv_in", "down_blocks.0.resnets.0.conv2", "down_blocks.1.resnets.0.conv2",
         "down_blocks.1.resnets.0.conv_shortcut", "down_blocks.1.attentions.0.proj_in", "coder.mid_block.resnets.0.conv2",
         "token_embedding", "position_embedding")


def randomize(model, name, seed):
    """Norm weights 1 +- 0.2, biases that matter, residual branches of about unit gain, peaky attention."""
    generator = torch.Generator().manual_seed(seed)

    def normal(like, scale):
        return torch.randn(like.shape, generator=generator) * scale

    with torch.no_grad():
        for path, module in model.named_modules(prefix=name):
            if isinstance(module, (torch.nn.GroupNorm, torch.nn.LayerNorm)):
                module.weight.copy_(1 + normal(module.weight, 0.2))
                module.bias.copy_(normal(module.bias, 0.2))
            elif isinstance(module, torch.nn.Embedding):
                module.weight.copy_(normal(module.weight, 1.0))
            elif isinstance(module, (torch.nn.Linear, torch.nn.Conv2d)):
                module.weight.copy_(normal(module.weight, gain_of(path) / module.weight[0].numel() ** 0.5))
                if module.bias is not None:
                    module.bias.copy_(normal(module.bias, 0.1))
            if path.endswith(QUIET):
                for parameter in module.parameters():
                    parameter.mul_(1 / 32)
    return model


def make(kind, name, config, dtype, seed):
    if kind in (CLIPTextModel, CLIPTextModelWithProjection):
        model = kind(CLIPTextConfig(vocab_size=END_OF_TEXT + 1, max_position_embeddings=77, **config))
    else:
        model = kind(**config)
    return randomize(model, name, seed).to(dtype).eval()


def make_model(folder):
    """Writes the model that MODELS has under the folder's name."""
    parts = MODELS[folder.name]
    shutil.rmtree(folder, ignore_errors=True)
    seed = parts["seed"]
    is_xl = "text_encoder_2" in parts
    save_tokenizer(folder / "tokenizer", pad_token="<|endoftext|>")
    components = dict(
        unet=make(UNet2DConditionModel, "unet", *parts["unet"], seed + 1),
        vae=make(AutoencoderKL, "vae", *parts["vae"], seed + 2),
        text_encoder=make(CLIPTextModel, "text_encoder", *parts["text_encoder"], seed + 3),
        tokenizer=CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        scheduler=EulerDiscreteScheduler(**EULER))
    if is_xl:
        save_tokenizer(folder / "tokenizer_2", pad_token="!")
        components |= dict(
            text_encoder_2=make(CLIPTextModelWithProjection, "text_encoder_2", *parts["text_encoder_2"], seed + 4),
            tokenizer_2=CLIPTokenizer.from_pretrained(folder / "tokenizer_2"))
        pipeline = StableDiffusionXLPipeline(**components, force_zeros_for_empty_prompt=True)
    else:
        pipeline = StableDiffusionPipeline(**components, safety_checker=None, feature_extractor=None,
                                           requires_safety_checker=False)
    pipeline.save_pretrained(folder, safe_serialization=True)
    # transformers adds a file that published folders of these models do not have; ours must work without it.
    for name in ("tokenizer", "tokenizer_2") if is_xl else ("tokenizer",):
        shutil.rmtree(folder / name)
        save_tokenizer(folder / name, pad_token="!" if name == "tokenizer_2" else "<|endoftext|>")


def make_refiner(folder):
    parts = REFINERS[folder.name]
    shutil.rmtree(folder, ignore_errors=True)
    seed = parts["seed"]
    save_tokenizer(folder / "tokenizer_2", pad_token="!")
    StableDiffusionXLImg2ImgPipeline(
        unet=make(UNet2DConditionModel, "unet", *parts["unet"], seed + 1), vae=make(AutoencoderKL, "vae", *parts["vae"], seed + 2),
        text_encoder=None, tokenizer=None, text_encoder_2=make(CLIPTextModelWithProjection, "text_encoder_2", *parts["text_encoder_2"], seed + 4),
        tokenizer_2=CLIPTokenizer.from_pretrained(folder / "tokenizer_2"), scheduler=EulerDiscreteScheduler(**EULER),
        requires_aesthetics_score=True, force_zeros_for_empty_prompt=False).save_pretrained(folder, safe_serialization=True)
    shutil.rmtree(folder / "tokenizer_2")
    save_tokenizer(folder / "tokenizer_2", pad_token="!")


def make_unet(folder):
    parts = UNETS[folder.name]
    make(UNet2DConditionModel, "unet", *parts["unet"], parts["seed"]).save_pretrained(folder, safe_serialization=True)


def load_pipeline(folder, dtype=F32, scheduler_overrides=None):
    """`scheduler_overrides` replaces keys of the model's scheduler_config.json, its class too."""
    kind = json.loads((folder / "model_index.json").read_text())["_class_name"]
    pipeline = {"StableDiffusionXLPipeline": StableDiffusionXLPipeline,
                "StableDiffusionPipeline": StableDiffusionPipeline}[kind].from_pretrained(folder, dtype=dtype)
    if scheduler_overrides:
        kind = getattr(diffusers, scheduler_overrides.get("_class_name", "EulerDiscreteScheduler"))
        pipeline.scheduler = kind.from_config(pipeline.scheduler.config | scheduler_overrides)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def load_refiner(folder, base):
    """It decodes with the base model's autoencoder, and has its scheduler."""
    refiner = StableDiffusionXLImg2ImgPipeline.from_pretrained(folder, dtype=base.dtype, vae=base.vae)
    refiner.scheduler = type(base.scheduler).from_config(base.scheduler.config)
    refiner.set_progress_bar_config(disable=True)
    return refiner
