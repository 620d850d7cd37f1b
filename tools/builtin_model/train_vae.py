"""Trains the decoder to draw sharp pictures from the fixed latents; the encoder is arithmetic (linear_vae.py) and stays as it is."""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import latents
import linear_vae
import parallel
from muon import Optimizer

# (until this share of the run, size of the crops, crops per step): many small steps first, whole pictures last
PHASES = [(.6, 64, 8), (.85, 128, 2), (1., 256, 2)]
LATENT_NOISE = .03  # the UNet's latents are not perfect; the decoder should not turn small errors into texture


def batch(pictures, rng, n, size):
    """Crops on the 8x8 grid: as uint8, because the latents are computed from them, and as the decoder's target."""
    out = np.empty((n, size, size, 3), np.uint8)
    for row in out:
        y, x = rng.integers(0, (256 - size) // 8 + 1, 2) * 8
        row[:] = pictures[rng.integers(len(pictures)), y:y + size, x:x + size]
        if rng.random() < .5:
            row[:] = row[:, ::-1].copy()
    return out, torch.from_numpy(out.astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)  # (n, 3, size, size), channels last


def slopes(x):
    return x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]


def loss_of(y, x):
    # slopes weigh edges, which decide how crisp a flat picture looks
    edges = sum(F.l1_loss(a, b) for a, b in zip(slopes(y), slopes(x)))
    return F.l1_loss(y, x) + .5 * edges + 2 * F.mse_loss(y, x)


def psnr(y, x):
    return -10 * math.log10(F.mse_loss(y.clamp(-1, 1), x).item() / 4)


@torch.no_grad()
def held_out_psnr(vae, pictures):
    values = []
    for picture in pictures:
        x = torch.from_numpy(picture[None].astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
        values.append(psnr(vae.decode(vae.encode(x).latent_dist.mode()).sample, x))
    return float(np.mean(values))


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--data", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--steps", type=int, help="length of the run; or give --until")
    args.add_argument("--until", type=float, help="end of the run as a Unix time")
    args.add_argument("--seed", type=int, default=1)
    args = args.parse_args()

    rank, processes = parallel.start()
    torch.manual_seed(args.seed)  # the same weights in every process
    rng = np.random.default_rng([args.seed, rank])
    pictures = np.load(args.data / "pictures.npy", mmap_mode="r")
    held_out, train = pictures[:32], pictures[32:]
    mixing = np.load(args.data / "mixing.npy")
    vae = linear_vae.build(mixing)
    # only residual branches take Muon's bold steps, the linear chain moves gently
    optimizer = Optimizer([(n, p) for n, p in vae.named_parameters() if n.startswith("decoder.")], .006, 1e-3,
                          plain=("conv_in", "conv_out", "shortcut", "upsamplers"))
    decoder = list(vae.decoder.parameters())

    step, start, shown = 0, time.time(), []
    while True:
        progress = parallel.agree(step / args.steps if args.steps else (time.time() - start) / (args.until - start))
        if progress >= 1:
            break
        size, count = next((size, count) for end, size, count in PHASES if progress < end)
        crops, x = batch(train, rng, count // processes, size)
        z = torch.from_numpy(latents.mix(mixing, latents.features(crops))).float()
        y = vae.decode((z + LATENT_NOISE * torch.randn_like(z)) / vae.config.scaling_factor).sample
        optimizer.zero_grad()
        loss_of(y, x).backward()
        parallel.average_gradients(decoder)
        optimizer.step(min(1., (step + 1) / 30, 1.03 - progress))
        step += 1
        shown.append(psnr(y, x))
        if step % 25 == 0 and rank == 0:
            print(f"{step} psnr {np.mean(shown):.2f} progress {progress:.3f} {time.time() - start:.0f}s", flush=True)
            shown.clear()
    if rank == 0:
        vae.save_pretrained(args.out)
        print(f"{step} steps, {time.time() - start:.0f}s, held-out psnr {held_out_psnr(vae, held_out):.2f}", flush=True)


if __name__ == "__main__":
    main()
