#!/usr/bin/env python3
"""Times stable-diffusion.cpp's `sd-cli` on the CPU: a step (two calls of the UNet, with and without the prompt) and the decoding of a picture.

The model is SDXL's architecture, or a smaller relative's, with random weights in float16: --make writes it as one file (diffusers makes a folder, hayate
converts it), which hayate can be measured with too. Times are those of sd-cli's own log; what is loaded, and the first step, do not count. Its types say how
weights of linears are kept: f16, or q8_0, where products are of eight bits, weights and activations in blocks of 32. Convolutions are f16 in all.

  bench/peers/stable_diffusion_cpp.py sdxl.safetensors --make sdxl --hayate build/release/hayate
  bench/peers/stable_diffusion_cpp.py sdxl.safetensors --sd-cli bin/sd-cli --size 512 --threads 2 --json cpu-sdcpp.json
"""
import argparse
import json
import re
import subprocess
import tempfile
from pathlib import Path

from random_model import FAMILIES, processor, save_random

TERMINAL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
STEP = re.compile(r"(\d+)/(\d+) - ([\d.]+)(s/it|it/s)")
DECODE = re.compile(r"(?:decode_first_stage completed|computing vae decode graph completed|latent 1 decoded), taking ([\d.]+)(s|ms)")


def seconds(number, unit):
    return {"s/it": float(number), "it/s": 1 / float(number), "s": float(number), "ms": 1e-3 * float(number)}[unit]


def measure(args, kind):
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run([args.sd_cli, "-m", args.model, "-p", "a castle", "-W", str(args.size), "-H", str(args.size), "--steps", str(args.steps),
                               "--cfg-scale", "5", "--sampling-method", "euler", "-t", str(args.threads), "--type", kind, "-v", "-o", f"{folder}/a.png"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    log = TERMINAL.sub("", made.stdout)
    steps = [(int(n), seconds(number, unit)) for n, of, number, unit in STEP.findall(log) if int(of) == args.steps]
    decodes = DECODE.findall(log)
    if made.returncode or not steps or not decodes:
        raise SystemExit(f"{args.sd_cli} exited with {made.returncode}; the end of what it said:\n{log[-3000:]}")
    report = dict(type=kind, log=[line.strip() for line in log.splitlines() if "taking" in line or "System Info" in line or "backend" in line.lower()])
    return report | dict(steps=steps, seconds_decode=seconds(*decodes[0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="the one file")
    parser.add_argument("--make", choices=FAMILIES, help="write it, and measure nothing")
    parser.add_argument("--hayate", help="the program, for --make")
    parser.add_argument("--sd-cli", help="stable-diffusion.cpp's program")
    parser.add_argument("--size", type=int, default=512, help="pixels on a side")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--types", nargs="+", default=["f16", "q8_0"])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    if args.make:
        with tempfile.TemporaryDirectory(dir=Path(args.model).resolve().parent) as folder:
            save_random(args.make, f"{folder}/model")
            subprocess.run([args.hayate, "convert", f"{folder}/model", args.model], check=True)
        return
    report = dict(machine=f"{processor()}, {args.threads} threads", model=args.model, size=args.size, rows=[])
    for kind in args.types:
        report["rows"].append(measure(args, kind))
        print(json.dumps(report["rows"][-1], indent=1), flush=True)
        if args.json:
            args.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
