"""Examines networks in training: pictures of prompts never met, their score by the classifier, and a sheet to look at."""

import json
import time

import torch
import torch.nn.functional as F
from PIL import Image

from sampling import sample
from scenes import sheet
from scoring import Score, load_classifier

SHEET = ["a castle on a hill at sunset", "a lighthouse on the left by the sea at night", "two sailboats on the sea at dawn", "three hot air balloons in front of mountains by day",
         "a night neon city with the moon", "a pencil sketch of two houses in the snow", "pixel art of a castle by the sea at sunset", "a house in the forest in the fog, muted colors",
         "a desert with the sun on the right, warm colors", "a castle in the desert at night with stars", "neon, a sailboat on the sea", "a sketch of a lighthouse in heavy rain",
         "a red balloon over the city, flat illustration", "pixel art of three trees in the snow at night", "birds in front of mountains at dawn, vivid colors", "a city at sunset in the rain"]


class Examination:
    """quality: the folder of the classifier and the evaluation's prompts, of which `prompts` are asked, or all; size: of the pictures; results go to `out`."""

    def __init__(self, quality, out, device, size=256, prompts=None):
        self.out, self.device, self.size = out, device, size
        self.classifier = load_classifier(quality, device)
        self.entries = json.loads((quality / "prompts.json").read_text())["prompts"][:prompts]

    def __call__(self, name, numbers, unet, encoders, vae, tokenizers, **sampling):
        """Writes score{name}.json, with the numbers beside the score, and sheet{name}.jpg; `sampling`: steps, guidance, solver as sample() takes them."""
        begin = time.time()
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            draw = lambda prompts, seeds: sample(unet, encoders, vae, tokenizers, prompts, seeds, self.size, self.size, **sampling)
            pictures = draw([e["prompt"] for e in self.entries], [e["seed"] for e in self.entries])
            shown = draw(SHEET, list(range(len(SHEET))))
        score = Score()
        for k in range(0, len(pictures), 100):
            score.add(self.classifier, F.interpolate(pictures[k:k + 100], size=(256, 256)), self.entries[k:k + 100])
        table = score.table()
        (self.out / f"score{name}.json").write_text(json.dumps(numbers | table, indent=1) + "\n")
        pixels = ((torch.cat([shown, pictures[:32]]) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu()
        Image.fromarray(sheet(pixels, 8).numpy()).save(self.out / f"sheet{name}.jpg", quality=88)
        worst = sorted((share, name) for name, (share, _) in table["classes"].items())[:14]
        print(f"score{name} {table['attribute_score']:.4f} in {time.time() - begin:.0f}s", worst, flush=True)
