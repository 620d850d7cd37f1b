"""CUDA's libraries out of NVIDIA's packages on the Python index (`pip install hayate[cuda]`), loaded before hayate looks for them by name."""

import ctypes
import importlib.util
from pathlib import Path

# cuDNN opens its other parts from beside itself, and cuBLASLt by name.
LIBRARIES = ["libcublasLt.so.*", "libcudnn.so.*"]
HINT = "cuBLASLt and cuDNN are the system's where NVIDIA's Python packages lack them: pip install 'hayate[cuda]' brings these"


def find(pattern: str) -> Path | None:
    """In nvidia/cu13/lib, nvidia/cudnn/lib and so on, of each nvidia folder on sys.path."""
    nvidia = importlib.util.find_spec("nvidia")
    roots = [Path(p) for p in (nvidia.submodule_search_locations or [])] if nvidia else []
    return next((file for root in roots for file in sorted(root.glob(f"*/lib/{pattern}"))), None)


def load() -> list[Path]:
    """Loads what is there; whatever is missing is left to the system's linker. Returns what was loaded."""
    loaded = []
    for file in filter(None, map(find, LIBRARIES)):
        try:
            ctypes.CDLL(str(file), mode=ctypes.RTLD_GLOBAL)
        except OSError:  # of another processor: hayate says what it misses when it does
            continue
        loaded.append(file)
    return loaded
