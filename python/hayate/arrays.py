"""Pictures and numbers as what they come in: PIL, NumPy, files, anything with DLPack, on the host or on a GPU."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hayate import _core
from hayate.errors import UsageError

Floats: TypeAlias = NDArray[np.float32]
Pixels: TypeAlias = NDArray[np.uint8]
ImageLike: TypeAlias = Image.Image | Pixels | str | os.PathLike[str]


CUDA = 2  # as DLPack counts kinds of devices
LEGACY_STREAM = 1  # of a GPU, as DLPack numbers it; what hayate waits for


def host_array(values: Any, what: str) -> NDArray[Any]:
    """An array of NumPy, or of anything with DLPack, as NumPy sees it: the same memory, but for torch's tensors that NumPy cannot see (of a GPU, with
    gradients, bfloat16)."""
    try:
        if hasattr(values, "detach"):
            values = values.detach().cpu()
            values = values.float() if "bfloat16" in str(values.dtype) else values
        elif gpu_of(values) is not None:
            values = np.from_dlpack(values, device="cpu")
        foreign = hasattr(values, "__dlpack__") and not isinstance(values, np.ndarray)
        array: NDArray[Any] = np.from_dlpack(values) if foreign else np.asarray(values)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise UsageError(f"{what}: {error}; expected float numbers in the memory of the host") from error
    if array.dtype.kind != "f":
        raise UsageError(f"{what}: numbers of type {array.dtype}; expected float")
    return array


def gpu_of(values: Any) -> int | None:
    """The number of the GPU on which they lie."""
    kind, number = values.__dlpack_device__() if hasattr(values, "__dlpack_device__") else (None, 0)
    return number if kind == CUDA else None


def device_of(values: Any) -> AbstractContextManager[Any]:
    """torch exports no tensor but those of its current GPU."""
    torch = sys.modules.get("torch")
    return torch.cuda.device_of(values) if torch is not None and isinstance(values, torch.Tensor) else nullcontext()


def device_array(values: Any, what: str, gpu: int) -> _core.DeviceArray:
    """`values` where they lie, if that is the host or the GPU of that number (-1: of none); else a copy on the host."""
    if gpu_of(values) != gpu:
        array = host_array(values, what)
        narrow = array.dtype.itemsize <= 4 and array.dtype.isnative
        return _core.DeviceArray(np.require(array, array.dtype if narrow else np.float32, "A"))
    try:
        if hasattr(values, "detach"):
            values = values.detach()
        with device_of(values):
            return _core.DeviceArray(values.__dlpack__(stream=LEGACY_STREAM))
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise UsageError(f"{what} of type {getattr(values, 'dtype', type(values).__name__)}: {error}") from error


def pixels(image: ImageLike, what: str) -> Pixels:
    """A picture as (height, width, 3). What is transparent is over white."""
    if isinstance(image, (str, os.PathLike)):
        return _core.read_image(os.fspath(image))[0]
    if isinstance(image, Image.Image):
        if image.has_transparency_data:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
        return np.asarray(image.convert("RGB"))
    array = np.asarray(image)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise UsageError(f"{what}: an array of {array.dtype} with shape {array.shape}; expected uint8 and (height, width, 3)")
    return np.ascontiguousarray(array)


def channels_first(latents: Floats) -> Floats:
    """(n, h, w, c), as hayate has latents, seen as diffusers' (n, c, h, w): the same memory."""
    return latents.transpose(0, 3, 1, 2)


def channels_last(latents: Any, gpu: int) -> _core.DeviceArray:
    """(n, c, h, w) seen as (n, h, w, c)."""
    array = device_array(latents, "latents", gpu)
    if len(array.shape) != 4:
        raise UsageError(f"latents: shape {array.shape}; expected (pictures, 4, height/8, width/8)")
    return array.channels_last()


class GpuArray:
    """float32 numbers in memory of a GPU. torch.from_dlpack and cupy.from_dlpack take them as they are, on any stream; numpy.asarray gets a copy."""

    def __init__(self, there: Any, copy: Floats):
        self._there, self._copy = there, copy

    @property
    def shape(self) -> tuple[int, ...]:
        return self._copy.shape

    @property
    def dtype(self) -> np.dtype[np.float32]:
        return self._copy.dtype

    @property
    def device(self) -> str:
        return f"cuda:{self.__dlpack_device__()[1]}"

    def __dlpack__(self, **options: Any) -> Any:
        return self._there.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        kind, number = self._there.__dlpack_device__()
        return kind, number

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("numbers on a GPU come to NumPy as a copy")
        return self._copy.astype(dtype or np.float32)

    def __len__(self) -> int:
        return len(self._copy)

    def __repr__(self) -> str:
        return f"<hayate.GpuArray: float32 {self.shape} on {self.device}>"
