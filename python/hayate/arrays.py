"""Pictures and numbers as what they come in: PIL, NumPy, files, anything with DLPack on the host."""

import os
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hayate import _core
from hayate.errors import UsageError

Floats: TypeAlias = NDArray[np.float32]
Pixels: TypeAlias = NDArray[np.uint8]
ImageLike: TypeAlias = Image.Image | Pixels | str | os.PathLike[str]


def host_array(values: Any, what: str) -> NDArray[Any]:
    """An array of NumPy, or of anything with DLPack, as NumPy sees it: the same memory, but for torch's tensors that NumPy cannot see (of a GPU, with
    gradients, bfloat16)."""
    try:
        if hasattr(values, "detach"):
            values = values.detach().cpu()
            values = values.float() if "bfloat16" in str(values.dtype) else values
        foreign = hasattr(values, "__dlpack__") and not isinstance(values, np.ndarray)
        array: NDArray[Any] = np.from_dlpack(values) if foreign else np.asarray(values)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise UsageError(f"{what}: {error}; expected float numbers in the memory of the host") from error
    if array.dtype.kind != "f":
        raise UsageError(f"{what}: numbers of type {array.dtype}; expected float")
    return array


def floats(values: Any, what: str) -> Floats:
    """`values` as float32 in order. No copy where it is that already."""
    return np.ascontiguousarray(host_array(values, what), dtype=np.float32)


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


def channels_last(latents: Any, what: str = "latents") -> Floats:
    """(n, c, h, w) as (n, h, w, c). No copy for what channels_first() made."""
    array = host_array(latents, what)
    if array.ndim != 4:
        raise UsageError(f"{what}: shape {array.shape}; expected (pictures, 4, height/8, width/8)")
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1), dtype=np.float32)
