"""Keywords, named as diffusers names them, into a Request of the C++ API, whose defaults they have."""

import difflib
import operator
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, TypeVar, cast

import numpy as np

from hayate import _core, arrays
from hayate.arrays import ImageLike
from hayate.errors import UnsupportedError, UsageError

T = TypeVar("T")
Text = str | Sequence[str]
Size = tuple[int, int]


class Settings(TypedDict, total=False):
    """What a request can say beside its prompts. Where a type is `X | Sequence[X]`, a sequence has one for each prompt."""

    negative_prompt: Text | None
    prompt_2: Text | None  # for the second text encoder
    negative_prompt_2: Text | None
    prompt_embeds: Any  # (prompts, tokens, width), instead of prompts; as encode_prompt() returns them
    pooled_prompt_embeds: Any  # (prompts, pooled width)
    negative_prompt_embeds: Any
    negative_pooled_prompt_embeds: Any
    num_images_per_prompt: int
    num_inference_steps: int
    guidance_scale: float | Sequence[float]
    guidance_rescale: float | Sequence[float]
    mimic_guidance: float | Sequence[float]  # dynamic thresholding: the contrast that this guidance would give; 0: off
    seed: int | Sequence[int] | None  # one counts up over the pictures; a sequence has one for each picture; None: chosen at random
    width: int | None
    height: int | None
    scheduler: str  # any name of hayate.schedulers() or of what others call them: "DPM++ 2M Karras"
    spacing: str | None
    eta: float | None
    s_noise: float | None
    s_churn: float | None
    s_tmin: float | None
    s_tmax: float | None
    guidance_interval: tuple[float, float]  # of the steps, as fractions
    deepcache: int  # one whole step in so many
    clip_skip: int | None
    prompt_syntax: str  # "diffusers", "a1111", "comfy"
    noise: str  # "torch_cpu", "torch_cpu_fp16", "torch_cpu_bf16", "torch_cuda"
    shared_noise: bool  # one draw for the batch, as with a single generator
    latents: Any  # (pictures, 4, height/8, width/8), unit variance: the first noise
    output_type: str  # "pil", or "latent": nothing is decoded, and the result has latents only, where they were computed
    image: ImageLike | None  # to start from
    strength: float
    fit: str  # "stretch", "crop", "fill"
    mask_image: ImageLike | None  # white is drawn anew
    mask_blur: float
    padding_mask_crop: int | None  # draw only the surroundings of the white, so many pixels around it
    original_size: Size | None
    crops_coords_top_left: Size
    target_size: Size | None
    negative_original_size: Size | None
    negative_crops_coords_top_left: Size
    negative_target_size: Size | None
    hires_scale: float  # hires fix: a second pass over the picture, enlarged by so much
    hires_strength: float
    hires_steps: int
    hires_upscaler: str  # "latent", "latent_bicubic", "latent_nearest", "lanczos"
    seamless_x: bool  # a picture that continues at its right edge on the left
    seamless_y: bool
    aesthetic_score: float | Sequence[float]  # what a refiner is told of the picture, 6 unless said
    negative_aesthetic_score: float | Sequence[float]  # 2.5
    variation_seed: int
    variation_strength: float


# Keywords that are fields of Request, and what they are called there.
REQUEST_FIELDS = {
    "num_inference_steps": "steps", "width": "width", "height": "height", "scheduler": "scheduler", "spacing": "spacing", "eta": "eta",
    "s_noise": "s_noise", "s_churn": "s_churn", "s_tmin": "s_tmin", "s_tmax": "s_tmax", "guidance_interval": "guidance_interval",
    "clip_skip": "clip_skip", "shared_noise": "shared_noise", "strength": "strength", "mask_blur": "mask_blur", "padding_mask_crop": "mask_area",
    "seamless_x": "seamless_x", "seamless_y": "seamless_y",
}  # fmt: skip
HIRES_FIELDS = {"hires_scale": "scale", "hires_strength": "strength", "hires_steps": "steps"}
CHOICES = {"prompt_syntax": _core.PromptSyntax, "noise": _core.Noise, "fit": _core.Fit}
# Keywords that are fields of Picture, for every picture of a prompt.
PICTURE_FIELDS = {
    "negative_prompt": "negative_prompt", "prompt_2": "prompt_2", "negative_prompt_2": "negative_prompt_2", "guidance_scale": "guidance",
    "guidance_rescale": "guidance_rescale", "mimic_guidance": "mimic_guidance", "variation_seed": "variation_seed", "variation_strength": "variation_strength",
    "aesthetic_score": "aesthetic_score", "negative_aesthetic_score": "negative_aesthetic_score",
}  # fmt: skip
MICRO_FIELDS = {"original_size": "original_size", "crops_coords_top_left": "crop_top_left", "target_size": "target_size"}
EMBEDS = {"prompt_embeds": "pooled_prompt_embeds", "negative_prompt_embeds": "negative_pooled_prompt_embeds"}
OTHERS = {"seed", "num_images_per_prompt", "deepcache", "latents", "output_type", "image", "mask_image", "hires_upscaler"}
# What diffusers also takes, and what to say here instead.
INSTEAD = {
    "generator": "seed=7 for torch.Generator('cpu').manual_seed(7), with noise='torch_cuda' for one of a GPU", "timesteps": "spacing", "sigmas": "spacing",
    "denoising_end": "from_pretrained(refiner=...)", "denoising_start": "from_pretrained(refiner=...)", "callback": "callback_on_step_end",
    "callback_steps": "callback_on_step_end", "cross_attention_kwargs": "set_loras", "masked_image_latents": "mask_image",
}  # fmt: skip
# What has no counterpart.
MISSING = {"ip_adapter_image", "ip_adapter_image_embeds", "control_image"}


