"""Endless drawings for training: pictures with their scenes for the VAE and the classifier, and a pool of latents with captions for the UNet."""

import torch
import torch.nn.functional as F

from captions import Captioner, Tokens
from scenes import Scenes

CAPTIONS = 4  # of each scene in the pool
# of the captions tell all. From those that do not, a model must guess the rest, and so learns what never meets: "sailboat" alone would say "not neon".
THOROUGH = .92
ENCODED_PIXELS = 2 ** 24  # at once


def as_input(pictures):
    """(n, h, w, 3) uint8 -> (n, 3, h, w) in -1..1, channels last."""
    return pictures.permute(0, 3, 1, 2).float() / 127.5 - 1


def soften(x, height):
    """What a picture would be that had only `height` rows once."""
    small = F.interpolate(x, size=(height, max(1, round(height * x.shape[3] / x.shape[2]))), mode="bilinear", antialias=True, align_corners=False)
    return F.interpolate(small, size=x.shape[2:], mode="bicubic", align_corners=False).clamp(-1, 1).contiguous(memory_format=torch.channels_last)


def stream(batch, generator, held_out=False):
    """Endless square scenes, `batch` at a time; they are made many at a time, because making few takes as long."""
    while True:
        scenes = Scenes(16 * batch, 1., generator, held_out)
        for k in range(0, 16 * batch, batch):
            yield scenes.part(slice(k, k + batch))


class Framing:
    """Which part of each scene a picture shows, as SDXL's size and crop conditioning tells it. Most pictures show it all."""

    def __init__(self, n, height, width, generator):
        rand = lambda *shape: torch.rand(shape, generator=generator, device=generator.device)
        zoom = torch.where(rand(n) < .15, 1 + .5 * rand(n), 1.)
        originals = torch.stack([(height * zoom).round(), (width * zoom).round()], 1)
        self.crops = (rand(n, 2) * (originals - torch.tensor([height, width], device=originals.device)) + .5).floor()
        self.originals, self.whole = originals[:, 0], zoom < 1.08
        target = torch.tensor([[height, width]], device=originals.device).expand(n, 2)
        self.time_ids = torch.cat([originals, self.crops, target], 1).float()


class Captions:
    """Token ids of captions of scenes, for both text encoders."""

    def __init__(self, tokenizers, generator):
        self.captioner, self.generator = Captioner(), generator
        self.tokens = [Tokens(self.captioner, t, generator.device) for t in tokenizers]

    def of(self, scenes, thorough=THOROUGH, whole=None, each=1):
        """`each` captions of each scene, a share of which tells all: ids of both encoders (n, each, 77), and the classes that they ask for (n, each, groups)."""
        g = self.generator
        spoken = [self.captioner.write(scenes, g, whole, torch.rand(scenes.n, generator=g, device=g.device) < thorough) for _ in range(each)]
        ids = [torch.stack([t.join(chosen) for chosen, _ in spoken], 1).to(torch.int16) for t in self.tokens]
        return *ids, torch.stack([a for _, a in spoken], 1).to(torch.int8)


class Ring:
    """Rows of several tensors, of which new ones replace the oldest."""

    def __init__(self, capacity):
        self.capacity, self.columns, self.filled, self.next = capacity, None, 0, 0

    def store(self, made):
        if self.columns is None:
            self.columns = [torch.zeros(self.capacity, *m.shape[1:], dtype=m.dtype, device=m.device) for m in made]
        rows = (self.next + torch.arange(len(made[0]), device=made[0].device)) % self.capacity
        for column, m in zip(self.columns, made):
            column[rows] = m
        self.next = (self.next + len(rows)) % self.capacity
        self.filled = min(self.capacity, self.filled + len(rows))

    def rows(self, n, generator):
        """Numbers of n random rows."""
        return torch.randint(self.filled, (n,), generator=generator, device=generator.device)


class Pool:
    """Latents of one picture size with captions; `draw` makes some new ones, which replace the oldest."""

    def __init__(self, height, width, capacity, vae, tokenizers, generator):
        self.height, self.width, self.vae, self.generator = height, width, vae, generator
        self.captions, self.ring = Captions(tokenizers, generator), Ring(capacity)

    @torch.no_grad()
    def draw(self, n):
        g, h, w = self.generator, self.height, self.width
        framing, scenes = Framing(n, h, w, g), Scenes(n, w / h, g, practice=True)
        few = n // 12  # came small and were enlarged
        small = int(h * (.3 + .4 * torch.rand((), generator=torch.Generator().manual_seed(self.ring.next)).item()))
        framing.time_ids[:few, :2] = (framing.time_ids[:few, :2] * small / h).round()
        latents, step = [], max(1, ENCODED_PIXELS // (h * w))
        for k in range(0, n, step):
            rows = slice(k, k + step)
            x = as_input(scenes.part(rows).pictures(h, w, framing.originals[rows], framing.crops[rows]))
            if k < few:
                x[:few - k] = soften(x[:few - k], small)
            with torch.autocast(g.device.type, torch.bfloat16, enabled=g.device.type == "cuda"):
                latents.append(self.vae.encode(x).latent_dist.mode() * self.vae.config.scaling_factor)
        latents = torch.cat(latents)
        self.ring.store((latents.to(torch.bfloat16 if latents.is_cuda else torch.float32), *self.captions.of(scenes, whole=framing.whole, each=CAPTIONS), framing.time_ids))

    def batch(self, n):
        """Latents (n, 4, h, w), token ids of both encoders (n, 77), asked classes (n, groups), time ids (n, 6)."""
        g = self.generator
        rows = self.ring.rows(n, g)
        which = torch.randint(CAPTIONS, (n,), generator=g, device=g.device)
        latents, one, two, asked, time_ids = self.ring.columns
        return latents[rows].float(), one[rows, which].long(), two[rows, which].long(), asked[rows, which].long(), time_ids[rows]
