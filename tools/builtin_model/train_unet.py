"""Trains the UNet and both text encoders on a pool of latents that is drawn anew all the time; started by torchrun, one process a GPU."""

import os

if "LOCAL_RANK" in os.environ:  # before CUDA starts: one GPU is all that this process and the drawing library see
    os.environ["CUDA_VISIBLE_DEVICES"] = os.environ["LOCAL_RANK"]

import argparse
import json
import random
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from diffusers import AutoencoderKL
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPTokenizer

from captions import GROUPS
from clock import Clock, rate
from drawing import Pool
from export import state_of
from muon import Average, Optimizer
from networks import TOKENS, TextEncoders, build_unet
from sampling import sample, schedule
from scenes import sheet
from scoring import Score, load_classifier

# (height, width, share of the steps, drawings at the start, capacity); every batch has about as many latent pixels
BUCKETS = [(256, 256, .82, 49152, 400000), (192, 320, .05, 8192, 60000), (320, 192, .05, 8192, 60000), (384, 384, .05, 6144, 40000), (512, 512, .03, 3072, 20000)]
FRESH = .05  # of the pictures of each step are new ones, on average
WITHOUT_TEXT = .12
TEXT_WEIGHT = .05  # of the loss that keeps the text encoders telling
# Fine noise levels are plentiful and easy and should not lead (min-SNR, Hang et al. 2023), but unlike there the coarse ones keep their full
# weight: they settle the colours of sky and ground, and only there must the model listen to the text.
SNR_LIMIT = 5.
SHEET = ["a castle on a hill at sunset", "a lighthouse on the left by the sea at night", "two sailboats on the sea at dawn", "three hot air balloons in front of mountains by day",
         "a night neon city with the moon", "a pencil sketch of two houses in the snow", "pixel art of a castle by the sea at sunset", "a house in the forest in the fog, muted colors",
         "a desert with the sun on the right, warm colors", "a castle in the desert at night with stars", "neon, a sailboat on the sea", "a sketch of a lighthouse in heavy rain",
         "a red balloon over the city, flat illustration", "pixel art of three trees in the snow at night", "birds in front of mountains at dawn, vivid colors", "a city at sunset in the rain"]


class Model(nn.Module):
    """All that is trained, with its loss."""

    def __init__(self, vocabulary):
        super().__init__()
        self.unet, self.encoders = build_unet(), TextEncoders(vocabulary)
        # reads what was asked for out of the text alone, class 0 for nothing; thrown away after training
        self.reader = nn.Linear(self.encoders.one.text_model.final_layer_norm.normalized_shape[0] * 2 + self.encoders.two.text_projection.out_features,
                                sum(len(c) + 1 for c in GROUPS.values()))
        self.end = vocabulary - 1

    def forward(self, tables, latents, ids_one, ids_two, asked, time_ids, times, noise, kept):
        hidden, pooled, ends = self.encoders(ids_one, ids_two, (ids_one == self.end).int().argmax(1))
        parts = self.reader(ends).float().split([len(c) + 1 for c in GROUPS.values()], -1)
        reading = sum(F.cross_entropy(part, asked[:, k] + 1) for k, part in enumerate(parts)) / len(parts)
        # what StableDiffusionXLPipeline feeds for an empty negative prompt: zeros
        hidden, pooled = hidden * kept[:, None, None], pooled * kept[:, None]
        a, s = (t[times][:, None, None, None] for t in tables)
        v = self.unet(a * latents + s * noise, times, hidden, added_cond_kwargs=dict(text_embeds=pooled, time_ids=time_ids)).sample.float()
        weight = (SNR_LIMIT / ((a / s).flatten() ** 2 + 1)).clamp(max=1.)
        error = (weight * (v - (a * noise - s * latents)).square().mean((1, 2, 3))).mean()
        return error + TEXT_WEIGHT * reading, error.detach(), reading.detach()


