"""Every kind of error is an exception of its own, and nothing that is passed in crashes."""

import hayate
import numpy as np
import pytest
from conftest import TINY


@pytest.mark.parametrize(
    "settings, text",
    [
        ({"width": 50}, "width is 50"), ({"width": 10**30}, "width"), ({"width": "wide"}, "width is 'wide'"), ({"num_inference_steps": 0}, "steps is 0"),
        ({"num_inference_steps": 2.5}, "num_inference_steps"), ({"guidance_scale": [1, 2]}, "2 values for 1 prompts"), ({"seed": -1}, "seed"),
        ({"seed": [1, 2]}, "seed has 2"), ({"scheduler": "nonsense"}, "nonsense"), ({"noise": "loud"}, "torch_cuda"), ({"generator": 1}, "here it is seed"),
        ({"colour": "red"}, "no setting 'colour'"), ({"negative_prompt": 5}, "negative_prompt"), ({"guidance_scale": float("nan")}, "guidance"),
        ({"image": np.zeros((4, 4), np.uint8)}, "image"), ({"original_size": (1,)}, "original_size"), ({"num_images_per_prompt": 100_000}, "pictures"),
        ({"seed": 2.5}, "seed is 2.5"), ({"seed": "x"}, "seed is 'x'"), ({"seed": [1.5]}, "seed is 1.5"), ({"num_images_per_prompt": 0}, "is 0"),
        ({"num_images_per_prompt": 1.5}, "is 1.5"), ({"original_size": 5}, "original_size is 5"), ({"callback_on_step_end": 5}, "callback_on_step_end"),
        ({"hires_steps": 5}, "hires_scale"), ({"hires_scale": 99}, "99"), ({"hires_scale": 2, "hires_upscaler": "magic"}, "lanczos"),
        ({"seamless_x": "yes"}, "seamless_x"), ({"mimic_guidance": -1}, "mimic"), ({"mimic_guidance": [1, 2]}, "2 values for 1 prompts"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_a_usage_error(pipe, small, settings, text):
    with pytest.raises(hayate.UsageError, match=text) as raised:
        pipe("a castle", **{**small, **settings})
    assert isinstance(raised.value, hayate.Error) and isinstance(raised.value, ValueError)


@pytest.mark.parametrize("prompt", [None, 5, b"bytes", [], ["a", 5], "\ud800"])
def test_prompts_that_are_none(pipe, small, prompt):
    with pytest.raises(hayate.UsageError):
        pipe(prompt, **small)


def test_what_diffusers_has_is_pointed_to(pipe):
    with pytest.raises(AttributeError, match="device"):
        pipe.to("cuda")
    with pytest.raises(AttributeError):
        pipe.scheduler = "euler"
    with pytest.raises(hayate.UsageError, match="torch_dtype"):
        hayate.Pipeline.from_pretrained(TINY, torch_dtype="float16")


@pytest.mark.parametrize("name", [5, "{colour}.png", "{", "{0}.png"])
def test_names_that_are_none(pipe, small, name):
    with pytest.raises(hayate.UsageError, match="save"):
        pipe("a castle", **small).save(name)


@pytest.mark.parametrize("options", [{"model": 5}, {"model": None}, {"embeddings": 5}, {"loras": 5}, {"vae": 5}])
def test_paths_that_are_none(options):
    with pytest.raises(hayate.UsageError):
        hayate.Pipeline.from_pretrained(**{"model": TINY, **options})


@pytest.mark.parametrize("loras", [5, [5], [("a.safetensors", "much")], [(1, 2, 3, 4)], [None]])
def test_loras_that_are_none(pipe, loras):
    with pytest.raises(hayate.UsageError, match="LoRA"):
        pipe.set_loras(loras)


def test_kinds_of_errors(pipe, small, tmp_path):
    with pytest.raises(hayate.NotFoundError, match="nowhere"):
        hayate.Pipeline.from_pretrained(tmp_path / "nowhere")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\xff" * 64)
    with pytest.raises(hayate.BadFileError, match="broken"):
        hayate.Pipeline.from_pretrained(broken)
    with pytest.raises(hayate.UsageError, match="rung"):
        hayate.Pipeline.from_pretrained(TINY, rung="nonsense")
    with pytest.raises(hayate.UsageError, match="no option"):
        hayate.Pipeline.from_pretrained(TINY, nonsense=1)
    with pytest.raises(hayate.UnsupportedError):
        hayate.Pipeline.from_pretrained(TINY, rung="tf32")
    with pytest.raises(hayate.OutOfMemoryError, match="needs"):
        hayate.Pipeline.from_pretrained(TINY, memory_limit=1 << 20)("a castle", **small)
    with pytest.raises(hayate.NotFoundError):
        pipe.set_loras([tmp_path / "none.safetensors"])
    with pytest.raises(OSError):
        pipe("a castle", image=tmp_path / "none.png", **small)
    with pytest.raises(hayate.Error):
        pipe("a castle", **small).save(str(tmp_path / "picture.gif"))
