"""The published vocabulary of CLIP as tokenizer folders: clip_vocabulary.py WHEEL FOLDER.

WHEEL is open_clip_torch's (MIT licence), which contains bpe_simple_vocab_16e6.txt.gz; scripts/setup fetches it. FOLDER gets "tokenizer"
and "tokenizer_2", which differ in what fills up a prompt, as those of Stable Diffusion XL do. Standard library only.
"""

import gzip
import json
import shutil
import sys
import zipfile
from pathlib import Path

BOS, EOS = "<|startoftext|>", "<|endoftext|>"
MERGES = 49152 - 256 - 2  # the file has more lines than CLIP uses
PADDING = {"tokenizer": EOS, "tokenizer_2": "!"}


def byte_alphabet():
    """A character for each byte, in the order of their ids: printable bytes first, as GPT-2 has it."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (b for b in range(256) if b not in printable)
    return [chr(b) for b in printable] + [chr(256 + i) for i, _ in enumerate(others)]


def vocabulary(merges):
    tokens = byte_alphabet()
    tokens += [t + "</w>" for t in tokens] + [a + b for a, b in merges] + [BOS, EOS]
    return {token: i for i, token in enumerate(tokens)}


def read_merges(packed):
    """The merges in the bytes of bpe_simple_vocab_16e6.txt.gz, whose first line is a version."""
    lines = gzip.decompress(packed).decode().split("\n")
    return [tuple(line.split()) for line in lines[1 : MERGES + 1]]


def write_vocabulary(folder, vocab, merges):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")


def write_settings(folder, pad):
    special = {"bos_token": BOS, "eos_token": EOS, "unk_token": EOS, "pad_token": pad}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True, "add_prefix_space": False, "errors": "replace"}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(config | special, indent=2) + "\n")


def main():
    wheel, target = sys.argv[1:]
    with zipfile.ZipFile(wheel) as files:
        merges = read_merges(files.read("open_clip/bpe_simple_vocab_16e6.txt.gz"))
        licence = next(files.read(name) for name in files.namelist() if name.endswith("/LICENSE"))
    temporary = Path(target + ".tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    for name, pad in PADDING.items():
        write_vocabulary(temporary / name, vocabulary(merges), merges)
        write_settings(temporary / name, pad)
    (temporary / "LICENSE").write_bytes(licence)
    shutil.rmtree(target, ignore_errors=True)
    temporary.rename(target)


if __name__ == "__main__":
    main()
