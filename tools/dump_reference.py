#!/usr/bin/env python3
"""Writes what diffusers computes, value by value, to compare hayate against.

  dump_reference.py request MODEL OUT.safetensors [--prompt ... --seed ...]
                                     every value of a request, for `hayate compare --reference`
  dump_reference.py goldens FOLDER   makes everything under tests/data/parity again
  dump_reference.py cases FOLDER NAME...   makes these cases, with the models that are there

Float32 on one CPU thread, so that a second run writes the same bytes. Needs tools/requirements.txt.
"""
import argparse
import json
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before the imports: nothing here may come from a network

import diffusers  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from safetensors.numpy import save_file  # noqa: E402

from reference.components import components_of, run_component  # noqa: E402
from reference.embeddings import make_embeddings  # noqa: E402
from reference.pipelines import CASES, case, picture, relative_l2, run_case  # noqa: E402
from reference.requests import record_request  # noqa: E402
from reference.sketch import sketch  # noqa: E402
from reference.tiny_models import MODELS, REFINERS, UNETS, make_model, make_refiner, make_unet  # noqa: E402


def dump_request(args):
    request = case("", args.model.name, picture(args.prompt, args.seed, guidance=args.guidance, negative_prompt=args.negative),
                   width=args.width, height=args.height, steps=args.steps)
    values = record_request(args.model, request)
    asked = {"prompt": args.prompt, "negative_prompt": args.negative, "seed": args.seed, "guidance": args.guidance, "width": args.width,
             "height": args.height, "steps": args.steps}
    save_file(values, args.out, metadata={"request": json.dumps(asked)})
    print(f"{args.out}: {len(values)} values")


def dump_goldens(folder):
    """FOLDER/MODEL is the model. MODEL.COMPONENT.safetensors has the component's inputs whole (`input.NAME`), its values
    sketched, and `bf16_distance`, how far each value is from itself in a bfloat16 run, in the order of the sorted names.
    CASE.safetensors has final latents and pictures of a whole request; manifest.json the requests and their distances."""
    for name in MODELS:
        make_model(folder / name)
        for component in components_of(folder / name):
            inputs, values = run_component(folder / name, component)
            tensors = {f"input.{key}": value for key, value in inputs.items()}
            tensors |= {key: sketch(value) for key, value in values.items()}
            low = run_component(folder / name, component, torch.bfloat16)[1]
            tensors["bf16_distance"] = np.array([relative_l2(low[key], values[key]) for key in sorted(values)], np.float32)
            save_file(tensors, folder / f"{name}.{component}.safetensors")
    for name in UNETS:
        make_unet(folder / name)
    for name in REFINERS:
        make_refiner(folder / name)
    dump_cases(folder, [request["name"] for request in CASES])


def dump_cases(folder, names):
    for name in UNETS:
        if not (folder / name).exists():
            make_unet(folder / name)
    for name in REFINERS:
        if not (folder / name).exists():
            make_refiner(folder / name)
    make_embeddings(folder / "embeddings")
    manifest = folder / "manifest.json"
    known = {case["name"]: case for case in json.loads(manifest.read_text())["cases"]} if manifest.exists() else {}
    for request in CASES:
        if request["name"] in names:
            values, bf16_distance = run_case(folder / request["model"], request)
            save_file(values, folder / f"{request['name']}.safetensors")
            known[request["name"]] = request | {"diffusers_bf16": bf16_distance}
            print(request["name"], bf16_distance, flush=True)
    cases = [known[request["name"]] for request in CASES]
    manifest.write_text(json.dumps({"cases": cases}, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    request = commands.add_parser("request")
    request.add_argument("model", type=Path)
    request.add_argument("out", type=Path)
    request.add_argument("--prompt", default="")
    request.add_argument("--negative", default="")
    for name, default in (("seed", 0), ("steps", 30), ("width", 1024), ("height", 1024)):
        request.add_argument(f"--{name}", type=int, default=default)
    request.add_argument("--guidance", type=float, default=5.0)
    commands.add_parser("goldens").add_argument("folder", type=Path)
    cases = commands.add_parser("cases")
    cases.add_argument("folder", type=Path)
    cases.add_argument("names", nargs="+")
    args = parser.parse_args()

    torch.set_num_threads(1)
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    if args.command == "request":
        dump_request(args)
    elif args.command == "cases":
        dump_cases(args.folder, args.names)
    else:
        dump_goldens(args.folder)


if __name__ == "__main__":
    main()
