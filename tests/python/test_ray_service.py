"""hayate.ray.deployment: what OpenAI's route takes, and a service on the local cluster."""

import base64
import io
import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import hayate
import pytest
from conftest import TINY
from PIL import Image

serve = pytest.importorskip("ray.serve")
import hayate.ray  # noqa: E402
from hayate.ray.service import rows_of  # noqa: E402
from ray_cluster import largest_difference  # noqa: E402

SETTINGS = {"width": 48, "height": 64, "num_inference_steps": 2}
PORT = 18123


def test_a_row_for_each_picture():
    rows = rows_of(b'{"prompt": "a castle", "n": 2, "seed": 4294967295, "size": "64x48", "guidance_scale": 3}', 4096)
    common = {"prompt": "a castle", "width": 64, "height": 48, "guidance_scale": 3, "negative_prompt": None, "num_inference_steps": None}
    assert rows == [{**common, "seed": 2**32 - 1}, {**common, "seed": 0}]
    assert rows_of(b'{"prompt": "a"}', 4096) != rows_of(b'{"prompt": "a"}', 4096)


@pytest.mark.parametrize(
    "body",
    [
        {}, [], None, {"prompt": 5}, {"prompt": "a", "size": "9x"}, {"prompt": "a", "size": "65x64"}, {"prompt": "a", "size": 64},
        {"prompt": "a", "size": "²x²"}, {"prompt": "a", "n": 99}, {"prompt": "a", "n": True}, {"prompt": "a", "x": 1}, {"prompt": "a", "seed": -1},
        {"prompt": "a", "seed": 2**64}, {"prompt": "a", "guidance_scale": "much"}, {"prompt": "a", "num_inference_steps": 10**9},
        {"prompt": "a", "negative_prompt": ["b"]}, {"prompt": "a", "response_format": "url"},
    ],
)  # fmt: skip
def test_refuses_the_rest(body):
    with pytest.raises(hayate.UsageError):
        rows_of(json.dumps(body).encode(), 4096)


@pytest.mark.parametrize("body", [b"", b"{" * 100_000, b"[" * 100_000, b"\xff"])
def test_refuses_what_is_no_json(body):
    with pytest.raises(hayate.UsageError, match="JSON"):
        rows_of(body, 4096)


def ask(path, body=None):
    """The status, and what the answer holds."""
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    try:
        with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", content), timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def draw(**fields):
    return ask("/v1/images/generations", {"prompt": "a castle", **fields})


@pytest.fixture(scope="module")
def service(cluster):
    serve.start(http_options={"host": "127.0.0.1", "port": PORT})
    serve.run(hayate.ray.deployment(str(TINY), rung="fp32", batch_size=2, waiting=1, cpus_per_replica=1, settings=SETTINGS))
    yield
    serve.shutdown()


def test_a_service(service):
    assert ask("/health") == (200, {"status": "ok"})
    assert ask("/v1/models")[1]["data"][0]["id"] == "tiny-sdxl"
    status, answer = draw(n=2, seed=7, size="64x48")
    assert status == 200 and [picture["seed"] for picture in answer["data"]] == [7, 8]
    pictures = [base64.b64decode(picture["b64_json"]) for picture in answer["data"]]
    assert Image.open(io.BytesIO(pictures[0])).size == (64, 48) and pictures[0] != pictures[1]
    painter = hayate.ray.Painter(str(TINY), rung="fp32", settings=SETTINGS)
    drawn = painter.draw([{"prompt": "a castle", "seed": seed, "width": 64, "height": 48} for seed in (7, 8)])
    assert all(largest_difference(row["image"], picture) <= 3 for row, picture in zip(drawn, pictures))

    status, text = draw(size="50x64")
    assert status == 400 and "width is 50" in json.loads(text)["error"]["message"]
    assert ask("/nowhere")[0] == 404 and ask("/v1/images/generations", b" " * (2 << 20))[0] == 413


def test_refuses_what_cannot_wait(service):
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: draw(num_inference_steps=150)[0], range(16)))
    assert set(statuses) == {200, 503}
    assert draw()[0] == 200
