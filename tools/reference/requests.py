"""Every value of a whole request, under the names of `hayate generate --dump`: COMPONENT/RUN/VALUE."""
from contextlib import ExitStack

from .pipelines import generate
from .record import CLIP_ATTENTION, Recorder
from .tiny_models import F32, load_pipeline

# What the UNet computes from the prompt alone; hayate does so once.
ONCE = ("add_time_proj", "add_embedding", ".attn2.to_k", ".attn2.to_v")


def record_request(folder, request):
    """A request for one picture -> {name: float32 array}."""
    pipeline = load_pipeline(folder, F32, request["scheduler_config"])
    recorded = {}

    with ExitStack() as stack:
        def record(component, model, prefix=""):
            return stack.enter_context(Recorder(model, prefix))

        for component in ("text_encoder", "text_encoder_2"):
            model = getattr(pipeline, component, None)
            if model is not None:
                model.set_attn_implementation(CLIP_ATTENTION)
                has_prefix = hasattr(model, "text_projection")
                recorder = record(component, model, "" if has_prefix else "text_model.")
                file_after_call(model, recorder, runs_of_text(component), recorded)
        file_after_call(pipeline.unet, record("unet", pipeline.unet), runs_of_unet(), recorded)
        vae = record("vae", pipeline.vae)
        generate(pipeline, request)
        recorded |= {f"vae/picture1/{name}": value for name, value in vae.take().items()}
    return recorded


def file_after_call(model, recorder, runs, recorded):
    def after_call(*_):
        name_of = next(runs)
        for name, value in recorder.take().items():
            recorded.setdefault(name_of(name), value)
    model.register_forward_hook(after_call)


def runs_of_text(component):
    for run in ("prompt", "negative"):  # the order in which diffusers encodes them
        yield lambda name, run=run: f"{component}/{run}/{name}"


def runs_of_unet():
    step = 0
    while True:
        step += 1
        yield lambda name, step=step: f"unet/prompt/{name}" if any(part in name for part in ONCE) else f"unet/step{step}/{name}"