def choice(kind: type[T], value: str, what: str) -> T:
    """A value of an enumeration by name, with - for _ too."""
    name = value.replace("-", "_") if isinstance(value, str) else value
    names: list[str] = list(cast(Any, kind).__members__)
    if name not in names:
        raise UsageError(f"{what} is {value!r}; expected one of {', '.join(names)}")
    return cast(T, cast(Any, kind)[name])


def set_field(target: object, field: str, value: object, what: str) -> None:
    try:
        setattr(target, field, value)
    except TypeError as error:
        raise UsageError(f"{what} is {value!r} ({type(value).__name__}); expected {getattr(target, field)!r} or the like") from error


def for_each(value: Any, count: int, what: str) -> list[Any]:
    """`count` values: of a sequence its own, else the same."""
    if isinstance(value, str) or not isinstance(value, Sequence) and not (isinstance(value, np.ndarray) and value.ndim > 0):
        return [value] * count
    if len(value) != count:
        raise UsageError(f"{what} has {len(value)} values for {count} prompts; expected one for each, or one")
    return list(value)


def micro(settings: dict[str, Any], prefix: str) -> _core.MicroConditioning | None:
    given = {field: settings[prefix + key] for key, field in MICRO_FIELDS.items() if settings.get(prefix + key) is not None}
    if not given:
        return None
    conditioning = _core.MicroConditioning()
    for field, value in given.items():
        set_field(conditioning, field, value, prefix + field)
    return conditioning


def hires(settings: dict[str, Any]) -> _core.Hires | None:
    given = [key for key in (*HIRES_FIELDS, "hires_upscaler") if settings.get(key) is not None]
    if not given:
        return None
    if "hires_scale" not in given:
        raise UsageError(f"{given[0]} is for a second pass, which hires_scale asks for")
    second = _core.Hires()
    for key, field in HIRES_FIELDS.items():
        if key in given:
            set_field(second, field, settings[key], key)
    if "hires_upscaler" in given:
        second.upscaler = choice(_core.Upscaler, settings["hires_upscaler"], "hires_upscaler")
    return second


def embeds(settings: dict[str, Any], key: str, count: int, gpu: int) -> list[_core.PromptEmbeds] | None:
    def rows(name: str, dimensions: str) -> _core.DeviceArray | None:
        """What has a row for each prompt."""
        if settings.get(name) is None:
            return None
        array = arrays.device_array(settings[name], name, gpu)
        if len(array.shape) != dimensions.count(",") + 2 or array.shape[0] != count:
            raise UsageError(f"{name} has shape {array.shape}; expected ({count}, {dimensions})")
        return array

    hidden, pooled = rows(key, "tokens, width"), rows(EMBEDS[key], "width")
    if hidden is None:
        return None
    return [_core.PromptEmbeds(hidden[i], None if pooled is None else pooled[i]) for i in range(count)]


def whole(value: Any, what: str) -> int:
    """A whole number, of Python or NumPy."""
    try:
        return operator.index(value)
    except TypeError as error:
        raise UsageError(f"{what} is {value!r}; expected a whole number") from error


