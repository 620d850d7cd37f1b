#!/usr/bin/env python3
"""Times diffusers' ladder, for the table beside `hayate bench ladder`: on a GPU SDXL's architecture with random weights (`--random sdxl`),
on a CPU a model folder (`--device cpu --model models/builtin`).

Needs torch, diffusers and transformers; hayate itself needs none of them. The rungs are those of the tutorial that the
ladder comes from (huggingface/diffusion-fast): TF32 with unfused attention, bfloat16, scaled_dot_product_attention, torch.compile
on UNet and VAE (on a GPU with CUDA graphs), fused projections. A run is a whole call, from prompt to a PIL picture. On a CPU there is no TF32, and
`--float32` leaves bfloat16 out, which is the faster way where the processor has none; threads are those of OMP_NUM_THREADS.
"""

import argparse
import json
import resource
import statistics
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

PROMPT = "ghibli style, a fantasy landscape with castles"
UNET = dict(
    addition_embed_type="text_time", addition_time_embed_dim=256, attention_head_dim=(5, 10, 20), block_out_channels=(320, 640, 1280),
    cross_attention_dim=2048, down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"), layers_per_block=2,
    projection_class_embeddings_input_dim=2816, sample_size=128, transformer_layers_per_block=(1, 2, 10),
    up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), use_linear_projection=True)
VAE = dict(
    block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4, layers_per_block=2, sample_size=1024,
    scaling_factor=0.13025, up_block_types=("UpDecoderBlock2D",) * 4, force_upcast=False)
CLIP_L = dict(hidden_act="quick_gelu", hidden_size=768, intermediate_size=3072, num_attention_heads=12, num_hidden_layers=12, projection_dim=768)
BIG_G = dict(hidden_act="gelu", hidden_size=1280, intermediate_size=5120, num_attention_heads=20, num_hidden_layers=32, projection_dim=1280)
SCHEDULER = dict(beta_end=0.012, beta_schedule="scaled_linear", beta_start=0.00085, steps_offset=1, timestep_spacing="leading")


def show_errors(module):
    """Weights that let errors show: see src/pipeline/random_model.h."""
    for name, p in module.named_parameters():
        if p.dim() == 1:
            torch.nn.init.normal_(p, 0, 0.3) if name.endswith("bias") else torch.nn.init.normal_(p, 1, 0.2)
        else:
            peaky = 2.0 if "to_q" in name or "to_k" in name else 1.0
            torch.nn.init.normal_(p, 0, peaky / p[0].numel() ** 0.5)
    return module


