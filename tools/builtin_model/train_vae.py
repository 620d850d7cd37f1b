"""Trains the VAE on fresh drawings."""

import argparse
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

from clock import Clock, rate
from drawing import as_input, stream
from muon import Average, Optimizer
from networks import build_vae
from scenes import STYLES, Scenes

# The code is kept near mean 0 and deviation 1 in each channel, which is what diffusion wants, and the noise on it near a small fixed size:
# the UNet's latents are not perfect, and small errors in them should stay small.
CODE_WEIGHT, NOISE_SIZE, NOISE_WEIGHT = .02, .03, 1e-3


def slopes(x):
    return x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]


def loss_of(vae, x, noise):
    mean, logvar = vae.quant_conv(vae.encoder(x)).float().chunk(2, 1)
    y = vae.decoder(vae.post_quant_conv(mean + (.5 * logvar.clamp(-30, 20)).exp() * noise)).float()
    # slopes weigh edges, which decide how crisp a flat picture looks
    edges = sum(F.l1_loss(a, b) for a, b in zip(slopes(y), slopes(x)))
    code = (mean.mean((0, 2, 3)).square() + (mean.std((0, 2, 3)) - 1).square()).sum()
    size = (logvar - 2 * math.log(NOISE_SIZE)).square().mean()
    return F.l1_loss(y, x) + .5 * edges + 4 * F.mse_loss(y, x) + CODE_WEIGHT * code + NOISE_WEIGHT * size, F.mse_loss(y.detach(), x)


def psnr(y, x):
    """(n,) decibels between pictures in -1..1, after rounding to bytes as a file would."""
    y = ((y.float().clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1
    return -10 * ((y - x).square().mean((1, 2, 3)) / 4).log10()


@torch.no_grad()
def evaluate(vae, generator, n=256, size=(256, 256)):
    """Mean PSNR of drawings never seen, in all and by style; and the standard deviation and mean of the latents."""
    values, styles, latents = [], [], []
    for _ in range(n // 32):
        scenes = Scenes(32, size[1] / size[0], generator)
        x = as_input(scenes.pictures(*size))
        z = vae.encode(x).latent_dist.mode()
        values.append(psnr(vae.decode(z).sample, x))
        styles.append(scenes.attributes["style"])
        latents.append(z)
    values, styles, latents = torch.cat(values), torch.cat(styles), torch.cat(latents)
    return dict(psnr=values.mean().item(), worst=values.min().item(), **{f"psnr {name}": values[styles == k].mean().item() for k, name in enumerate(STYLES)},
                std=latents.std().item(), mean=latents.mean((0, 2, 3)).tolist(), channel_std=latents.std((0, 2, 3)).tolist())


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--seconds", type=float, default=260)
    args.add_argument("--batch", type=int, default=32)
    args.add_argument("--size", type=int, default=256)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--device", default="cuda")
    args.add_argument("--muon-lr", type=float, default=.01)
    args.add_argument("--adam-lr", type=float, default=2e-3)
    args = args.parse_args()

    gpu = args.device == "cuda"
    torch.manual_seed(args.seed)
    torch.set_float32_matmul_precision("high")
    generator = torch.Generator(args.device).manual_seed(args.seed)
    vae = build_vae().to(args.device, memory_format=torch.channels_last)
    optimizer = Optimizer(vae.named_parameters(), args.muon_lr, args.adam_lr, plain=("conv_in", "conv_out", "quant_conv", "shortcut"))
    average = Average(vae.parameters(), .998)

    def autocast_loss(*inputs):
        with torch.autocast(args.device, torch.bfloat16, enabled=gpu):
            return loss_of(vae, *inputs)
    compiled = torch.compile(autocast_loss, dynamic=False) if gpu else autocast_loss

    scenes, clock, step, shown = stream(args.batch, generator), None, 0, []
    while True:
        progress = clock.progress() if clock else 0
        if progress >= 1:
            break
        x = as_input(next(scenes).pictures(args.size, args.size))
        loss, error = compiled(x, torch.randn(args.batch, 4, args.size // 8, args.size // 8, device=args.device, generator=generator))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step(rate(step, progress, 60, .4))
        average.update()
        step += 1
        clock = clock or Clock(args.seconds)  # after the first step, which compiles
        shown.append(error)
        if step % 250 == 0 or not gpu:
            print(f"vae {step} psnr {-10 * math.log10(torch.stack(shown).mean().item() / 4):.2f} loss {loss.item():.4f} {clock.elapsed():.0f}s", flush=True)
            shown.clear()

    average.swap()
    fresh = torch.Generator(args.device).manual_seed(999_999)
    result = evaluate(vae, fresh, size=(args.size, args.size), n=256 if gpu else 32)
    vae.register_to_config(scaling_factor=1 / result["std"])
    result |= dict(steps=step, pictures=step * args.batch, seconds=args.seconds)
    vae.save_pretrained(args.out)
    (args.out / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
