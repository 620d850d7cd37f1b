"""The tiny random SDXL that tests draw with, in one pipeline for all of them, and a cluster of Ray."""

from pathlib import Path

import hayate
import pytest

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests/data/parity/tiny-sdxl"


def open_tiny(**options):
    pipe = hayate.Pipeline.from_pretrained(TINY, **options)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture(scope="session")
def shared_pipe():
    return open_tiny()


@pytest.fixture
def pipe(shared_pipe):
    return shared_pipe


@pytest.fixture
def small():
    return {"width": 48, "height": 64, "num_inference_steps": 3, "seed": 7}


@pytest.fixture(scope="session")
def cluster():
    """One node of Ray, which this process is connected to."""
    from ray_cluster import start_cluster, stop_cluster

    started = start_cluster(num_cpus=3)
    yield started
    stop_cluster(started)
