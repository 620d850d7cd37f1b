"""Writes the evaluation's prompts: each asks for a pair of attributes that never met in training, and says which classes it asks for."""

import argparse
import json
from pathlib import Path

import torch

from captions import GROUPS, Captioner
from scenes import HELD_OUT, Scenes, holds, is_class


def asks_for(asked, pair):
    groups = list(GROUPS)
    return torch.stack([is_class(asked[:, groups.index(group)], group, value) for group, value in pair]).all(0)


def held_out_prompts(each, seed):
    """`each` prompts for every pair of HELD_OUT."""
    generator, captioner, found = torch.Generator().manual_seed(seed), Captioner(), []
    for pair in HELD_OUT:
        chosen = []
        while len(chosen) < each:
            scenes = Scenes(512, 1., generator, held_out=True)
            phrases, asked = captioner.write(scenes, generator)
            rows = (holds(scenes.attributes, pair) & asks_for(asked, pair)).nonzero()[:, 0]
            for text, classes in zip(captioner.texts(phrases[rows]), asked[rows].tolist()):
                chosen.append(dict(prompt=text, attributes={group: names[c] for (group, names), c in zip(GROUPS.items(), classes) if c >= 0}))
        found += chosen[:each]
    # pairs take turns, so that the first few prompts touch as many of them as they can
    found = [found[p * each + k] for k in range(each) for p in range(len(HELD_OUT))]
    return [dict(seed=k, width=256, height=256, **entry) for k, entry in enumerate(found)]


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--each", type=int, default=40)
    args.add_argument("--seed", type=int, default=777)
    args = args.parse_args()
    entries = held_out_prompts(args.each, args.seed)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text('{"prompts": [\n' + ",\n".join(map(json.dumps, entries)) + "\n]}\n")
    print(len(entries), "prompts,", sum(len(e["attributes"]) for e in entries), "attributes")


if __name__ == "__main__":
    main()
