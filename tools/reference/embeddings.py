"""Textual inversion: random vectors in each of the forms that files have, and loaded into a pipeline of diffusers."""
import torch
from safetensors.torch import load_file, save_file

from .tiny_models import CLIP_G, CLIP_L, F16, F32

L, G = CLIP_L["hidden_size"], CLIP_G["hidden_size"]
# By file: the tensors' shapes and types.
EMBEDDINGS = {
    "ember": {"clip_l": ((3, L), F16), "clip_g": ((3, G), F16)},  # of SDXL
    "fog-2": {"emb_params": ((2, L), F32)},                       # of AUTOMATIC1111's web UI
    "toy": {"<cat-toy>": ((L,), F16)},                            # of diffusers
}


def make_embeddings(folder):
    folder.mkdir(exist_ok=True)
    generator = torch.Generator().manual_seed(50)
    for name, tensors in EMBEDDINGS.items():
        # As large as what the tiny models have for words (QUIET in tiny_models.py).
        values = {key: (torch.randn(shape, generator=generator) / 32).to(dtype) for key, (shape, dtype) in tensors.items()}
        save_file(values, folder / f"{name}.safetensors")


def load_embedding(path, pipeline):
    values = load_file(path)
    for key, vectors in values.items():
        token = key if key not in ("clip_l", "clip_g", "emb_params") else path.stem
        second = dict(text_encoder=pipeline.text_encoder_2, tokenizer=pipeline.tokenizer_2) if key == "clip_g" else {}
        pipeline.load_textual_inversion({token: vectors}, token=token, **second)
