"""Pipeline: one model on one device, called as diffusers' pipelines are."""

import os
import secrets
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

import numpy as np
from tqdm.auto import tqdm

from hayate import _core, arrays, cuda_libraries
from hayate.arrays import Floats
from hayate.errors import HayateWarning, UnsupportedError, UsageError
from hayate.hub_cache import hub_cache
from hayate.request import Settings, Text, build, choice, set_field, suggestion
from hayate.result import Result

LoraLike: TypeAlias = _core.Lora | str | os.PathLike[str] | tuple[str | os.PathLike[str], float]
# Called after each step as callback(pipe, step, timestep, {"latents": (pictures, 4, height/8, width/8)}), steps from 0.
OnStepEnd: TypeAlias = Callable[["Pipeline", int, float, dict[str, Any]], Any]
Embeds: TypeAlias = tuple[Floats, Floats | None, Floats, Floats | None]


# What diffusers' pipelines also have, and what to do here instead.
INSTEAD = {
    "to": "from_pretrained(device=...)", "scheduler": "the setting scheduler=... of a call", "load_lora_weights": "set_loras([...])",
    "unload_lora_weights": "set_loras([])", "load_textual_inversion": "from_pretrained(embeddings=[...])", "vae": "from_pretrained(vae=...)",
    "unet": "from_pretrained(unet=...)", "text_encoder": "from_pretrained(text_encoder=...)", "text_encoder_2": "from_pretrained(text_encoder_2=...)",
    "enable_model_cpu_offload": "from_pretrained(memory_limit=...)", "enable_sequential_cpu_offload": "from_pretrained(low_memory=True), on the CPU",
    "enable_vae_tiling": "from_pretrained(vae_tiling='on')", "enable_vae_slicing": "done anyway: pictures are decoded one by one",
    "enable_attention_slicing": "done anyway: attention stores no scores", "enable_xformers_memory_efficient_attention": "done anyway, from rung 'attention' on",
    "fuse_qkv_projections": "from_pretrained(rung='projections')", "fuse_lora": "done anyway by set_loras([...])", "set_adapters": "set_loras([(file, weight)])",
    "load_ip_adapter": "missing", "enable_freeu": "missing", "save_pretrained": "the program's: hayate convert",
}  # fmt: skip
# What diffusers' from_pretrained() also takes.
OPTIONS_INSTEAD = {
    "variant": "found: the most precise files that the model has are read", "use_safetensors": "always so", "safety_checker": "missing",
    "low_cpu_mem_usage": "always so", "device_map": "device='cuda', or 'cuda:0,1'", "cache_dir": "hub_cache", "local_files_only": "always so: nothing is downloaded",
    "revision": "the path of a snapshot", "scheduler": "the setting scheduler=... of a call", "token": "not needed: nothing is downloaded",
}  # fmt: skip


def lora(given: LoraLike) -> _core.Lora:
    """A file, or (file, weight)."""
    if isinstance(given, _core.Lora):
        return given
    file, *weight = given if isinstance(given, tuple) else (given,)
    try:
        return _core.Lora(os.fspath(file), *weight)
    except TypeError as error:
        raise UsageError(f"a LoRA is {given!r}; expected a file, or (file, weight)") from error


def path(given: Any, what: str) -> str:
    try:
        return os.fsdecode(given)
    except TypeError as error:
        raise UsageError(f"{what} is {given!r}; expected a path") from error


def named_dtype(given: Any, what: str) -> str:
    """As torch names it."""
    names = {"torch.bfloat16": "bf16", "torch.float16": "fp16"}
    if str(given) not in names:
        raise UsageError(f"{what} is {given}; the precision is the rung's: rung='fp32', or dtype='bf16' or 'fp16'")
    return names[str(given)]


def listed(given: Any) -> list[Any]:
    """A single file, or (file, weight), as a list of one."""
    single = isinstance(given, (str, os.PathLike)) or isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], (int, float))
    return list(given) if isinstance(given, Sequence) and not single else [given]


