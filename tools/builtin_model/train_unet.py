"""Trains the UNet and both text encoders on a pool of latents that is drawn anew all the time, on one GPU, or by torchrun on several, one process each."""

import os

for name, alone in dict(RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT="29511").items():
    os.environ.setdefault(name, alone)
if "LOCAL_RANK" in os.environ:  # before CUDA starts: one GPU is all that this process and the drawing library see
    os.environ["CUDA_VISIBLE_DEVICES"] = os.environ["LOCAL_RANK"]

import argparse
import random
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import nn
from transformers import CLIPTokenizer

from captions import GROUPS
from clock import Clock, rate
from diffusion import random_times, schedule, signal_and_noise, weight_of
from drawing import Pool
from examination import Examination
from export import save_whole, state_of
from graphs import Gradients
from muon import Average, Optimizer
from networks import TOKENS, TextEncoders, build_unet

# (height, width, share of the steps, drawings at the start, capacity); every batch has about as many latent pixels
BUCKETS = [(256, 256, .90, 49152, 400000), (192, 320, .03, 8192, 60000), (320, 192, .03, 8192, 60000), (384, 384, .025, 6144, 40000), (512, 512, .015, 3072, 20000)]
FRESH = .03  # of the pictures of each step are new ones, on average
WITHOUT_TEXT = .12
# with text, but without the pooled vector: it modulates whole feature maps and so can rule out pairs that never met, while tokens speak one by one
WITHOUT_POOLED = .1
TEXT_WEIGHT = .05  # of the loss that keeps the text encoders telling
TELL_EVERY = 20  # seconds


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
        hidden, pooled = hidden * kept[:, :1, None], pooled * kept[:, 1:]
        a, s = signal_and_noise(tables, times)
        v = self.unet(a * latents + s * noise, times, hidden, added_cond_kwargs=dict(text_embeds=pooled, time_ids=time_ids)).sample.float()
        error = (weight_of(a, s) * (v - (a * noise - s * latents)).square()).mean()
        return error + TEXT_WEIGHT * reading, error.detach(), reading.detach()


def random_numbers(latents, generator):
    """Timesteps, noise, and who keeps the text (n, 2): hidden states, pooled."""
    n, device = len(latents), latents.device
    rand = lambda: torch.rand(n, generator=generator, device=device)
    times = random_times(n, generator)
    text = rand() >= WITHOUT_TEXT
    return times, torch.randn(latents.shape, generator=generator, device=device), torch.stack([text, text & (rand() >= WITHOUT_POOLED)], 1).float()


def batch_size(bucket, batch):
    height, width = bucket[:2]
    return max(1, batch * 1024 // (height * width // 64))


def average_gradients(parameters):
    if dist.get_world_size() == 1:
        return
    grads = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in grads])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    torch._foreach_copy_(grads, [part.view_as(g) for part, g in zip(flat.split([g.numel() for g in grads]), grads)])


