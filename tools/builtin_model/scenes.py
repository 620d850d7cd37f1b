"""Draws random landscapes at 256x256 and writes captions for them: all the training data of the built-in model."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw

SIZE = 256
SUPERSAMPLE = 3  # masks are drawn this much larger and averaged, which anti-aliases every edge

TIMES = ["day", "sunset", "dawn", "night"]
PLACES = ["hill", "mountains", "desert", "sea", "lake", "forest", "snow"]
OBJECTS = ["castle", "lighthouse", "house", "windmill", "tree", "sailboat", "balloon", "city", "none"]
OBJECT_WEIGHTS = [5, 4, 4, 4, 3, 4, 4, 3, 3]
COLOURED = {"castle": ["red", "blue", "green", "purple"],
            "house": ["red", "blue", "yellow", "white"],
            "sailboat": ["red", "blue", "yellow", "white"],
            "balloon": ["red", "blue", "yellow", "green", "purple"]}


def rgb(r, g, b):
    return np.array([r, g, b], np.float32)


COLOURS = {"red": rgb(.86, .22, .19), "blue": rgb(.20, .42, .80), "yellow": rgb(.98, .80, .24),
           "green": rgb(.24, .62, .34), "purple": rgb(.56, .30, .70), "white": rgb(.96, .95, .92)}
GRASS, AUTUMN_GRASS = rgb(.45, .68, .31), rgb(.78, .58, .26)
LEAVES, AUTUMN_LEAVES = rgb(.24, .54, .26), rgb(.88, .44, .14)
PINE, SAND, SNOW = rgb(.13, .38, .27), rgb(.93, .76, .48), rgb(.94, .97, 1.)
ROCK, WATER, WOOD = rgb(.47, .46, .52), rgb(.17, .46, .66), rgb(.42, .27, .17)
STONE, PLASTER, GLASS, LAMP = rgb(.74, .71, .68), rgb(.95, .92, .86), rgb(.25, .30, .38), rgb(1., .84, .42)

# sky colours from zenith to horizon; tint multiplies the colour of everything lit by that sky
SKIES = {
    "day": dict(stops=[rgb(.27, .56, .90), rgb(.52, .77, .96), rgb(.84, .94, .98)], tint=rgb(1., 1., 1.)),
    "sunset": dict(stops=[rgb(.31, .20, .46), rgb(.87, .40, .38), rgb(1., .76, .38)], tint=rgb(.92, .68, .60)),
    "dawn": dict(stops=[rgb(.55, .67, .90), rgb(.95, .76, .82), rgb(1., .92, .80)], tint=rgb(.96, .86, .90)),
    "night": dict(stops=[rgb(.02, .03, .11), rgb(.05, .09, .23), rgb(.14, .21, .42)], tint=rgb(.34, .40, .62)),
}


def mix(a, b, t):
    return a + (b - a) * t


def poly(*points):
    return "poly", np.array(points, np.float32)


def rect(x0, y0, x1, y1):
    return poly((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def oval(x, y, rx, ry=None):
    ry = rx if ry is None else ry
    return "oval", np.array([(x - rx, y - ry), (x + rx, y + ry)], np.float32)


def arch(x, y, w, h):
    """A round-topped opening whose foot is centred at (x, y)."""
    return [rect(x - w / 2, y - h + w / 2, x + w / 2, y), oval(x, y - h + w / 2, w / 2)]


class Canvas:
    def __init__(self, pixels):
        self.pixels = pixels  # (y, x, rgb) float32 in 0..1

    def paint(self, colour, *shapes, alpha=1.0):
        """Fills the union of the shapes; colour is (3,) or a column (SIZE, 1, 3)."""
        corners = np.concatenate([p for _, p in shapes])
        x0, y0 = np.clip(np.floor(corners.min(0)).astype(int) - 1, 0, SIZE)
        x1, y1 = np.clip(np.ceil(corners.max(0)).astype(int) + 1, 0, SIZE)
        if x0 >= x1 or y0 >= y1:
            return
        mask = Image.new("L", ((x1 - x0) * SUPERSAMPLE, (y1 - y0) * SUPERSAMPLE))
        draw = ImageDraw.Draw(mask)
        for kind, points in shapes:
            p = [tuple(q) for q in ((points - (x0, y0)) * SUPERSAMPLE).tolist()]
            draw.polygon(p, fill=255) if kind == "poly" else draw.ellipse(p[0] + p[1], fill=255)
        m = np.asarray(mask.reduce(SUPERSAMPLE), np.float32)[..., None] * (alpha / 255)
        area = self.pixels[y0:y1, x0:x1]
        area += ((colour[y0:y1] if colour.ndim == 3 else colour) - area) * m

    def glow(self, x, y, radius, colour, strength):
        ys, xs = np.ogrid[:SIZE, :SIZE]
        d2 = ((xs - x) ** 2 + (ys - y) ** 2).astype(np.float32) / radius ** 2
        m = (strength * np.exp(-d2))[..., None]
        self.pixels += (colour - self.pixels) * m


class Light:
    def __init__(self, rng, time):
        self.time, self.night = time, time == "night"
        jitter = rgb(*[rng.uniform(-.03, .03) for _ in range(3)]) * (.5 if self.night else 1)
        self.stops = [np.clip(s + jitter, 0, 1) for s in SKIES[time]["stops"]]
        self.tint, self.haze = SKIES[time]["tint"], self.stops[2]
        self.window = LAMP if self.night or (time == "sunset" and rng.random() < .6) else None

    def __call__(self, colour, depth=0.):
        """The colour as lit at this hour, fading into the haze with distance."""
        return mix(colour * self.tint, self.haze, depth)

    def glass(self):
        return self(GLASS) if self.window is None else self.window


def ridge(rng, y, height, waves, jagged=0.):
    """Height of a skyline at x = 0, 2, .., 256: a few sines, made peaky by folding when jagged."""
    x = np.arange(0, SIZE + 3, 2, dtype=np.float32) / SIZE
    out = np.zeros_like(x)
    for k, weight in enumerate([1., .5, .25]):
        phase = (x * waves * (1.7 ** k) + rng.random()) % 1.
        smooth = .5 + .5 * np.sin(2 * math.pi * phase)
        fold = 1 - np.abs(2 * phase - 1)
        out += weight * mix(smooth, fold, jagged)
    return y - height * (out / 1.75)


def below(line):
    x = np.arange(0, SIZE + 3, 2)
    return poly(*zip(x, line), (SIZE + 2, SIZE + 2), (0, SIZE + 2))


def sky(rng, light):
    t = np.clip(np.linspace(0, 1.35, SIZE, dtype=np.float32), 0, 1)[:, None]
    top, mid, low = light.stops
    column = np.where(t < .5, mix(top, mid, t * 2), mix(mid, low, t * 2 - 1))
    return Canvas(np.repeat(column[:, None, :], SIZE, 1).astype(np.float32))


def draw_stars(c, rng):
    for _ in range(rng.randint(40, 60)):
        r = rng.choice([1., 1.1, 1.3, 1.8])
        c.paint(rgb(1., 1., .94), oval(rng.uniform(0, SIZE), 175 * rng.random() ** 1.3, r), alpha=rng.uniform(.6, 1.))


def draw_moon(c, rng, x, y, crescent):
    r = rng.uniform(16, 21)
    c.glow(x, y, r * 2.4, rgb(.55, .62, .85), .5)
    if not crescent:
        c.paint(rgb(.97, .95, .86), oval(x, y, r))
        for dx, dy, k in [(-.3, -.2, .22), (.35, .1, .16), (-.05, .45, .18)]:
            c.paint(rgb(.86, .85, .80), oval(x + dx * r, y + dy * r, k * r))
        return
    # the lit edge and the inner edge, an ellipse through the same tips, as one polygon
    a = np.linspace(-math.pi / 2, math.pi / 2, 40)
    outer = [(x + r * math.cos(v), y + r * math.sin(v)) for v in a]
    inner = [(x + r * .25 * math.cos(v), y + r * math.sin(v)) for v in a[::-1]]
    turn = np.array([[.88, -.48], [.48, .88]], np.float32)
    c.paint(rgb(.99, .95, .80), poly(*[turn @ (px - x, py - y) + (x - r * .4, y) for px, py in outer + inner]))


def draw_sun(c, rng, x, y, time):
    r = rng.uniform(15, 19) if time == "day" else rng.uniform(22, 28)
    colour = {"day": rgb(1., .95, .62), "sunset": rgb(1., .84, .42), "dawn": rgb(1., .93, .72)}[time]
    c.glow(x, y, r * 2.8, colour, .55)
    c.paint(mix(colour, rgb(1., 1., 1.), .35), oval(x, y, r))


def draw_clouds(c, rng, light):
    tone = {"day": rgb(1., 1., 1.), "sunset": rgb(.98, .58, .46), "dawn": rgb(1., .90, .90), "night": rgb(.16, .20, .34)}[light.time]
    for _ in range(rng.randint(2, 4)):
        x, y, s = rng.uniform(10, 246), rng.uniform(20, 105), rng.uniform(.8, 1.4)
        puffs = [oval(x + dx * s, y - dy * s, rx * s, ry * s) for dx, dy, rx, ry in
                 [(-20, 0, 14, 8), (0, 5, 18, 13), (20, 1, 15, 9), (8, 0, 24, 7)]]
        c.paint(tone, *puffs, alpha=.85)


def draw_birds(c, rng, light):
    x, y = rng.uniform(50, 200), rng.uniform(30, 75)
    for _ in range(rng.randint(4, 6)):
        bx, by, s = x + rng.uniform(-60, 60), y + rng.uniform(-24, 24), rng.uniform(9, 12)
        for side in (-1, 1):
            c.paint(light(rgb(.15, .15, .2)), poly((bx, by), (bx + side * s * .5, by - s * .55), (bx + side * s, by - s * .3),
                                                   (bx + side * s * .5, by - s * .25), (bx, by + 2.)))


def draw_pine(c, x, y, h, colour, snow=None):
    c.paint(colour * .6, rect(x - h * .04, y - h * .2, x + h * .04, y))
    tiers = [(y - h * .12, .26, .45), (y - h * .36, .21, .38), (y - h * .60, .15, .40)]
    c.paint(colour, *[poly((x - w * h, b), (x + w * h, b), (x, b - t * h)) for b, w, t in tiers])
    if snow is not None:
        c.paint(snow, *[poly((x - w * h * .5, b - t * h * .5), (x, b - t * h * .35), (x + w * h * .5, b - t * h * .5), (x, b - t * h))
                        for b, w, t in tiers])


def draw_cactus(c, x, y, h, colour):
    w = h * .16
    c.paint(colour, rect(x - w / 2, y - h + w / 2, x + w / 2, y), oval(x, y - h + w / 2, w / 2),
            rect(x - h * .32, y - h * .48, x, y - h * .36), rect(x - h * .32, y - h * .70, x - h * .22, y - h * .36),
            rect(x, y - h * .40, x + h * .32, y - h * .28), rect(x + h * .22, y - h * .62, x + h * .32, y - h * .28))


def draw_peaks(c, rng, light, base, height, depth, snow_share):
    """Overlapping mountains with a lit and a shaded flank and a snow cap."""
    xs = [rng.uniform(-20, 50), rng.uniform(60, 110), rng.uniform(130, 185), rng.uniform(200, 270)]
    rng.shuffle(xs)
    for x in xs:
        h, w = height * rng.uniform(.65, 1.), rng.uniform(70, 100)
        top = base - h
        c.paint(light(ROCK, depth), poly((x - w, base), (x, top), (x + w, base)))
        c.paint(light(ROCK * .72, depth), poly((x, top), (x + w, base), (x + w * .15, base), (x - w * .06, base - h * .45)))
        k = snow_share
        c.paint(light(SNOW, depth * .8), poly((x, top), (x - w * k, top + h * k), (x - w * k * .4, top + h * k * .72),
                                              (x, top + h * k * 1.15), (x + w * k * .5, top + h * k * .75), (x + w * k, top + h * k)))
        c.paint(light(SNOW * .80, depth * .8), poly((x, top), (x, top + h * k * 1.15), (x + w * k * .5, top + h * k * .75),
                                                    (x + w * k, top + h * k)))


def ground(light, near, far_depth, y):
    """A column of colours that brightens from the foreground up to the line y."""
    t = np.clip((np.arange(SIZE, dtype=np.float32) - y) / (SIZE - y), 0, 1)[:, None, None]
    return mix(light(near * 1.05, far_depth), light(near * .72), t).astype(np.float32)


def draw_water(c, rng, light, y, shine_x):
    t = np.clip((np.arange(SIZE, dtype=np.float32) - y) / (SIZE - y), 0, 1)[:, None, None]
    c.paint(mix(mix(light(WATER), light.haze, .55), light(WATER) * .8, t ** .7).astype(np.float32), rect(-1, y, SIZE + 1, SIZE + 1))
    for _ in range(26):
        d = rng.random()
        wy, wx = y + 4 + (SIZE - y) * d, rng.uniform(0, SIZE)
        c.paint(mix(light(WATER), light.haze, .75), oval(wx, wy, 8 + 16 * d, .7 + 1.1 * d), alpha=.45)
    if shine_x is not None:
        tone = {"day": rgb(1., 1., .9), "sunset": rgb(1., .82, .48), "dawn": rgb(1., .94, .80), "night": rgb(.80, .84, .95)}[light.time]
        for k in range(14):
            d = k / 14
            c.paint(tone, oval(shine_x + rng.uniform(-4, 4), y + 3 + (SIZE - y) * d, rng.uniform(6, 13) * (.7 + d), .9 + 1.0 * d), alpha=.75)


def reflect(c, rng, light, y):
    """Mirrors the picture above the line y into a lake below it."""
    n = SIZE - y
    sway = np.round(np.cumsum(np.array([rng.uniform(-.8, .8) for _ in range(n)])) * .5).astype(int)
    mirror = np.stack([np.roll(c.pixels[max(y - 1 - int(k * 1.15), 0)], int(sway[k]), 0) for k in range(n)])
    c.pixels[y:] = mix(mirror, mix(light(WATER), light.haze, .2), .32)
    for _ in range(14):
        d = rng.random()
        c.paint(light.haze, oval(rng.uniform(0, SIZE), y + 4 + n * d, 8 + 16 * d, .6 + d), alpha=.4)


def draw_castle(c, rng, light, x, y, h, colour):
    stone, shade, roof = light(STONE), light(STONE * .74), light(COLOURS[colour] * .9)
    u = h / 100

    def tower(tx, w, top, roof_h, flag):
        c.paint(stone, rect(tx - w / 2, y - top, tx + w / 2, y + 3))
        c.paint(shade, rect(tx + w * .12, y - top, tx + w / 2, y + 3))
        c.paint(stone * .9, rect(tx - w * .6, y - top - 2 * u, tx + w * .6, y - top + 4 * u))
        c.paint(roof, poly((tx - w * .68, y - top - 1 * u), (tx + w * .68, y - top - 1 * u), (tx, y - top - roof_h)))
        c.paint(roof * .72, poly((tx + w * .12, y - top - 1 * u), (tx + w * .68, y - top - 1 * u), (tx, y - top - roof_h)))
        if flag:
            c.paint(light(WOOD), rect(tx - .7, y - top - roof_h - 10 * u, tx + .7, y - top - roof_h))
            c.paint(roof, poly((tx, y - top - roof_h - 10 * u), (tx + 11 * u, y - top - roof_h - 7 * u), (tx, y - top - roof_h - 4 * u)))
        c.paint(light.glass(), *arch(tx - w * .08, y - top + 18 * u, 5 * u, 10 * u))

    tower(x, 22 * u, 66 * u, 26 * u, True)
    wall = 36 * u
    c.paint(stone, rect(x - 42 * u, y - wall, x + 42 * u, y + 3),
            *[rect(x + (k * 9.3 - 42) * u, y - wall - 5 * u, x + (k * 9.3 - 37) * u, y - wall) for k in range(10)])
    c.paint(shade, rect(x - 42 * u, y - 6 * u, x + 42 * u, y + 3), alpha=.6)
    for side in (-1, 1):
        tower(x + side * 40 * u, 19 * u, 52 * u, 24 * u, False)
        c.paint(light.glass(), *arch(x + side * 20 * u, y - 14 * u, 6 * u, 12 * u))
    c.paint(light(WOOD) if light.window is None else mix(light(WOOD), LAMP, .45), *arch(x, y + 2, 16 * u, 24 * u))


def draw_lighthouse(c, rng, light, x, y, h, colour):
    u, lit = h / 100, light.time in ("night", "sunset")
    if lit:
        for side in (-1, 1):
            c.paint(rgb(1., .93, .62), poly((x, y - 88 * u), (x + side * 190, y - 88 * u - 34), (x + side * 190, y - 88 * u + 22)),
                    alpha=.30 if light.night else .2)

    def width(v):
        return mix(15, 9, v / 80) * u

    bands = [(0, 16), (16, 32), (32, 48), (48, 64), (64, 80)]
    for k, (a, b) in enumerate(bands):
        tone = light(COLOURS["red"]) if k % 2 == 0 else light(COLOURS["white"])
        c.paint(tone, poly((x - width(a), y - a * u + (3 if a == 0 else 0)), (x + width(a), y - a * u + (3 if a == 0 else 0)),
                           (x + width(b), y - b * u), (x - width(b), y - b * u)))
    c.paint(light(rgb(.1, .1, .15)), poly((x + width(0) * .3, y + 3), (x + width(0), y + 3), (x + width(80), y - 80 * u),
                                          (x + width(80) * .3, y - 80 * u)), alpha=.28)
    c.paint(light(GLASS * .8), rect(x - 13 * u, y - 83 * u, x + 13 * u, y - 79 * u))
    c.paint(LAMP if lit else light(rgb(.75, .87, .92)), rect(x - 7 * u, y - 94 * u, x + 7 * u, y - 83 * u))
    c.paint(light(COLOURS["red"] * .85), poly((x - 10 * u, y - 94 * u), (x + 10 * u, y - 94 * u), (x, y - 105 * u)))
    if lit:
        c.glow(x, y - 88 * u, 24 * u, rgb(1., .93, .65), .8)
    c.paint(light(WOOD), *arch(x - 2 * u, y + 3, 8 * u, 15 * u))


def draw_house(c, rng, light, x, y, h, colour):
    u = h / 100
    wall = light(COLOURS[colour])
    roof = light(rgb(.45, .27, .24) if colour != "red" else rgb(.36, .33, .38))
    c.paint(light(rgb(.60, .38, .32)), rect(x + 24 * u, y - 92 * u, x + 36 * u, y - 50 * u))
    for k in range(4):
        c.paint(light(rgb(.93, .93, .95), .2), oval(x + (31 + k * 5) * u, y - (98 + k * 9) * u, (4 + 2 * k) * u), alpha=.5)
    c.paint(wall, rect(x - 48 * u, y - 48 * u, x + 48 * u, y + 3))
    c.paint(wall * .8, rect(x + 10 * u, y - 48 * u, x + 48 * u, y + 3))
    c.paint(roof, poly((x - 58 * u, y - 46 * u), (x - 30 * u, y - 88 * u), (x + 40 * u, y - 88 * u), (x + 58 * u, y - 46 * u)))
    c.paint(wall, poly((x - 48 * u, y - 46 * u), (x - 19 * u, y - 84 * u), (x + 10 * u, y - 46 * u)))
    c.paint(roof * .7, poly((x - 56 * u, y - 42 * u), (x - 19 * u, y - 90 * u), (x + 18 * u, y - 42 * u), (x + 10 * u, y - 42 * u),
                            (x - 19 * u, y - 80 * u), (x - 48 * u, y - 42 * u)))
    frame = light(PLASTER) if colour != "white" else light(rgb(.50, .60, .70))
    for wx, wy in [(-36, -14), (22, -14), (40, -14)]:
        c.paint(frame, rect(x + (wx - 8) * u, y + (wy - 20) * u, x + (wx + 8) * u, y + wy * u))
        c.paint(light.glass(), rect(x + (wx - 6) * u, y + (wy - 18) * u, x + (wx + 6) * u, y + (wy - 2) * u))
    c.paint(light.glass(), oval(x - 19 * u, y - 58 * u, 6 * u))
    c.paint(light(WOOD), rect(x - 16 * u, y - 30 * u, x - 2 * u, y + 3))


def draw_windmill(c, rng, light, x, y, h, colour):
    u = h / 100
    c.paint(light(PLASTER), poly((x - 21 * u, y + 3), (x + 21 * u, y + 3), (x + 13 * u, y - 62 * u), (x - 13 * u, y - 62 * u)))
    c.paint(light(PLASTER * .78), poly((x + 5 * u, y + 3), (x + 21 * u, y + 3), (x + 13 * u, y - 62 * u), (x + 4 * u, y - 62 * u)))
    c.paint(light(rgb(.55, .26, .20)), poly((x - 17 * u, y - 60 * u), (x + 17 * u, y - 60 * u), (x + 10 * u, y - 76 * u), (x, y - 82 * u),
                                            (x - 10 * u, y - 76 * u)))
    c.paint(light.glass(), *arch(x, y - 38 * u, 7 * u, 12 * u))
    c.paint(light(WOOD), *arch(x, y + 3, 11 * u, 20 * u))
    turn, hub = rng.uniform(.3, 1.2), (x, y - 66 * u)
    for k in range(4):
        a = turn + k * math.pi / 2
        d, n = np.array([math.cos(a), math.sin(a)]), np.array([-math.sin(a), math.cos(a)])
        tip = hub + d * 46 * u
        c.paint(light(rgb(.98, .96, .90)), poly(hub + d * 11 * u, tip, tip + n * 11 * u, hub + d * 11 * u + n * 9 * u))
        c.paint(light(WOOD), poly(hub - n * 1.3 * u, tip - n * 1.3 * u, tip + n * 1.3 * u, hub + n * 1.3 * u))
    c.paint(light(WOOD * .8), oval(*hub, 3.5 * u))


def draw_tree(c, rng, light, x, y, h, colour, autumn=False):
    u = h / 100
    leaf = AUTUMN_LEAVES if autumn else LEAVES
    c.paint(light(WOOD), poly((x - 9 * u, y + 4), (x + 9 * u, y + 4), (x + 5 * u, y - 46 * u), (x - 5 * u, y - 46 * u)),
            poly((x, y - 26 * u), (x + 24 * u, y - 52 * u), (x + 20 * u, y - 54 * u), (x, y - 36 * u)),
            poly((x, y - 30 * u), (x - 22 * u, y - 54 * u), (x - 18 * u, y - 56 * u), (x, y - 40 * u)))
    crown = [(-26, 56, 21), (26, 56, 21), (0, 52, 22), (-15, 75, 21), (16, 75, 21), (0, 84, 18)]
    c.paint(light(leaf * .78), *[oval(x + a * u, y - b * u, r * u) for a, b, r in crown])
    c.paint(light(leaf), *[oval(x + (a - 4) * u, y - (b + 5) * u, r * u * .76) for a, b, r in crown])
    c.paint(light(leaf * 1.2), *[oval(x + (a - 7) * u, y - (b + 8) * u, r * u * .34) for a, b, r in crown])


def draw_sailboat(c, rng, light, x, y, h, colour):
    u = h / 100
    side = rng.choice([-1, 1])
    sail = light(COLOURS[colour])
    c.paint(light(WOOD * 1.3), rect(x - 1.2, y - 96 * u, x + 1.2, y - 8 * u))
    c.paint(sail, poly((x + side * 3 * u, y - 94 * u), (x + side * 44 * u, y - 16 * u), (x + side * 3 * u, y - 16 * u)))
    c.paint(sail * .8, poly((x - side * 3 * u, y - 82 * u), (x - side * 32 * u, y - 16 * u), (x - side * 3 * u, y - 16 * u)))
    hull = light(rgb(.50, .25, .16))
    c.paint(hull, poly((x - 46 * u, y - 11 * u), (x + 50 * u, y - 11 * u), (x + 34 * u, y + 6 * u), (x - 34 * u, y + 6 * u)))
    c.paint(light(PLASTER), poly((x - 46 * u, y - 11 * u), (x + 50 * u, y - 11 * u), (x + 46 * u, y - 6 * u), (x - 42 * u, y - 6 * u)))
    c.paint(mix(light(WATER), light.haze, .4), oval(x, y + 7 * u, 48 * u, 2.6 * u), alpha=.8)


def draw_balloon(c, rng, light, x, y, h, colour):
    """y is the middle of the envelope."""
    u = h / 100
    tone = light(COLOURS[colour]) if not light.night else mix(light(COLOURS[colour]), COLOURS[colour], .55)
    pale = light(PLASTER) if not light.night else mix(light(PLASTER), rgb(1., .85, .55), .5)
    bend = np.linspace(-math.pi / 2, 0, 15)
    profile = [(38 * math.sin(v), 40 * math.cos(v)) for v in bend] + [(14, 36.5), (34, 20), (50, 9)]  # (height, half width)

    def gore(k0, k1):  # the slice of the envelope between two meridians, -1..1
        return poly(*[(x + k1 * w * u, y + v * u) for v, w in profile], *[(x + k0 * w * u, y + v * u) for v, w in profile[::-1]])

    edges = [-1., -.62, -.22, .22, .62, 1.]
    for k in range(5):
        c.paint(tone if k % 2 == 0 else pale, gore(edges[k], edges[k + 1]))
    c.paint(tone * .4, gore(.45, 1.), alpha=.22)
    for side in (-1, 1):
        c.paint(light(WOOD * .7), poly((x + side * 8 * u, y + 50 * u), (x + side * 9 * u, y + 50 * u), (x + side * 7 * u, y + 64 * u),
                                       (x + side * 6 * u, y + 64 * u)))
    c.paint(light(WOOD * 1.4), rect(x - 8 * u, y + 63 * u, x + 8 * u, y + 75 * u))


def draw_city(c, rng, light, x, y, h, colour):
    u, left = h / 100, x - 98
    tones = [rgb(.50, .55, .66), rgb(.62, .60, .64), rgb(.42, .48, .60), rgb(.70, .66, .64)]
    for row, (depth, tall) in enumerate([(.35, .92), (.05, .70)]):
        bx = left + (0 if row == 0 else 10)
        while bx < x + 84:
            w = rng.uniform(17, 27)
            centre = 1 - abs(bx + w / 2 - x) / 130
            top = h * tall * centre * rng.uniform(.62, 1.06)
            tone = light(rng.choice(tones), depth)
            c.paint(tone, rect(bx, y - top, bx + w, y + 3))
            c.paint(tone * .82, rect(bx + w * .62, y - top, bx + w, y + 3))
            if rng.random() < .25:
                c.paint(tone * .8, rect(bx + w * .45, y - top - 12 * u, bx + w * .55, y - top))
            panes = [rect(bx + 3 + i * 5.5, y - top + 5 + j * 8, bx + 6 + i * 5.5, y - top + 9 + j * 8)
                     for i in range(int((w - 3) // 5.5)) for j in range(int((top - 6) // 8)) if rng.random() < .6]
            if panes and row == 1:
                c.paint(light.glass() if light.window is not None else light(rgb(.80, .88, .95)), *panes, alpha=.9)
            bx += w + rng.choice([0, 1, 2])


DRAW = {"castle": draw_castle, "lighthouse": draw_lighthouse, "house": draw_house, "windmill": draw_windmill, "tree": draw_tree,
        "sailboat": draw_sailboat, "balloon": draw_balloon, "city": draw_city}
OBJECT_HEIGHT = {"castle": (112, 132), "lighthouse": (108, 130), "house": (82, 100), "windmill": (98, 118), "tree": (105, 130),
                 "sailboat": (100, 125), "balloon": (92, 112), "city": (105, 135)}


def random_scene(rng):
    """The content of a picture: everything that a caption may mention."""
    thing = rng.choices(OBJECTS, OBJECT_WEIGHTS)[0]
    places = {"sailboat": ["sea", "sea", "lake"], "city": ["mountains", "desert", "sea", "lake", "snow"],
              "lighthouse": PLACES + ["sea"] * 5, "castle": PLACES + ["hill"] * 2}.get(thing, PLACES)
    place = rng.choice(places)
    time = rng.choices(TIMES, [3, 3, 2, 4])[0]
    extras = []
    if time == "night":
        extras += rng.choice([["full moon", "stars"], ["crescent moon", "stars"], ["full moon"], ["stars"], ["stars"]])
    else:
        extras += ["sun"] * (rng.random() < (.5 if time == "day" else .75))
    extras += ["clouds"] * (rng.random() < (.15 if time == "night" else .45))
    extras += ["birds"] * (time != "night" and rng.random() < .2)
    return dict(time=time, place=place, object=thing, colour=rng.choice(COLOURED.get(thing, [""])),
                autumn=place in ("hill", "mountains", "lake", "forest") and rng.random() < .22, extras=extras)


def is_common(scene):
    """The part of the variety that a short training run can learn."""
    return (scene["object"] not in ("windmill", "city") and scene["place"] not in ("lake", "forest") and not scene["autumn"]
            and scene["colour"] in ("", "red", "blue", "yellow"))


def draw_scene(scene, rng):
    """The picture of a scene, (256, 256, 3) uint8; the generator decides what captions do not mention."""
    light = Light(rng, scene["time"])
    c, place, thing, extras = sky(rng, light), scene["place"], scene["object"], scene["extras"]
    grass = AUTUMN_GRASS if scene["autumn"] else GRASS
    leaves = AUTUMN_LEAVES if scene["autumn"] else PINE
    x = SIZE / 2 + rng.uniform(-24, 24)
    side = rng.choice([-1, 1])
    shine = None

    if "stars" in extras:
        draw_stars(c, rng)
    if "full moon" in extras or "crescent moon" in extras:
        shine = x + side * rng.uniform(66, 92)
        draw_moon(c, rng, shine, rng.uniform(32, 70), "crescent moon" in extras)
    if "sun" in extras:
        low = light.time != "day"
        shine = x + side * (rng.uniform(50, 90) if low else rng.uniform(70, 95))
        draw_sun(c, rng, shine, rng.uniform(105, 140) if low else rng.uniform(30, 62), light.time)
    if "clouds" in extras:
        draw_clouds(c, rng, light)
    if "birds" in extras:
        draw_birds(c, rng, light)

    base, mirror = 205, None
    if place == "hill":
        base = rng.uniform(168, 182)
        c.paint(light(grass, .62), below(ridge(rng, 190, 34, 1.3)))
        c.paint(light(grass * .92, .38), below(ridge(rng, 212, 36, 1.1)))
        xs = np.arange(0, SIZE + 3, 2)
        bump = base - 2 + 66 * (1 - np.exp(-((xs - x) / 86) ** 2))
        c.paint(ground(light, grass, .05, base), below(bump))
    elif place == "mountains":
        base = rng.uniform(200, 212)
        draw_peaks(c, rng, light, 222, 146, .42, .30)
        draw_peaks(c, rng, light, 222, 92, .15, .24)
        line = ridge(rng, base + 6, 10, .8)
        c.paint(ground(light, grass, .1, base), below(line))
    elif place == "desert":
        base = rng.uniform(200, 212)
        c.paint(light(SAND * .95, .5), below(ridge(rng, 186, 34, 1.2, .35)))
        c.paint(light(SAND * .86, .22), below(ridge(rng, 200, 28, 1.0, .35)))
        c.paint(ground(light, SAND, .05, base), below(ridge(rng, base + 6, 12, .8)))
    elif place == "sea":
        draw_water(c, rng, light, 168, shine)
        base = rng.uniform(196, 206)
        if thing not in ("sailboat", "balloon", "none"):
            w = 104 if thing in ("castle", "city", "house") else 84
            c.paint(light(ROCK * .8), poly((x - w - 12, base + 26), (x - w, base + 8), (x - w * .8, base - 1), (x + w * .8, base - 1), (x + w, base + 6),
                                           (x + w + 14, base + 26), (x + w * .5, base + 34), (x - w * .5, base + 34)))
            c.paint(light(grass), oval(x, base + 3, w * .9, 7))
    elif place == "lake":
        base, mirror = 172, 180
        draw_peaks(c, rng, light, 174, 84, .45, .26)
        for k in range(15):
            px = k * 18 + rng.uniform(-5, 5)
            if thing in ("none", "sailboat", "balloon") or abs(px - x) > 54:
                draw_pine(c, px, 178, rng.uniform(22, 36), light(leaves, .25))
        c.paint(light(grass, .08), rect(-1, 171, SIZE + 1, 181))
    elif place == "forest":
        base = rng.uniform(205, 214)
        c.paint(light(grass, .45), rect(-1, 190, SIZE + 1, SIZE + 1))
        for k in range(13):
            draw_pine(c, k * 21 + rng.uniform(-5, 5), 196, rng.uniform(70, 98), light(leaves, .55))
        for k in range(10):
            draw_pine(c, k * 28 + rng.uniform(-6, 6), 206, rng.uniform(52, 72), light(leaves, .28))
        c.paint(ground(light, grass * .9, .08, base - 8), below(ridge(rng, base, 6, .8)))
    elif place == "snow":
        base = rng.uniform(200, 212)
        c.paint(light(SNOW * .93, .45), below(ridge(rng, 186, 36, 1.2)))
        for k in range(7):
            draw_pine(c, k * 42 + rng.uniform(-12, 12), 196 + rng.uniform(-4, 6), rng.uniform(34, 54), light(PINE, .22), light(SNOW, .1))
        c.paint(ground(light, SNOW, .05, base), below(ridge(rng, base + 6, 14, .8)))

    if thing != "none":
        h = rng.uniform(*OBJECT_HEIGHT[thing])
        if place == "lake":
            h *= .9
        if thing == "balloon":
            draw_balloon(c, rng, light, x, rng.uniform(66, 92), h, scene["colour"])
        elif thing == "sailboat" and place == "sea":
            draw_sailboat(c, rng, light, x, base + 4, h, scene["colour"])
        elif thing == "tree":
            draw_tree(c, rng, light, x, base, h, "", scene["autumn"])
        elif not (thing == "sailboat" and mirror):
            DRAW[thing](c, rng, light, x, base, h, scene["colour"])
    if mirror:
        reflect(c, rng, light, mirror)
        if thing == "sailboat":
            draw_sailboat(c, rng, light, x, 206, h, scene["colour"])

    if place == "forest":
        for px in (rng.uniform(4, 26), rng.uniform(230, 252)):
            draw_pine(c, px, 244, rng.uniform(120, 150), light(leaves * .85))
    if place == "desert":
        for px in (x - rng.uniform(72, 100), x + rng.uniform(72, 100)):
            draw_cactus(c, px, rng.uniform(224, 240), rng.uniform(38, 54), light(rgb(.30, .52, .28)))
    if place == "snow":
        c.paint(light(rgb(1., 1., 1.), 0.) * .6 + .4, *[oval(rng.uniform(0, SIZE), rng.uniform(0, SIZE), rng.uniform(1., 2.2)) for _ in range(60)], alpha=.9)
    return (np.clip(c.pixels, 0, 1) * 255 + .5).astype(np.uint8)


TIME_WORDS = {
    "day": ["on a sunny day", "by day", "in the daytime", "at noon", "on a bright day"],
    "sunset": ["at sunset", "at sunset", "at dusk", "in the evening", "under an orange sky", "in the evening light"],
    "dawn": ["at dawn", "at sunrise", "in the morning", "in the early morning", "under a pink sky"],
    "night": ["at night", "at night", "at night", "under a night sky", "in the dark", "at midnight", "by night"]}
PLACE_WORDS = {
    "hill": ["on a hill", "on a hill", "on a green hill", "on top of a hill", "in the hills", "on a grassy hill"],
    "mountains": ["in the mountains", "in front of mountains", "below snowy mountains", "with mountains behind", "in a mountain valley"],
    "desert": ["in the desert", "in a desert", "among the dunes", "on the sand", "in a sandy desert with cactus"],
    "sea": ["by the sea", "on the coast", "by the ocean", "on a cliff by the sea", "on an island", "at the sea"],
    "lake": ["by a lake", "by the lake", "beside a lake", "reflected in a lake", "by the water of a lake"],
    "forest": ["in a forest", "in the forest", "in the woods", "among pine trees", "in front of a forest"],
    "snow": ["in the snow", "in winter", "in a snowy field", "in a snowy landscape"]}
SCENERY = {"hill": ["green hills", "rolling hills", "a hill"], "mountains": ["mountains", "snowy mountains", "a mountain landscape"],
           "desert": ["a desert", "sand dunes", "a sandy desert with cactus"], "sea": ["the sea", "the ocean", "a calm sea"],
           "lake": ["a lake", "a mountain lake", "a calm lake"], "forest": ["a forest", "pine trees", "a pine forest"],
           "snow": ["a snowy landscape", "a winter landscape", "snow"]}
OBJECT_WORDS = {"castle": ["castle", "castle", "castle", "old castle", "stone castle"], "lighthouse": ["lighthouse", "lighthouse", "tall lighthouse"],
                "house": ["house", "house", "cottage", "small house"], "windmill": ["windmill", "windmill", "old windmill"],
                "tree": ["tree", "tree", "big tree", "large tree"], "sailboat": ["sailboat", "sailboat", "boat", "sailing boat"],
                "balloon": ["hot air balloon", "hot air balloon", "balloon"], "city": ["city", "city skyline", "skyline", "city"]}
EXTRA_WORDS = {"sun": ["with the sun", "sun in the sky", "the sun shining"], "clouds": ["with clouds", "cloudy sky", "clouds in the sky"],
               "birds": ["with birds", "birds in the sky", "birds flying"], "stars": ["with stars", "starry sky", "under the stars"],
               "full moon": ["with a full moon", "under a full moon", "full moon", "with the moon"],
               "crescent moon": ["with a crescent moon", "under a crescent moon", "crescent moon"]}
OPENERS = ["a picture of ", "an illustration of ", "a drawing of ", "a painting of ", "a view of ", "an image of "]
FILLERS = ["beautiful", "detailed", "high quality", "digital art", "flat illustration", "colorful", "landscape", "best quality"]


def article(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def caption(scene, rng):
    """One of the many ways to describe a scene; attributes are left out now and then."""
    thing, colour, place = scene["object"], scene["colour"], rng.choice(PLACE_WORDS[scene["place"]])
    if thing == "none":
        subject, place = rng.choice(SCENERY[scene["place"]]), ""
    else:
        noun = rng.choice(OBJECT_WORDS[thing])
        if thing == "castle":
            subject = article(noun) + (f" with {colour} roofs" if rng.random() < .35 else "")
        else:
            named = colour and rng.random() < .75
            subject = article(f"{colour} {noun}" if named and " house" not in noun else noun)
            if thing == "sailboat" and named and rng.random() < .25:
                subject = f"{article(noun)} with {colour} sails"
        if thing == "balloon" and rng.random() < .6:
            place = rng.choice(["over ", "flying over ", "above "]) + rng.choice(SCENERY[scene["place"]])
        if thing == "sailboat":
            place = rng.choice(["on the sea", "at sea", "on the ocean", "on the water"] if scene["place"] == "sea" else ["on a lake", "on the lake", "on a mountain lake"])
        if rng.random() < .08:
            place = ""
    time = rng.choice(TIME_WORDS[scene["time"]]) if rng.random() < .93 else ""
    extras = [rng.choice(EXTRA_WORDS[e]) for e in scene["extras"] if rng.random() < .55]
    if scene["autumn"] and rng.random() < .85:
        extras.insert(0, rng.choice(["in autumn", "autumn colors", "autumn"]))
    if rng.random() < .12:
        extras.append(rng.choice(FILLERS))
    if rng.random() < .05:  # made-up words teach the model to pass over what it does not know
        extras.append("".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(3, 8))))

    opener = rng.choice(OPENERS) if rng.random() < .15 else ""
    order = rng.random()
    if order < .62:
        text = " ".join(p for p in [subject, place, time] if p)
    elif order < .76:
        text = " ".join(p for p in [subject, time, place] if p)
    elif order < .88:
        text = ", ".join(p for p in [subject, place, time] if p)
    else:
        text = f"{time}, " * bool(time) + " ".join(p for p in [subject, place] if p)
        opener = ""
    rng.shuffle(extras)
    joiner = ", " if rng.random() < .7 else " "
    return opener + joiner.join([text] + extras)


def make(seed):
    """Scene and picture number `seed`."""
    rng = random.Random(seed)
    scene = random_scene(rng)
    return scene, draw_scene(scene, rng)


if __name__ == "__main__":
    # python scenes.py FIRST_SEED SHEET.png: thirty scenes and their captions
    import sys
    first, out = int(sys.argv[1]), sys.argv[2]
    rows = []
    for r in range(5):
        seeds = range(first + r * 6, first + r * 6 + 6)
        pairs = [make(seed) for seed in seeds]
        rows.append(np.concatenate([picture for _, picture in pairs], 1))
        for seed, (scene, _) in zip(seeds, pairs):
            print(caption(scene, random.Random(seed)))
    Image.fromarray(np.concatenate(rows)).save(out)
