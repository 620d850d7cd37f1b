"""What a caller of hayate.Pipeline may rely on."""

import re
import subprocess

import hayate
import numpy as np
import pytest
from conftest import ROOT, TINY, open_tiny
from PIL import Image


def test_a_result_has_pictures_arrays_latents_and_settings(pipe, small):
    result = pipe("a castle", **small)
    assert result.images[0].size == (48, 64)
    assert result.arrays.shape == (1, 64, 48, 3) and result.arrays.dtype == np.uint8
    assert result.latents.shape == (1, 4, 8, 6) and np.isfinite(result.latents).all()
    assert np.array_equal(np.asarray(result.images[0]), result.arrays[0])
    assert "Seed: 7" in result.images[0].info["parameters"]
    assert pipe.timings.total >= pipe.timings.denoise > 0
    assert result._repr_png_().startswith(b"\x89PNG")
    assert "48x64" in repr(result)


def test_equals_the_program(pipe, small, tmp_path):
    program = ROOT / "build/release/hayate"
    if not program.exists():
        pytest.skip("build/release/hayate is not built")
    file = tmp_path / "own.png"
    subprocess.run([program, "generate", "a castle", "-m", TINY, "-o", file, "--quiet", "-W", "48", "-H", "64", "--steps", "3", "--seed", "7"], check=True)
    (saved,) = pipe("a castle", **small).save(str(tmp_path / "{seed}.png"))
    assert saved.name == "7.png" and saved.read_bytes() == file.read_bytes()


def test_prompts_of_one_batch_are_those_drawn_alone(pipe, small):
    together = pipe(["a castle", "two boats"], negative_prompt=["", "night"], guidance_scale=[5, 3], num_images_per_prompt=2, **small)
    assert together.seeds == [7, 8, 9, 10]
    alone = pipe("two boats", negative_prompt="night", guidance_scale=3, **{**small, "seed": 10})
    assert np.abs(together.arrays[3].astype(int) - alone.arrays[0]).max() <= 2
    assert np.abs(together.arrays[2].astype(int) - alone.arrays[0]).max() > 2


def test_a_seed_is_chosen_and_told(pipe, small):
    first = pipe("a castle", **{**small, "seed": None})
    for seed in (first.seeds, np.array(first.seeds), np.uint32(first.seeds[0])):
        assert np.array_equal(first.arrays, pipe("a castle", **{**small, "seed": seed}).arrays)
    assert not np.array_equal(first.arrays, pipe("a castle", **{**small, "seed": None}).arrays)


def test_starts_from_a_picture(pipe, small, tmp_path):
    start = Image.effect_noise((48, 64), 90).convert("RGB")
    start.save(tmp_path / "start.png")
    settings = {**small, "strength": 0.5}
    drawn = pipe("a castle", image=start, **settings).arrays
    assert not np.array_equal(drawn, pipe("a castle", **small).arrays)
    assert np.array_equal(drawn, pipe("a castle", image=np.asarray(start), **settings).arrays)
    assert np.array_equal(drawn, pipe("a castle", image=tmp_path / "start.png", **settings).arrays)
    mask = np.zeros((64, 48, 3), np.uint8)
    mask[:, 24:] = 255
    painted = pipe("a castle", image=start, mask_image=mask, **settings).arrays[0]
    assert np.array_equal(painted[:, :16], np.asarray(start)[:, :16]) and not np.array_equal(painted[:, 32:], np.asarray(start)[:, 32:])


def test_steps_are_called_back_in_the_callers_thread(pipe, small):
    import threading

    seen = []

    def note(of, step, timestep, given):
        seen.append((of is pipe, step, threading.get_ident(), given["latents"]))
        return given

    result = pipe("a castle", callback_on_step_end=note, **small)
    assert [(own, step, thread) for own, step, thread, _ in seen] == [(True, i, threading.get_ident()) for i in range(3)]
    assert np.array_equal(seen[-1][3], result.latents) and not np.array_equal(seen[0][3], result.latents)


