"""Latents and prompt embeddings, in and out."""

import hayate
import numpy as np
import pytest
from conftest import open_tiny
from hayate import arrays
from hayate.request import build


def test_latents_in_are_the_noise(pipe, small):
    noise = np.random.default_rng(3).standard_normal((1, 4, 8, 6)).astype(np.float32)
    drawn = pipe("a castle", latents=noise, **small)
    assert not np.array_equal(drawn.latents, pipe("a castle", **small).latents)
    assert np.array_equal(drawn.latents, pipe("a castle", latents=noise, **{**small, "seed": 99}).latents)
    assert not np.array_equal(drawn.latents, pipe("a castle", latents=np.roll(noise, 1, axis=2), **small).latents)


def test_latents_out_share_memory_with_who_takes_them(pipe, small):
    result = pipe("a castle", **small)
    taken = np.from_dlpack(result.latents)
    assert taken.shape == (1, 4, 8, 6) and np.shares_memory(taken, result.latents)
    kept = taken.copy()
    del result
    assert np.array_equal(taken, kept)


def test_encoded_prompts_draw_what_the_text_draws(pipe, small):
    prompts = {"prompt": ["a castle", "two boats"], "negative_prompt": ["night", ""]}
    hidden, negative, pooled, negative_pooled = pipe.encode_prompt(**prompts)
    assert hidden.shape[:2] == (2, 77) and negative.shape == hidden.shape and pooled.shape == negative_pooled.shape
    drawn = pipe(
        prompt_embeds=hidden, negative_prompt_embeds=negative, pooled_prompt_embeds=pooled, negative_pooled_prompt_embeds=negative_pooled, **small
    )
    assert np.array_equal(drawn.latents, pipe(**prompts, **small).latents)
    assert pipe.encode_prompt("a castle", guidance_scale=1)[1] is None


def test_output_type_latent_decodes_nothing(pipe, small, tmp_path):
    expected = pipe("a castle", **small)
    result = pipe("a castle", output_type="latent", **small)
    assert isinstance(result.latents, np.ndarray) and np.array_equal(result.latents, expected.latents)
    assert np.shares_memory(np.from_dlpack(result.latents), result.latents)
    assert len(result) == 1 and "48x64" in repr(result) and result.infotext == expected.infotext and result._repr_png_() is None
    for use in (lambda: result.images, lambda: result.arrays, lambda: result[0], lambda: list(result), lambda: result.save(tmp_path / "a.png")):
        with pytest.raises(hayate.UsageError, match="latents"):
            use()
    kept = result.latents
    del result
    pipe("another", **small)
    assert np.array_equal(kept, expected.latents)
    assert pipe("a castle", output_type="pil", **small).images
    for name in ("np", "pt", 5):
        with pytest.raises(hayate.UsageError, match="arrays"):
            pipe("a castle", output_type=name, **small)


def test_arrays_of_any_order_and_type(pipe, small):
    noise = np.random.default_rng(3).standard_normal((1, 4, 8, 6)).astype(np.float16).astype(np.float32)
    expected = pipe("a castle", latents=noise, **small).latents
    field = np.zeros((1, 4, 8, 6), [("a", np.float32), ("b", np.int8)])
    field["a"] = noise
    frozen = noise.copy()
    frozen.flags.writeable = False
    for given in (np.asfortranarray(noise), noise[:, ::-1].copy()[:, ::-1], noise.astype(np.float16), noise.astype(np.float64), noise.astype(">f4"), field["a"], frozen, noise.tolist()):
        assert np.array_equal(pipe("a castle", latents=given, **small).latents, expected)
    with pytest.raises(hayate.UsageError, match="not finite"):
        pipe("a castle", latents=noise * np.inf, **small)


class OnAGpu:
    """An array of the host that says it is on a GPU, and notes for which stream it is asked."""

    def __init__(self, array, number=0):
        self.array, self.number, self.streams, self.dtype = array, number, [], array.dtype

    def __dlpack_device__(self):
        return (2, self.number)

    def __dlpack__(self, *, stream=None):
        self.streams.append(stream)
        return self.array.__dlpack__()


