#!/usr/bin/env python3
"""Times one call of a network on the CPU in PyTorch, OpenVINO and hayate, with the same threads: the UNet on a batch of two, for guidance, or the VAE's
decoder (`--network decoder`) on one latent.

Needs torch, diffusers and transformers, for its rows openvino and nncf (Python package index); hayate itself needs none of them. OpenVINO's graph is traced
from diffusers, and int8 is NNCF's post-training quantization of weights and activations, calibrated on the input that is timed; `openvino-int8-weights`
stores weights in eight bits and no more. Rows in eight bits compute the rest in bfloat16 where the processor has it. A row of hayate is a rung, timed as
`hayate bench ladder` times a step (UNet, guidance and scheduler) and the decoding of a picture (up to its bytes). An error is the relative distance from
PyTorch's float32, where that was a row before.
The report is written after every row, and rows of an earlier report of that name are kept: a run can be continued.

  bench/peers/cpu_network.py --random sdxl --size 512 --threads 2 --hayate build/release/hayate --json cpu-unet.json
  bench/peers/cpu_network.py --network decoder --random sdxl --size 512 --threads 2 --hayate build/release/hayate --json cpu-decoder.json
  bench/peers/cpu_network.py --model models/builtin --rows eager-f32 openvino-f32 openvino-int8 --json cpu-unet-builtin.json
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from random_model import FAMILIES, processor, random_part

TYPES = dict(f32=torch.float32, bf16=torch.bfloat16)
ROWS = ["eager-f32", "eager-bf16", "compile-f32", "compile-bf16", "openvino-f32", "openvino-bf16", "openvino-int8", "openvino-int8-weights",
        "hayate-projections", "hayate-int8", "hayate-int8-convolutions"]


class Unet(torch.nn.Module):
    """The network as a function of tensors, as tracing wants it."""

    part, kind, milliseconds = "unet", UNet2DConditionModel, "ms_per_step"

    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, text, pooled, time_ids):
        return self.unet(sample, timestep, text, added_cond_kwargs=dict(text_embeds=pooled, time_ids=time_ids), return_dict=False)[0]

    @property
    def native_size(self):
        return 8 * self.unet.config.sample_size

    def example(self, size, random):
        config = self.unet.config
        pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
        return (torch.randn((2, config.in_channels, size // 8, size // 8), generator=random), torch.tensor(801.0),
                torch.randn((2, 77, config.cross_attention_dim), generator=random), torch.randn((2, pooled), generator=random),
                torch.tensor([[size, size, 0.0, 0.0, size, size]] * 2))


class Decoder(torch.nn.Module):
    """Likewise."""

    part, kind, milliseconds = "vae", AutoencoderKL, "ms_decode"

    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, latents):
        return self.vae.decode(latents, return_dict=False)[0]

    @property
    def native_size(self):
        return self.vae.config.sample_size

    def example(self, size, random):
        return (torch.randn((1, self.vae.config.latent_channels, size // 8, size // 8), generator=random),)


NETWORKS = dict(unet=Unet, decoder=Decoder)


def timed(call, runs):
    """The last result, and what `runs` calls took after one that does not count."""
    begin = time.perf_counter()
    result = call()
    first = time.perf_counter() - begin
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - begin)
    return result, dict(ms_per_call=1e3 * statistics.median(times), ms_min=1e3 * min(times), ms_max=1e3 * max(times), ms_first_call=1e3 * first)


class Peers:
    """Times rows; what several of them need is made by the first."""

    def __init__(self, args):
        torch.manual_seed(0)
        self.args = args
        network = NETWORKS[args.network]
        made = network.kind.from_pretrained(Path(args.model) / network.part).eval() if args.model else random_part(network.part, args.random)
        self.call = network(made.requires_grad_(False))
        self.size = args.size or self.call.native_size
        self.inputs = self.call.example(self.size, torch.Generator().manual_seed(0))
        self.reference = self.traced = None

    def error(self, made):
        if self.reference is None:
            return {}
        return dict(relative_error=float((made.float() - self.reference).norm() / self.reference.norm()))

    @torch.inference_mode()
    def pytorch(self, mode, dtype):
        call = self.call.to(TYPES[dtype])
        # Eager convolutions and compiled ones differ in which layout they like; diffusers' documentation asks for this one when compiling.
        call = call.to(memory_format=torch.channels_last if mode == "compile" else torch.contiguous_format)
        if mode == "compile":
            torch._dynamo.reset()
            call = torch.compile(call, fullgraph=True)
        inputs = [t.to(TYPES[dtype]) for t in self.inputs]
        made, times = timed(lambda: call(*inputs), self.args.runs)
        if mode == "eager" and dtype == "f32":
            self.reference = made.float()
        self.call.to(torch.float32)
        return dict(runtime=f"PyTorch {torch.__version__}", **times, **self.error(made))

    def openvino(self, kind):
        import openvino

        if self.traced is None:
            with torch.no_grad():
                self.traced = openvino.convert_model(self.call.to(memory_format=torch.contiguous_format), example_input=self.inputs,
                                                     input=[tuple(t.shape) for t in self.inputs])
        core = openvino.Core()
        arrays = [t.numpy() for t in self.inputs]
        has_bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if kind == "bf16" and not has_bf16:
            raise RuntimeError("OpenVINO computes bfloat16 only where the processor does")
        model = self.traced
        if kind.startswith("int8"):
            import nncf

            if kind == "int8":
                # Correcting biases and moving scales from activations to weights makes results better, not faster, and takes hours at full size.
                advanced = nncf.AdvancedQuantizationParameters(
                    disable_bias_correction=True, smooth_quant_alphas=nncf.AdvancedSmoothQuantParameters(convolution=-1, matmul=-1))
                model = nncf.quantize(model, nncf.Dataset([arrays]), subset_size=1, model_type=nncf.ModelType.TRANSFORMER, advanced_parameters=advanced)
            else:
                model = nncf.compress_weights(model.clone(), mode=nncf.CompressWeightsMode.INT8_SYM)
        hints = {"INFERENCE_PRECISION_HINT": "f32" if kind == "f32" or not has_bf16 else "bf16", "PERFORMANCE_HINT": "LATENCY",
                 "ENABLE_CPU_PINNING": False}  # threads stay where this process may run
        if self.args.threads:
            hints["INFERENCE_NUM_THREADS"] = self.args.threads
        request = core.compile_model(model, "CPU", hints).create_infer_request()
        made, times = timed(lambda: request.infer(arrays)[0], self.args.runs)
        return dict(runtime=f"OpenVINO {openvino.__version__}", **times, **self.error(torch.from_numpy(made)))

    def hayate(self, rung):
        rung, *convolutions = rung.split("-")
        model = ["-m", self.args.model] if self.args.model else ["--random", self.args.random]
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "ladder.json"
            subprocess.run([self.args.hayate, "bench", "ladder", "--device", "cpu", *model, "-W", str(self.size), "-H", str(self.size), "--steps", "2",
                            "--warmups", "1", "--runs", str(self.args.runs), "--rungs", rung, *("--quantize-convolutions" for _ in convolutions), "--json", report], check=True)
            made = json.loads(report.read_text())
        return dict(runtime=f"hayate {made['version']}", ms_per_call=made["rungs"][0][self.call.milliseconds])

    def row(self, name):
        kind, rest = name.split("-", 1)
        if kind == "openvino":
            return self.openvino(rest)
        return self.hayate(rest) if kind == "hayate" else self.pytorch(kind, rest)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=NETWORKS, default="unet")
    parser.add_argument("--random", choices=FAMILIES, default="sdxl", help="an architecture at full size with random weights")
    parser.add_argument("--model", help="a folder of StableDiffusionXLPipeline instead")
    parser.add_argument("--size", type=int, help="pixels on a side (default: the model's own)")
    parser.add_argument("--threads", type=int, default=0, help="of every row (default: each runtime's own choice)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=None, help="default: all, hayate's if --hayate says where it is")
    parser.add_argument("--hayate", help="the program")
    parser.add_argument("--json", type=Path, required=True)
    args = parser.parse_args()

    if args.threads:
        torch.set_num_threads(args.threads)
        os.environ["OMP_NUM_THREADS"] = str(args.threads)  # of hayate
    peers = Peers(args)
    report = json.loads(args.json.read_text()) if args.json.exists() else dict(rows={})
    report.update(network=args.network, machine=f"{processor()}, {args.threads or 'each its own choice of'} threads", model=args.model or f"{args.random}, random weights",
                  size=peers.size)
    for name in args.rows or [row for row in ROWS if args.hayate or not row.startswith("hayate")]:
        try:
            report["rows"][name] = row = peers.row(name)
            print(f"{name:22} {row['ms_per_call']:10.1f} ms  {row['runtime']}", flush=True)
        except Exception as error:  # one runtime that cannot is no reason to lose the others
            report["rows"][name] = dict(failed=f"{type(error).__name__}: {error}"[:300])
            print(f"{name:22} failed: {error}", flush=True)
        args.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
