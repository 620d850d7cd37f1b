"""Trains the attribute classifier on fresh drawings of all kinds, and measures it on others."""

import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from captions import GROUPS
from clock import Clock, rate
from drawing import as_input, soften, stream
from muon import Average
from networks import Classifier

SIZE = 256
HARD = dict(house=2, tree=3, sailboat=3, balloon=2, birds=2)  # weights of groups that are learnt late


def truth(scenes):
    """The class in each group (n, groups); -1 where there is none: the place of what is absent or there several times."""
    answers = []
    for group in GROUPS:
        name = group.removesuffix(" place")
        if name != group:
            answers.append(torch.where(scenes.attributes[name] == 1, scenes.place[name], -1))
        elif group == "tree":  # a forest has no number of trees
            answers.append(torch.where(scenes.attributes["terrain"] == 5, -1, scenes.attributes[name]))
        else:
            answers.append(scenes.attributes[name])
    return torch.stack(answers, 1)


def drawings(n, generator):
    """Pictures of scenes as the UNet sees them, and a third with pairs that it never sees, and the truth about them."""
    few = n // 3
    for parts in zip(stream(n - few, generator), stream(few, generator, held_out=True)):
        yield torch.cat([as_input(p.pictures(SIZE, SIZE)) for p in parts]), torch.cat([truth(p) for p in parts])


def loss_of(classifier, x, answers):
    parts = classifier.split(classifier(x).float())
    known = (answers >= 0).sum(0).clamp(min=1)
    return sum(HARD.get(group, 1) * F.cross_entropy(logits, answers[:, k], ignore_index=-1, label_smoothing=.02, reduction="sum") / known[k]
               for k, (group, logits) in enumerate(parts.items()))


@torch.no_grad()
def evaluate(classifier, generator, n):
    """{group: {class: share of fresh drawings of that class that are read right}}."""
    right, total = ([torch.zeros(len(c)) for c in GROUPS.values()] for _ in range(2))
    fresh = drawings(512 if n >= 512 else n, generator)
    for _ in range(max(1, n // 512)):
        x, answers = next(fresh)
        for k, logits in enumerate(classifier.split(classifier(x)).values()):
            for c in range(logits.shape[1]):
                those = answers[:, k] == c
                right[k][c] += (logits[those].argmax(1) == c).sum().item()
                total[k][c] += those.sum().item()
    return {group: {name: round((right[k][c] / total[k][c]).item(), 4) for c, name in enumerate(classes)} for k, (group, classes) in enumerate(GROUPS.items())}


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--out", type=Path, required=True, help="attributes.safetensors and attributes.json are written here")
    args.add_argument("--seconds", type=float, default=120)
    args.add_argument("--batch", type=int, default=384)
    args.add_argument("--fresh", type=int, default=20480, help="drawings to measure it on")
    args.add_argument("--seed", type=int, default=2)
    args.add_argument("--device", default="cuda")
    args = args.parse_args()

    gpu = args.device == "cuda"
    torch.manual_seed(args.seed)
    torch.set_float32_matmul_precision("high")
    generator = torch.Generator(args.device).manual_seed(args.seed)
    classifier = Classifier(GROUPS).to(args.device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(classifier.parameters(), 3e-3, betas=(.9, .98), weight_decay=.02)
    average = Average(classifier.parameters(), .998)
    fresh, clock, step = drawings(args.batch, generator), Clock(args.seconds), 0
    while (progress := clock.progress()) < 1:
        x, answers = next(fresh)
        # what decoded latents may add: noise, softness, another brightness
        x = x * (1 + .06 * torch.randn(len(x), 1, 1, 1, device=x.device, generator=generator)) + .03 * torch.randn(x.shape, device=x.device, generator=generator)
        if step % 3 == 0:
            x = soften(x, 128 + step % 100)
        with torch.autocast(args.device, torch.bfloat16, enabled=gpu):
            loss = loss_of(classifier, x, answers)
        optimizer.param_groups[0]["lr"] = 3e-3 * rate(step, progress, 100, .3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update()
        step += 1
        if step % 250 == 0 or not gpu:
            print(f"classifier {step} loss {loss.item():.3f} {clock.elapsed():.0f}s", flush=True)

    average.swap()
    classifier.train()
    with torch.no_grad():  # statistics that belong to the averaged weights
        for norm in classifier.norms:
            norm.reset_running_stats()
            norm.momentum = None
        for _ in range(30 if gpu else 1):
            classifier(next(fresh)[0])
    classifier.eval()
    tensors, layers = classifier.folded()
    args.out.mkdir(parents=True, exist_ok=True)
    save_file({name: t.detach().half().contiguous().cpu() for name, t in tensors.items()}, args.out / "attributes.safetensors", {"format": "pt"})
    accuracy = evaluate(classifier, torch.Generator(args.device).manual_seed(888_888), args.fresh)
    described = dict(input=SIZE, layers=layers, groups=[dict(name=n, classes=c) for n, c in GROUPS.items()], accuracy=accuracy,
                     training=dict(steps=step, pictures=step * args.batch, seconds=args.seconds, seed=args.seed, fresh=args.fresh))
    (args.out / "attributes.json").write_text(json.dumps(described, indent=1) + "\n")
    worst = sorted((share, f"{group}: {name}") for group, classes in accuracy.items() for name, share in classes.items())
    print(f"classifier {step} steps; worst classes:", worst[:16], flush=True)


if __name__ == "__main__":
    main()
