"""Makes the two CLIP-format tokenizers: byte pairs merged until every word of the captions is one token, any other text in pieces."""

import argparse
import json
from collections import Counter
from pathlib import Path

from captions import Captioner

START, END = "<|startoftext|>", "<|endoftext|>"


def byte_symbols():
    """CLIP's printable stand-ins for the 256 bytes: printable Latin-1 keeps itself, the others follow from U+0100."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + k) for k in range(len(rest))]


def learn_merges(words):
    """Byte-pair merges, the pair in most words first, until each word is a single symbol."""
    pieces = {word: [*word[:-1], word[-1] + "</w>"] for word in words}
    merges = []
    while True:
        pairs = Counter()
        for word, symbols in pieces.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += 1
        if not pairs:
            return merges
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for word, symbols in pieces.items():
            k = 0
            while k < len(symbols) - 1:
                if (symbols[k], symbols[k + 1]) == best:
                    symbols[k:k + 2] = ["".join(best)]
                k += 1


def write(folder, merges, pad):
    symbols = byte_symbols()
    tokens = symbols + [s + "</w>" for s in symbols] + ["".join(m) for m in merges] + [START, END]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({t: k for k, t in enumerate(tokens)}, ensure_ascii=False) + "\n")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    special = dict(bos_token=START, eos_token=END, unk_token=END, pad_token=pad)
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(
        dict(tokenizer_class="CLIPTokenizer", model_max_length=77, do_lower_case=True, add_prefix_space=False, errors="replace", **special), indent=2) + "\n")


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--out", type=Path, required=True)
    args = args.parse_args()
    merges = learn_merges(Captioner().vocabulary)
    write(args.out / "tokenizer", merges, END)
    write(args.out / "tokenizer_2", merges, "!")
    print(f"{len(merges)} merges, {512 + len(merges) + 2} tokens")


if __name__ == "__main__":
    main()
