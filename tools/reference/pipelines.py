"""Whole pictures: requests in the terms of hayate's public header, run by diffusers in float32 and in bfloat16."""
from contextlib import ExitStack, contextmanager, nullcontext
from inspect import signature
from unittest.mock import patch

import numpy as np
import torch
from diffusers import AutoPipelineForImage2Image, AutoPipelineForInpainting, UNet2DConditionModel
from diffusers.utils.torch_utils import randn_tensor
from PIL import Image

from .embeddings import load_embedding
from .seamless import make_seamless
from .tiny_models import BF16, F32, load_pipeline, load_refiner

LIGHTHOUSE = "a lighthouse on a cliff at dusk, warm light"
FOX = "a photo of a red fox in the snow"
BAD = "blurry, low quality"
LONG = "a castle on a hill at night under a starry sky, watercolor, highly detailed " * 6
V_PREDICTION = {"prediction_type": "v_prediction", "timestep_spacing": "trailing", "rescale_betas_zero_snr": True}

EULER_ANCESTRAL = {"_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "trailing"}


def case(name, model, *pictures, width=48, height=64, steps=4, clip_skip=0, scheduler_config=None, **more):
    """`scheduler_config` replaces keys of the model's scheduler_config.json. More: strength, with which it
    starts from a picture, of init_size or its own; mask, a rectangle of it (left, top, right, bottom) to draw anew; mask_area, the padding with
    which only that is drawn; hires, the second pass as in hayate.h; refiner, a model that goes on after handover; deepcache, a dict of interval, branch, center and power;
    seamless, "x", "y" or "both"; embeddings, files of textual inversion (embeddings.py); guidance_end, the fraction of steps after which there is no guidance; unet, another than the model's (UNETS)."""
    return dict(name=name, model=model, width=width, height=height, steps=steps, clip_skip=clip_skip,
                scheduler_config=scheduler_config or {}, pictures=list(pictures)) | more


def picture(prompt, seed, **more):
    return dict(prompt=prompt, seed=seed, guidance=5.0, guidance_rescale=0.0) | more


# diffusers takes one guidance, rescale and set of sizes per call, and its empty negative prompt is an absent one.
CASES = [
    case("xl", "tiny-sdxl", picture(LIGHTHOUSE, 0)),
    case("xl-30-steps", "tiny-sdxl", picture(LIGHTHOUSE, 7, prompt_2=FOX, negative_prompt=BAD, negative_prompt_2="bad anatomy"),
         width=40, height=72, steps=30),
    case("xl-unguided", "tiny-sdxl", picture(LONG, 4294967303, guidance=1.0), width=64, height=48, steps=3),
    case("xl-batch", "tiny-sdxl", picture(LIGHTHOUSE, 1, guidance=7.5, guidance_rescale=0.7, negative_prompt=BAD),
         picture(FOX, 2, guidance=7.5, guidance_rescale=0.7, negative_prompt="watermark"), steps=5),
    case("xl-micro", "tiny-sdxl",
         picture(FOX, 3, micro=dict(original_size=[96, 80], crop_top_left=[16, 4], target_size=[64, 56]),
                 negative_micro=dict(original_size=[32, 40], crop_top_left=[2, 9], target_size=[48, 48])), steps=6),
    case("xl-clip-skip", "tiny-sdxl", picture(FOX, 4), clip_skip=1),
    case("xl-karras-trailing", "tiny-sdxl", picture(FOX, 5), steps=8,
         scheduler_config={"timestep_spacing": "trailing", "use_karras_sigmas": True}),
    case("xl-turbo", "tiny-sdxl", picture(LIGHTHOUSE, 12, guidance=0.0), steps=3, scheduler_config=EULER_ANCESTRAL),
    case("xl-ancestral-batch", "tiny-sdxl", picture(LIGHTHOUSE, 13), picture(FOX, 14), steps=4, scheduler_config=EULER_ANCESTRAL),
    case("xl-ddim", "tiny-sdxl", picture(FOX, 15), steps=4,
         scheduler_config={"_class_name": "DDIMScheduler", "timestep_spacing": "trailing", "clip_sample": False}),
    case("xl-lcm", "tiny-sdxl", picture(FOX, 16, guidance=1.0), steps=4, scheduler_config={"_class_name": "LCMScheduler"}),
    case("xl-dpmpp", "tiny-sdxl", picture(FOX, 18), steps=5,
         scheduler_config={"_class_name": "DPMSolverMultistepScheduler", "use_karras_sigmas": True}),
    case("sd15-dpmpp-sde", "tiny-sd15", picture(FOX, 19), steps=5,
         scheduler_config={"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++"}),
    case("sd15-tcd", "tiny-sd15", picture(FOX, 17), steps=4, scheduler_config={"_class_name": "TCDScheduler"}),
    case("xl-heun", "tiny-sdxl", picture(FOX, 40), steps=4, scheduler_config={"_class_name": "HeunDiscreteScheduler"}),
    case("xl-heun-from-picture", "tiny-sdxl", picture(LIGHTHOUSE, 41), steps=5, strength=0.6,
         scheduler_config={"_class_name": "HeunDiscreteScheduler"}),
    case("sd15-dpm2", "tiny-sd15", picture(LIGHTHOUSE, 42), steps=4, scheduler_config={"_class_name": "KDPM2DiscreteScheduler"}),
    case("xl-dpm2-ancestral", "tiny-sdxl", picture(FOX, 43), picture(LIGHTHOUSE, 44), steps=4,
         scheduler_config={"_class_name": "KDPM2AncestralDiscreteScheduler", "use_karras_sigmas": True}),
    case("sd15-lms", "tiny-sd15", picture(FOX, 45), steps=6, scheduler_config={"_class_name": "LMSDiscreteScheduler"}),
    case("sd15-pndm", "tiny-sd15", picture(LIGHTHOUSE, 46), steps=6, scheduler_config={"_class_name": "PNDMScheduler", "skip_prk_steps": True}),
    case("xl-unipc", "tiny-sdxl", picture(FOX, 47), steps=6, scheduler_config={"_class_name": "UniPCMultistepScheduler", "solver_order": 3}),
    case("xl-deis", "tiny-sdxl", picture(LIGHTHOUSE, 48), steps=6, scheduler_config={"_class_name": "DEISMultistepScheduler"}),
    case("xl-dpmpp-3m", "tiny-sdxl", picture(FOX, 49), steps=6, scheduler_config={"_class_name": "DPMSolverMultistepScheduler", "solver_order": 3}),
    case("xl-ddpm", "tiny-sdxl", picture(FOX, 50), steps=5, scheduler_config={"_class_name": "DDPMScheduler", "clip_sample": False}),
    case("ssd1b", "tiny-ssd1b", picture(FOX, 0), steps=4),
    case("ssd1b-30-steps", "tiny-ssd1b", picture(LIGHTHOUSE, 11, negative_prompt=BAD), width=64, height=40, steps=30),
    case("sd15", "tiny-sd15", picture(LIGHTHOUSE, 0, guidance=7.5), steps=5),
    case("sd15-batch", "tiny-sd15", picture(LIGHTHOUSE, 5, negative_prompt=BAD), picture(FOX, 6, negative_prompt=""),
         width=56, steps=20),
    case("sd15-linspace", "tiny-sd15", picture(FOX, 7), scheduler_config={"timestep_spacing": "linspace"}),
    case("sd15-clip-skip", "tiny-sd15", picture(FOX, 8, guidance=1.0), clip_skip=1),
    case("xl-from-picture", "tiny-sdxl", picture(LIGHTHOUSE, 20), steps=5, strength=0.6),
    case("xl-from-picture-batch", "tiny-sdxl", picture(LIGHTHOUSE, 21), picture(FOX, 22), steps=6, strength=0.5,
         scheduler_config={"_class_name": "DDIMScheduler", "clip_sample": False}),
    case("sd15-from-picture", "tiny-sd15", picture(FOX, 23), steps=7, strength=0.75,
         scheduler_config={"_class_name": "DPMSolverMultistepScheduler", "use_karras_sigmas": True}),
    case("xl-inpaint", "tiny-sdxl", picture(FOX, 30), steps=4, strength=1.0, mask=[13, 20, 40, 64]),
    case("xl-inpaint-batch", "tiny-sdxl", picture(LIGHTHOUSE, 31), picture(FOX, 32), steps=6, strength=0.6, mask=[0, 8, 24, 40],
         scheduler_config={"_class_name": "DPMSolverMultistepScheduler", "use_karras_sigmas": True}),
    case("xl-inpaint-ancestral", "tiny-sdxl", picture(FOX, 33), steps=5, strength=0.8, mask=[8, 0, 48, 30], scheduler_config=EULER_ANCESTRAL),
    case("xl-inpaint-area", "tiny-sdxl", picture(FOX, 34), steps=4, strength=0.9, mask=[30, 20, 62, 68], mask_area=8, init_size=[96, 80]),
    case("xl-inpaint-unet", "tiny-sdxl", picture(LIGHTHOUSE, 35), steps=4, strength=1.0, mask=[10, 10, 38, 50], unet="tiny-xl-inpaint-unet",
         scheduler_config=EULER_ANCESTRAL),
    case("sd15-inpaint", "tiny-sd15", picture(FOX, 36), steps=5, strength=0.7, mask=[10, 24, 48, 64],
         scheduler_config={"_class_name": "DDIMScheduler", "clip_sample": False}),
    case("sd15-inpaint-unet", "tiny-sd15", picture(LIGHTHOUSE, 37), picture(FOX, 38), steps=5, strength=0.7, mask=[0, 0, 30, 64],
         unet="tiny-sd15-inpaint-unet"),
    case("xl-hires", "tiny-sdxl", picture(LIGHTHOUSE, 60), width=40, steps=4, hires=dict(scale=1.7, upscaler="latent", strength=0.75, steps=0)),
    case("xl-hires-batch", "tiny-sdxl", picture(FOX, 61), picture(LIGHTHOUSE, 62), width=32, height=48, steps=3,
         hires=dict(scale=1.5, upscaler="lanczos", strength=0.6, steps=5), scheduler_config=EULER_ANCESTRAL),
    case("sd15-hires-bicubic", "tiny-sd15", picture(FOX, 63), width=32, height=40, steps=4, hires=dict(scale=1.8, upscaler="latent-bicubic", strength=0.5, steps=6)),
    case("xl-hires-nearest", "tiny-sdxl", picture(FOX, 64), width=32, height=40, steps=3, hires=dict(scale=1.6, upscaler="latent-nearest", strength=1.0, steps=0)),
    case("xl-seamless", "tiny-sdxl", picture(LIGHTHOUSE, 80), steps=4, seamless="both"),
    case("sd15-seamless-x", "tiny-sd15", picture(FOX, 81), width=40, steps=4, seamless="x"),
    case("xl-seamless-y-from-picture", "tiny-sdxl", picture(FOX, 82), steps=5, strength=0.6, seamless="y"),
    case("ssd1b-embedding", "tiny-ssd1b", picture("a photo of ember in the snow, ember", 70, negative_prompt="ember, blurry"), embeddings=["ember"]),
    case("sd15-embeddings", "tiny-sd15", picture("<cat-toy> on a fog-2 hill", 71, negative_prompt="fog-2 and a <cat-toy>, <cat-toy>s"), picture(FOX, 72, negative_prompt="blurry"),
         embeddings=["fog-2", "toy"]),
    case("xl-refiner", "tiny-sdxl", picture(LIGHTHOUSE, 40, negative_prompt=BAD), steps=6, refiner="tiny-refiner", handover=0.6),
    case("xl-refiner-batch", "tiny-sdxl", picture(FOX, 41, aesthetic_score=7.5, negative_aesthetic_score=1.0),
         picture(LIGHTHOUSE, 42, aesthetic_score=7.5, negative_aesthetic_score=1.0), steps=8, refiner="tiny-refiner", handover=0.5,
         scheduler_config={"_class_name": "DPMSolverMultistepScheduler", "use_karras_sigmas": True}),
    case("xl-deepcache", "tiny-sdxl", picture(FOX, 20), steps=8, deepcache=dict(interval=3, branch=0)),
    case("xl-deepcache-branch", "tiny-sdxl", picture(LIGHTHOUSE, 21, guidance=1.0), steps=5, deepcache=dict(interval=2, branch=4)),
    case("ssd1b-deepcache-center", "tiny-ssd1b", picture(FOX, 22), steps=12, deepcache=dict(interval=3, branch=3, center=5, power=1.4)),
    case("xl-guidance-end", "tiny-sdxl", picture(FOX, 23, guidance_rescale=0.5), picture(LIGHTHOUSE, 24, guidance_rescale=0.5), steps=5, guidance_end=0.6),
    case("xl-deepcache-guidance-end", "tiny-sdxl", picture(FOX, 25), steps=8, guidance_end=0.5, deepcache=dict(interval=3, branch=2)),
    case("sd15-deepcache", "tiny-sd15", picture(FOX, 26, negative_prompt=BAD), steps=8, deepcache=dict(interval=4, branch=7)),
    case("lcm-unet", "tiny-sd15", picture(FOX, 27, guidance=4.0), picture(LIGHTHOUSE, 28, guidance=4.0), steps=4,
         scheduler_config={"_class_name": "LCMScheduler"}, unet="tiny-lcm-unet"),
    case("sd2-v", "tiny-sd15", picture(FOX, 9, guidance_rescale=0.7), steps=12, scheduler_config=V_PREDICTION),
]


def arguments(request, is_xl):
    """The request as keyword arguments of a diffusers pipeline."""
    pictures = request["pictures"]
    first = pictures[0]

    def column(key):
        return [p.get(key, "") for p in pictures] if any(p.get(key) for p in pictures) else None

    sized = {} if "strength" in request and "mask" not in request else dict(width=request["width"], height=request["height"])  # else the picture's size
    args = dict(**sized, num_inference_steps=request["steps"],
                guidance_scale=first["guidance"], guidance_rescale=first["guidance_rescale"],
                prompt=[p["prompt"] for p in pictures], negative_prompt=column("negative_prompt"))
    if is_xl:
        args |= dict(prompt_2=column("prompt_2"), negative_prompt_2=column("negative_prompt_2"))
        for prefix, micro in (("", first.get("micro", {})), ("negative_", first.get("negative_micro", {}))):
            args |= {prefix + {"crop_top_left": "crops_coords_top_left"}.get(key, key): tuple(value)
                     for key, value in micro.items()}
    if request["clip_skip"]:
        args["clip_skip"] = request["clip_skip"]
    if request["scheduler_config"].get("_class_name") == "TCDScheduler":
        args["eta"] = 0.3  # the scheduler's own default, which pipelines replace by 0
    return args


def init_size(request):
    return request.get("init_size", [request["width"], request["height"]])


def init_picture(request):
    """Waves, (h, w, 3) bytes."""
    width, height = init_size(request)
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return (127.5 + 100 * np.sin(x / (5 + c)) * np.cos(y / (7 - c))).round().astype(np.uint8)


def mask_picture(request):
    mask = Image.new("L", tuple(init_size(request)))
    mask.paste(255, tuple(request["mask"]))
    return mask


def once(pipeline, name, start):
    """What the pipeline's method returns is kept in `start`, or taken from there."""
    method = getattr(pipeline, name)

    def kept(*args, **kwargs):
        if name not in start:
            start[name] = method(*args, **kwargs)
        values = start[name]
        return tuple(v.to(pipeline.dtype) for v in values) if isinstance(values, tuple) else values.to(pipeline.dtype)

    setattr(pipeline, name, kept)


def from_picture(pipeline, request, start):
    """The pipeline that starts from a picture, and its arguments. Its first noisy latents are kept in `start`, or taken from there."""
    kind = AutoPipelineForInpainting if "mask" in request else AutoPipelineForImage2Image
    pipeline = kind.from_pipe(pipeline)
    pipeline.set_progress_bar_config(disable=True)
    once(pipeline, "prepare_latents", start)
    count = len(request["pictures"])
    picture = Image.fromarray(init_picture(request))
    if "mask" not in request:
        return pipeline, dict(image=[picture] * count, strength=request["strength"])
    once(pipeline, "prepare_mask_latents", start)
    several = (lambda one: one) if "mask_area" in request else (lambda one: [one] * count)
    return pipeline, dict(image=several(picture), mask_image=several(mask_picture(request)), strength=request["strength"],
                          padding_mask_crop=request.get("mask_area"))


@contextmanager
def noise_in_float32():
    """What a pipeline draws, from whatever generator, is the same in each type."""
    modules = ["models.autoencoders.vae", "pipelines.stable_diffusion.pipeline_stable_diffusion_img2img",
               "pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_img2img", "schedulers.scheduling_euler_ancestral_discrete"]

    def draw(*args, dtype=None, **kwargs):
        return randn_tensor(*args, dtype=F32, **kwargs).to(dtype)

    with ExitStack() as stack:
        for module in modules:
            stack.enter_context(patch(f"diffusers.{module}.randn_tensor", draw))
        yield


def second_pass(pipeline, request, latents):
    """The pipeline of hires fix by hand, and its arguments."""
    hires = request["hires"]
    size = [int(request[side] * hires["scale"]) // 8 * 8 for side in ("height", "width")]
    if hires["upscaler"] == "lanczos":
        decoded = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample
        pictures = pipeline.image_processor.postprocess(decoded, output_type="pil")
        image = [picture.resize(size[::-1], Image.LANCZOS) for picture in pictures]
    else:
        mode = {"latent": "bilinear", "latent-bicubic": "bicubic", "latent-nearest": "nearest-exact"}[hires["upscaler"]]
        image = torch.nn.functional.interpolate(latents, [side // 8 for side in size], mode=mode)
    pipeline = AutoPipelineForImage2Image.from_pipe(pipeline)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline, dict(image=image, strength=hires["strength"], num_inference_steps=hires["steps"] or request["steps"])


def with_what_is_kept(pipeline, request, pictures):
    """As the documentation of diffusers preserves what the mask keeps; with padding_mask_crop its pipelines do so themselves."""
    if "mask_area" not in request:
        picture, mask = Image.fromarray(init_picture(request)), mask_picture(request)
        pictures = [pipeline.image_processor.apply_overlay(mask, picture, drawn) for drawn in pictures]
    return np.stack([np.asarray(picture) for picture in pictures]) / 255


def channels_last(latents):
    return latents.permute(0, 2, 3, 1).contiguous().float().numpy()


@torch.no_grad()
def refine(request, refiner, latents, generators):
    args = arguments(request, True)
    first = request["pictures"][0]
    scores = {key: first[key] for key in ("aesthetic_score", "negative_aesthetic_score") if key in first}
    return refiner(**{key: args[key] for key in ("prompt", "negative_prompt", "num_inference_steps", "guidance_scale")}, **scores, image=latents,
                   denoising_start=request["handover"], generator=generators, output_type="latent").images


def generators_of(request):
    return [torch.Generator().manual_seed(p["seed"] % 2**32) for p in request["pictures"]]


@torch.no_grad()
def generate(pipeline, request, start=None, refiner=None):
    """-> final latents and pictures in 0..1, both (n, h, w, c) float32. The noise is drawn in float32 whatever the pipeline's dtype: a second
    run with the same `start` begins as the first."""
    generators = generators_of(request)
    if "strength" in request:
        pipeline, more = from_picture(pipeline, request, start)
    else:
        shape = (1, 4, request["height"] // 8, request["width"] // 8)
        latents = torch.cat([torch.randn(shape, generator=g) for g in generators]).to(pipeline.dtype) if pipeline.dtype != F32 else None
        more = dict(latents=latents)
    if request["clip_skip"] and not hasattr(pipeline.text_encoder, "text_model"):
        # diffusers looks for final_layer_norm where transformers had it before version 5
        object.__setattr__(pipeline.text_encoder, "text_model", pipeline.text_encoder)
    final = {}
    is_xl, steps = hasattr(pipeline, "text_encoder_2"), request["steps"]
    last_guided = next((i for i in range(steps) if i / steps >= request.get("guidance_end", 1)), steps) - 1
    halves = ["prompt_embeds", "add_text_embeds", "add_time_ids"] if is_xl else ["prompt_embeds"]

    def after_step(pipe, step, _timestep, tensors):
        final["latents"] = tensors["latents"]
        if step != last_guided or step + 1 == steps:
            return {}
        pipe._guidance_scale = 1.0  # as diffusers' documentation of callbacks does
        return {key: tensors[key].chunk(2)[-1] for key in halves}

    if "deepcache" in request:
        from .deepcache import enable  # whose package nothing else needs
        enable(pipeline, steps, **request["deepcache"], also_whole=[last_guided + 1])
    known = signature(pipeline.__call__).parameters
    args = {key: value for key, value in arguments(request, is_xl).items() if value or key in known}  # not all can rescale
    if refiner is not None:
        latents = pipeline(**args, **more, generator=generators, output_type="latent", denoising_end=request["handover"]).images
        latents = refine(request, refiner, latents, generators)
        pictures = refiner.image_processor.postprocess(pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample, output_type="np")
        return channels_last(latents), np.ascontiguousarray(pictures, np.float32)
    inpaints = "mask" in request
    if "hires" in request:
        latents = pipeline(**args, **more, generator=generators, output_type="latent").images
        pipeline, more = second_pass(pipeline, request, latents)
        args = {key: value for key, value in args.items() if key not in ("width", "height")} | {"num_inference_steps": more.pop("num_inference_steps")}
        generators = generators_of(request)
    pictures = pipeline(**args, **more, generator=generators, output_type="pil" if inpaints else "np", callback_on_step_end=after_step,
                        callback_on_step_end_tensor_inputs=["latents", *halves]).images
    if inpaints:
        pictures = with_what_is_kept(pipeline, request, pictures)
    return channels_last(final["latents"]), np.ascontiguousarray(pictures, np.float32)


def relative_l2(a, b):
    """||a - b|| / ||b|| over what is finite: masked scores are not."""
    finite = np.isfinite(b)
    a, b = a[finite], b[finite]
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def run_case(folder, request):
    """-> (values, how far diffusers' own bfloat16 is from its float32, both started from the same latents)."""
    start = {}

    def run(dtype):
        pipeline = load_pipeline(folder, dtype, request["scheduler_config"])
        if "unet" in request:
            pipeline.unet = UNet2DConditionModel.from_pretrained(folder.parent / request["unet"], torch_dtype=dtype)
        if "seamless" in request:
            make_seamless(pipeline, request["seamless"])
        for name in request.get("embeddings", []):
            load_embedding(folder.parent / "embeddings" / f"{name}.safetensors", pipeline)
        refiner = load_refiner(folder.parent / request["refiner"], pipeline) if "refiner" in request else None
        with noise_in_float32() if "hires" in request else nullcontext():
            return generate(pipeline, request, start, refiner)

    latents, pictures = run(F32)
    low_latents, low_pictures = run(BF16)
    values = {"latents": latents, "pictures": np.round(pictures * 255).astype(np.uint8)}
    if "strength" in request:
        values["init"] = init_picture(request)
    if "mask" in request:
        values["mask"] = np.asarray(mask_picture(request).convert("RGB"))
    return values, {"latents_relative_l2": relative_l2(low_latents, latents),
                    "pictures_rms": float(np.sqrt(np.mean((low_pictures - pictures) ** 2)) * 255)}
