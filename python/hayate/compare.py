"""Whether hayate draws what diffusers draws, and how fast each is: both are run, on this machine, on the same model."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hayate.arrays import Floats, Pixels
from hayate.errors import UnsupportedError
from hayate.pipeline import Pipeline


@dataclass
class Comparison:
    """Prints as a report."""

    latent_error: float
    """||hayate - diffusers|| / ||diffusers|| of the last latents, both in float32 from the same seed."""
    pixel_error: int
    """The largest difference of any of the 8-bit values."""
    pixels_equal: float
    """The share of them that are the same."""
    hayate_seconds: float
    """A picture, prompt to pixels: the second call."""
    diffusers_seconds: float
    rung: str
    diffusers_dtype: str
    diffusers_version: str
    device: str

    def __str__(self) -> str:
        return (
            f"float32, same seed: latents differ by {self.latent_error:.2e} (relative L2), pictures by {self.pixel_error} of 255 at most, "
            f"{self.pixels_equal:.2%} of values are equal\n"
            f"diffusers {self.diffusers_version}, {self.diffusers_dtype}: {self.diffusers_seconds:.2f} s a picture\n"
            f"hayate, rung {self.rung}: {self.hayate_seconds:.2f} s a picture, {self.diffusers_seconds / self.hayate_seconds:.2f}x\n"
            f"on {self.device}"
        )


def seconds_of_second(run: Callable[[], Any]) -> float:
    run()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def compare_with_diffusers(
    path: str | os.PathLike[str], prompt: str = "a lighthouse on a cliff at dusk", *, device: str = "cpu", rung: str | None = None, seed: int = 7,
    num_inference_steps: int = 10, guidance_scale: float = 5.0, width: int | None = None, height: int | None = None,
) -> Comparison:  # fmt: skip
    """Runs an installed diffusers and hayate on the diffusers folder `path`.

    Parity is measured in float32 on both sides, speed in bfloat16 for diffusers on a GPU (float32 on a CPU) and on `rung` for hayate (None: its
    default). Raises hayate.UnsupportedError without torch and diffusers.
    """
    try:
        import diffusers
        import torch
    except ImportError as error:
        raise UnsupportedError(f"compare_with_diffusers needs torch and diffusers: {error}") from error

    size: dict[str, Any] = {"width": width, "height": height}
    fast = torch.bfloat16 if device == "cuda" else torch.float32

    def peer(dtype: Any) -> Any:
        pipe = diffusers.DiffusionPipeline.from_pretrained(os.fspath(path), torch_dtype=dtype).to(device)
        pipe.set_progress_bar_config(disable=True)

        def draw(output_type: str) -> Any:
            generator = torch.Generator("cpu").manual_seed(seed)
            drawn = pipe(
                prompt, num_inference_steps=num_inference_steps, guidance_scale=guidance_scale, generator=generator, output_type=output_type, **size
            )
            return drawn.images

        return draw

    def own(chosen: str | None) -> Pipeline:
        pipe = Pipeline.from_pretrained(path, device=device, rung=chosen)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    settings: dict[str, Any] = {"seed": seed, "num_inference_steps": num_inference_steps, "guidance_scale": guidance_scale, **size}
    draw = peer(torch.float32)
    expected: Floats = draw("latent").float().cpu().numpy()
    picture: Pixels = np.asarray(draw("pil")[0])
    result = own("fp32")(prompt, **settings)
    difference = np.abs(result.arrays[0].astype(int) - picture.astype(int))
    pipe = own(rung)
    if fast != torch.float32:
        draw = peer(fast)
    return Comparison(
        latent_error=float(np.linalg.norm(np.asarray(result.latents) - expected) / np.linalg.norm(expected)),
        pixel_error=int(difference.max()),
        pixels_equal=float((difference == 0).mean()),
        hayate_seconds=seconds_of_second(lambda: pipe(prompt, **settings)),
        diffusers_seconds=seconds_of_second(lambda: draw("pil")),
        rung=pipe.rung,
        diffusers_dtype=str(fast).removeprefix("torch."),
        diffusers_version=diffusers.__version__,
        device=pipe.device,
    )
