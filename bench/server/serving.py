"""A `hayate serve` to put under load, requests over plain asyncio sockets, and what the process takes."""

import asyncio
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.request

TINY = {"prompt": "a red castle", "width": 64, "height": 64, "steps": 2}


class Server:
    def __init__(self, program, *options, port=0):
        self.process = subprocess.Popen([program, "serve", "--port", str(port), "--quiet", "--rate", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = self.process.stdout.readline().strip()
        self.port = int(self.address.rsplit(":", 1)[1])

    def resident_mib(self):
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(120)


@contextlib.contextmanager
def serving(program, *options, port=0):
    server = Server(program, *options, port=port)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


async def connect(server):
    return await asyncio.open_connection("127.0.0.1", server.port, limit=2**26)


def request(method, path, body=None):
    data = json.dumps(body).encode() if body is not None else b""
    return (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n").encode() + data


async def ask(server, method, path, body=None):
    """Status, headers and body; status 0 where the connection ends without an answer."""
    try:
        reader, writer = await connect(server)
    except OSError:
        return -1, {}, b""  # nobody listens
    try:
        writer.write(request(method, path, body))
        answer = await reader.read()
    except OSError:
        answer = b""
    finally:
        writer.close()
    head, _, rest = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    return (int(lines[0].split()[1]) if len(lines[0].split()) > 1 else 0), headers, rest


async def timed_health(server, times, pause=0.0):
    """Seconds of each of so many /health, one after another. Measured by a process of its own: the load comes from this one, which would wait for itself."""
    command = [sys.executable, __file__, str(server.port), str(times), str(pause)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0, process.returncode
    return [float(line) for line in output.split()]


def print_health_times(port, times, pause):
    for _ in range(times):
        start = time.perf_counter()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
            answer.read()
        print(time.perf_counter() - start)
        time.sleep(pause)


def times_text(seconds):
    ordered = sorted(seconds)
    return f"median {statistics.median(ordered) * 1e3:.1f} ms, 99 of 100 within {ordered[len(ordered) * 99 // 100] * 1e3:.1f} ms, slowest {ordered[-1] * 1e3:.1f} ms of {len(ordered)}"


async def until_idle(server, limit=30.0):
    """Seconds until no request is unfinished."""
    start = time.perf_counter()
    while time.perf_counter() - start < limit:
        _, _, body = await ask(server, "GET", "/health")
        if json.loads(body)["unfinished"] == 0:
            return time.perf_counter() - start
        await asyncio.sleep(0.01)
    raise AssertionError("still busy")


if __name__ == "__main__":
    print_health_times(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