def test_arrays_of_the_pipelines_gpu_are_taken_where_they_lie():
    given = OnAGpu(np.arange(8, dtype=np.float32).reshape(2, 4))
    assert arrays.device_array(given, "numbers", 0).shape == (2, 4)
    assert given.streams == [1]
    with pytest.raises(hayate.UsageError, match="numbers of type float64.*float32, float16 or bfloat16"):
        arrays.device_array(OnAGpu(np.ones(3)), "numbers", 0)
    with pytest.raises(hayate.UsageError, match="numbers"):  # what is not the pipeline's comes by way of the host, and this cannot
        arrays.device_array(OnAGpu(np.ones(3, np.float32), 1), "numbers", 0)


def test_what_stays_on_a_gpu_says_so(pipe, small):
    request = build("a castle", {"output_type": "latent", **small}, -1)
    drawn = pipe._session.draw(request)
    there = arrays.GpuArray(drawn.device_latents(), drawn.latents.transpose(0, 3, 1, 2))
    assert there.shape == (1, 4, 8, 6) and there.dtype == np.float32 and len(there) == 1 and "GpuArray" in repr(there)
    copy = np.asarray(there)
    assert np.array_equal(np.from_dlpack(there), copy) and not np.shares_memory(copy, drawn.latents)
    assert np.asarray(there, np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="copy"):
        there.__array__(copy=False)
    del drawn
    assert np.array_equal(np.from_dlpack(there), copy)


def test_torch_on_a_gpu(small):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("torch has no GPU here; bench/gpu/check_python.py is for where it has")
    pipe = open_tiny(device="cuda")
    result = pipe("a castle", output_type="latent", **small)
    taken = torch.from_dlpack(result.latents)
    assert taken.is_cuda and np.array_equal(taken.cpu().numpy(), np.asarray(result.latents))
    assert np.array_equal(pipe("a castle", latents=taken, **small).latents, pipe("a castle", latents=taken.cpu(), **small).latents)


def test_torch_shares_memory(pipe, small):
    torch = pytest.importorskip("torch")
    result = pipe("a castle", **small)
    taken = torch.from_dlpack(result.latents)
    assert taken.data_ptr() == result.latents.ctypes.data
    drawn = pipe("a castle", latents=torch.randn(1, 4, 8, 6, generator=torch.Generator().manual_seed(7)), **small)
    assert np.array_equal(drawn.arrays, result.arrays)
    narrow = torch.ones(1, 4, 8, 6, dtype=torch.bfloat16, requires_grad=True)
    assert np.array_equal(pipe("a castle", latents=narrow, **small).latents, pipe("a castle", latents=np.ones((1, 4, 8, 6)), **small).latents)


@pytest.mark.parametrize(
    "latents",
    [np.zeros((1, 4, 8, 6), np.int32), np.ones((4, 8, 6), np.float32), np.ones((2, 4, 8, 6)), np.ones((1, 4, 8, 5)), [["a"]], object()],
)
def test_refuses_latents_that_are_none(pipe, small, latents):
    with pytest.raises(hayate.UsageError, match="latents"):
        pipe("a castle", latents=latents, **small)


def test_refuses_embeddings_of_another_model(pipe, small):
    hidden, _, pooled, _ = pipe.encode_prompt("a castle")
    for bad in ({"prompt_embeds": hidden[:, :, 1:]}, {"prompt_embeds": hidden[0]}, {"prompt_embeds": hidden[:, :5]}, {"prompt_embeds": hidden * np.nan}):
        with pytest.raises(hayate.UsageError):
            pipe(**{"pooled_prompt_embeds": pooled, **bad}, **small)
    with pytest.raises(hayate.UsageError, match="pooled"):
        pipe(prompt_embeds=hidden, **small)