def random_numbers(latents, generator):
    """Timesteps, one from each n-th of the schedule (less varied losses than independent draws), noise, and who keeps the text."""
    n, device = len(latents), latents.device
    rand = lambda: torch.rand(n, generator=generator, device=device)
    times = ((torch.randperm(n, generator=generator, device=device) + rand()) / n * 1000).long().clamp(max=999)
    return times, torch.randn(latents.shape, generator=generator, device=device), (rand() >= WITHOUT_TEXT).float()


def batch_size(bucket, batch):
    height, width = bucket[:2]
    return max(1, batch * 1024 // (height * width // 64))


def average_gradients(parameters):
    grads = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in grads])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    torch._foreach_copy_(grads, [part.view_as(g) for part, g in zip(flat.split([g.numel() for g in grads]), grads)])


class Report:
    """Saves the averaged weights, scores them on prompts never met, and shows a sheet."""

    def __init__(self, args, vae, tokenizers, device):
        self.args, self.vae, self.tokenizers, self.device = args, vae, tokenizers, device
        self.classifier = load_classifier(args.quality, device)
        self.entries = json.loads((args.quality / "prompts.json").read_text())["prompts"][:args.score_prompts]

    def __call__(self, model, average, numbers):
        average.swap()
        model.eval()
        out = self.args.out
        state = {k: v.half().contiguous() for k, v in model.state_dict().items() if not k.startswith("reader")}
        save_file(state, out / "state.tmp")
        (out / "state.tmp").rename(out / "state.safetensors")
        begin = time.time()
        size = self.args.picture
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            draw = lambda prompts, seeds: sample(model.unet, model.encoders, self.vae, self.tokenizers, prompts, seeds, size, size, steps=self.args.score_steps)
            pictures = draw([e["prompt"] for e in self.entries], [e["seed"] for e in self.entries])
            shown = draw(SHEET, list(range(len(SHEET))))
        score = Score()
        for k in range(0, len(pictures), 100):
            x = F.interpolate(pictures[k:k + 100], size=(256, 256))
            score.add(self.classifier, x, self.entries[k:k + 100])
        table = score.table()
        (out / "score.json").write_text(json.dumps(numbers | table, indent=1) + "\n")
        pixels = ((torch.cat([shown, pictures[:16]]) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu()
        Image.fromarray(sheet(pixels, 8).numpy()).save(out / f"sheet{numbers['step']:06d}.jpg", quality=88)
        print(f"score {table['attribute_score']:.4f} in {time.time() - begin:.0f}s", sorted((v, k) for k, v in table["groups"].items())[:10], flush=True)
        average.swap()
        model.train()


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--vae", type=Path, required=True)
    args.add_argument("--tokenizers", type=Path, required=True)
    args.add_argument("--quality", type=Path, required=True, help="folder of the classifier and the evaluation's prompts")
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--seconds", type=float, default=1000)
    args.add_argument("--until", type=float, help="Unix time at which to be done, in place of --seconds")
    args.add_argument("--batch", type=int, default=512, help="per process, at 256x256")
    args.add_argument("--muon-lr", type=float, default=.02)
    args.add_argument("--adam-lr", type=float, default=2e-3)
    args.add_argument("--seed", type=int, default=3)
    args.add_argument("--weights-from", type=Path, help="diffusers folder of an earlier run to go on from, with a longer warm-up")
    args.add_argument("--first-drawings", type=float, default=1., help="factor of the pools' drawings to begin with")
    args.add_argument("--report-every", type=float, default=240, help="seconds")
    args.add_argument("--score-prompts", type=int, default=600)
    args.add_argument("--score-steps", type=int, default=30)
    args.add_argument("--picture", type=int, default=256)
    args.add_argument("--device", default="cuda")
    args = args.parse_args()

    gpu = args.device == "cuda"
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(args.seed)  # the same weights everywhere
    tokenizers = [CLIPTokenizer.from_pretrained(args.tokenizers / name) for name in ("tokenizer", "tokenizer_2")]
    vocabulary = len(tokenizers[0])
    dist.init_process_group("nccl" if gpu else "gloo")
    rank, processes = dist.get_rank(), dist.get_world_size()
    together = dist.new_group(backend="gloo")
    generator = torch.Generator(args.device).manual_seed(args.seed * 100 + rank)
    model = Model(vocabulary).to(args.device, memory_format=torch.channels_last)
    tables = schedule(args.device)

    def autocast_loss(*inputs):
        with torch.autocast(args.device, torch.bfloat16, enabled=gpu):
            return model(*inputs)
    # only for the common size: compiling takes minutes, and less for each other size would be won
    compiled = torch.compile(autocast_loss, dynamic=False) if gpu else autocast_loss
    args.out.mkdir(parents=True, exist_ok=True)
    if args.weights_from:
        model.load_state_dict({k: v.float() for k, v in state_of(args.weights_from).items()}, strict=False)  # all but the reader
    vae = AutoencoderKL.from_pretrained(args.vae).to(args.device, memory_format=torch.channels_last).eval().requires_grad_(False)
    report = Report(args, vae, tokenizers, args.device) if rank == 0 else None
    begin = time.time()
    buckets = BUCKETS if gpu else [(args.picture, args.picture, 1., 8, 64)]
    pools = [Pool(height, width, capacity, vae, tokenizers, generator) for height, width, _, _, capacity in buckets]
    for pool, bucket in zip(pools, buckets):
        pool.draw(max(8, int(args.first_drawings * bucket[3])))
    if gpu:
        torch.cuda.synchronize()
    print(f"rank {rank}: first drawings in {time.time() - begin:.0f}s", flush=True)

    trained = [(n, p) for n, p in model.named_parameters() if not n.startswith("encoders.one.text_model.encoder.layers.2") and "one.text_model.final" not in n]
    optimizer = Optimizer(trained, args.muon_lr, args.adam_lr, plain=("conv_in", "conv_out", "embedding.weight", "reader"))
    parameters = [p for _, p in trained]
    average = Average(parameters, .9985)
    order, owed = random.Random(args.seed), [0.] * len(buckets)  # the same order everywhere
    dist.barrier(together)
    clock = Clock(args.until - time.time() if args.until else args.seconds)
    step, seen, reported, progress, sums = 0, 0, time.time(), 0., torch.zeros(3, device=args.device)
    while True:
        if step % 8 == 0 or not gpu:
            shared = torch.tensor([clock.progress(), float(time.time() - reported > args.report_every)], dtype=torch.float64)
            dist.broadcast(shared, 0, group=together)
            progress = shared[0].item()
            if progress >= 1:
                break
            if shared[1] > 0:
                if rank == 0:
                    report(model, average, dict(step=step, pictures=seen, seconds=clock.elapsed()))
                reported = time.time()
        k = order.choices(range(len(buckets)), [b[2] for b in buckets])[0]
        n = batch_size(buckets[k], args.batch)
        owed[k] += FRESH * n
        if owed[k] >= 4 * n:  # many at a time: making few takes as long
            owed[k] -= 4 * n
            pools[k].draw(4 * n)
        latents, *others = pools[k].batch(n)
        whole, error, reading = (compiled if k == 0 else autocast_loss)(tables, latents, *others, *random_numbers(latents, generator))
        optimizer.zero_grad()
        whole.backward()
        average_gradients(parameters)
        optimizer.step(rate(step, progress, 100 if not args.weights_from else 300, .4))
        average.update()
        step, seen = step + 1, seen + n * processes
        sums += torch.stack([error, reading, torch.ones_like(error)])
        if (step % 100 == 0 or not gpu) and rank == 0:
            error, reading, count = sums.tolist()
            print(f"unet {step} loss {error / count:.4f} text {reading / count:.4f} progress {progress:.3f} pictures {seen} {clock.elapsed():.0f}s", flush=True)
            sums.zero_()
    if rank == 0:
        report(model, average, dict(step=step, pictures=seen, seconds=clock.elapsed(), gpus=processes, pool=[p.filled for p in pools]))
    dist.barrier(together)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
