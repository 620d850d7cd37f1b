#!/usr/bin/env python3
"""Writes tests/data/noise/randn.json: what torch.randn draws, as selected values and sums, for tests/core/random_test.cpp.

Needs a torch with pull request 175988 (earlier ones draw half types differently, 2.15 is fine) on a processor with AVX2.

  dump_noise.py --cuda OUT.json   writes what an NVIDIA GPU draws instead, for tests/core/philox_test.cpp
"""

import argparse
import json
from pathlib import Path

import torch

TYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
ALL_VALUES_UP_TO = 40


def summary(values):
    """Sums over every value, one of them sensitive to order, and some values themselves."""
    x = values.double()
    count = len(x)
    index = torch.arange(count)
    picked = range(count) if count <= ALL_VALUES_UP_TO else [0, 1, 7, 8, 15, 16, count // 2, count - 17, count - 16, count - 9, count - 1]
    return {
        "count": count,
        "sum": x.sum().item(),
        "moment": (x * (index % 101 - 50)).sum().item(),
        "at": {str(i): float(f"{x[i].item():.9g}") for i in picked},
    }


def case(seed, kind, counts, device="cpu"):
    generator = torch.Generator(device).manual_seed(seed)
    draws = [summary(torch.randn(n, generator=generator, dtype=TYPES[kind], device=device).cpu()) for n in counts]
    return {"seed": seed, "type": kind, "draws": draws}


def write(path, cases):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    path.write_text(f"[\n{lines}\n]\n")


def cuda_cases():
    properties = torch.cuda.get_device_properties(0)
    print(properties.name, properties.multi_processor_count, "x", properties.max_threads_per_multi_processor)
    cases = [case(seed, "f32", [n, n], "cuda") for seed in (0, 42, 2**31, 2**32 + 42, 2**63) for n in (1, 5, 16, 1000, 16384, 65536)]
    # Beyond the GPU's threads, and consecutive draws of several sizes.
    return cases + [case(3, "f32", [262144, 270336, 270337, 300000, 1081344, 1200000, 7], "cuda")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuda", type=Path)
    args = parser.parse_args()
    if args.cuda:
        return write(args.cuda, cuda_cases())
    cases = []
    for kind in TYPES:
        cases += [case(n, kind, [n]) for n in range(1, 41)]
        cases += [case(seed, kind, [1000, 16384]) for seed in range(100, 120)]
        cases += [case(seed, kind, [4096]) for seed in (0, 42, 2**31, 2**32 - 1, 2**32, 2**32 + 42, 2**63, 2**64 - 1)]
        # Consecutive draws, as samplers that add noise make; odd counts leave half of a pair in the generator.
        cases += [case(7, kind, [3, 5, 16, 1, 17, 1000, 7, 16387, 2, 2, 31]), case(8, kind, [65536, 65536, 1, 65540])]
    write(Path(__file__).resolve().parent.parent / "tests/data/noise/randn.json", cases)


main()