def random_pipeline(tokenizer, seed, device):
    torch.manual_seed(seed)
    with torch.device(device):
        parts = dict(
            unet=UNet2DConditionModel(**UNET), vae=AutoencoderKL(**VAE), text_encoder=CLIPTextModel(CLIPTextConfig(**CLIP_L)),
            text_encoder_2=CLIPTextModelWithProjection(CLIPTextConfig(**BIG_G)))
        parts = {name: show_errors(part).eval().requires_grad_(False) for name, part in parts.items()}
    tokenizer = CLIPTokenizer.from_pretrained(tokenizer)
    pipe = StableDiffusionXLPipeline(tokenizer=tokenizer, tokenizer_2=tokenizer, scheduler=EulerDiscreteScheduler(**SCHEDULER), **parts,
                                     add_watermarker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def pipeline_of(folder):
    """The folder's own, a StableDiffusionXLPipeline, with the scheduler that random_pipeline has."""
    pipe = StableDiffusionXLPipeline.from_pretrained(folder, dtype=torch.float32, add_watermarker=False)
    pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def quantize(unet, kind):
    """torchao's dynamic quantization, a scale for each row, of the linears that see more than one token."""
    from torchao import quantization as ao

    config = {"int8": ao.Int8DynamicActivationInt8WeightConfig, "fp8": lambda: ao.Float8DynamicActivationFloat8WeightConfig(granularity=ao.PerRow())}[kind]()
    ao.quantize_(unet, config, filter_fn=lambda module, name: isinstance(module, torch.nn.Linear) and ".attentions." in name)


def climb(pipe, rung, max_autotune, quantized=None, repeated_blocks=False):
    """Takes the pipeline from the rung below to this one."""
    if rung == "tf32":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    if rung in ("fp32", "tf32"):
        pipe.unet.set_attn_processor(AttnProcessor())
        pipe.vae.set_attn_processor(AttnProcessor())
    if rung == "bf16":
        pipe.to(dtype=torch.bfloat16)
    if rung == "attention":
        pipe.unet.set_attn_processor(AttnProcessor2_0())
        pipe.vae.set_attn_processor(AttnProcessor2_0())
    if rung == "projections":
        pipe.fuse_qkv_projections()
    if rung in ("compile", "projections"):
        torch._dynamo.reset()
        mode = "max-autotune" if max_autotune else "reduce-overhead" if pipe.device.type == "cuda" else None
        pipe.unet.to(memory_format=torch.channels_last)
        pipe.vae.to(memory_format=torch.channels_last)
        unet = getattr(pipe.unet, "_orig_mod", pipe.unet)
        if quantized and rung == "projections":
            quantize(unet, quantized)
        if repeated_blocks:
            unet.compile_repeated_blocks(fullgraph=True)
            return
        pipe.unet = torch.compile(unet, mode=mode, fullgraph=True)
        pipe.vae.decode = torch.compile(getattr(pipe.vae.decode, "_torchdynamo_orig_callable", pipe.vae.decode), mode=mode, fullgraph=True)


def measure(pipe, steps, warmups, runs):
    on_gpu = pipe.device.type == "cuda"
    wait = torch.cuda.synchronize if on_gpu else lambda: None

    def run():
        wait()
        begin = time.perf_counter()
        pipe(PROMPT, num_inference_steps=steps, guidance_scale=5.0)
        wait()
        return time.perf_counter() - begin

    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    first = run()
    for _ in range(warmups - 1):
        run()
    times = [run() for _ in range(runs)]
    return dict(seconds_per_image=statistics.median(times), seconds_min=min(times), seconds_max=max(times), seconds_first_image=first,
                peak_mib=torch.cuda.max_memory_allocated() >> 20 if on_gpu else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)


def machine(device):
    if device == "cuda":
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}"
    names = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return f"{names[0] if names else 'CPU'}, {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--model", help="a folder of StableDiffusionXLPipeline instead of SDXL's architecture with random weights")
    parser.add_argument("--tokenizer", default="models/builtin/tokenizer", help="folder of a CLIP tokenizer, for random weights")
    parser.add_argument("--float32", action="store_true", help="no bfloat16: attention, compile and projections in float32")
    parser.add_argument("--json", required=True)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--warmups", type=int, default=3)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--slow-runs", type=int, default=2, help="of the float32 rungs, after one warm-up")
    parser.add_argument("--rungs", nargs="+", default=["fp32", "tf32", "bf16", "attention", "compile", "projections"])
    parser.add_argument("--quantize", choices=["int8", "fp8"], help="measure the last rung with the UNet's linears quantized by torchao, and nothing else")
    parser.add_argument("--repeated-blocks", action="store_true", help="compile nothing but the UNet's transformer blocks: minutes less")
    parser.add_argument("--max-autotune", action="store_true", help="the tutorial's mode of torch.compile: more than 20 minutes")
    parser.add_argument("--save", help="write the model there in float16, as a diffusers folder, before measuring")
    args = parser.parse_args()

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    pipe = pipeline_of(args.model).to(args.device) if args.model else random_pipeline(args.tokenizer, 0, args.device)
    if args.save:
        pipe.to(dtype=torch.float16).save_pretrained(args.save)
        pipe.to(dtype=torch.float32)
    report = dict(machine=machine(args.device), rungs=[])
    if args.device == "cuda":
        report["clocks_mhz"] = torch.cuda.clock_rate() if hasattr(torch.cuda, "clock_rate") else None
    rungs = ["projections"] if args.quantize else args.rungs
    left_out = {"tf32"} if args.device == "cpu" else set()
    if args.float32:
        left_out.add("bf16")
    for rung in ["fp32", "tf32", "bf16", "attention", "compile", "projections"]:
        if rung in left_out:
            continue
        if rung == "compile" and "compile" not in rungs:
            continue  # projections compiles too
        climb(pipe, rung, args.max_autotune, args.quantize, args.repeated_blocks)
        if rung not in rungs:
            continue
        slow = rung in ("fp32", "tf32")
        result = measure(pipe, args.steps, 1 if slow else args.warmups, args.slow_runs if slow else args.runs)
        name = args.quantize or rung
        report["rungs"].append(dict(rung=name, **result))
        print(f"{name:12} {result['seconds_per_image']:.3f} s (first {result['seconds_first_image']:.1f} s)", flush=True)
        with open(args.json, "w") as file:  # after each rung: a later one may fail
            json.dump(report, file, indent=2)


if __name__ == "__main__":
    main()
