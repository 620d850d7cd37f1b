#!/usr/bin/env python3
"""Load and faults: prints one line of Markdown for each scenario. load.py PROGRAM [SCENARIO...] [--scale 0.1] [--minutes 8]"""

import argparse
import asyncio
import collections
import json
import os
import pathlib
import random
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from serving import TINY, ask, connect, request, serving, timed_health, times_text, until_idle


def counted(answers):
    return ", ".join(f"{n} x {status}" for status, n in sorted(collections.Counter(answers).items()))


def until(minutes):
    return time.monotonic() + 60 * minutes if minutes else float("inf")


async def sample_memory(server, end, memory):
    while time.monotonic() < end:
        memory.append(server.resident_mib())
        await asyncio.sleep(0.5)


def curve(memory):
    """The largest of each tenth of the time."""
    tenths = [memory[len(memory) * i // 10 : len(memory) * (i + 1) // 10] for i in range(10)]
    return ", ".join(f"{max(part):.0f}" for part in tenths if part) + " MiB, the most in each tenth of the time"


async def slow(program, scale, minutes):
    """Connections that send a byte of their header a second, while a picture is drawn and /health is asked."""
    count = int(2000 * scale)
    with serving(program, "--patience", "120") as server:
        await ask(server, "POST", "/v1/images/generations", TINY)
        before = server.resident_mib()
        connections = [await connect(server) for _ in range(count)]

        async def drip():
            for byte in b"GET /health HT":
                for _, writer in connections:
                    writer.write(bytes([byte]))
                await asyncio.sleep(1)

        _, _, drawn = await ask(server, "POST", "/api/jobs", {**TINY, "width": 512, "height": 512, "steps": 150})
        dripping = asyncio.create_task(drip())
        seconds = await timed_health(server, 500, pause=0.02)
        await dripping
        grown = server.resident_mib() - before
        await ask(server, "DELETE", "/api/jobs/" + json.loads(drawn)["id"])
        for _, writer in connections:
            writer.close()
        return f"{count} slow connections", f"/health: {times_text(seconds)}; {grown:.0f} MiB for the connections"


async def overload(program, scale, minutes):
    """Ten times what can be drawn, each client asking again at once. Every answer is a picture or 429, and memory stays."""
    seconds = 60 * (minutes or 4 * scale)
    answers, wrong, retry, memory = [], [], [], []
    with serving(program, "--queue", "8", "--queue-of-a-client", "8") as server:
        await ask(server, "POST", "/v1/images/generations", {**TINY, "seed": 1})
        end = time.monotonic() + seconds

        async def client():
            while time.monotonic() < end:
                status, headers, body = await ask(server, "POST", "/v1/images/generations", {**TINY, "seed": random.randrange(2**32)})
                answers.append(status)
                if status == 200 and not json.loads(body)["data"][0]["b64_json"].startswith("iVBOR"):
                    wrong.append(body[:100])
                if status == 429:
                    retry.append(int(headers["retry-after"]))
                    await asyncio.sleep(0.05)

        await asyncio.gather(sample_memory(server, end, memory), *[client() for _ in range(90)])
        assert not wrong, wrong
        return f"90 clients on a queue of 8, {seconds:.0f} s", f"{counted(answers)}; Retry-After {min(retry, default=0)} to {max(retry, default=0)} s; memory {curve(memory)}"


async def disconnects(program, scale, minutes):
    """Clients that leave while their picture is drawn."""
    count = int(1000 * scale)
    with serving(program, "--queue", "2000", "--queue-of-a-client", "2000") as server:
        await ask(server, "POST", "/v1/images/generations", TINY)
        files, memory = server.files(), server.resident_mib()
        body = request("POST", "/v1/images/generations", {**TINY, "width": 256, "height": 256, "steps": 150})
        for start in range(0, count, 50):
            writers = []
            for _ in range(min(50, count - start)):
                _, writer = await connect(server)
                writer.write(body)
                writers.append(writer)
            await asyncio.sleep(0.05)
            for writer in writers:
                writer.close()
        idle = await until_idle(server)
        await asyncio.sleep(0.2)
        return f"{count} clients that leave", f"idle {idle * 1e3:.0f} ms after the last; files open {files} before, {server.files()} after; memory {memory:.0f} to {server.resident_mib():.0f} MiB"


async def streams(program, scale, minutes):
    """Event streams without previews on the job that is drawn: what they cost. Interleaved runs with and without. The watchers read when it is done, so that
    their own work is not counted: the system keeps the events of a picture until then."""
    count, rounds, end = int(1000 * scale), 7, until(minutes)
    body = {"prompt": "a red castle", "width": 512, "height": 512, "steps": 30, "seed": 1}
    seconds = {0: [], count: []}
    with serving(program) as server:
        await ask(server, "POST", "/v1/images/generations", body)
        while len(seconds[count]) < rounds and (time.monotonic() < end or not seconds[count]):
            for watchers in seconds:
                # The watchers wait behind a job that is cancelled when all of them are there.
                _, _, blocker = await ask(server, "POST", "/api/jobs", {**body, "steps": 150, "width": 520})
                _, _, answer = await ask(server, "POST", "/api/jobs", body)
                job = json.loads(answer)
                opened = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(watchers)]
                for stream in opened:
                    stream.sendall(request("GET", job["events"]))
                await asyncio.sleep(0.5)
                await ask(server, "DELETE", "/api/jobs/" + json.loads(blocker)["id"])
                while True:
                    _, _, answer = await ask(server, "GET", "/api/jobs/" + job["id"])
                    if json.loads(answer)["status"] == "done":
                        break
                    await asyncio.sleep(0.05)
                seconds[watchers].append(json.loads(answer)["seconds_drawing"])
                for stream in opened:
                    with stream, stream.makefile("rb") as events:
                        text = events.read()
                    assert b"event: done" in text and text.count(b"event: progress") > body["steps"] // 2, text[-300:]
    none, many = statistics.median(seconds[0]), statistics.median(seconds[count])
    return f"{count} event streams, {len(seconds[0])} runs each", f"a picture of 512x512 takes {none:.2f} s without, {many:.2f} s with ({(many / none - 1) * 100:+.1f} %), medians; without: {min(seconds[0]):.2f} to {max(seconds[0]):.2f} s"


async def sigterm(program, scale, minutes):
    """SIGTERM at a random moment under load: what was accepted is answered."""
    count, end, sent = int(500 * scale), until(minutes), 0
    answers, lost, longest = collections.Counter(), 0, 0.0
    while sent < count and time.monotonic() < end:
        sent += 1
        with serving(program) as server:
            tasks = [asyncio.create_task(ask(server, "POST", "/v1/images/generations", {**TINY, "seed": i})) for i in range(8)]
            await asyncio.sleep(random.uniform(0.01, 0.4))
            server.process.send_signal(signal.SIGTERM)
            start = time.perf_counter()
            for status, _, _ in await asyncio.gather(*tasks):
                answers[status] += 1
                lost += status == 0
            code = await asyncio.to_thread(server.process.wait, 60)
            longest = max(longest, time.perf_counter() - start)
            assert code == 0, code
    return f"{sent} SIGTERMs under load", f"{counted(list(answers.elements()))} (-1: not accepted any more), lost: {lost}; slowest end {longest:.1f} s"


async def kill(program, scale, minutes):
    """kill -9 while pictures are written: by `hayate generate`, as the server writes none, and of a server, whose port is free again at once."""
    count, whole, torn, left = int(100 * scale), 0, [], collections.Counter()
    for _ in range(count):
        with tempfile.TemporaryDirectory() as folder:
            seeds = [flag for seed in range(40) for flag in ("--seed", str(seed))]
            process = subprocess.Popen([program, "generate", "a", "-W", "128", "-H", "128", "--steps", "1", *seeds, "-o", folder + "/{seed}.png"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while not os.listdir(folder) and process.poll() is None:
                await asyncio.sleep(0.001)
            await asyncio.sleep(random.uniform(0, 0.5))
            process.kill()
            process.wait()
            for name in os.listdir(folder):
                left[pathlib.Path(name).suffix] += 1
                if name.endswith(".png"):
                    content = pathlib.Path(folder, name).read_bytes()
                    whole += content.endswith(b"IEND\xaeB`\x82")
                    torn += [name] if not content.endswith(b"IEND\xaeB`\x82") else []
    with serving(program) as server:
        loaded = [asyncio.create_task(ask(server, "POST", "/v1/images/generations", TINY)) for _ in range(8)]
        await asyncio.sleep(0.2)
        server.process.kill()
        server.process.wait()
        await asyncio.gather(*loaded)
        with serving(program, port=server.port) as again:
            status, _, _ = await ask(again, "POST", "/v1/images/generations", TINY)
            assert status == 200, status
    others = {suffix: n for suffix, n in left.items() if suffix != ".png"}
    return f"{count} x kill -9 of `hayate generate`, 1 of the server", f"{whole} whole pictures, {len(torn)} torn; other files left: {others or 'none'}; the server draws again on the same port"


async def mixed(program, scale, minutes):
    """Everything at once for a while: memory is flat, nothing is a 5xx."""
    seconds, answers, memory = 60 * (minutes or 60 * scale), collections.Counter(), []
    with serving(program) as server:
        _, _, answer = await ask(server, "POST", "/v1/images/generations", TINY)
        picture, end = json.loads(answer)["data"][0]["b64_json"], time.monotonic() + seconds

        async def client(kind):
            while time.monotonic() < end:
                size = random.choice([64, 128, 192])
                body = {**TINY, "width": size, "height": size, "steps": random.choice([1, 2, 4]), "seed": random.randrange(2**32)}
                if kind == "draw":
                    status, _, _ = await ask(server, "POST", "/v1/images/generations", body)
                elif kind == "wrong":
                    status, _, _ = await ask(server, "POST", "/api/jobs", {**body, random.choice(list(body)): random.choice([-1, None, [], "x" * 20000])})
                elif kind == "look":
                    status, _, _ = await ask(server, "GET", random.choice(["/", "/metrics", "/health", "/sdapi/v1/progress", "/nothing"]))
                elif kind == "edit":
                    start = {"init_images": [picture], "mask": picture, "inpainting_mask_invert": random.randrange(2), "inpainting_fill": 1}
                    status, _, _ = await ask(server, "POST", "/sdapi/v1/img2img", {**body, **start, "steps": 4})
                elif kind == "watch":
                    status, _, answer = await ask(server, "POST", "/api/jobs", body)
                    if status == 202:
                        status, _, _ = await ask(server, "GET", json.loads(answer)["events"] + "?previews=1&pictures=1")
                else:
                    _, writer = await connect(server)
                    writer.write(request("POST", "/sdapi/v1/txt2img", body))
                    await asyncio.sleep(random.uniform(0, 0.2))
                    writer.close()
                    status = "left"
                answers[status] += 1
                await asyncio.sleep(0.02)

        kinds = ["draw"] * 4 + ["edit", "watch", "leave"] * 2 + ["wrong", "look"] * 2
        await asyncio.gather(sample_memory(server, end, memory), *[client(kind) for kind in kinds])
        return f"mixed load of {len(kinds)} clients, {seconds:.0f} s", f"{', '.join(f'{n} x {s}' for s, n in answers.items())}; memory {curve(memory)}"


SCENARIOS = {f.__name__: f for f in (slow, overload, disconnects, streams, sigterm, kill, mixed)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], default=[])
    parser.add_argument("--scale", type=float, default=1.0, help="of all numbers and times (default 1)")
    parser.add_argument("--minutes", type=float, help="how long overload and mixed last; when streams and sigterm end, however many they did")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))  # as an exception, so that the server is stopped too
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # for the connections, here and in the server, which inherits it
    for name in given.scenarios or SCENARIOS:
        what, result = asyncio.run(SCENARIOS[name](given.program, given.scale, given.minutes))
        print(f"| {what} | {result} |", flush=True)
