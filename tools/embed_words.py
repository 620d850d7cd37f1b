#!/usr/bin/env python3
"""Writes a textual inversion file of words that a model of SDXL's kind knows: one word for several, and a start for training.

  embed_words.py MODEL "a castle on a hill" OUT.safetensors
"""
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPTokenizer


def main():
    model, words, out = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    rows = {}
    for name, number in (("clip_l", ""), ("clip_g", "_2")):
        ids = CLIPTokenizer.from_pretrained(model / f"tokenizer{number}")(words, add_special_tokens=False).input_ids
        tensors = load_file(model / f"text_encoder{number}/model.safetensors")
        rows[name] = tensors["text_model.embeddings.token_embedding.weight"][torch.tensor(ids)].contiguous()
    save_file(rows, out)


if __name__ == "__main__":
    main()
