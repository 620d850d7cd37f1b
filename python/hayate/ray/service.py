"""deployment: a Painter under Ray Serve, with the route of OpenAI's Images API."""

import asyncio
import base64
import json
import secrets
import time
from typing import Any, cast

from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hayate.errors import Error, UsageError
from hayate.ray.painter import Painter, Row, default_batch_size, gpus_of
from hayate.request import Settings

LARGEST_BODY = 1 << 20  # bytes
MOST_PICTURES = 10  # of a request, as OpenAI has it
MOST_STEPS = 150  # as `hayate serve` has it
# Of these, `model`, `quality` and `user` change nothing: a deployment has one model.
FIELDS = {
    "model", "prompt", "n", "size", "response_format", "quality", "user", "seed", "negative_prompt", "num_inference_steps", "guidance_scale"
}  # fmt: skip
OURS = ("Internal", "Io", "NotFinite")  # errors that are not the client's


def failure(status: int, message: str) -> JSONResponse:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": None}}, status_code=status)


def whole(fields: Row, name: str, least: int, most: int, default: int | None) -> int | None:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UsageError(f"{name} is {value!r}; expected {least} to {most}")
    return value


def size_of(text: Any, most_pixels: int) -> Row:
    """Width and height; nothing for the model's own."""
    if text is None or text == "auto":
        return {}
    sides = text.split("x") if isinstance(text, str) else []
    if len(sides) != 2 or not all(side.isascii() and side.isdecimal() and len(side) < 6 for side in sides):
        raise UsageError(f"size is {text!r}; expected WIDTHxHEIGHT")
    width, height = map(int, sides)
    if width * height > most_pixels:
        raise UsageError(f"size is {text}; expected at most {most_pixels} pixels")
    return {"width": width, "height": height}


def rows_of(body: bytes, most_pixels: int) -> list[Row]:
    """A row for each picture that a request asks for."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the body is not JSON: {error}") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("prompt"), str):
        raise UsageError("expected an object with a prompt")
    if unknown := fields.keys() - FIELDS:
        raise UsageError(f"there is no field {min(unknown)!r}; expected {', '.join(sorted(FIELDS))}")
    if fields.get("response_format") not in (None, "b64_json"):
        raise UsageError(f"response_format is {fields['response_format']!r}; expected b64_json")
    row: Row = {"prompt": fields["prompt"], **size_of(fields.get("size"), most_pixels)}
    for name, kinds in {"negative_prompt": (str,), "guidance_scale": (int, float)}.items():
        row[name] = fields.get(name)
        if row[name] is not None and not isinstance(row[name], kinds):
            raise UsageError(f"{name} is {row[name]!r}; expected {' or '.join(kind.__name__ for kind in kinds)}")
    row["num_inference_steps"] = whole(fields, "num_inference_steps", 1, MOST_STEPS, None)
    seed = cast(int, whole(fields, "seed", 0, 2**32 - 1, secrets.randbits(32)))
    return [{**row, "seed": (seed + i) % 2**32} for i in range(cast(int, whole(fields, "n", 1, MOST_PICTURES, 1)))]


class Images:
    """One model in one replica."""

    def __init__(self, painter: dict[str, Any], batch_wait: float, most_pixels: int) -> None:
        self.painter = Painter(fill=False, **painter)
        self.most_pixels = most_pixels
        batch = cast(Any, self.draw)
        batch.set_max_batch_size(self.painter.batch_size)
        batch.set_batch_wait_timeout_s(batch_wait)

    @serve.batch
    async def draw(self, rows: list[Row]) -> list[Row]:
        return await asyncio.to_thread(self.painter.draw, rows)

    async def __call__(self, request: Request) -> Response:
        route = request.method, request.url.path.rstrip("/")
        if route == ("GET", "/health"):
            return JSONResponse({"status": "ok"})
        if route == ("GET", "/v1/models"):
            return JSONResponse({"object": "list", "data": [{"id": self.painter.pipe.model, "object": "model", "created": 0, "owned_by": "hayate"}]})
        if route != ("POST", "/v1/images/generations"):
            return failure(404, f"there is no {route[0]} {route[1]}")
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_BODY:
                return failure(413, f"the body is larger than {LARGEST_BODY} bytes")
        try:
            rows = rows_of(body, self.most_pixels)
        except Error as error:
            return failure(400, str(error))
        return self._answer(await asyncio.gather(*(self.draw(row) for row in rows)))

    def _answer(self, drawn: list[Row]) -> Response:
        for row in drawn:
            if row["status"] != "ok":
                return failure(500 if row["status"].startswith(OURS) else 400, row["status"])
        pictures = [{"b64_json": base64.b64encode(row["image"]).decode(), "seed": row["seed"]} for row in drawn]
        return JSONResponse({"created": int(time.time()), "data": pictures})


def deployment(
    model: str = "builtin", *, device: str = "cpu", batch_size: int | None = None, batch_wait: float = 0.02, cpus_per_replica: float = 2,
    gpus_per_replica: float | None = None, min_replicas: int = 1, max_replicas: int = 1, waiting: int = 64, most_pixels: int = 2048 * 2048,
    image_format: str = "png", quality: int = 90, settings: Settings | None = None, **options: Any,
) -> serve.Application:  # fmt: skip
    """An application for `ray.serve.run()`: POST /v1/images/generations, GET /v1/models, GET /health.

    Pictures that are asked for within `batch_wait` seconds share a batch of up to `batch_size` (None: 4 on a GPU, 1 on a CPU) if their sizes allow it. A replica takes requests
    for four batches, `waiting` more may wait, beyond that they are refused with 503. Replicas come and go between `min_replicas` and
    `max_replicas`, so that each has about two batches to do. `settings` and `options` as for Painter.
    """
    gpus = gpus_per_replica if gpus_per_replica is not None else gpus_of(device)
    batch_size = default_batch_size(device) if batch_size is None else batch_size
    painter = {
        "model": model, "device": device, "batch_size": batch_size, "image_format": image_format, "quality": quality, "settings": settings, **options
    }  # fmt: skip
    replicas = serve.deployment(
        ray_actor_options={"num_gpus": gpus, "num_cpus": 1} if gpus else {"num_cpus": cpus_per_replica},
        max_ongoing_requests=4 * batch_size,
        max_queued_requests=waiting,
        autoscaling_config={"min_replicas": min_replicas, "max_replicas": max_replicas, "target_ongoing_requests": 2 * batch_size},
    )(Images)
    application: serve.Application = cast(Any, replicas).bind(painter, batch_wait, most_pixels)
    return application