class Pipeline:
    """A model on a device. It may be called from several threads: their requests wait for each other. Ctrl-C ends a request within a step."""

    __slots__ = ("__weakref__", "_gpu", "_progress", "_session", "_timings")  # what diffusers' users would assign, such as a scheduler, is refused

    def __init__(self, options: _core.Options):
        found = cuda_libraries.load() if options.device.startswith("cuda") else []
        self._progress: dict[str, Any] = {}
        self._timings: _core.Timings | None = None
        try:
            self._session = _core.Session(options)
        except UnsupportedError as error:
            if options.device.startswith("cuda") and len(found) < len(cuda_libraries.LIBRARIES):
                error.add_note(cuda_libraries.HINT)
            raise
        self._gpu = self._session.gpu
        self._warn()

    @classmethod
    def from_pretrained(
        cls, model: str | os.PathLike[str] = "builtin", *, device: str | None = None, rung: str | None = None, loras: Sequence[LoraLike] = (),
        embeddings: Sequence[str | os.PathLike[str]] = (), torch_dtype: Any = None, **options: Any,
    ) -> "Pipeline":  # fmt: skip
        """Opens a model.

        model: a diffusers folder, a .safetensors file, "org/name" in the cache of Hugging Face, or "builtin".
        device: "cpu", "cuda", "cuda:1", "cuda:0,1" (one picture on two GPUs) or "reference"; None: cpu.
        rung: how much is optimised, one of hayate.rungs(); None: the fastest that changes nothing but rounding.
        loras: files, or (file, weight), added to the weights.
        embeddings: files of textual inversion, whose names are words of prompts.
        options: any other field of hayate.Options: refiner, vae, tiny_decoder, unet, text_encoder, dtype ("bf16", "fp16"), vae_tiling ("automatic", "on",
            "off"), memory_limit (bytes), lora_folder, quantize_layers, deterministic, random ("sdxl": random weights, to measure speed) and so on.
        """
        chosen = _core.Options()
        chosen.model = "" if model == "builtin" else path(model, "model")
        chosen.hub_cache = hub_cache()
        chosen.loras = [lora(one) for one in listed(loras)]
        chosen.embeddings = [path(one, "an embedding") for one in listed(embeddings)]
        if torch_dtype is not None:
            options["dtype"] = named_dtype(torch_dtype, "torch_dtype")
        elif not isinstance(options.get("dtype", ""), str):
            options["dtype"] = named_dtype(options["dtype"], "dtype")
        if "vae_tiling" in options:
            chosen.vae_tiling = choice(_core.VaeTiling, options.pop("vae_tiling"), "vae_tiling")
        for name, value in {"device": device, "rung": rung, **options}.items():
            if not hasattr(chosen, name):
                hint = f"; here it is {OPTIONS_INSTEAD[name]}" if name in OPTIONS_INSTEAD else suggestion(name, dir(chosen))
                raise UsageError(f"there is no option {name!r}{hint}")
            if value is not None:
                set_field(chosen, name, os.fspath(value) if isinstance(value, os.PathLike) else value, name)
        return cls(chosen)

    from_single_file = from_pretrained  # diffusers' name for it, where the model is a file

    def __call__(
        self, prompt: Text | None = None, *, callback_on_step_end: OnStepEnd | None = None,
        callback_on_step_end_tensor_inputs: Sequence[str] = ("latents",), return_dict: bool = True, **settings: Unpack[Settings],
    ) -> Result:  # fmt: skip
        """Draws pictures: of one prompt, or of several different ones in one batch.

        The settings are named as diffusers names them, and listed with their meanings in hayate.Settings: negative_prompt,
        num_inference_steps (30), guidance_scale (5.0), seed, width, height (the model's own), num_images_per_prompt, scheduler, image, strength,
        mask_image, latents, prompt_embeds and so on. Defaults are those of the C++ API.

        callback_on_step_end is called as callback(pipe, step, timestep, {"latents": array}); what it raises ends the request and is raised here.
        Raises hayate.Error, of a class that says what kind (hayate.errors). Ctrl-C raises KeyboardInterrupt.
        """
        if callback_on_step_end is not None and not callable(callback_on_step_end):
            raise UsageError(f"callback_on_step_end is {callback_on_step_end!r}; expected something to call")
        if list(callback_on_step_end_tensor_inputs) != ["latents"]:
            raise UsageError(f"callback_on_step_end_tensor_inputs is {callback_on_step_end_tensor_inputs!r}; expected ['latents']: callbacks are told nothing else")
        if not return_dict:
            raise UsageError("return_dict is False; a call returns a Result, whose `images` are diffusers' first of the tuple")
        request = self._build(prompt, settings, secrets.randbits(32))
        with tqdm(total=None, **{"leave": False, **self._progress}) as bar:
            drawn = self._session.draw(request, self._on_step(bar, callback_on_step_end))
        self._warn()
        self._timings = drawn.timings
        return Result(drawn, [picture.seed for picture in request.pictures])

    def encode_prompt(self, prompt: Text, **settings: Unpack[Settings]) -> Embeds:
        """prompt_embeds, negative_prompt_embeds, pooled_prompt_embeds, negative_pooled_prompt_embeds, in diffusers' order; the negative ones are None
        without guidance. Shapes: (pictures, tokens, width) and (pictures, pooled width). They lie on the host, where chunks of prompts are weighed and joined."""
        encoded = self._session.encode_prompts(self._build(prompt, settings))
        self._warn()
        texts, negatives = [e.prompt for e in encoded], [e.negative for e in encoded if e.negative is not None]

        def stacked(parts: list[_core.PromptEmbeds], name: str) -> Floats | None:
            return np.stack([getattr(part, name) for part in parts]) if parts else None

        hidden, pooled = stacked(texts, "hidden"), stacked(texts, "pooled")
        assert hidden is not None and pooled is not None
        return hidden, stacked(negatives, "hidden"), pooled, stacked(negatives, "pooled")

    def set_loras(self, loras: Sequence[LoraLike]) -> _core.LoraChange:
        """Takes these instead of those before. Only weights that change are prepared again."""
        change = self._session.set_loras([lora(one) for one in listed(loras)])
        self._warn()
        return change

    def forecast(self, prompt: Text = "", **settings: Unpack[Settings]) -> _core.MemoryForecast:
        """The memory that a call would take. Reads no weights."""
        return self._session.forecast(self._build(prompt, settings))

    def picture_size(self, prompt: Text = "", **settings: Unpack[Settings]) -> tuple[int, int]:
        """Width and height of the pictures that a call would draw; raises what the call would raise for its settings."""
        width, height = self._session.picture_size(self._build(prompt, settings))
        return width, height

    def stop(self) -> None:
        """From another thread: ends what is drawn now, within a step, with hayate.CancelledError."""
        self._session.stop()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            hint = f"; here it is {INSTEAD[name]}" if name in INSTEAD else ""
            raise AttributeError(f"hayate.Pipeline has no attribute {name!r}{hint}")

    def set_progress_bar_config(self, **options: Any) -> None:
        """Passed on to tqdm: disable=True, desc="...", and so on."""
        self._progress = options

    @property
    def timings(self) -> _core.Timings | None:
        """Of the last call; None before the first."""
        return self._timings

    @property
    def device(self) -> str:
        """What it runs on, with versions, for people."""
        return self._session.device

    @property
    def rung(self) -> str:
        return self._session.rung

    @property
    def model(self) -> str:
        """The model's name, for people."""
        return self._session.model

    @property
    def native_size(self) -> tuple[int, int]:
        """Width and height of pictures without `width` and `height`."""
        width, height = self._session.native_size
        return width, height

    def __repr__(self) -> str:
        return f"<hayate.Pipeline: {self.model} on {self.device}, rung {self.rung}>"

    def _build(self, prompt: Text | None, settings: Settings, first_seed: int = 0) -> _core.Request:
        return build(prompt, settings, self._gpu, first_seed)

    def _on_step(self, bar: "tqdm[Any]", callback: OnStepEnd | None) -> Callable[[int, int, float, Floats], None]:
        def on_step(step: int, steps: int, timestep: float, latents: Floats) -> None:
            bar.total = steps
            bar.update(step - bar.n)
            if callback is None:
                return
            given = {"latents": arrays.channels_first(latents)}
            returned = callback(self, step - 1, timestep, dict(given))
            if isinstance(returned, dict) and any(returned.get(key, value) is not value for key, value in given.items()):
                raise UnsupportedError("callback_on_step_end returned other latents; they can be read, not replaced")

        return on_step

    def _warn(self) -> None:
        for text in self._session.take_warnings():
            warnings.warn(text, HayateWarning, stacklevel=3)
