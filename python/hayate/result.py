"""What a request gives back."""

import io
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from hayate import _core, arrays
from hayate.arrays import Floats, GpuArray, Pixels
from hayate.errors import UsageError


class Result:
    """Pictures, with what is known about them. In a notebook it shows itself."""

    def __init__(self, drawn: _core.Drawn, seeds: list[int]):
        self._drawn = drawn
        self.seeds = seeds
        """Of each picture."""

    @cached_property
    def images(self) -> list[Image.Image]:
        """Each picture, with its settings in `image.info["parameters"]` as AUTOMATIC1111 writes them."""
        images = [Image.fromarray(pixels) for pixels in self._pictures]
        for image, text in zip(images, self.infotext):
            image.info["parameters"] = text
        return images

    @cached_property
    def arrays(self) -> Pixels:
        """All pictures, (pictures, height, width, 3)."""
        return np.stack(self._pictures)

    @property
    def latents(self) -> Floats | GpuArray:
        """The last ones, (pictures, 4, height/8, width/8), scaled as diffusers returns them: a view of the result's own memory, which
        `torch.from_dlpack` takes as it is. With output_type="latent" it is memory of the GPU if the pipeline computes on one, else of the host."""
        latents = arrays.channels_first(self._drawn.latents)
        return latents if self._drawn.gpu < 0 else GpuArray(self._drawn.device_latents(), latents)

    @property
    def _pictures(self) -> list[Pixels]:
        if not self._drawn.images:
            raise UsageError("output_type is 'latent', so there are no pictures; the latents are `latents`")
        return self._drawn.images

    @property
    def infotext(self) -> list[str]:
        """Each picture's settings in the form of AUTOMATIC1111."""
        return self._drawn.infotext

    @property
    def timings(self) -> _core.Timings:
        """Seconds that the parts took."""
        return self._drawn.timings

    @property
    def peak_memory(self) -> int:
        """Bytes of weights, activations and scratch, the most at once."""
        return self._drawn.peak_memory

    def save(self, name: str | os.PathLike[str], quality: int = 90) -> list[Path]:
        """Writes every picture with its settings, each file whole or not at all. In `name`, {index} and {seed} are filled in; its extension is the
        format. Returns the files."""
        try:
            files = [Path(os.fspath(name).format(index=i, seed=seed)) for i, seed in enumerate(self.seeds)]
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise UsageError(f"save: {name!r} is no name of a file, in which {{index}} and {{seed}} are filled in") from error
        if len(set(files)) != len(files):
            raise UsageError(f"save: {name!r} names one file for {len(files)} pictures; expected {{index}} or {{seed}} in it")
        for file, pixels, text in zip(files, self._pictures, self.infotext):
            file.parent.mkdir(parents=True, exist_ok=True)
            _core.write_image(str(file), pixels, text, quality)
        return files

    def __len__(self) -> int:
        return len(self.seeds)

    def __iter__(self) -> Iterator[Image.Image]:
        return iter(self.images)

    def __getitem__(self, index: int) -> Image.Image:
        return self.images[index]

    def __repr__(self) -> str:
        height, width = (8 * side for side in self._drawn.latents.shape[1:3])
        return f"<hayate.Result: {len(self)} of {width}x{height} in {self.timings.total:.2f} s>"

    def _repr_png_(self) -> bytes | None:
        """All pictures side by side."""
        if not self._drawn.images:
            return None
        buffer = io.BytesIO()
        Image.fromarray(np.concatenate(self._drawn.images, axis=1)).save(buffer, "png")
        return buffer.getvalue()