def test_a_callback_that_raises_ends_the_request(pipe, small):
    steps = []

    def fail(_, step, timestep, given):
        steps.append(step)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        pipe("a castle", callback_on_step_end=fail, **small)
    assert steps == [0]
    with pytest.raises(hayate.UnsupportedError, match="read, not replaced"):
        pipe("a castle", callback_on_step_end=lambda *given: {"latents": given[3]["latents"] * 2}, **small)
    assert len(pipe("a castle", **small)) == 1


@pytest.mark.parametrize(
    "settings, text",
    [
        ({"mimic_guidance": [3], "guidance_scale": 9}, "Mimic scale: 3"), ({"seamless_x": True}, "Tiling: x"), ({"seamless_y": True}, "Tiling: y"),
        ({"hires_scale": 2, "hires_strength": 0.6, "hires_steps": 5, "hires_upscaler": "lanczos"},
         "Denoising strength: 0.6, Hires upscale: 2, Hires steps: 5, Hires upscaler: Lanczos"),
    ],
)  # fmt: skip
def test_settings_reach_the_picture(pipe, small, settings, text):
    drawn = pipe("a castle", **{**small, **settings})
    assert text in drawn.infotext[0]
    assert not np.array_equal(drawn.latents, pipe("a castle", **small).latents)
    assert drawn.images[0].size == ((96, 128) if "hires_scale" in settings else (48, 64))


def test_words_of_textual_inversion(pipe, small):
    taught = open_tiny(embeddings=[ROOT / "tests/data/parity/embeddings/ember.safetensors"])
    drawn = taught("a castle, ember", **small)
    assert "Embeddings: ember" in drawn.infotext[0]
    assert not np.array_equal(drawn.latents, pipe("a castle, ember", **small).latents)
    assert np.array_equal(taught("a castle", **small).latents, pipe("a castle", **small).latents)


def test_decodes_with_a_tiny_decoder(pipe, small):
    drawn = open_tiny(tiny_decoder=ROOT / "tests/data/tiny_decoder/tiny")("a castle", **small)
    whole = pipe("a castle", **small)
    assert "VAE Decoder: " in drawn.infotext[0]
    assert np.array_equal(drawn.latents, whole.latents) and not np.array_equal(drawn.arrays, whole.arrays)


def test_loras_are_exchanged(small):
    (file,) = sorted((ROOT / "tests/data/lora").glob("**/*kohya*.safetensors"))[:1]
    pipe = open_tiny()
    plain = pipe("a castle", **small).arrays
    assert pipe.set_loras([(file, 0.5)]).tensors > 0
    half = pipe("a castle", **small).arrays
    assert not np.array_equal(plain, half)
    assert np.array_equal(half, open_tiny(loras=[hayate.Lora(str(file), 0.5)])("a castle", **small).arrays)
    pipe.set_loras(file)
    assert not np.array_equal(half, pipe("a castle", **small).arrays)
    pipe.set_loras([])
    assert np.array_equal(plain, pipe("a castle", **small).arrays)


def test_forecast_refuses_nothing_and_draws_nothing(pipe):
    forecast = pipe.forecast(width=512, height=512)
    assert forecast.fits and 0 < forecast.peak < forecast.budget
    assert {stage.name for stage in forecast.stages} == {"text", "denoise", "decode"}
    assert pipe.picture_size(width=64) == (64, pipe.native_size[1])


def test_shows_its_progress(pipe, small, capsys):
    pipe.set_progress_bar_config(desc="castle", mininterval=0)
    try:
        pipe("a castle", **small)
    finally:
        pipe.set_progress_bar_config(disable=True)
    assert re.search(r"castle.*3/3", capsys.readouterr().err)


def test_warns_of_a_prompt_that_was_cut(pipe, small):
    with pytest.warns(hayate.HayateWarning, match="cut"):
        pipe("castle " * 100, **small)


def test_the_builtin_model_is_found():
    pipe = hayate.Pipeline.from_pretrained("builtin", rung="bf16")
    assert pipe.native_size == (256, 256) and pipe.rung == "bf16" and "bf16" in hayate.rungs()
    assert "builtin" in repr(pipe)


def test_lists():
    assert "cpu" in hayate.devices() and "lcm" in hayate.schedulers() and hayate.spacings()
    assert re.fullmatch(r"\d+\.\d+\.\d+", hayate.__version__)
