"""Nodes draw on the built-in model while actors, one node and the driver together with another node are killed: every id once, with the bytes that one
process draws undisturbed."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

psutil = pytest.importorskip("psutil")
pytest.importorskip("ray.data")
from hayate.ray import Painter  # noqa: E402
from ray_cluster import PATIENCE, rows_by_id, write_prompts  # noqa: E402
from ray_driver import ROWS_PER_FILE, SETTINGS, generate  # noqa: E402


def committed(out):
    """Rows that are known to be written."""
    return sum(not file.name.endswith(".pending.parquet") for file in (out / "checkpoint").glob("*.parquet")) * ROWS_PER_FILE


def wait_for_rows(out, count, driver):
    """Until so many are written. The driver must not have ended by then."""
    end = time.monotonic() + PATIENCE
    while committed(out) < count:
        assert time.monotonic() < end, f"{committed(out)} rows after {PATIENCE} s, expected {count}"
        assert driver.poll() is None
        time.sleep(0.02)


def actors_of(cluster):
    """Processes that draw, on all nodes."""
    nodes = [psutil.Process(info.process.pid) for node in cluster.list_all_nodes() for info in node.all_processes["raylet"]]
    workers = [worker for node in nodes for worker in node.children(recursive=True)]
    return [worker for worker in workers if "MapWorker" in " ".join(worker.cmdline())]


def kill_one_of(processes, chance):
    assert processes
    chance.choice(processes).kill()


@pytest.mark.parametrize("count, actors", [(64, 1), pytest.param(1000, 4, marks=pytest.mark.full)])
def test_each_id_once_whatever_dies(cluster, tmp_path, count, actors):
    rows = [{"id": f"row-{i}", "prompt": f"a castle with {i} towers"} for i in range(count)]
    prompts, out = write_prompts(tmp_path / "prompts.jsonl", rows), tmp_path / "out"
    expected = Painter("builtin", settings=SETTINGS).draw(rows)

    chance = random.Random(count)
    second, third = cluster.add_node(num_cpus=3), cluster.add_node(num_cpus=3)
    driver = subprocess.Popen([sys.executable, Path(__file__).with_name("ray_driver.py"), cluster.address, prompts, out])
    try:
        deaths = sorted(chance.sample(range(1, count * 3 // 8), actors + 1))  # when so many rows are written
        of_node = chance.choice(deaths)
        for written in deaths:
            wait_for_rows(out, written, driver)
            if written == of_node:
                cluster.remove_node(second, allow_graceful=False)
            else:
                kill_one_of(actors_of(cluster), chance)
        wait_for_rows(out, count // 2, driver)
    finally:
        driver.kill()
        driver.wait()
        cluster.remove_node(third, allow_graceful=False)  # Ray still counts on it when the run goes on
    done = committed(out)  # on a machine where the rest was written meanwhile, all of it

    assert generate(prompts, str(out)).pictures == count
    drawn = rows_by_id(out)
    assert drawn.keys() == {row["id"] for row in rows}
    assert all(drawn[row["id"]]["image"] == one["image"] and drawn[row["id"]]["seed"] == one["seed"] for row, one in zip(rows, expected))
    print(f"{count} prompts: {actors} actors killed, one node after {of_node} rows, the driver and another node after {done}; all ids once, all bytes equal")
