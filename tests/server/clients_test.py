"""The official clients against the server: openai, webuiapi, and Prometheus' own parser. Argument: the program."""

import base64
import io
import sys
import urllib.request

from serving import need, server

openai, webuiapi, prometheus_parser, pil = need("openai", "webuiapi", "prometheus_client.parser", "PIL.Image")


def half_transparent(side):
    """Transparent in its left half."""
    mask = pil.new("RGBA", (side, side), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (0, 0, side // 2, side))
    return mask


def check_openai(address):
    client = openai.OpenAI(base_url=address + "/v1", api_key="none")
    assert [m.id for m in client.models.list()] == ["built-in"]
    settings = dict(model="gpt-image-1", prompt="a red castle", size="64x64", extra_body={"steps": 2, "seed": 3})
    answer = client.images.generate(n=2, **settings)
    pictures = [pil.open(io.BytesIO(base64.b64decode(image.b64_json))) for image in answer.data]
    assert [p.size for p in pictures] == [(64, 64)] * 2 and pictures[0].tobytes() != pictures[1].tobytes()
    events = list(client.images.generate(stream=True, partial_images=2, **{**settings, "size": "256x256", "extra_body": {"steps": 30}}))
    assert events[-1].type == "image_generation.completed", events
    assert all(e.type == "image_generation.partial_image" for e in events[:-1]) and len(events) >= 2, [e.type for e in events]
    source = base64.b64decode(answer.data[0].b64_json)
    edited = client.images.edit(image=("source.png", source, "image/png"), **settings)
    assert pil.open(io.BytesIO(base64.b64decode(edited.data[0].b64_json))).size == (64, 64)
    mask = io.BytesIO()
    half_transparent(64).save(mask, "PNG")
    inpainted = client.images.edit(image=("source.png", source, "image/png"), mask=("mask.png", mask.getvalue(), "image/png"), **settings)
    before, after = (pil.open(io.BytesIO(file)) for file in (source, base64.b64decode(inpainted.data[0].b64_json)))
    left, right = (0, 0, 32, 64), (32, 0, 64, 64)
    assert before.crop(left).tobytes() != after.crop(left).tobytes() and before.crop(right).tobytes() == after.crop(right).tobytes()
    try:
        client.images.generate(model="gpt-image-1", prompt="a", size="65x65")
        raise AssertionError("no error")
    except openai.BadRequestError as error:
        assert "width" in error.message and error.code == "invalid_value", error
    try:
        client.models.retrieve("absent")
        raise AssertionError("no error")
    except openai.NotFoundError:
        pass


def check_webuiapi(address):
    host, port = address.removeprefix("http://").split(":")
    api = webuiapi.WebUIApi(host=host, port=int(port), sampler="Euler a", steps=2)
    result = api.txt2img(prompt="a (red:1.2) castle", seed=3, width=64, height=64, cfg_scale=6)
    assert result.image.size == (64, 64) and result.info["all_seeds"] == [3], result.info
    again = api.img2img(images=[result.image], prompt="a castle", seed=3, steps=4, width=64, height=64, denoising_strength=0.5)
    assert again.image.size == (64, 64) and "Denoising strength: 0.5" in again.info["infotexts"][0], again.info
    inpainted = api.img2img(
        images=[result.image], mask_image=half_transparent(64).getchannel("A").convert("RGB"), mask_blur=0, inpainting_fill=1, inpaint_full_res=False,
        prompt="a castle", seed=3, steps=4, width=64, height=64, denoising_strength=0.5)
    left = (0, 0, 32, 64)  # black
    assert inpainted.image.crop(left).tobytes() == result.image.crop(left).tobytes() and inpainted.image.tobytes() != result.image.tobytes()
    by_default = api.img2img(images=[result.image], mask_image=half_transparent(64).getchannel("A").convert("RGB"), prompt="a castle", seed=3, steps=4, width=64, height=64)
    assert by_default.image.size == (64, 64) and "Masked content: fill" in by_default.info["infotexts"][0], by_default.info
    larger = api.txt2img(prompt="a castle", seed=3, width=64, height=64, tiling=True, enable_hr=True, hr_scale=1.5, hr_upscaler=webuiapi.HiResUpscaler.Latent, denoising_strength=0.6)
    assert larger.image.size == (96, 96) and "Hires upscale: 1.5, Hires steps: 4, Hires upscaler: Latent, Tiling: True" in larger.info["infotexts"][0], larger.info
    assert "Sampler: Euler a" in api.png_info(result.image).info
    assert api.get_embeddings()["loaded"] == {} and [u["name"] for u in api.get_upscalers()] == ["Lanczos"]
    assert api.get_progress()["progress"] == 0
    assert "DPM++ 2M" in [s["name"] for s in api.get_samplers()]
    assert [m["title"] for m in api.get_sd_models()] == ["built-in"]
    assert api.util_get_current_model() == "built-in"
    options = api.get_options()
    api.set_options(options)
    api.interrupt(), api.skip()


def check_metrics(address):
    text = urllib.request.urlopen(address + "/metrics").read().decode()
    families = {f.name: f for f in prometheus_parser.text_string_to_metric_families(text)}
    done = [s for s in families["hayate_jobs"].samples if s.labels.get("outcome") == "done"]
    assert {s.labels["api"] for s in done} == {"openai", "a1111"}, done
    assert families["hayate_step_seconds"].type == "histogram"


with server(sys.argv[1]) as (address, process):
    check_openai(address)
    check_webuiapi(address)
    check_metrics(address)
print("clients: ok")
