"""A cluster of Ray on this machine, and what tests of generate_dataset give it and read out of its folder."""

import io
import json
import os

import numpy as np
import pyarrow.parquet
import ray
from PIL import Image
from ray.cluster_utils import Cluster

# Ray's processes have as long to start as a busy machine needs; else they take each other for dead, and all end.
PATIENCE = 300
for name in ("gcs_server_port_wait_time_s", "raylet_start_wait_time_s", "worker_register_timeout_seconds"):
    os.environ.setdefault(f"RAY_{name}", str(PATIENCE))
os.environ.setdefault("RAY_agent_register_timeout_ms", str(PATIENCE * 1000))
os.environ.setdefault("RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S", str(PATIENCE))


def start_cluster(num_cpus):
    """One node, which this process is connected to; add_node() adds others. Where it takes more than the 30 s that Ray waits for it, once more."""
    for attempts_left in (2, 1, 0):
        cluster = Cluster()
        try:
            cluster.add_node(num_cpus=num_cpus, include_dashboard=False)
            ray.init(address=cluster.address, log_to_driver=False)
            return cluster
        except Exception:
            stop_cluster(cluster)
            if not attempts_left:
                raise


def stop_cluster(cluster):
    ray.shutdown()
    cluster.shutdown()


def write_prompts(file, rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def rows_by_id(out):
    """The rows in out/pictures by id. An id that is there twice fails."""
    rows = [row for file in sorted((out / "pictures").glob("*.parquet")) for row in pyarrow.parquet.read_table(file).to_pylist()]
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids), f"{len(ids) - len(set(ids))} ids are there twice"
    return dict(zip(ids, rows))


def largest_difference(a, b):
    """Of the pixels of two files."""
    first, second = (np.asarray(Image.open(io.BytesIO(file))).astype(int) for file in (a, b))
    return np.abs(first - second).max()
