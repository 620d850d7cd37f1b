"""hayate.ray on a small local Ray: a file of prompts with bad rows, resumed."""

import hashlib
import io

import hayate
import pytest
from conftest import TINY
from PIL import Image

pytest.importorskip("ray.data")
import hayate.ray  # noqa: E402
from hayate.ray.painter import gpus_of  # noqa: E402
from ray_cluster import largest_difference, rows_by_id, write_prompts  # noqa: E402

SETTINGS = {"width": 48, "height": 64, "num_inference_steps": 2}
ROWS = [{"id": f"row-{i}", "prompt": f"a castle with {i} towers", "negative_prompt": "night" if i % 2 else None} for i in range(6)] + [
    {"id": "wide", "prompt": "two boats", "width": 64},
    {"id": "odd", "prompt": "two boats", "width": 50},
    {"id": "../none", "prompt": None},
]


def generate(prompts, out, **options):
    return hayate.ray.generate_dataset(
        prompts, str(out), **{"model": str(TINY), "rows_per_file": 4, "cpus_per_actor": 1, "settings": SETTINGS, **options}
    )


@pytest.fixture(scope="module")
def drawn(cluster, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ray")
    prompts = write_prompts(folder / "prompts.jsonl", ROWS)
    return prompts, folder / "out", generate(prompts, folder / "out")


def test_each_row_once_and_bad_ones_say_why(drawn):
    _, out, summary = drawn
    assert (summary.pictures, summary.failed) == (7, 2)
    rows = rows_by_id(out)
    assert rows.keys() == {row["id"] for row in ROWS}
    assert "width is 50" in rows["odd"]["status"] and "prompt" in rows["../none"]["status"] and rows["odd"]["image"] is None
    for row in rows.values():
        if row["status"] == "ok":
            assert hashlib.sha256(row["image"]).hexdigest() == row["sha256"]
            assert Image.open(io.BytesIO(row["image"])).size == (64 if row["id"] == "wide" else 48, 64) == (row["width"], row["height"])


def test_bytes_do_not_depend_on_neighbours(drawn):
    rows = rows_by_id(drawn[1])
    for row, again in zip(ROWS[::-1], hayate.ray.Painter(str(TINY), settings=SETTINGS).draw(ROWS[::-1])):
        assert again["image"] == rows[row["id"]]["image"]


def test_batches_are_filled_up():
    alone, together = (hayate.ray.Painter(str(TINY), batch_size=size, rung="fp32", settings=SETTINGS).draw(ROWS) for size in (1, 4))
    for one, other in zip(alone, together):
        assert one["status"] == other["status"] and one["seed"] == other["seed"]
        assert one["image"] is None or largest_difference(one["image"], other["image"]) <= 3


def test_is_done_when_it_is_done_and_goes_on_with_what_is_new(drawn):
    prompts, out, summary = drawn
    files = {file: file.stat().st_mtime_ns for file in (out / "pictures").iterdir()}
    assert generate(prompts, out) == summary
    assert {file: file.stat().st_mtime_ns for file in (out / "pictures").iterdir()} == files
    with pytest.raises(hayate.UsageError, match="other settings"):
        generate(prompts, out, batch_size=3)


def test_pictures_in_files_of_their_own(cluster, tmp_path):
    prompts = tmp_path / "prompts.csv"
    prompts.write_text('id,prompt\n1,a castle\n2,"two boats, at night"\n')
    assert generate(str(prompts), tmp_path / "out", files=True, image_format="webp").pictures == 2
    rows = rows_by_id(tmp_path / "out")
    assert {file.name for file in (tmp_path / "out/files").iterdir()} == {rows[1]["file"], rows[2]["file"]} == {"1.webp", "2.webp"}
    assert hashlib.sha256((tmp_path / "out/files/2.webp").read_bytes()).hexdigest() == rows[2]["sha256"]


@pytest.mark.parametrize(
    "rows, text", [([{"id": "a", "prompt": "x"}] * 2, "'a' is there twice"), ([{"id": None, "prompt": "x"}], "None"), ([{"prompt": "x"}], "`id`")]
)
def test_ids_are_checked_first(cluster, tmp_path, rows, text):
    with pytest.raises(hayate.UsageError, match=text):
        generate(write_prompts(tmp_path / "prompts.jsonl", rows), tmp_path / "out")


def test_gpus_are_counted():
    assert [gpus_of(device) for device in ("cpu", "cuda", "cuda:1", "cuda:0,1")] == [0, 1, 1, 2]


def test_refuses_what_cannot_be(cluster, tmp_path):
    with pytest.raises(hayate.NotFoundError):
        generate(str(tmp_path / "none.csv"), tmp_path / "out")
    with pytest.raises(hayate.UsageError, match=".parquet"):
        generate(str(tmp_path / "prompts.txt"), tmp_path / "out")
    with pytest.raises(hayate.UsageError, match="batch_size 1"):
        hayate.ray.Painter(str(TINY), batch_size=2, settings={"prompt_syntax": "a1111"})
    with pytest.raises(hayate.UsageError, match="nonsense"):
        hayate.ray.Painter(str(TINY), settings={"scheduler": "nonsense"})
    with pytest.raises(hayate.UsageError, match="gif"):
        hayate.ray.Painter(str(TINY), image_format="gif")
    with pytest.raises(hayate.NotFoundError, match="nowhere"):
        generate(write_prompts(tmp_path / "prompts.jsonl", ROWS), tmp_path / "out", model=str(tmp_path / "nowhere"))