class Report:
    """Saves the averaged weights, scores them on prompts never met, and shows a sheet."""

    def __init__(self, args, model, average, vae, tokenizers):
        self.args, self.model, self.average, self.vae, self.tokenizers = args, model, average, vae, tokenizers
        self.examine = Examination(args.quality, args.out, args.device, args.picture, args.score_prompts)

    def save(self):
        """The averaged weights: state.safetensors, whole at any time."""
        self.average.swap()
        state = {k: v.half().contiguous() for k, v in self.model.state_dict().items() if not k.startswith("reader")}
        self.average.swap()
        save_whole(state, self.args.out / "state.safetensors")

    def score(self, numbers):
        """The averaged weights' score and sheet, named by the step."""
        self.average.swap()
        self.model.eval()
        self.examine(f"{numbers['step']:06d}", numbers, self.model.unet, self.model.encoders, self.vae, self.tokenizers, steps=self.args.score_steps)
        self.average.swap()
        self.model.train()


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
    args.add_argument("--hold", type=float, default=.4, help="share of the run after which the learning rates begin to fall")
    args.add_argument("--weight-decay", type=float, default=.01, help="of Muon's matrices")
    args.add_argument("--seed", type=int, default=3)
    args.add_argument("--weights-from", type=Path, help="diffusers folder of an earlier run to go on from, with a longer warm-up")
    args.add_argument("--text-anew", action="store_true", help="of those weights, only what does not read text: encoders and cross-attention begin anew")
    args.add_argument("--first-drawings", type=float, default=1., help="factor of the pools' drawings to begin with")
    args.add_argument("--save-every", type=float, default=120, help="seconds")
    args.add_argument("--score-at", type=float, nargs="*", default=[.3, .6], help="shares of the run after which to score it, beside its begin and end")
    args.add_argument("--eager", action="store_true", help="neither compile nor capture CUDA graphs")
    args.add_argument("--score-prompts", type=int, help="as many from the head of the list; all, if not given")
    args.add_argument("--score-steps", type=int, default=30)
    args.add_argument("--picture", type=int, default=256)
    args.add_argument("--device", default="cuda")
    args = args.parse_args()

    gpu = args.device == "cuda"
    if gpu:  # CUDA graphs cannot be captured on the default stream
        torch.cuda.set_stream(torch.cuda.Stream())
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(args.seed)  # the same weights everywhere
    tokenizers = [CLIPTokenizer.from_pretrained(args.tokenizers / name) for name in ("tokenizer", "tokenizer_2")]
    vocabulary = len(tokenizers[0])
    dist.init_process_group("nccl" if gpu and int(os.environ["WORLD_SIZE"]) > 1 else "gloo")
    rank, processes = dist.get_rank(), dist.get_world_size()
    together = dist.new_group(backend="gloo")
    generator = torch.Generator(args.device).manual_seed(args.seed * 100 + rank)
    model = Model(vocabulary).to(args.device, memory_format=torch.channels_last)
    tables = schedule(args.device)

    def autocast_loss(*inputs):
        with torch.autocast(args.device, torch.bfloat16, enabled=gpu):
            return model(tables, *inputs)
    args.out.mkdir(parents=True, exist_ok=True)
    if args.weights_from:
        reads_text = lambda name: name.startswith("encoders.") or ".attn2." in name or "add_embedding" in name
        anew = {k: v.clone() for k, v in model.state_dict().items() if args.text_anew and reads_text(k)}
        model.load_state_dict({k: v.float() for k, v in state_of(args.weights_from).items()}, strict=False)  # all but the reader
    vae = AutoencoderKL.from_pretrained(args.vae).to(args.device, memory_format=torch.channels_last).eval().requires_grad_(False)
    begin = time.time()
    buckets = BUCKETS if gpu else [(args.picture, args.picture, 1., 8, 64)]
    pools = [Pool(height, width, capacity, vae, tokenizers, generator) for height, width, _, _, capacity in buckets]
    for pool, bucket in zip(pools, buckets):
        pool.draw(max(8, int(args.first_drawings * bucket[3])))
    if gpu:
        torch.cuda.synchronize()
    print(f"rank {rank}: first drawings in {time.time() - begin:.0f}s", flush=True)

    trained = [(n, p) for n, p in model.named_parameters() if not n.startswith("encoders.one.text_model.encoder.layers.2") and "one.text_model.final" not in n]
    optimizer = Optimizer(trained, args.muon_lr, args.adam_lr, plain=("conv_in", "conv_out", "embedding.weight", "reader"), weight_decay=args.weight_decay)
    parameters = [p for _, p in trained]
    average = Average(parameters, .9985)
    report = Report(args, model, average, vae, tokenizers) if rank == 0 else None
    # compiled only for the common size: it takes its time, and with other sizes less would be won
    fast = gpu and not args.eager
    losses = [torch.compile(autocast_loss, dynamic=False) if fast and k == 0 else autocast_loss for k in range(len(buckets))]
    gradients = [Gradients(f"rank {rank}, {b[0]}x{b[1]}", loss, parameters, fast) for b, loss in zip(buckets, losses)]
    if args.weights_from:
        if report:
            report.score(dict(step=0))
        model.load_state_dict(anew, strict=False)
    order, owed = random.Random(args.seed), [0.] * len(buckets)  # the same order everywhere
    dist.barrier(together)
    clock = Clock(max(1., args.until - time.time()) if args.until else args.seconds)  # the time may be up already
    step, seen, progress, sums = 0, 0, 0., torch.zeros(3, device=args.device)
    told = saved = time.time()
    to_score = sorted(args.score_at)
    numbers = lambda: dict(step=step, pictures=seen, seconds=clock.elapsed(), gpus=processes, pool=[p.ring.filled for p in pools])
    while True:
        if step % 8 == 0 or not gpu:
            shared = torch.tensor([clock.progress()], dtype=torch.float64)
            dist.broadcast(shared, 0, group=together)
            progress = shared.item()
            if progress >= 1:
                break
            if report and time.time() - saved > args.save_every:
                report.save()
                saved = time.time()
            if to_score and progress > to_score[0]:
                to_score.pop(0)
                if report:
                    report.score(numbers())
        k = order.choices(range(len(buckets)), [b[2] for b in buckets])[0]
        n = batch_size(buckets[k], args.batch)
        owed[k] += FRESH * n
        if owed[k] >= 4 * n:  # many at a time: making few takes as long
            owed[k] -= 4 * n
            pools[k].draw(4 * n)
        latents, *others = pools[k].batch(n)
        error, reading = gradients[k](latents, *others, *random_numbers(latents, generator))
        average_gradients(parameters)
        optimizer.step(rate(step, progress, 100 if not args.weights_from else 300, args.hold))
        average.update()
        step, seen = step + 1, seen + n * processes
        sums += torch.stack([error, reading, torch.ones_like(error)])
        if rank == 0 and (time.time() - told > TELL_EVERY or not gpu):
            error, reading, count = sums.tolist()
            print(f"unet {step} loss {error / count:.4f} text {reading / count:.4f} progress {progress:.3f} pictures {seen} {clock.elapsed():.0f}s", flush=True)
            sums.zero_()
            told = time.time()
    if report:
        report.save()
        report.score(numbers())
    dist.barrier(together)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
