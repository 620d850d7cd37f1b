"""Every kind of error is an exception of its own, and nothing that is passed in crashes."""

import inspect

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


# What the pipelines of diffusers take, StableDiffusionXLPipeline and those that start from a picture.
OF_DIFFUSERS = """prompt prompt_2 height width num_inference_steps timesteps sigmas denoising_end denoising_start guidance_scale negative_prompt
negative_prompt_2 num_images_per_prompt eta generator latents prompt_embeds negative_prompt_embeds pooled_prompt_embeds negative_pooled_prompt_embeds
ip_adapter_image ip_adapter_image_embeds output_type return_dict cross_attention_kwargs guidance_rescale original_size crops_coords_top_left target_size
negative_original_size negative_crops_coords_top_left negative_target_size clip_skip callback_on_step_end callback_on_step_end_tensor_inputs image strength
aesthetic_score negative_aesthetic_score mask_image masked_image_latents padding_mask_crop callback callback_steps""".split()


def test_every_keyword_of_diffusers_works_or_says_what_to_do(pipe, small):
    known = {*inspect.signature(hayate.Pipeline.__call__).parameters, *hayate.Settings.__annotations__}
    for name in OF_DIFFUSERS:
        if name not in known:
            with pytest.raises(hayate.Error, match=f"{name}.*(here it is|neither)"):
                pipe("a castle", **{**small, name: 1})


def test_keywords_of_diffusers_that_are_not_ours(pipe, small):
    assert pipe("a castle", return_dict=True, callback_on_step_end_tensor_inputs=["latents"], **small).images
    for bad, hint in (({"return_dict": False}, "images"), ({"callback_on_step_end_tensor_inputs": ["prompt_embeds"]}, "latents"), ({"num_steps": 3}, "num_inference_steps")):
        with pytest.raises(hayate.UsageError, match=hint):
            pipe("a castle", **{**small, **bad})
    for option, hint in (({"variant": "fp16"}, "most precise"), ({"use_safetensors": True}, "always"), ({"memory_limits": 5}, "'memory_limit'")):
        with pytest.raises(hayate.UsageError, match=hint):
            hayate.Pipeline.from_pretrained(TINY, **option)
    for name in ("StableDiffusionXLPipeline", "DiffusionPipeline", "AutoPipelineForText2Image"):
        with pytest.raises(AttributeError, match="hayate.Pipeline"):
            getattr(hayate, name)
    with pytest.raises(AttributeError) as unknown:
        hayate.pipelin
    assert "class" not in str(unknown.value)


class Named:
    """As torch's types print themselves."""

    def __init__(self, name):
        self.name = name

    def __str__(self):
        return self.name


def test_what_diffusers_has_is_pointed_to(pipe):
    with pytest.raises(AttributeError, match="device"):
        pipe.to("cuda")
    with pytest.raises(AttributeError):
        pipe.scheduler = "euler"
    with pytest.raises(hayate.UsageError, match="torch_dtype"):
        hayate.Pipeline.from_pretrained(TINY, torch_dtype="float16")
    with pytest.raises(hayate.UsageError, match="dtype is torch.float32.*rung='fp32'"):
        hayate.Pipeline.from_pretrained(TINY, dtype=Named("torch.float32"))
    with pytest.raises(hayate.UnsupportedError, match="fp16 needs"):
        hayate.Pipeline.from_pretrained(TINY, torch_dtype=Named("torch.float16"))
    assert hayate.Pipeline.from_pretrained(TINY, torch_dtype=Named("torch.bfloat16")).rung


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
