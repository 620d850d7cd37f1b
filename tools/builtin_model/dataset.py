"""Draws the training pictures: pictures.npy (n, 256, 256, 3) uint8 and scenes.json, row by row the same scenes."""

import argparse
import json
from multiprocessing import Pool
from pathlib import Path

import numpy as np

import scenes


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--count", type=int, default=16000)
    args.add_argument("--first-seed", type=int, default=1_000_000)  # far from the small seeds used to look at samples
    args = args.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    shape = (args.count, scenes.SIZE, scenes.SIZE, 3)
    pictures = np.lib.format.open_memmap(args.out / "pictures.npy", "w+", np.uint8, shape)
    described = []
    with Pool() as pool:
        seeds = range(args.first_seed, args.first_seed + args.count)
        for k, (scene, picture) in enumerate(pool.imap(scenes.make, seeds, chunksize=32)):
            pictures[k] = picture
            described.append(scene)
    pictures.flush()
    (args.out / "scenes.json").write_text(json.dumps(described))


if __name__ == "__main__":
    main()
