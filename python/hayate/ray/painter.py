"""Rows of prompts into rows of pictures, in batches of one size: what an actor of Ray Data and a replica of Ray Serve have in common."""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias, cast

import numpy as np

from hayate import _core
from hayate.errors import CancelledError, Error, UsageError
from hayate.pipeline import Pipeline
from hayate.request import Settings

Row: TypeAlias = dict[str, Any]

# What a row may say for itself; the rest is the same for all.
ROW_SETTINGS = ["negative_prompt", "seed", "width", "height", "num_inference_steps", "guidance_scale"]
# Of these, what all pictures of one batch have in common.
OF_A_BATCH = ["width", "height", "num_inference_steps"]


def seed_of(key: str) -> int:
    """The seed of a row that has none: another run gives it the same one."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "little")


def gpus_of(device: str) -> int:
    """"cuda" and "cuda:1": 1, "cuda:0,1": 2. Ray shows a process only those that it asks for, counted from 0."""
    return device.count(",") + 1 if device.startswith("cuda") else 0


def default_batch_size(device: str) -> int:
    """On a GPU batches are faster, and a picture's bytes do not depend on its place in one. On a CPU they are not, and bytes do: kernels round the
    last rows of a matrix differently."""
    return 4 if gpus_of(device) else 1


class Painter:
    """Draws rows, up to `batch_size` of them together (None: default_batch_size())."""

    def __init__(
        self, model: str = "builtin", *, device: str = "cpu", batch_size: int | None = None, fill: bool = True, image_format: str = "png",
        quality: int = 90, settings: Settings | None = None, **options: Any,
    ):  # fmt: skip
        """
        fill: whether a batch is always filled up to `batch_size`, by drawing a row again, so that the bytes of a picture do not depend on its neighbours.
        settings: of every row that does not say otherwise, as Pipeline() takes them. options: as Pipeline.from_pretrained() takes them.
        """
        self.batch_size = default_batch_size(device) if batch_size is None else batch_size
        self.fill = fill
        self.name = f"picture.{image_format}"
        self.quality = quality
        self.settings: dict[str, Any] = dict(settings or {})
        if self.batch_size < 1:
            raise UsageError(f"batch_size is {batch_size}; expected 1 or more")
        if self.batch_size > 1 and self.settings.get("prompt_syntax", "diffusers") != "diffusers":
            raise UsageError("in a batch, the longest prompt of this prompt_syntax changes its neighbours; expected batch_size 1")
        _core.encode_image(self.name, np.zeros((8, 8, 3), np.uint8))  # raises for a format that does not exist
        self.pipe = Pipeline.from_pretrained(model, device=device, **options)
        self.pipe.set_progress_bar_config(disable=True)
        self.pipe.picture_size(**cast(Settings, self.settings))  # raises for what no picture could have
        self.encoders = ThreadPoolExecutor(4)  # a file takes 0.1 s of a processor, as long as a GPU may take for a picture

    def draw(self, rows: Sequence[Row]) -> list[Row]:
        """For each row, which has a prompt and perhaps ROW_SETTINGS: image (bytes of a file), width, height, seed, sha256, seconds and status. The
        status is "ok", or what is wrong with the row, which then has no image."""
        drawn: dict[int, Row] = {}
        for places in self._groups(rows):
            drawn.update(zip(places, self._draw_together([rows[i] for i in places])))
        return [self._finished(drawn[i]) for i in range(len(rows))]

    def _groups(self, rows: Sequence[Row]) -> Iterable[list[int]]:
        """Places of rows that can share a batch."""
        groups: dict[str, list[int]] = {}
        for i, row in enumerate(rows):
            guidance = self._value(row, "guidance_scale")
            unguided = isinstance(guidance, (int, float)) and guidance <= 1
            groups.setdefault(repr([[self._value(row, key) for key in OF_A_BATCH], unguided]), []).append(i)
        for places in groups.values():
            for at in range(0, len(places), self.batch_size):
                yield places[at : at + self.batch_size]

    def _draw_together(self, rows: list[Row]) -> list[Row]:
        try:
            return self._draw_batch(rows)
        except CancelledError:
            raise
        except Error as error:
            if len(rows) > 1:  # one of them may be good
                return [drawn for row in rows for drawn in self._draw_together([row])]
            return [not_drawn(error)]

    def _draw_batch(self, rows: list[Row]) -> list[Row]:
        filled = rows + [rows[-1]] * (self.batch_size - len(rows)) if self.fill else rows
        for row in rows:
            if not isinstance(row.get("prompt"), str):
                raise UsageError(f"prompt is {row.get('prompt')!r}; expected text")
        settings = {**self.settings, **{key: self._value(rows[0], key) for key in OF_A_BATCH}}
        for key in ROW_SETTINGS:
            values = [self._value(row, key) for row in filled]
            if key not in OF_A_BATCH and any(value is not None for value in values):
                settings[key] = [DEFAULTS[key] if value is None else value for value in values]
        result = self.pipe([row["prompt"] for row in filled], **cast(Settings, settings))
        height, width = result.arrays.shape[1:3]
        drawn = []
        for i in range(len(rows)):
            file = self.encoders.submit(_core.encode_image, self.name, result.arrays[i], result.infotext[i], self.quality)
            seconds = result.timings.total / len(rows)
            drawn.append({"image": file, "width": width, "height": height, "seed": result.seeds[i], "seconds": seconds, "status": "ok"})
        return drawn

    def _finished(self, row: Row) -> Row:
        """The row with its file, which was encoded while others were drawn."""
        if row["status"] != "ok":
            return row
        try:
            file: bytes = row["image"].result()
        except Error as error:
            return not_drawn(error)
        return {**row, "image": file, "sha256": hashlib.sha256(file).hexdigest()}

    def _value(self, row: Row, key: str) -> Any:
        """What the row says, or else the settings; a seed there is always."""
        value = row.get(key)
        if value is None:
            value = self.settings.get(key)
        return seed_of(str(row.get("id", row.get("prompt")))) if key == "seed" and value is None else value


DEFAULTS: dict[str, Any] = {"negative_prompt": _core.Picture().negative_prompt, "guidance_scale": _core.Picture().guidance, "seed": 0}


def not_drawn(error: Error) -> Row:
    return {"image": None, "width": None, "height": None, "seed": None, "sha256": None, "seconds": None, "status": status_of(error)}


def status_of(error: Error) -> str:
    """"UsageError: ..."."""
    return f"{type(error).__name__}: {error}"
