"""Captions of scenes, made for a whole batch at once: phrases are chosen, ordered and joined as tensors; text and token ids follow from them."""

import random
from functools import cached_property

import torch

from scenes import COUNTED, LIMITS, PLACED, PLACES, SEEN, TERRAINS, TIMES, WEATHERS, PALETTES, STYLES

# What a picture can be asked for: group -> its classes. A classifier answers one class in each group, evaluate.py counts those that a prompt asks for.
GROUPS = dict(time=TIMES, weather=WEATHERS, terrain=TERRAINS, palette=PALETTES, style=STYLES)
GROUPS |= {name: ["none", "one", "two", "three"][:LIMITS[name] + 1] for name in COUNTED} | {name: ["none", "some"] for name in SEEN}
GROUPS |= {f"{name} place": PLACES for name in PLACED}

TIME_WORDS = {"dawn": "at dawn|at sunrise|in the early morning|at daybreak|in the morning", "day": "by day|at noon|during the day|in the daytime|in daylight",
              "sunset": "at sunset|at sunset|at dusk|in the evening|in the evening light", "night": "at night|at night|at midnight|by night|in the dark|under a night sky"}
TIME_TAGS = {"dawn": "dawn|sunrise|morning|early morning", "day": "day|daytime|noon|daylight", "sunset": "sunset|dusk|evening|sunset sky", "night": "night|night time|night sky|midnight"}
WEATHER_WORDS = {"clear": "under a clear sky|in clear weather|with a clear sky", "cloudy": "under a cloudy sky|with clouds|with clouds in the sky|in cloudy weather|under clouds",
                 "rain": "in the rain|in heavy rain|in rainy weather|while it rains|in a rain storm", "snow": "in the snow|in winter|in falling snow|while it snows|in snowy weather",
                 "fog": "in the fog|in thick fog|in the mist|in foggy weather|wrapped in fog"}
WEATHER_TAGS = {"clear": "clear sky|clear|clear weather", "cloudy": "clouds|cloudy|cloudy sky", "rain": "rain|rainy|raining|heavy rain", "snow": "snow|snowy|snowing|winter|falling snow",
                "fog": "fog|foggy|mist|misty"}
TERRAIN_WORDS = {"mountains": "in the mountains|in front of mountains|with mountains behind|below the mountains|near the mountains",
                 "hills": "in the hills|on rolling hills|among green hills|in a hilly landscape|on a hill", "desert": "in the desert|in a desert|among sand dunes|in a sandy desert|on the sand",
                 "sea": "by the sea|at the sea|on the coast|by the ocean|in the sea|on the sea", "city": "in the city|in front of a city skyline|near the city|with a city behind|by the city",
                 "forest": "in the forest|in the woods|in front of a forest|near a pine forest|at the edge of a forest"}
TERRAIN_TAGS = {"mountains": "mountains|mountain landscape|a mountain landscape|a mountain range", "hills": "hills|rolling hills|green hills|a hilly landscape",
                "desert": "desert|a desert|sand dunes|a desert landscape|dunes", "sea": "sea|the sea|the ocean|ocean|a seascape", "city": "city|a city|city skyline|a city skyline|skyline",
                "forest": "forest|a forest|woods|pine forest|a pine forest"}
PALETTE_WORDS = {name: "|".join(f"{p}{word}s" for p in ("", "in ", "with ", "painted in ") for word in words.split("|")).replace("palettes", "palette").strip() for name, words in {
    "warm": "warm color|warm colour|warm tone|warm palette", "cold": "cold color|cool color|cold tone|cold palette|cold colour",
    "muted": "muted color|muted tone|muted palette|muted colour|faded color", "vivid": "vivid color|vibrant color|vivid palette|vivid colour|vivid tone"}.items()}
STYLE_OPENERS = {"flat": "a flat illustration of|flat illustration of|a flat drawing of|a flat vector picture of", "sketch": "a sketch of|a pencil sketch of|a pencil drawing of|a hand drawn sketch of",
                 "pixel art": "pixel art of|a pixel art picture of|a pixel art image of|a retro pixel art of", "neon": "a neon picture of|neon art of|a night neon picture of|a glowing neon image of"}
