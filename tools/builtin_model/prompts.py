"""Writes the evaluation's prompts: each asks for a pair of attributes that never met in training, and says which classes it asks for."""

import argparse
import json
from collections import Counter
from pathlib import Path

import torch

from captions import GROUPS, Captioner
from scenes import HELD_OUT, Scenes, holds, is_class


def asks_for(asked, pair):
    groups = list(GROUPS)
    return torch.stack([is_class(asked[:, groups.index(group)], group, value) for group, value in pair]).all(0)


class Source:
    """Endless captions of scenes with held-out pairs."""

    def __init__(self, seed):
        self.generator, self.captioner = torch.Generator().manual_seed(seed), Captioner()

    def draw(self, pairs):
        """Of some captions, those that ask for at least one of the pairs, which their scenes have: {prompt, attributes}."""
        scenes = Scenes(512, 1., self.generator, held_out=True)
        phrases, asked = self.captioner.write(scenes, self.generator)
        rows = torch.stack([holds(scenes.attributes, pair) & asks_for(asked, pair) for pair in pairs]).any(0).nonzero()[:, 0]
        return [dict(prompt=text, attributes={group: names[c] for (group, names), c in zip(GROUPS.items(), classes) if c >= 0})
                for text, classes in zip(self.captioner.texts(phrases[rows]), asked[rows].tolist())]


def held_out_prompts(each, least, seed):
    """`each` prompts for every pair of HELD_OUT; then as many more as it takes to ask for each class `least` times."""
    source, found = Source(seed), []
    for pair in HELD_OUT:
        chosen = []
        while len(chosen) < each:
            chosen += source.draw([pair])
        found += chosen[:each]
    # pairs take turns, so that the first few prompts touch as many of them as they can
    found = [found[p * each + k] for k in range(each) for p in range(len(HELD_OUT))]
    missing = Counter({(group, name): least for group, names in GROUPS.items() for name in names if name != "none"})
    for entry in found:
        missing.subtract(entry["attributes"].items())
    while +missing:
        for entry in source.draw(HELD_OUT):
            if any(missing[asked] > 0 for asked in entry["attributes"].items()):
                found.append(entry)
                missing.subtract(entry["attributes"].items())
    return [dict(seed=k, width=256, height=256, **entry) for k, entry in enumerate(found)]


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--each", type=int, default=40)
    args.add_argument("--least", type=int, default=40)
    args.add_argument("--seed", type=int, default=777)
    args = args.parse_args()
    entries = held_out_prompts(args.each, args.least, args.seed)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text('{"prompts": [\n' + ",\n".join(map(json.dumps, entries)) + "\n]}\n")
    print(len(entries), "prompts,", sum(len(e["attributes"]) for e in entries), "attributes")


if __name__ == "__main__":
    main()
