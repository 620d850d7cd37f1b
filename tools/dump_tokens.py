"""Writes tests/data/tokenizer: a small vocabulary, prompts, and what transformers' CLIPTokenizer makes of them, for
tests/tokenizer/clip_tokenizer_test.cpp.

With --openai FILE, where FILE is bpe_simple_vocab_16e6.txt.gz (OpenAI's CLIP; the Python package open_clip_torch ships it, MIT
licence), also the ids in the published vocabulary, which scripts/setup puts where the test looks.
"""

import argparse
import json
import random
import sys
import tempfile
import unicodedata
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from clip_vocabulary import BOS, EOS, byte_alphabet, read_merges, vocabulary, write_vocabulary

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests/data/tokenizer"


def added(content, normalized, **more):
    return {"content": content, "lstrip": False, "normalized": normalized, "rstrip": False, "single_word": False} | more


def typed(content, normalized):
    return added(content, normalized, __type="AddedToken")


# The JSON files beside a vocabulary, in the forms that published models have them.
CONFIGS = {
    "none": {},
    "sdxl tokenizer": {
        "tokenizer_config.json": {
            "bos_token": typed(BOS, True), "eos_token": typed(EOS, True), "unk_token": typed(EOS, True), "pad_token": EOS,
            "model_max_length": 77, "do_lower_case": True, "add_prefix_space": False, "errors": "replace",
        },
        "special_tokens_map.json": {
            "bos_token": added(BOS, True), "eos_token": added(EOS, True), "unk_token": added(EOS, True), "pad_token": EOS,
        },
    },
    "sdxl tokenizer_2": {
        "tokenizer_config.json": {
            "bos_token": typed(BOS, True), "eos_token": typed(EOS, True), "unk_token": typed(EOS, True), "pad_token": "!",
            "model_max_length": 77,
        },
        "special_tokens_map.json": {
            "bos_token": added(BOS, True), "eos_token": added(EOS, True), "unk_token": added(EOS, True), "pad_token": "!",
        },
    },
    "added_tokens_decoder": {
        "tokenizer_config.json": {
            "added_tokens_decoder": {
                "0": added("!", False, special=True),
                "{bos}": added(BOS, True, special=True),
                "{eos}": added(EOS, False, special=True),
                "{new}": added("<cat-toy>", False, special=False),
                "{newer}": added("Shiny Thing", True, special=False),
            },
            "bos_token": BOS, "eos_token": EOS, "unk_token": EOS, "pad_token": "!", "model_max_length": 32,
        },
    },
    "added_tokens.json": {"added_tokens.json": {EOS: "{eos}", BOS: "{bos}", "<cat-toy>": "{new}"}},
}  # fmt: skip

