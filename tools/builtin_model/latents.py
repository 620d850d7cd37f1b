"""The latent space: means of 8x8 pixels and the vertical slope of their brightness, mixed into four even channels; writes latents.npy and mixing.npy.

A latent that is a small picture costs no training, and a UNet learns it far sooner than a learnt code; all sharpness is left to the decoder."""

import argparse
from pathlib import Path

import numpy as np

BRIGHTNESS = np.array([.3, .6, .1], np.float32)


def features(pictures):
    """uint8 (n, 256, 256, 3) -> (n, 4, 32, 32): three colour means in -1..1, then brightness of the upper minus the lower half of each block."""
    n, h, w, _ = pictures.shape
    halves = (pictures.reshape(n, h // 4, 4, w // 8, 8, 3).mean((2, 4), dtype=np.float32) / 127.5 - 1).reshape(n, h // 8, 2, w // 8, 3)
    slope = (halves[:, :, 0] - halves[:, :, 1]) @ BRIGHTNESS
    return np.concatenate([halves.mean(2), slope[..., None]], -1).transpose(0, 3, 1, 2)


def fit_mixing(sample):
    """(4, 5) matrix and offset from features to latents: uncorrelated colours, small variances lifted halfway towards the large ones, all scaled to about 1."""
    flat = sample.transpose(1, 0, 2, 3).reshape(4, -1)
    mean = flat.mean(1)
    variances, axes = np.linalg.eigh(np.cov(flat[:3]))
    rows = np.zeros((4, 4))
    rows[:3, :3] = axes.T[::-1] * (variances[::-1, None] / variances[-1]) ** -.25
    rows[3, 3] = (flat[3].var() / variances[-1]) ** -.25
    latents = rows @ (flat - mean[:, None])
    rows /= latents.std()
    return np.concatenate([rows, -(rows @ mean)[:, None]], 1).astype(np.float32)


def mix(mixing, x):
    return np.einsum("ij,njyx->niyx", mixing[:, :4], x) + mixing[:, 4, None, None]


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--data", type=Path, required=True)
    args = args.parse_args()
    pictures = np.load(args.data / "pictures.npy", mmap_mode="r")
    x = np.concatenate([features(pictures[k:k + 50]) for k in range(0, len(pictures), 50)])
    mixing = fit_mixing(x[:2000])
    latents = mix(mixing, x)
    np.save(args.data / "mixing.npy", mixing)
    np.save(args.data / "latents.npy", latents.astype(np.float16))
    print("channel deviations", latents.std((0, 2, 3)), "means", latents.mean((0, 2, 3)))


if __name__ == "__main__":
    main()
