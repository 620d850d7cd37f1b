"""What tests of generate_dataset read out of its folder."""

import json

import pyarrow.parquet
import ray


def patiently(start, clean_up):
    """What `start` returns. On a busy machine, Ray's processes may take longer to start than it waits for them: 30 s."""
    for _ in range(2):
        try:
            return start()
        except Exception:
            clean_up()
    return start()


def start_ray(**options):
    """A local Ray."""
    return patiently(lambda: ray.init(include_dashboard=False, log_to_driver=False, **options), ray.shutdown)


def write_prompts(file, rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def rows_by_id(out):
    """The rows in out/pictures by id. An id that is there twice fails."""
    rows = [row for file in sorted((out / "pictures").glob("*.parquet")) for row in pyarrow.parquet.read_table(file).to_pylist()]
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids), f"{len(ids) - len(set(ids))} ids are there twice"
    return dict(zip(ids, rows))
