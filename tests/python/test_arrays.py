"""Latents and prompt embeddings, in and out."""

import hayate
import numpy as np
import pytest


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
