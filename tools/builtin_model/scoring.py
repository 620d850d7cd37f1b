"""Attribute scores: how much of what prompts ask for a classifier finds in their pictures."""

import math

import torch

from captions import GROUPS
from networks import Classifier


def load_classifier(folder, device="cpu"):
    """The classifier as published: its layers are folded, so the norms are set to do nothing."""
    from safetensors.torch import load_file
    classifier = Classifier(GROUPS)
    state = {name: t.float() for name, t in load_file(folder / "attributes.safetensors").items()}
    for k, norm in enumerate(classifier.norms):
        state |= {f"norms.{k}.weight": torch.ones(norm.num_features), f"norms.{k}.bias": torch.zeros(norm.num_features), f"norms.{k}.running_mean": torch.zeros(norm.num_features),
                  f"norms.{k}.running_var": torch.full((norm.num_features,), 1 - norm.eps), f"norms.{k}.num_batches_tracked": torch.tensor(0)}
    classifier.load_state_dict(state)
    return classifier.to(device).eval()


class Score:
    """Collects answers; `table` sums them up."""

    def __init__(self):
        self.right = {(group, name): [] for group, names in GROUPS.items() for name in names}
        self.shares = []

    def add(self, classifier, pictures, entries):
        """pictures (n, 3, 256, 256) in -1..1; entries of prompts.json."""
        with torch.no_grad():
            answers = {group: logits.argmax(1).tolist() for group, logits in classifier.split(classifier(pictures)).items()}
        for k, entry in enumerate(entries):
            hits = [GROUPS[group][answers[group][k]] == name for group, name in entry["attributes"].items()]
            for (group, name), hit in zip(entry["attributes"].items(), hits):
                self.right[(group, name)].append(hit)
            self.shares.append((sum(hits), len(hits)))

    def table(self):
        """attribute_score: share of all attributes asked for, and half the width of its 95 % interval over prompts; by group and by class."""
        right, total, n = sum(r for r, _ in self.shares), sum(t for _, t in self.shares), len(self.shares)
        score = right / total
        spread = sum((r - score * t) ** 2 for r, t in self.shares)
        groups = {g: [h for (group, _), hits in self.right.items() if group == g for h in hits] for g in GROUPS}
        mean = lambda hits: round(sum(hits) / len(hits), 4)
        return dict(attribute_score=round(score, 4), plus_minus=round(1.96 * math.sqrt(spread) / total, 4), prompts=n, attributes=total,
                    groups={g: mean(hits) for g, hits in groups.items() if hits},
                    classes={f"{g}: {name}": [mean(hits), len(hits)] for (g, name), hits in self.right.items() if hits})