STYLE_TAGS = {"flat": "flat style|flat illustration|flat design|flat vector art|in flat style", "sketch": "sketch|pencil sketch|sketch style|pencil drawing|hand drawn|in sketch style",
              "pixel art": "pixel art|pixel art style|in pixel art style|8 bit pixel art|pixelated", "neon": "neon|night neon|neon lights|neon style|in neon style|glowing neon|night neon style"}
OPENERS = "a picture of|an image of|a scene with|a landscape with|a view of|an illustration of|a painting of|a drawing of"
FILLERS = "beautiful|highly detailed|detailed|high quality|masterpiece|best quality|a landscape|peaceful|nice view|digital art|artwork|wallpaper|scenery"
COLOURS = ["red", "blue", "yellow", "green", "purple", "white"]
NOUNS = {"castle": ["castle|castle|castle|fortress|fairytale castle"], "lighthouse": ["lighthouse"], "house": ["house|house|cottage|home", "houses|houses|cottages|homes"], "tree": ["tree", "trees"],
         "sailboat": ["sailboat|boat|sailing boat|sail boat", "sailboats|boats|sailing boats|sail boats"], "balloon": ["hot air balloon|balloon", "hot air balloons|balloons"],
         "birds": ["birds|a flock of birds|flying birds|birds in the sky|some birds"], "sun": ["the sun|the sun|a bright sun|sun"], "stars": ["stars|a starry sky|many stars|stars in the sky"]}
MOONS = {True: "a crescent moon|the moon|the crescent moon|moon|a moon", False: "a full moon|the moon|the full moon|moon|a moon"}
COUNTS = ["a|a|a|a|one|a small|a big", "two|two|two|2|a pair of|a couple of", "three|three|three|3"]
PLACE_WORDS = {"left": "on the left|on the left side|to the left|at the left", "centre": "in the center|in the middle|in the centre|at the center", "right": "on the right|on the right side|to the right|at the right"}


