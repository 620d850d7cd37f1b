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

import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
from random_model import processor, random_pipeline

PROMPT = "ghibli style, a fantasy landscape with castles"


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
    return f"{processor()}, {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads, torch {torch.__version__}"


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
