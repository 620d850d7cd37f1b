"""Random scenes as tensors, one entry a scene: what is in them (attributes), where it stands, and their pictures, drawn by picture/picture.cu."""

import copy
import ctypes
import hashlib
import os
import subprocess
from functools import cache
from pathlib import Path

import torch

TIMES, WEATHERS = ["dawn", "day", "sunset", "night"], ["clear", "cloudy", "rain", "snow", "fog"]
TERRAINS = ["mountains", "hills", "desert", "sea", "city", "forest"]
PALETTES, STYLES = ["warm", "cold", "muted", "vivid"], ["flat", "sketch", "pixel art", "neon"]
COUNTED = ["castle", "lighthouse", "house", "tree", "sailboat", "balloon"]  # the first five stand, each in one of five columns
LIMITS = dict(castle=1, lighthouse=1, house=3, tree=3, sailboat=3, balloon=3)
SEEN = ["birds", "sun", "moon", "stars"]  # there or not
PLACED = COUNTED + ["sun", "moon"]
PLACES = ["left", "centre", "right"]
COLUMN_PLACES = torch.tensor([0, 0, 1, 2, 2])

# Pairs that never meet in training: the evaluation asks for them. ANY is one or more.
ANY = "any"
HELD_OUT = [(("terrain", "desert"), ("castle", ANY)), (("style", "neon"), ("sailboat", ANY)), (("weather", "snow"), ("lighthouse", ANY)),
            (("terrain", "city"), ("balloon", ANY)), (("terrain", "sea"), ("weather", "snow")), (("weather", "rain"), ("terrain", "mountains")),
            (("style", "pixel art"), ("weather", "fog")), (("style", "sketch"), ("terrain", "forest")), (("palette", "cold"), ("time", "dawn")),
            (("house", 2), ("terrain", "hills")), (("castle", ANY), ("weather", "rain")), (("palette", "warm"), ("terrain", "forest")),
            (("tree", 3), ("terrain", "desert")), (("style", "pixel art"), ("house", 3)), (("birds", ANY), ("terrain", "mountains"))]

# How often there is what: in general, and where the UNet practises, which finds two of a kind, sailboats, and neon on water hard. There nights are more
# frequent: sailboats come by night in other styles only, as neon has none.
USUAL = dict(style=[.31, .23, .23, .23], time=[1.] * 4, terrain=[1.] * 6, waterside=.55, house=[.62, .16, .11, .11], tree=[.62, .16, .11, .11],
             sailboat=[.28, .32, .20, .20], balloon=[.64, .16, .10, .10])
PRACTICE = dict(style=[.26, .21, .20, .33], time=[1., 1., 1., 1.7], terrain=[1., 1., 1., 4., 2.8, .8], waterside=.85, house=[.36, .20, .27, .17],
                tree=[.40, .18, .28, .14], sailboat=[.08, .36, .34, .22], balloon=[.50, .16, .21, .13])

CLASSES = dict(time=TIMES, weather=WEATHERS, terrain=TERRAINS, palette=PALETTES, style=STYLES)


def is_class(numbers, group, value):
    """Which of the class numbers (n,) of a group are the given class."""
    return numbers > 0 if value == ANY else numbers == (CLASSES[group].index(value) if group in CLASSES else value)


class Draw:
    """Random numbers for n scenes on a device."""

    def __init__(self, n, generator):
        self.n, self.generator, self.device = n, generator, generator.device

    def uniform(self, lo=0., hi=1., columns=None):
        shape = (self.n,) if columns is None else (self.n, columns)
        return lo + (hi - lo) * torch.rand(shape, generator=self.generator, device=self.device)

    def choose(self, weights):
        return torch.multinomial(torch.tensor(weights, device=self.device), self.n, replacement=True, generator=self.generator)

    def chance(self, p):
        return torch.rand(self.n, generator=self.generator, device=self.device) < p


