"""hayate: text-to-image diffusion, natively.

    import hayate

    pipe = hayate.Pipeline.from_pretrained("builtin")
    pipe("a lighthouse by the sea at sunset", seed=7).images[0].save("lighthouse.png")
"""

from typing import TYPE_CHECKING, Any

from hayate import _core
from hayate._core import Lora, MemoryForecast, MemoryStage, Options, Timings, devices, rungs, schedulers, spacings
from hayate.arrays import GpuArray
from hayate.compare import Comparison, compare_with_diffusers
from hayate.errors import (
    BadFileError, BadModelError, CancelledError, Error, HayateWarning, InternalError, IoError, NotFiniteError, NotFoundError, OutOfMemoryError,
    UnsupportedError, UsageError,
)  # fmt: skip
from hayate.pipeline import Pipeline
from hayate.request import Settings
from hayate.result import Result

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        hint = "; the class is hayate.Pipeline, for every task" if name.endswith("Pipeline") or name.startswith("AutoPipeline") else ""
        raise AttributeError(f"module 'hayate' has no attribute {name!r}{hint}")


__version__ = _core.version()
__all__ = [
    "BadFileError", "BadModelError", "CancelledError", "Comparison", "Error", "GpuArray", "HayateWarning", "InternalError", "IoError", "Lora", "MemoryForecast",
    "MemoryStage", "NotFiniteError", "NotFoundError", "Options", "OutOfMemoryError", "Pipeline", "Result", "Settings", "Timings", "UnsupportedError",
    "UsageError", "compare_with_diffusers", "devices", "rungs", "schedulers", "spacings",
]  # fmt: skip
