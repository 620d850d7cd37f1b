#!/usr/bin/env python3
"""Times one call of a model's UNet in OpenVINO on the CPU, for guidance (a batch of two), beside the step that `hayate bench methods --device cpu` tells.

Needs torch, diffusers, transformers and openvino (Python package index); hayate itself needs none of them. The UNet is traced from diffusers at the
model's own size and compiled for float32 and, where the processor has it, bfloat16; the same call in PyTorch is timed beside it, and what they differ by is
told. Threads: OMP_NUM_THREADS for PyTorch, --threads for OpenVINO.

  OMP_NUM_THREADS=2 bench/peers/openvino_unet.py models/builtin --threads 2 --json cpu-openvino.json
"""
import argparse
import json
import statistics
import time
from pathlib import Path

import openvino
import torch
from diffusers import UNet2DConditionModel


class Call(torch.nn.Module):
    """The UNet as a function of tensors, as tracing wants it."""

    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, text, pooled, time_ids):
        return self.unet(sample, timestep, text, added_cond_kwargs=dict(text_embeds=pooled, time_ids=time_ids), return_dict=False)[0]


def example(config):
    random = torch.Generator().manual_seed(0)
    pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
    side = config.sample_size
    return (torch.randn((2, config.in_channels, side, side), generator=random), torch.tensor(801.0),
            torch.randn((2, 77, config.cross_attention_dim), generator=random), torch.randn((2, pooled), generator=random),
            torch.tensor([[8.0 * side, 8.0 * side, 0, 0, 8.0 * side, 8.0 * side]] * 2))


def timed(call, runs):
    call()  # warm
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return dict(ms_per_call=1e3 * statistics.median(times), ms_min=1e3 * min(times), ms_max=1e3 * max(times))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of an SDXL model, for example models/builtin")
    parser.add_argument("--threads", type=int, default=0, help="of OpenVINO; 0: its own choice")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", required=True)
    args = parser.parse_args()

    call = Call(UNet2DConditionModel.from_pretrained(args.model / "unet").eval())
    inputs = example(call.unet.config)
    with torch.inference_mode():
        reference = call(*inputs)
        rows = [dict(runtime=f"PyTorch {torch.__version__}", type="float32", **timed(lambda: call(*inputs), args.runs))]
    with torch.no_grad():
        traced = openvino.convert_model(call, example_input=inputs, input=[tuple(t.shape) for t in inputs])
    core = openvino.Core()
    arrays = [t.numpy() for t in inputs]
    for precision in ["f32"] + (["bf16"] if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else []):
        hints = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"} | ({"INFERENCE_NUM_THREADS": args.threads} if args.threads else {})
        request = core.compile_model(traced, "CPU", hints).create_infer_request()
        made = torch.from_numpy(request.infer(arrays)[0])
        error = float((made - reference).norm() / reference.norm())
        rows.append(dict(runtime=f"OpenVINO {openvino.__version__}", type=precision, relative_error=error, **timed(lambda: request.infer(arrays), args.runs)))
    names = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    report = dict(machine=f"{names[0] if names else 'CPU'}, PyTorch with {torch.get_num_threads()} threads, OpenVINO with {args.threads or 'its own choice'}",
                  model=str(args.model), calls=rows)
    Path(args.json).write_text(json.dumps(report, indent=2) + "\n")
    for row in rows:
        print(f"{row['runtime']:24} {row['type']:8} {row['ms_per_call']:.2f} ms")


if __name__ == "__main__":
    main()
