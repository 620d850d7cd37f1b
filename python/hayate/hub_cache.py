"""Where the Hugging Face tools keep downloads, so that "org/name" is found there."""

import os
from pathlib import Path


def hub_cache() -> str:
    """As huggingface_hub decides it."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if folder := os.environ.get(name):
            return folder
    if home := os.environ.get("HF_HOME"):
        return f"{home}/hub"
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return f"{cache}/huggingface/hub"