HAND_WRITTEN = [
    "", " ", "\n", "a", "A", "!", "!!", "?!", "a castle on a hill at night", "A photo of an astronaut riding a horse on Mars, 8k, highly detailed",
    "hello! wow!! a", "x <|endoftext|> y<|EndOfText|>z <|startoftext|>!!", "A  <|STARTOFTEXT|>", "<|startoftext|>", "<|endoftext|><|endoftext|>",
    "!!<|startoftext|>!!", "<|startoftext|", "<|startoftext|>>", "a<|EndOfText|>!!b", "<|ENDOFTEXT|>'s", "a <cat-toy> on a shiny thing", "<CAT-TOY>SHINY THING",
    "it's we're DON'T I've I'm we'll he'd o'clock", "''s 't'' 'S'T'RE", "rock'n'roll 'twas", "it’s “quoted” ‘single’ … — –", "don''t", "'", "''", "s'", "'sa",
    "1234 5th 3.14 1,000,000 10x10 v2.0", "½ ¼ ① ② ⅷ Ⅻ ² ³ ٣٤٥ ४५ 五", "masterpiece, (best quality:1.2), [ugly], {x|y}, <lora:foo:0.8>", "a_b-c+d=e/f\\g",
    "猫と犬", "一只可爱的猫 坐在 沙发上", "고양이 한 마리", "cat猫dog犬", "кошка на КРЫШЕ", "Γάτα ΟΔΟΣ ΣΑΣ σας", "قطة جميلة", "חתול יפה", "बिल्ली", "แมวน่ารัก",
    "Աստղ", "ქართული ᲥᲐᲠᲗᲣᲚᲘ", "አማርኛ", "ភាសាខ្មែរ", "བོད་ཡིག", "தமிழ் పిల్లి ಬೆಕ್ಕು", "Cherokee ᏣᎳᎩ ꭰꭱ", "ⰀⰁⰂ", "𐐀𐐁𐐨", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟘𝟙", "ｆｕｌｌ　ｗｉｄｔｈ Ａ１",
    "Café naïve ÀÉÎÕÜ", "Cafe\u0301 nai\u0308ve A\u030a", "e\u0301\u0323 e\u0323\u0301", "İstanbul I ı i̇", "Straße ẞ ŉ ǅ Ǆ ﬁ ﬀ", "Å Å Ω Ω K K", "q\u0307\u0323 \u0344 \u0958",
    "각 \u1100\u1161\u11a8 \u1112\u1161\u11ab", "\u0301start", "a\u200db\u200cc\ufeffd", "👨‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇺🇸🇯🇵", "🙂🙂🙂", "a🙂b", "❤️ ☕ ♠ © ® ™", "👩🏿‍🚀 on 🌕",
    "tab\there\nnew\r\nline\x0bvt\x0cff", "nbsp\u00a0en\u2002em\u2003thin\u2009ideo\u3000zwsp\u200bmvs\u180e", "\u2028line\u2029para\u0085nel\u1680og\u202fnn\u205fmm", "  lead and trail  ",
    "a\x00b\x07c\x1fd\x7fe\x80f\x9fg", "\x1c\x1d\x1e\x1f", "\ufffd \ufffe \uffff \U0010ffff \ue000 \U000f0000", "~`@#$%^&*()_+-=[]{}|;:,.<>/?", "....,,,,----____", "C++ C# .NET",
    "https://example.com/a?b=c&d=%20e#f", "user@example.com", "</w>", "a</w>b </w>", "w/o", "Ġhello Ċ ĉ", "âĢĻ", "<unk> [PAD] <s> </s>", "<|", "|>", "<||>",
]  # fmt: skip

WORDS = (
    "a an the of in on at with and by cat dog house mountain river lighthouse storm castle forest sunset portrait painting oil watercolor detailed "
    "cinematic lighting ultra realistic 8k HDR artstation trending octane render unreal engine photo photograph woman man child robot dragon knight "
    "cyberpunk neon city street night snow desert ocean beach garden flower tree bird horse car train airplane spaceship planet galaxy moon star "
    "beautiful dramatic moody colorful vibrant pastel minimalist surreal abstract impressionist van gogh monet Hokusai style Greg-Rutkowski bokeh "
    "close-up wide-angle shot f/1.8 85mm film grain vintage retro futuristic steampunk fantasy magical glowing ancient ruins temple bridge tower"
).split()

SCRIPTS = (
    (0x20, 0x7F), (0xA0, 0x250), (0x250, 0x370), (0x370, 0x400), (0x400, 0x530), (0x530, 0x600), (0x600, 0x750), (0x900, 0xE00), (0xE00, 0x10A0),
    (0x10A0, 0x1200), (0x1200, 0x1400), (0x1E00, 0x2000), (0x2000, 0x2150), (0x2150, 0x2C00), (0x2C00, 0x2E00), (0x3000, 0x3400), (0x4E00, 0x5200),
    (0xA000, 0xA500), (0xA640, 0xABC0), (0xAC00, 0xD7A4), (0xF900, 0x10000), (0x10000, 0x10800), (0x10800, 0x12000), (0x1D400, 0x1D800),
    (0x1F300, 0x1FAF0), (0x0, 0x20), (0x300, 0x370), (0x1AB0, 0x1ABF),
)  # fmt: skip


def drop_young(text):
    """Only characters of Unicode 14, which both sides know (Python 3.11 has that version)."""
    return "".join(c for c in text if unicodedata.category(c) not in ("Cn", "Cs") or c in "\ufffe\uffff\U0010ffff")


