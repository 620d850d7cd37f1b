#!/usr/bin/env python3
"""Writes tests/data/prompt: prompts in the syntaxes of AUTOMATIC1111's web UI and of ComfyUI, the chunks of weighted tokens that
they become, and for some the conditioning, by the rules in reference/prompts.py. Needs tools/requirements.txt."""
import json
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402
from safetensors.numpy import save_file  # noqa: E402
from transformers import CLIPTokenizer  # noqa: E402

from reference.prompts import chunk_a1111, chunk_comfy, condition  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "tests/data/parity"
DATA = ROOT / "tests/data/prompt"

LONG = "a castle on a hill at night, "  # 8 tokens or so
PROMPTS = [
    "", " ", "a castle", "a (castle) on a hill", "a (castle:1.3) on a hill", "a [castle] on a hill", "((a castle))", "[[a]] castle", "(a [castle])",
    "(a (castle:1.5) on (a) hill:0.8)", "((a castle:1.2))", "((a castle):1.2)", "(a:1.2)(b:1.2)", "(ca)stle", "(cas:1.1)(tle:1.1)",
    "a \\(castle\\) on [a] hill", "a \\[castle\\] \\\\ night", "a\\b", "trailing \\", "\\\\(castle)", "\\\\\\(castle\\)", "(a\\)b:1.4)",
    "(unbalanced", "unbalanced)", "[unbalanced", "unbalanced]", "((a) castle", "(a)) castle (hill)", "a) (b) ((c)) d", ")(a:1.3)(", "([a)]", "(a (b [c:", ":", "(:1.2)",
    "(a:)", "(a: 1.2)", "(a :1.2 )", "(a:1.2:1.3)", "(a:b:1.3)", "(a:+1.5)", "(a:-1)", "(a:0)", "(a:1.)", "(a:.5)", "(a:1e1)", "(a:two)", "(time 12:30)", "[a:b]",
    "a BREAK b", "a castleBREAK hill", "a BREAKs", "BREAK", "a BREAK BREAK b", "(a BREAK b)", "(a BREAK b:1)", "a,BREAK,b", "_BREAK", "é BREAK é", "break", "(BREAK:-1)",
    "red {house}, <castle>, a|b", "猫 (と:1.2) 犬", "(é:1.1)(É)", "tabs\tand\nnew (lines\n:1.2)", "5 (5 5:1.05) 5.5", "((((a))))", "((((lol (cat:666) attack:100))))",
    "((((lol (cat:666) attack):100)))", LONG * 12, LONG * 30, "very " * 100, "x" * 400, ("a" * 12 + " ") * 40, "(" + LONG * 8 + ":1.2) " + "red (blue green yellow:1.3) " * 20,
    "one, " * 30 + "a castle on a hill at night under many stars in the old town of a distant country by a calm lake " * 3,
    "castle " * 74 + ", hill", "castle, " * 37 + "hill (night:1.4)", "a " * 74 + "(b c d e f g:1.2)", "a " * 70 + "(b c d e f g h i j k:1.2) l", "a " * 75, "a " * 76, "a " * 75 + ",",
    "a, " + "b " * 60 + "c, " + "d " * 19 + "e", "a, " + "b " * 55 + "c, " + "d " * 17 + "e", "BREAK " + "a " * 80 + " BREAK b", "a <|endoftext|> b (c:1.3)",
]  # fmt: skip

# Each once in each syntax: prompt, negative prompt.
CONDITIONED = [
    ("weights", "a (castle:1.4) on a [hill] at ((night)), \\(old\\)", "(blurry:1.2), low quality"),
    ("long", LONG * 5 + "(lighthouse:0.7) BREAK " + LONG * 6, "fog (bad:1.5)"),
    ("empty", LONG * 14 + "(red:1.2)", ""),
]  # fmt: skip


def shorten(chunk, pad):
    """Without the padding at the end."""
    while chunk[-1] == (pad, 1.0):
        chunk = chunk[:-1]
    return [[token for token, _ in chunk], [weight for _, weight in chunk]]


def main():
    torch.set_num_threads(1)
    tokenizer = CLIPTokenizer.from_pretrained(MODELS / "tiny-sdxl/tokenizer_2")
    cases = []
    for prompt in PROMPTS:
        case = {"prompt": prompt}
        for name, chunk in (("a1111", chunk_a1111), ("comfy", chunk_comfy)):
            case[name] = [shorten(c, tokenizer.pad_token_id) for c in chunk(prompt, tokenizer)]
        cases.append(case)
    DATA.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (DATA / "chunks.json").write_text(f"[{lines}]\n")

    tensors = {}
    for model in ("tiny-sdxl", "tiny-sd15"):
        for syntax in ("a1111", "comfy"):
            for name, prompt, negative in CONDITIONED:
                hidden, pooled = condition(MODELS / model, syntax, prompt, negative)
                key = f"{model}/{syntax}/{name}"
                tensors[f"{key}/hidden"] = np.ascontiguousarray(hidden[:, ::3].numpy())  # every third token
                if pooled is not None:
                    tensors[f"{key}/pooled"] = pooled.numpy()
    save_file(tensors, DATA / "states.safetensors")
    requests = [{"name": name, "prompt": prompt, "negative": negative} for name, prompt, negative in CONDITIONED]
    (DATA / "requests.json").write_text(json.dumps(requests, indent=1) + "\n")


if __name__ == "__main__":
    main()