def draw_attributes(r, shares):
    a = dict(style=r.choose(shares["style"]), time=r.choose(shares["time"]), weather=r.choose([.32, .20, .16, .16, .16]),
             terrain=r.choose(shares["terrain"]), palette=r.choose([1.] * 4))
    a["time"] = torch.where(a["style"] == STYLES.index("neon"), TIMES.index("night"), a["time"])
    is_sea, is_city = a["terrain"] == TERRAINS.index("sea"), a["terrain"] == TERRAINS.index("city")
    water = is_sea | (is_city & r.chance(shares["waterside"]))
    night, fair = a["time"] == TIMES.index("night"), a["weather"] < 2
    a["castle"] = r.chance(.24).long()
    a["lighthouse"] = (r.chance(.20) | (is_sea & r.chance(.2))).long()
    a["house"] = r.choose(shares["house"])
    a["tree"] = r.choose(shares["tree"]) * (a["terrain"] != TERRAINS.index("forest"))
    a["sailboat"] = r.choose(shares["sailboat"]) * water
    a["balloon"] = r.choose(shares["balloon"])
    a["birds"] = (r.chance(.26) & (a["weather"] != WEATHERS.index("rain"))).long()
    a["sun"] = (~night & fair & r.chance(.7)).long()
    a["moon"] = (night & fair & r.chance(.65)).long()
    a["stars"] = (night & (a["weather"] == 0) & r.chance(.65)).long()
    return a, water


def has_room(a):
    """Which scenes have room for all that stands in them."""
    return a["lighthouse"] + a["house"] + a["tree"] + a["sailboat"] <= torch.where(a["castle"] > 0, 2, 4)


def holds(a, pair):
    return torch.stack([is_class(a[group], group, value) for group, value in pair]).all(0)


def is_held_out(a):
    return torch.stack([holds(a, pair) for pair in HELD_OUT]).any(0)


def replace_sailboats(r, a):
    """Where sailboats would make a held-out pair, as many houses or trees stand in for them: else such waters would be empty, and of all places there
    the model would not practise how many of a thing it is to draw."""
    there = torch.stack([holds(a, pair) for pair in HELD_OUT if ("sailboat", ANY) in pair]).any(0)
    houses = r.chance(.5)
    for name, chosen in dict(house=houses, tree=~houses).items():
        a[name] = torch.where(there, a["sailboat"] * chosen, a[name])
    a["sailboat"] = torch.where(there, 0, a["sailboat"])


def without_held_out_things(a):
    """Takes things out of scenes where they make a held-out pair: to reject those scenes would make, say, the sea rare in neon."""
    for pair in HELD_OUT:
        for group, _ in pair:
            if group not in CLASSES:
                a[group] = torch.where(holds(a, pair), 0, a[group])


def thin_out(a):
    """Takes things out of scenes that have no room for all: to reject those scenes would make several of a kind rare."""
    for name in ("house", "lighthouse", "castle", "tree"):
        a[name] = a[name] * has_room(a)


def take_column(r, free, active, weights):
    """A random free column of five for each active scene, and what is free afterwards."""
    scores = torch.where(free, torch.tensor(weights, device=r.device).log() - (-r.uniform(1e-6, 1., 5).log()).log(), -1e9)
    column = scores.argmax(1)
    taken = torch.nn.functional.one_hot(column, 5).bool() & active[:, None]
    return column, free & ~taken