def prompts(seed=1, scale=1):
    rng = random.Random(seed)

    def characters(low, high, count):
        return "".join(chr(rng.randrange(low, high)) for _ in range(count))

    def mixed(count):
        return "".join(characters(*rng.choice(SCRIPTS), rng.randint(1, 4)) for _ in range(count))

    out = list(HAND_WRITTEN)
    for _ in range(120 * scale):
        out.append(rng.choice([" ", ", ", "  "]).join(rng.choice(WORDS) for _ in range(rng.randint(1, 40))))
    for script in SCRIPTS:
        for _ in range(4 * scale):
            out.append(" ".join(characters(*script, rng.randint(1, 6)) for _ in range(rng.randint(1, 5))))
    for _ in range(120 * scale):
        out.append(mixed(rng.randint(1, 8)))
    for _ in range(50 * scale):
        pieces = ["'s", "'", "'LL", "'re", " ", "a", "B", "9", "!", "\u0301", "é", "ß", "🙂", "\t", "<|endoftext|>", "<|StartOfText|>", "<|", "|>", "."]
        out.append("".join(rng.choice(pieces) for _ in range(rng.randint(1, 20))))
    for _ in range(30 * scale):
        out.append("".join(rng.choice("~`@#$%^&*()_+-=[]{}|;:',.<>/?!\" ") for _ in range(rng.randint(1, 40))))
    for count in (70, 74, 75, 76, 77, 80, 150, 400):  # around the limit of 77, and far over it
        out.append(" ".join(rng.choice(WORDS) for _ in range(count)))
        out.append("!" * count)
        out.append("🙂" * count)
    out += ["ab" * 1500, "x" * 3000, "The " + "very " * 500 + "long prompt", "é" * 500, "'s" * 200, "日本語" * 60]
    return [drop_young(p) for p in out]


def train_merges(count):
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.WhitespaceSplit()])
    alphabet = byte_alphabet()
    trainer = trainers.BpeTrainer(vocab_size=2 * len(alphabet) + count, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False)
    tokenizer.train_from_iterator((p.replace(" ", "  ") for p in prompts(seed=2)), trainer)
    known = set(vocabulary([]))
    merges = []
    for pair in json.loads(tokenizer.to_str())["model"]["merges"]:
        if pair[0] in known and pair[1] in known and len(merges) < count and pair[0] + pair[1] not in known:
            merges.append(tuple(pair))
            known.add(pair[0] + pair[1])
    return merges


def fill_in(value, ids):
    """Replaces "{bos}" and the like, as keys and as values, by ids of the vocabulary."""
    if isinstance(value, dict):
        return {str(ids[k[1:-1]]) if k[:1] == "{" else k: fill_in(v, ids) for k, v in value.items()}
    return ids[value[1:-1]] if isinstance(value, str) and value[:1] == "{" else value


def load(folder, files):
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    return CLIPTokenizer.from_pretrained(folder)


def encode(tokenizer, prompt):
    """What diffusers' encode_prompt does: the ids without padding, and the text that was cut off."""
    limit = min(tokenizer.model_max_length, 77)
    ids = tokenizer(prompt, max_length=limit, truncation=True).input_ids
    everything = tokenizer(prompt, padding="longest").input_ids
    cut = tokenizer.batch_decode([everything[limit - 1 : -1]])[0] if len(everything) > limit else ""
    return ids, cut


def golden(name, vocab, merges, files, texts):
    size = len(vocab)
    files = fill_in(files, {"bos": size - 2, "eos": size - 1, "new": size, "newer": size + 1})
    with tempfile.TemporaryDirectory() as folder:
        write_vocabulary(Path(folder), vocab, merges)
        tokenizer = load(Path(folder), files)
        cases = [encode(tokenizer, text) for text in texts]
        truncated = {str(i): cut for i, (_, cut) in enumerate(cases) if cut}
        return {"name": name, "files": files, "pad": tokenizer.pad_token_id, "ids": [ids for ids, _ in cases], "truncated": truncated}


def write_json(path, value):
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    path.write_text(text.replace("],[", "],\n[") + "\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--openai", type=Path)
    options = arguments.parse_args()
    texts = prompts()
    print(len(texts), "prompts", file=sys.stderr)

    merges = train_merges(1500)
    vocab = vocabulary(merges)
    write_vocabulary(DATA / "small", vocab, merges)
    few = [t for t in vocab if t.isascii() and (len(t) == 1 or t.endswith("</w>") and len(t) == 5)]
    few = {token: i for i, token in enumerate([*few, "th", "the</w>", BOS, EOS])}
    few_merges = [("t", "h"), ("th", "e</w>")]
    write_vocabulary(DATA / "few", few, few_merges)

    write_json(DATA / "prompts.json", texts)
    cases = [golden(name, vocab, merges, files, texts if name == "none" else texts[:260]) for name, files in CONFIGS.items()]
    write_json(DATA / "small.json", cases)
    write_json(DATA / "few.json", [golden("none", few, few_merges, {}, texts[:260])])

    if options.openai:
        merges = read_merges(options.openai.read_bytes())
        vocab = vocabulary(merges)
        write_json(DATA / "openai.json", [golden("none", vocab, merges, {}, texts)])


if __name__ == "__main__":
    main()
