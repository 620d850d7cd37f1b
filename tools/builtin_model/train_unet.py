"""Trains the UNet on latents and captions; writes a checkpoint of averaged weights every few minutes."""

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import EulerDiscreteScheduler
from transformers import CLIPTokenizer

import concepts
import parallel
import scenes
from architecture import IMAGE_SIZE, NOISE_SCHEDULE, build_unet, encode_text
from muon import Optimizer

# Fine noise levels are plentiful and easy and should not lead (min-SNR, Hang et al. 2023), but unlike there the coarse ones keep their full
# weight: they settle the colours of sky and ground, and only there must the model listen to the text.
SNR_LIMIT = 5.


def signal_to_noise():
    alphas = EulerDiscreteScheduler(**NOISE_SCHEDULE).alphas_cumprod
    return alphas.sqrt(), (1 - alphas).sqrt()


class Batches:
    """Latents with a fresh caption each time they are met, and the six sizes of SDXL's conditioning."""

    def __init__(self, data, tokenizers, favour, seed, rank, processes):
        described = json.loads((data / "scenes.json").read_text())
        rows = [k for k, scene in enumerate(described) if scenes.is_common(scene) for _ in range(5 if scene["object"] == favour else 1)]
        rows = rows[rank::processes]
        self.latents, self.scenes = torch.from_numpy(np.load(data / "latents.npy")[rows]), [described[k] for k in rows]
        self.tokenizers, self.rng, self.torch_rng = tokenizers, random.Random(seed * 100 + rank), torch.Generator().manual_seed(seed * 100 + rank)
        self.order = []

    def next(self, n):
        while len(self.order) < n:
            self.order += self.rng.sample(range(len(self.latents)), len(self.latents))
        rows = [self.order.pop() for _ in range(n)]
        captions = [scenes.caption(self.scenes[r], self.rng) for r in rows]
        ids = [t(captions, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids for t in self.tokenizers]
        sizes = torch.tensor([[IMAGE_SIZE, IMAGE_SIZE, 0, 0, IMAGE_SIZE, IMAGE_SIZE]] * n, dtype=torch.float32)
        for row in sizes:
            if self.rng.random() < .15:  # the sizes tell nothing here; seeing others keeps them harmless
                row[:] = torch.tensor([self.rng.choice([192, 256, 320, 512, 768, 1024]) if k not in (2, 3) else 0 for k in range(6)])
        # one time from each n-th of the schedule: less varied losses than independent draws
        times = ((torch.randperm(n, generator=self.torch_rng) + torch.rand(n, generator=self.torch_rng)) / n * 1000).long()
        noise = torch.randn(n, *self.latents.shape[1:], generator=self.torch_rng)
        kept = torch.tensor([self.rng.random() >= .1 for _ in range(n)])
        return self.latents[rows].float(), ids, sizes, times, noise, kept


def loss_of(unet, encoders, tables, batch):
    latents, ids, sizes, times, noise, kept = batch
    with torch.no_grad():
        hidden, pooled = encode_text(encoders, ids)
    # what StableDiffusionXLPipeline feeds for an empty negative prompt: zeros
    hidden, pooled = hidden * kept[:, None, None], pooled * kept[:, None]
    a, s = (t[times][:, None, None, None] for t in tables)
    noisy = (a * latents + s * noise).contiguous(memory_format=torch.channels_last)
    v = unet(noisy, times, hidden, added_cond_kwargs=dict(text_embeds=pooled, time_ids=sizes)).sample
    snr = (a / s).flatten() ** 2
    weight = (SNR_LIMIT / (snr + 1)).clamp(max=1.)
    error = (v - (a * noise - s * latents)).square().mean((1, 2, 3))
    return (weight * error).mean()


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--data", type=Path, required=True)
    args.add_argument("--tokenizers", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--steps", type=int, help="length of the run; or give --until")
    args.add_argument("--until", type=float, help="end of the run as a Unix time: the schedule follows the clock, for a machine whose speed changes")
    args.add_argument("--batch", type=int, default=16)
    args.add_argument("--muon-lr", type=float, default=.02)
    args.add_argument("--adam-lr", type=float, default=2e-3)
    args.add_argument("--ema", type=float, default=.99)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--favour", help="an object, such as castle, whose scenes come five times as often: the hardest one, late in a run")
    args.add_argument("--weights-from", type=Path, help="state.pt of an earlier run whose averaged weights to go on from")
    args = args.parse_args()

    rank, processes = parallel.start()
    torch.manual_seed(args.seed)  # the same weights everywhere
    tokenizers = [CLIPTokenizer.from_pretrained(args.tokenizers / name) for name in ("tokenizer", "tokenizer_2")]
    encoders, unet = concepts.build(tokenizers[0].get_vocab()), build_unet()
    if args.weights_from:
        unet.load_state_dict(torch.load(args.weights_from, weights_only=True)["average"])
    trained = list(unet.named_parameters())
    optimizer = Optimizer(trained, args.muon_lr, args.adam_lr, plain=("conv_in", "conv_out"))
    average = {n: t.clone() for n, t in unet.state_dict().items()}
    batches = Batches(args.data, tokenizers, args.favour, args.seed, rank, processes)
    tables = signal_to_noise()
    step, start, saved, shown = 0, time.time(), time.time(), []
    while True:
        progress = step / args.steps if args.steps else (time.time() - start) / (args.until - start)
        # every process must leave in the same step and use the same rate
        progress = parallel.agree(progress)
        done = progress >= 1
        if rank == 0 and (done or time.time() - saved > 180):
            args.out.mkdir(parents=True, exist_ok=True)
            torch.save(dict(average=average, step=step), args.out / "state.tmp")
            (args.out / "state.tmp").rename(args.out / "state.pt")
            saved = time.time()
        if done:
            break
        loss = loss_of(unet, encoders, tables, batches.next(args.batch // processes))
        optimizer.zero_grad()
        loss.backward()
        parallel.average_gradients([p for _, p in trained])
        optimizer.step(min(1., (step + 1) / 40, max(0., 1.02 - progress) / .55))  # warm up, hold, then fall in a line
        step += 1
        with torch.no_grad():
            decay = min(args.ema, (1 + step) / (10 + step))
            for name, tensor in unet.state_dict().items():
                average[name].lerp_(tensor, 1 - decay) if tensor.is_floating_point() else average[name].copy_(tensor)
        shown.append(loss.item())
        if step % 25 == 0 and rank == 0:
            print(f"{step} loss {np.mean(shown):.4f} progress {progress:.3f} samples {step * args.batch} {time.time() - start:.0f}s", flush=True)
            shown.clear()


if __name__ == "__main__":
    main()