class Scenes:
    """n scenes of one aspect ratio: `attributes` {name: (n,) integers}, `place` likewise (meaningful where the count is one), `colour` likewise."""

    def __init__(self, n, aspect, generator, held_out=False, practice=False):
        found, missing = [], n
        while missing > 0:
            r = Draw(max(4 * n, 256) if not held_out else 8 * n + 1024, generator)
            a, water = draw_attributes(r, PRACTICE if practice else USUAL)
            if practice:
                replace_sailboats(r, a)
                without_held_out_things(a)
                thin_out(a)
            rows = (has_room(a) & (is_held_out(a) == held_out)).nonzero()[:missing, 0]
            found.append({k: v[rows] for k, v in dict(a, water=water.long()).items()})
            missing -= len(rows)
        self.attributes = {k: torch.cat([f[k] for f in found]) for k in found[0]}
        self.aspect, self.device, self.n = aspect, generator.device, n
        self.place, self.fields = {}, {}
        self._compose(Draw(n, generator))

    def _compose(self, r):
        a, f, aspect = self.attributes, self.fields, self.aspect
        water = a["water"] > 0
        f.update(seed=r.uniform(1, 1e6).floor(), aspect=torch.full((r.n,), aspect, device=r.device), horizon=r.uniform(.52, .60), ground=r.uniform(.70, .76))
        f.update({k: a[k] for k in ("time", "weather", "terrain", "palette", "style", "water", "sun", "stars", "birds")})
        f["moon"] = a["moon"] * (1 + r.chance(.5))
        self.crescent = f["moon"] == 1
        self.colour = {k: r.choose([1.] * 6) for k in ("castle", "house", "sailboat", "balloon")}

        # what stands: name, column, distance from the viewer
        shrink = min(1., max(.6, .35 + .65 * aspect))
        free = torch.ones(r.n, 5, dtype=torch.bool, device=r.device)
        crowd = a["castle"] + a["lighthouse"] + a["house"] + a["tree"] + a["sailboat"]
        roomy = torch.where(crowd == 1, 1.22, torch.where(crowd == 2, 1.06, .95))
        near = f["horizon"] + torch.where(water, .17, 0)
        instances = []
        for kind, name in enumerate(COUNTED[:-1], start=1):
            for k in range(LIMITS[name]):
                active = a[name] > k
                column, free = take_column(r, free, active, [1e-6, 1., 1., 1., 1e-6] if name == "castle" else [1., 1., 1.9, 1., 1.])
                if name == "castle":  # is wide
                    beside = torch.zeros_like(free).scatter_(1, (column - 1).clamp(min=0)[:, None], True).scatter_(1, (column + 1).clamp(max=4)[:, None], True)
                    free = free & ~(beside & active[:, None])
                self.place.setdefault(name, COLUMN_PLACES.to(r.device)[column])
                x = aspect * (.5 + .187 * (column - 2) + r.uniform(-.022, .022))
                depth = r.uniform()
                lo = torch.where(water, near + (.0 if name != "sailboat" else -.06), f["ground"] + .05)
                y = lo + (.93 - lo) * depth * (.6 if name in ("castle", "lighthouse") else 1.)
                size = dict(castle=.35, lighthouse=.43, house=.19, tree=.25, sailboat=.20)[name] * shrink * roomy
                if name == "castle":
                    size = size.clamp(max=.38 * shrink)
                size = size * (.84 + .30 * depth) * (torch.where(water, .92, 1.) if name != "sailboat" else 1.) * r.uniform(.93, 1.07)
                colour = self.colour.get(name, torch.zeros_like(column))
                instances.append(torch.stack([active * kind, x, y, size, colour + 0.], 1))
        stack = torch.stack(instances, 1)  # (n, 11, 5)
        order = (torch.where(stack[..., 0] > 0, stack[..., 2], 9.)).argsort(1)[:, :4]  # far ones first
        kept = stack.gather(1, order[..., None].expand(-1, -1, 5))
        for k in range(4):
            for j, name in enumerate(("kind", "x", "y", "size", "colour")):
                f[f"{name}{k}"] = kept[:, k, j]

        # what is in the sky
        free = torch.ones(r.n, 5, dtype=torch.bool, device=r.device)
        column, free = take_column(r, free, a["sun"] + a["moon"] > 0, [1., 1., 1.3, 1., 1.])
        self.place["sun"] = self.place["moon"] = COLUMN_PLACES.to(r.device)[column]
        f["light_x"] = aspect * (.5 + .19 * (column - 2) + r.uniform(-.03, .03))
        low = ((a["time"] == 0) | (a["time"] == 2)) & (a["terrain"] >= 1) & (a["terrain"] <= 3)  # rises or sets at the horizon
        middle = (a["time"] == 0) | (a["time"] == 2)
        f["light_y"] = torch.where(low, f["horizon"] - r.uniform(.10, .17), torch.where(middle, r.uniform(.18, .26), r.uniform(.11, .20)))
        for k in range(3):
            active = a["balloon"] > k
            column, free = take_column(r, free, active, [1., 1., 1.3, 1., 1.])
            self.place.setdefault("balloon", COLUMN_PLACES.to(r.device)[column])
            f[f"balloon_x{k}"] = aspect * (.5 + .185 * (column - 2) + r.uniform(-.02, .02))
            f[f"balloon_y{k}"] = r.uniform(.16, .36)
            f[f"balloon_size{k}"] = active * shrink * torch.where(a["balloon"] == 1, r.uniform(.25, .32), r.uniform(.20, .25))
            f[f"balloon_colour{k}"] = self.colour["balloon"] if k == 0 else torch.where(r.chance(.5), self.colour["balloon"], r.choose([1.] * 6))
        column, free = take_column(r, free, a["birds"] > 0, [1e-3, 1., 1., 1., 1e-3])
        f["birds_x"], f["birds_y"] = aspect * (.5 + .19 * (column - 2)), r.uniform(.10, .27)

    def part(self, rows):
        """The scenes of a slice."""
        part = copy.copy(self)
        part.attributes, part.place, part.colour, part.fields = ({k: v[rows] for k, v in d.items()} for d in (self.attributes, self.place, self.colour, self.fields))
        part.crescent = self.crescent[rows]
        part.n = len(part.crescent)
        return part

    def pictures(self, height, width, originals=None, crops=None):
        """(n, height, width, 3) uint8: the part of the scene, `originals` (n,) pixels high, that begins at `crops` (n, 2) = top, left pixels."""
        originals = torch.full((self.n,), float(height), device=self.device) if originals is None else originals
        crops = torch.zeros(self.n, 2, device=self.device) if crops is None else crops
        view = dict(view_x=crops[:, 1] / originals, view_y=crops[:, 0] / originals, pixel=1 / originals)
        rows = torch.stack([(self.fields | view)[name].float() for name in field_names(self.device.type)], 1).contiguous()
        out = torch.empty(self.n, height, width, 3, dtype=torch.uint8, device=self.device)
        stream = torch.cuda.current_stream().cuda_stream if self.device.type == "cuda" else 0
        status = library(self.device.type).draw(*(ctypes.c_void_p(t.data_ptr()) for t in (rows, out)), self.n, height, width, ctypes.c_void_p(stream))
        if status:
            raise RuntimeError(f"drawing failed with CUDA error {status}")
        return out


