"""What a student of few steps learns from: where it comes to itself, and where the teacher, with many steps and guidance, would go from there."""

import random

import torch
from torch.func import functional_call

from diffusion import schedule, signal_and_noise
from drawing import Captions, Ring
from sampling import lcm_times
from scenes import Scenes

STATIONS = lcm_times(8)  # where the student steps with 1, 2, 4 or 8 steps
STATION_SHARES = [.35, .06, .19, .05, .15, .04, .12, .04]  # of the trajectories begin there; those of four steps are the first, third, ...
GRID = [t for a, b in zip(STATIONS, STATIONS[1:] + [0]) for t in (a, (a + b) // 2)] + [25]  # the teacher's timesteps: halfway between stations too
GUIDANCE = 5.
THOROUGH = .5  # of the captions: prompts leave out more than what the teacher was trained with
CAPACITY = 65536


class Teacher:
    """The published UNet and text encoders for pictures of one size; a student is the same UNet with other weights of some layers.

    weights: {name: weight} of the teacher's own of those layers; `compiled`: by torch.compile, all sizes of batches separately."""

    def __init__(self, unet, encoders, weights, end, size, device, compiled):
        self.unet, self.encoders, self.weights, self.end, self.size, self.device = unet, encoders, weights, end, size, device
        self.tables = schedule(device)
        self.clean = torch.compile(self._clean, dynamic=False) if compiled else self._clean

    @torch.no_grad()
    def text(self, ids_one, ids_two):
        """Hidden states and pooled text of token ids (n, 77)."""
        return self.encoders(ids_one, ids_two, (ids_one == self.end).int().argmax(1))[:2]

    def _clean(self, weights, x, times, hidden, pooled):
        """The clean latents that the UNet with these weights sees in x (n, 4, h, w) at timesteps (n,).

        That is a student's answer too: the boundary condition of consistency models (arXiv 2310.04378, with its scaling of 10) has no effect at
        timesteps that are not zero."""
        a, s = signal_and_noise(self.tables, times)
        sizes = torch.tensor([[self.size, self.size, 0, 0, self.size, self.size]], device=self.device).float().expand(len(x), 6)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
            v = functional_call(self.unet, weights, (x, times, hidden), dict(added_cond_kwargs=dict(text_embeds=pooled, time_ids=sizes))).sample
        return (a * x - s * v.float()).contiguous()  # compiled once only if strides are always the same

    @torch.no_grad()
    def guided(self, x, times, hidden, pooled):
        """What the teacher itself sees, with guidance."""
        with_text, without = (self.clean(self.weights, x, times, h, p) for h, p in ((hidden, pooled), (torch.zeros_like(hidden), torch.zeros_like(pooled))))
        return without + GUIDANCE * (with_text - without)


class Trajectories:
    """A pool of lessons: x (n, 4, h, w) at a timestep, where the teacher ends from there, and the prompt; `n` prompts are drawn at a time."""

    def __init__(self, teacher, tokenizers, generator, n):
        self.teacher, self.generator, self.dice = teacher, generator, random.Random(generator.initial_seed())
        self.n, self.prompts, self.ring, self.drawn = n, self._stream(Captions(tokenizers, generator)), Ring(CAPACITY), 0

    def _randn(self):
        side = self.teacher.size // 8
        return torch.randn(self.n, 4, side, side, generator=self.generator, device=self.generator.device)

    @torch.no_grad()
    def draw(self, weights):
        """2 n new lessons: of a student with these weights at a random station, and one of the teacher's own states on its way from there.

        The student comes to the station from noise by itself, over some of the stations before it, as it would with 2, 4 or 8 steps."""
        g = self.generator
        station = self.dice.choices(range(len(STATIONS)), STATION_SHARES)[0]
        path = [k for k in range(station) if k == 0 or self.dice.random() < .5] + [station]
        ids = next(self.prompts)
        text = self.teacher.text(*(i.long() for i in ids))
        a, s = self.teacher.tables
        times = lambda t: torch.full((self.n,), t, device=g.device)
        x = self._randn()
        for t, u in zip([STATIONS[k] for k in path], [STATIONS[k] for k in path[1:]]):
            x = a[u] * self.teacher.clean(weights, x, times(t), *text) + s[u] * self._randn()
        states, end = self._solve(x, 2 * station, text, times)
        for k in (0, self.dice.randrange(len(states))):
            self.ring.store((self._small(states[k]), self._small(end), times(GRID[2 * station + k]), *ids))
        self.drawn += 2 * self.n

    def _stream(self, captions):
        """Endless token ids of n prompts at a time; they are made many at a time, because making few takes as long."""
        while True:
            one, two, _ = captions.of(Scenes(16 * self.n, 1., self.generator, practice=True), thorough=THOROUGH)
            yield from zip(one[:, 0].split(self.n), two[:, 0].split(self.n))

    def _small(self, x):
        return x.to(torch.bfloat16) if x.is_cuda else x

    def _solve(self, x, begin, text, times):
        """States of the teacher's way from x at GRID[begin], by DPM-Solver++ 2M (arXiv 2211.01095), and the clean latents at its end."""
        a, s = self.teacher.tables
        states, before = [], None
        for k in range(begin, len(GRID)):
            states.append(x)
            t = GRID[k]
            clean = self.teacher.guided(x, times(t), *text)
            if k + 1 == len(GRID):
                return states, clean
            u = GRID[k + 1]
            step = (a[u] / s[u]).log() - (a[t] / s[t]).log()
            ahead = clean if before is None else clean + step / (2 * last) * (clean - before)
            x = s[u] / s[t] * x + (a[u] - s[u] * a[t] / s[t]) * ahead
            before, last = clean, step

    def batch(self, n):
        """x and the teacher's end (n, 4, h, w), timesteps (n,), token ids of both encoders (n, 77)."""
        rows = self.ring.rows(n, self.generator)
        x, end, times, one, two = (column[rows] for column in self.ring.columns)
        return x.float(), end.float(), times, one.long(), two.long()