def seeds_of(seed: Any, first_seed: int, total: int) -> list[int]:
    """One for each picture. `first_seed`: where there is none."""
    if isinstance(seed, (Sequence, np.ndarray)) and not isinstance(seed, str):
        if len(seed) != total:
            raise UsageError(f"seed has {len(seed)} values for {total} pictures; expected one for each, or one")
        return [whole(one, "seed") for one in seed]
    first = first_seed if seed is None else whole(seed, "seed")
    return list(range(first, first + total))


def prompts_of(prompt: Text | None, settings: dict[str, Any]) -> list[str]:
    if isinstance(prompt, str):
        return [prompt]
    if isinstance(prompt, Sequence):
        return list(prompt)
    if prompt is not None:
        raise UsageError(f"prompt is {prompt!r}; expected text, or a list of texts")
    if settings.get("prompt_embeds") is None:
        raise UsageError("there is neither a prompt nor prompt_embeds")
    try:
        return [""] * len(settings["prompt_embeds"])
    except TypeError as error:
        raise UsageError("prompt_embeds have no length; expected (prompts, tokens, width)") from error


def suggestion(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def check_names(settings: dict[str, Any]) -> None:
    known = {*REQUEST_FIELDS, *CHOICES, *PICTURE_FIELDS, *HIRES_FIELDS, *EMBEDS, *EMBEDS.values(), *OTHERS}
    known |= {prefix + key for prefix in ("", "negative_") for key in MICRO_FIELDS}
    for name in settings.keys() - known:
        if name in MISSING:
            raise UnsupportedError(f"{name}: hayate has neither IP-Adapter nor ControlNet")
        hint = f"; here it is {INSTEAD[name]}" if name in INSTEAD else suggestion(name, known)
        raise UsageError(f"there is no setting {name!r}{hint}")


def pictures_of(prompts: list[str], settings: dict[str, Any], first_seed: int, gpu: int) -> list[_core.Picture]:
    """Every prompt num_images_per_prompt times."""
    each = whole(1 if settings.get("num_images_per_prompt") is None else settings["num_images_per_prompt"], "num_images_per_prompt")
    if each < 1:
        raise UsageError(f"num_images_per_prompt is {each}; expected 1 or more")
    columns = {k: for_each(settings[k], len(prompts), k) for k in PICTURE_FIELDS if settings.get(k) is not None}
    encoded = {k: embeds(settings, k, len(prompts), gpu) for k in EMBEDS}
    sizes, negative_sizes = micro(settings, ""), micro(settings, "negative_")
    seeds = seeds_of(settings.get("seed"), first_seed, len(prompts) * each)
    pictures = []
    for i, seed in enumerate(seeds):
        picture = _core.Picture()
        row = i // each
        set_field(picture, "prompt", prompts[row], "prompt")
        set_field(picture, "seed", seed, "seed")
        for key, values in columns.items():
            set_field(picture, PICTURE_FIELDS[key], values[row], key)
        for key, of_prompts in encoded.items():
            if of_prompts:
                setattr(picture, key, of_prompts[row])
        if sizes:
            picture.micro = sizes
        if negative_sizes:
            picture.negative_micro = negative_sizes
        pictures.append(picture)
    return pictures


def decodes(output_type: object) -> bool:
    if output_type in (None, "pil", "latent"):
        return output_type != "latent"
    raise UsageError(f"output_type is {output_type!r}; expected 'pil' or 'latent'; pixels as numbers are the result's arrays, whatever it is")


def build(prompt: Text | None, settings: Settings, gpu: int, first_seed: int = 0) -> _core.Request:
    """The request. `gpu`: whose arrays are taken where they lie, -1 for none. `first_seed`: of the first picture, where the settings have no seed."""
    given = cast(dict[str, Any], settings)
    check_names(given)
    request = _core.Request()
    request.pictures = pictures_of(prompts_of(prompt, given), given, first_seed, gpu)
    for key, field in REQUEST_FIELDS.items():
        if given.get(key) is not None:
            set_field(request, field, given[key], key)
    for key, kind in CHOICES.items():
        if given.get(key) is not None:
            setattr(request, key, choice(kind, given[key], key))
    if given.get("deepcache") is not None:
        cache = _core.DeepCache()
        set_field(cache, "interval", given["deepcache"], "deepcache")
        request.deepcache = cache
    request.hires = hires(given)
    if given.get("image") is not None:
        request.set_init_image(arrays.pixels(given["image"], "image"))
    if given.get("mask_image") is not None:
        request.set_mask(arrays.pixels(given["mask_image"], "mask_image"))
    if given.get("latents") is not None:
        request.latents = arrays.channels_last(given["latents"], gpu)
    request.decode = decodes(given.get("output_type"))
    return request
