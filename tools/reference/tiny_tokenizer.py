"""A CLIP-format tokenizer with a small vocabulary, learned from a few captions, in the files of published models."""
import json
from collections import Counter

from transformers.convert_slow_tokenizer import bytes_to_unicode

MERGES = 200
CAPTIONS = """
a lighthouse on a cliff at dusk, warm light, stormy sea, highly detailed oil painting
a castle on a hill at night under a starry sky, watercolor
a photo of a red fox in the snow, soft morning light, shallow depth of field
a portrait of an old sailor with a white beard, dramatic lighting, black and white photograph
three boats on a calm lake with mountains in the background, golden hour
a bowl of oranges on a wooden table, still life, realistic
an astronaut riding a horse through the desert, cinematic, wide angle
blurry, low quality, deformed, watermark, bad anatomy, worst quality
a cat sleeping on a pile of books beside the window while the rain is falling outside
a small house in the forest, mist between the trees, style of a children's book illustration
""".split()


def learn_merges(words, count):
    """Byte pair encoding: again and again the most frequent pair of neighbours becomes one symbol."""
    to_unicode = bytes_to_unicode()
    spelled = Counter()
    for word in words:
        symbols = [to_unicode[byte] for byte in word.encode()]
        spelled[(*symbols[:-1], symbols[-1] + "</w>")] += 1
    merges = []
    while len(merges) < count:
        pairs = Counter()
        for word, uses in spelled.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += uses
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        spelled = Counter({tuple(merge(word, best)): uses for word, uses in spelled.items()})
    return merges


def merge(word, pair):
    i = 0
    while i < len(word):
        if word[i:i + 2] == pair:
            yield word[i] + word[i + 1]
            i += 2
        else:
            yield word[i]
            i += 1


def vocabulary():
    """Token -> id in CLIP's order: bytes, bytes that end a word, merges, start, end."""
    letters = list(bytes_to_unicode().values())
    merges = learn_merges(CAPTIONS, MERGES)
    tokens = letters + [letter + "</w>" for letter in letters] + ["".join(pair) for pair in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    return {token: i for i, token in enumerate(tokens)}, merges


def save_tokenizer(folder, pad_token):
    folder.mkdir(parents=True, exist_ok=True)
    vocab, merges = vocabulary()
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False, separators=(",", ":")) + "\n")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": pad_token,
               "unk_token": "<|endoftext|>"}
    config = {"add_prefix_space": False, "do_lower_case": True, "errors": "replace", "model_max_length": 77,
              "tokenizer_class": "CLIPTokenizer", **special}
    for name, content in (("special_tokens_map.json", special), ("tokenizer_config.json", config)):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
