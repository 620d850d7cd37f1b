#!/usr/bin/env python3
"""Times rows of cpu_network.py at the same time, each on cores of its own, so that what a machine's neighbours do meets all of them alike.

Where there are fewer cores than rows ask for, the others wait until some are free. Other arguments are cpu_network.py's; its `--threads` is the number of
cores a row gets, which should be whole ones (`lscpu -e`). A row that is given several times is measured on several sets of cores.

  bench/peers/cpu_side_by_side.py --rows hayate-projections openvino-bf16 compile-bf16 hayate-projections --random sdxl --size 512 --threads 2 \\
    --hayate build/release/hayate --json cpu-side-by-side.json
"""
import argparse
import concurrent.futures
import json
import os
import queue
import subprocess
import sys
import tempfile
from pathlib import Path

NETWORK = Path(__file__).with_name("cpu_network.py")


def measure(name, cores, arguments):
    """The report of one row, by a process that is held to some cores."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "row.json"
        held = ["taskset", "-c", ",".join(map(str, cores)), sys.executable, NETWORK]
        subprocess.run([*held, *arguments, "--threads", str(len(cores)), "--rows", name, "--json", report], check=True)
        return json.loads(report.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", required=True)
    parser.add_argument("--threads", type=int, default=2, help="of every row")
    parser.add_argument("--json", type=Path, required=True)
    args, passed_on = parser.parse_known_args()

    cores = sorted(os.sched_getaffinity(0))
    free = queue.Queue()
    for first in range(0, len(cores) - args.threads + 1, args.threads):
        free.put(cores[first : first + args.threads])
    if free.empty():
        parser.error(f"--threads {args.threads}: this process may use {len(cores)} cores")

    def row(name):
        mine = free.get()
        try:
            made = measure(name, mine, passed_on)
        finally:
            free.put(mine)
        return dict(row=name, cores=mine, machine=made["machine"], model=made["model"], size=made["size"], **made["rows"][name])

    with concurrent.futures.ThreadPoolExecutor(free.qsize()) as pool:
        rows = list(pool.map(row, args.rows))
    args.json.write_text(json.dumps(dict(rows=rows), indent=2) + "\n")


if __name__ == "__main__":
    main()
