#!/usr/bin/env python3
"""Writes what AutoencoderTiny of diffusers decodes, value by value: dump_tiny_decoder.py FOLDER (tests/data/tiny_decoder).

FOLDER/tiny is a small random model; FOLDER/tiny.safetensors has its latents whole (`input.latents`), its values sketched and the
picture whole (`picture`). FOLDER/full.safetensors has the same of a model of the published size, whose random weights the test draws itself:
those of the decoder in their order, from one generator. Float32 on one thread. Needs tools/requirements.txt.
"""
import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from safetensors.numpy import save_file

from reference.record import Recorder
from reference.sketch import sketch

TINY = dict(encoder_block_out_channels=(8,) * 4, decoder_block_out_channels=(8,) * 4, num_encoder_blocks=(1,) * 4, num_decoder_blocks=(2, 1, 1, 1))
FULL_SEED = 5


def randomize(model, seed):
    """Weights of about unit gain, biases that matter, and a last layer whose pixels are mostly inside 0..1."""
    generator = torch.Generator().manual_seed(seed)
    last = list(model.decoder.layers)[-1]
    with torch.no_grad():
        for name, parameter in model.decoder.named_parameters():
            drawn = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(drawn * (0.3 if parameter.ndim == 1 else (1.2 / parameter[0].numel()) ** 0.5))
        last.weight.mul_(0.1)
        last.bias.mul_(0.1).add_(0.5)
    return model.eval()


def golden(model, latents):
    with Recorder(model) as recorder, torch.no_grad():
        picture = model.decode(latents).sample
    values = {name: sketch(value) for name, value in recorder.values.items()}
    last = lambda tensor: np.ascontiguousarray(tensor.permute(0, 2, 3, 1).numpy())
    return values | {"input.latents": last(latents), "picture": last(picture)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    tiny = randomize(AutoencoderTiny(**TINY), 3)
    tiny.save_pretrained(folder / "tiny", safe_serialization=True)
    random = torch.Generator().manual_seed(7)
    save_file(golden(tiny, 3 * torch.randn((2, 4, 5, 3), generator=random)), folder / "tiny.safetensors")
    full = randomize(AutoencoderTiny(), FULL_SEED)
    save_file(golden(full, 3 * torch.randn((1, 4, 6, 7), generator=random)), folder / "full.safetensors")


if __name__ == "__main__":
    main()