class Phrases:
    """All phrases with a number each; 0 is silence. `variants` of a table {key: "a|b|c"} become a tensor of numbers to choose from."""

    def __init__(self):
        self.texts = [""]

    def number(self, text):
        text = text.strip()
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text)

    def table(self, rows):
        """(rows, most variants) numbers, the variants of each row repeated to fill it."""
        rows = [[self.number(t) for t in row.split("|")] for row in rows]
        width = max(map(len, rows))
        return torch.tensor([(row * width)[:width // len(row) * len(row)] + [-1] * (width - width // len(row) * len(row)) for row in rows])


def pick(table, row, u):
    """One variant of the given row for each scene, by uniform numbers u."""
    table = table.to(row.device)[row]
    count = (table >= 0).sum(1)
    return table.gather(1, (u * count).long().clamp(max=table.shape[1] - 1)[:, None])[:, 0]


class Captioner:
    """Knows every phrase; `write` describes scenes."""

    def __init__(self):
        p = self.phrases = Phrases()
        self.words = {name: p.table(rows.values()) for name, rows in dict(time=TIME_WORDS, weather=WEATHER_WORDS, terrain=TERRAIN_WORDS, palette=PALETTE_WORDS, style=STYLE_TAGS).items()}
        self.tags = {name: p.table(rows.values()) for name, rows in dict(time=TIME_TAGS, weather=WEATHER_TAGS, terrain=TERRAIN_TAGS, palette=PALETTE_WORDS, style=STYLE_TAGS).items()}
        self.style_openers, self.openers, self.fillers = p.table(STYLE_OPENERS.values()), p.table([OPENERS]), p.table([FILLERS])
        rng = random.Random(5)  # words without meaning, to be passed over
        self.babble = p.table(["|".join("".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(3, 8))) for _ in range(80))])
        self.nouns = {name: p.table(NOUNS[name]) for name in NOUNS} | {"moon": p.table([MOONS[False], MOONS[True]])}
        self.counts, self.some = p.table(COUNTS), p.table(["some|a few||"])
        self.colours, self.roofs = p.table(COLOURS), p.table([f"with {c} roofs" for c in COLOURS])
        self.places = p.table(PLACE_WORDS.values())
        self.comma, self.joiners = p.number(","), p.table(["and|and|,|with|next to"])

    def write(self, scenes, generator, whole=None, thorough=None):
        """Phrases in order (n, slots), and what they ask for (n, groups): a class, or -1.

        whole (n,): pictures that are not cut off, of which places may be said; all, if not given. thorough (n,): scenes of which nothing that could
        be asked for is left out but some places; none, if not given."""
        n, device, a = scenes.n, scenes.device, scenes.attributes
        rand = lambda: torch.rand(n, generator=generator, device=device)
        whole = torch.ones(n, dtype=torch.bool, device=device) if whole is None else whole
        thorough = torch.zeros(n, dtype=torch.bool, device=device) if thorough is None else thorough
        brief = torch.where(thorough, 9., torch.where(rand() < .25, .4, 1.))  # factor of the chances that something is said
        asked = {group: torch.full((n,), -1, device=device) for group in GROUPS}
        slots, keys = [], []
        zero = torch.zeros(n, dtype=torch.long, device=device)

        def say(phrase, key):
            slots.append(phrase)
            keys.append(key)

        tagged, front = rand() < .22, rand() < .15  # "night, castle, rain"; "at night, a castle ..."
        front = front & ~tagged

        # things
        names = [*COUNTED, *SEEN]
        kept = {name: (a[name] > 0) & (rand() < (.88 if name in COUNTED else .62) * brief) for name in names}
        order = torch.stack([rand() + (.3 * rand() if name in SEEN else 0) + 9 * ~kept[name] for name in names]).argsort(0).argsort(0)
        any_thing = torch.stack(list(kept.values())).any(0)
        tag_place = (30 * rand()).floor()  # in a list of tags the things stand anywhere
        for j, name in enumerate(names):
            k, here = kept[name], torch.where(tagged, tag_place + .09 * order[j], 10. + order[j])
            count, place = a[name], scenes.place.get(name, zero)
            say(torch.where(k & tagged, self.comma, torch.where(k & (order[j] > 0), pick(self.joiners, zero, rand()), 0)), here)
            one = k & (count == 1)
            if name in COUNTED:
                vague = (count > 1) & (rand() < .12) & ~thorough
                number = torch.where(vague, pick(self.some, zero, rand()), pick(self.counts, (count - 1).clamp(min=0), rand()))
                say(torch.where(k & ~(tagged & one & (rand() < .6)), number, 0), here + .01)
                asked[name] = torch.where(k & ~vague, count, asked[name])
            else:
                asked[name] = torch.where(k, 1, asked[name])
            if name in scenes.colour:
                named = k & (rand() < .4) & ((count == 1) | (name != "balloon"))
                roofs = name == "castle"
                say(torch.where(named, pick(self.roofs if roofs else self.colours, scenes.colour[name], rand()), 0), here + (.04 if roofs else .02))
            row = scenes.crescent.long() if name == "moon" else (count > 1).long() if len(NOUNS[name]) > 1 else zero
            say(torch.where(k, pick(self.nouns[name], row, rand()), 0), here + .03)
            if name in PLACED:
                placed = one & whole & (rand() < torch.where(thorough, .7, .45))
                say(torch.where(placed, pick(self.places, place, rand()), 0), here + .05)
                asked[f"{name} place"] = torch.where(placed, place, asked[f"{name} place"])

        # surroundings
        loose = rand() < .5
        chance = dict(terrain=.82, time=.76, weather=.85, palette=.52, style=.72)
        for j, (name, p) in enumerate(chance.items()):
            said = rand() < p * brief
            if name == "weather":
                said = said & ((a[name] > 0) | (rand() < .4) | thorough)
            if name == "terrain":
                said = said | ~any_thing
            opener = said & (rand() < .45) & ~tagged & ~(front & (asked["time"] >= 0)) if name == "style" else torch.zeros_like(said)
            asked[name] = torch.where(said, a[name], asked[name])
            bare = tagged | ((name == "terrain") & ~any_thing)
            phrase = torch.where(bare, pick(self.tags[name], a[name], rand()), pick(self.words[name], a[name], rand()))
            here = torch.where(loose & (j < 3), 20 + 5 * rand(), torch.full_like(brief, 20 + 2 * j))
            here = torch.where(~any_thing & (name == "terrain"), 12., here)
            here = torch.where(tagged, (30 * rand()).floor() + .91 + .015 * j, here)
            in_front = front & said & any_thing if name == "time" else torch.zeros_like(said)
            here = torch.where(in_front, 5., here)
            comma = said & ~in_front & (tagged | (rand() < .25) | (j >= 3))
            say(torch.where(comma & ~opener, self.comma, 0), here)
            say(torch.where(said & ~opener, phrase, 0), here + .005)
            say(torch.where(in_front, self.comma, 0), here + .007)
            if name == "style":
                plain = ~opener & ~tagged & ~front & (rand() < .12)
                opening = torch.where(opener, pick(self.style_openers, a[name], rand()), torch.where(plain, pick(self.openers, zero, rand()), 0))
                say(opening, torch.ones_like(brief))
        extra = torch.where(rand() < .05, pick(self.babble, zero, rand()), torch.where(rand() < .1, pick(self.fillers, zero, rand()), 0))
        here = torch.where(rand() < .3, .5, 40.)
        say(torch.where((extra > 0) & (here > 1), self.comma, 0), here)
        say(extra, here + .01)
        say(torch.where((extra > 0) & (here < 1), self.comma, 0), here + .02)

        order = torch.stack(keys, 1).argsort(1)
        chosen = torch.stack(slots, 1).gather(1, order)
        # no comma first or after another
        spoken = torch.where(chosen > 0, torch.arange(1, chosen.shape[1] + 1, device=device), 0).cummax(1).values
        before = torch.cat([torch.zeros_like(spoken[:, :1]), spoken[:, :-1]], 1)
        after_comma = (before == 0) | (chosen.gather(1, (before - 1).clamp(min=0)) == self.comma)
        return torch.where((chosen == self.comma) & after_comma, 0, chosen), torch.stack(list(asked.values()), 1)

    def texts(self, chosen):
        return [" ".join(self.phrases.texts[k] for k in row if k).replace(" ,", ",") for row in chosen.tolist()]

    @cached_property
    def vocabulary(self):
        """Every word of every phrase but the babble."""
        babble = set(self.babble.flatten().tolist())
        return sorted({word for k, text in enumerate(self.phrases.texts) if k not in babble for word in text.replace(",", " , ").split()})


class Tokens:
    """Token ids of phrases, joined into whole prompts as CLIPTokenizer would encode their text."""

    def __init__(self, captioner, tokenizer, device):
        pieces = [tokenizer(text, add_special_tokens=False).input_ids if text else [] for text in captioner.phrases.texts]
        self.length = torch.tensor([len(p) for p in pieces], device=device)
        width = max(map(len, pieces))
        self.pieces = torch.tensor([p + [0] * (width - len(p)) for p in pieces], device=device)
        self.start, self.end, self.pad = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id

    def join(self, chosen, size=77):
        """(n, slots) phrases -> (n, size) token ids."""
        n, device = chosen.shape[0], chosen.device
        lengths = self.length[chosen]
        ends = lengths.cumsum(1)
        position = torch.arange(self.pieces.shape[1], device=device)
        target = torch.where(position < lengths[..., None], 1 + (ends - lengths)[..., None] + position, size).clamp(max=size)
        ids = torch.full((n, size + 1), self.pad, device=device)
        ids.scatter_(1, target.flatten(1), self.pieces[chosen].flatten(1))
        end = (1 + ends[:, -1]).clamp(max=size - 1)[:, None]
        ids[:, 0] = self.start
        ids.scatter_(1, end, self.end)
        return torch.where(torch.arange(size, device=device) > end, self.pad, ids[:, :size])


if __name__ == "__main__":  # python captions.py SEED: thirty captions
    import sys

    from scenes import Scenes
    generator, captioner = torch.Generator().manual_seed(int(sys.argv[1])), Captioner()
    for text in captioner.texts(captioner.write(Scenes(30, 1., generator), generator)[0]):
        print(text)
    print(len(captioner.phrases.texts), "phrases,", len(captioner.vocabulary), "words")