@cache
def library(device):
    """picture.cu compiled for "cpu" or "cuda"; kept beside it under a name that changes with the source."""
    folder = Path(__file__).parent / "picture"
    version = hashlib.sha256(b"".join(p.read_bytes() for p in sorted(folder.glob("*.h")) + [folder / "picture.cu"])).hexdigest()[:12]
    out = folder / f"{device}-{version}.so"
    if not out.exists():
        compiler = (["nvcc", "-arch=native", "-O3", "--use_fast_math", "-Xcompiler", "-fPIC"] if device == "cuda" else
                    ["g++", "-x", "c++", "-O3", "-ffast-math", "-march=native", "-fPIC"])
        building = out.with_suffix(f".{os.getpid()}")
        subprocess.run([*compiler, "-std=c++17", "-shared", "-o", building, folder / "picture.cu"], check=True)
        building.rename(out)
    loaded = ctypes.CDLL(str(out))
    loaded.field_names.restype = ctypes.c_char_p
    return loaded


@cache
def field_names(device):
    return library(device).field_names().decode().split()


def sheet(pictures, columns):
    """(n, h, w, 3) -> one picture of them in rows."""
    n, h, w, _ = pictures.shape
    pictures = pictures[:n // columns * columns].reshape(-1, columns, h, w, 3)
    return pictures.permute(0, 2, 1, 3, 4).reshape(-1, columns * w, 3)


if __name__ == "__main__":  # python scenes.py SEED SHEET.png: forty scenes
    import sys

    from PIL import Image
    pictures = Scenes(40, 1., torch.Generator().manual_seed(int(sys.argv[1]))).pictures(256, 256)
    Image.fromarray(sheet(pictures, 8).numpy()).save(sys.argv[2])
