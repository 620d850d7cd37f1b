#!/usr/bin/env python3
"""Checks an installed hayate package on a GPU, against the CPU and with torch: check_python.py [DEVICE]. One line a check; exit status 1 if one fails."""

import os
import signal
import sys
import threading
import time
import traceback

import hayate
import numpy as np
import torch

device = sys.argv[1] if len(sys.argv) > 1 else "cuda"
SETTINGS = {"seed": 7, "num_inference_steps": 8}
ENDLESS = {"num_inference_steps": 999, "width": 512, "height": 512, "seed": 7}
PROMPT = "a lighthouse by the sea at sunset"


def open_builtin(on, **options):
    pipe = hayate.Pipeline.from_pretrained("builtin", device=on, **options)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def difference(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def float32_equals_the_cpu():
    error = difference(open_builtin(device, rung="fp32")(PROMPT, **SETTINGS).latents, open_builtin("cpu", rung="fp32")(PROMPT, **SETTINGS).latents)
    assert error < 1e-3, error
    return f"latents differ by {error:.1e}"


def every_rung_draws():
    exact = open_builtin(device, rung="fp32")(PROMPT, **SETTINGS).latents
    told = []
    for rung in hayate.rungs(device):
        pipe = open_builtin(device, rung=rung)
        pipe(PROMPT, **SETTINGS)
        result = pipe(PROMPT, **SETTINGS)
        error = difference(result.latents, exact)
        assert error < 0.5, (rung, error)
        told.append(f"{rung} {result.timings.total * 1000:.0f} ms {error:.0e}")
    return ", ".join(told)


def torch_takes_and_gives(pipe):
    noise = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(7))
    from_seed, given = pipe(PROMPT, **SETTINGS), pipe(PROMPT, latents=noise, **SETTINGS)
    assert np.array_equal(from_seed.latents, given.latents)
    taken = torch.from_dlpack(given.latents)
    assert taken.data_ptr() == given.latents.ctypes.data
    if device.startswith("cuda"):
        assert np.array_equal(pipe(PROMPT, latents=noise.cuda(), **SETTINGS).latents, given.latents)
    embeds = dict(zip(["prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds"], pipe.encode_prompt(PROMPT)))
    assert np.array_equal(pipe(**embeds, **SETTINGS).latents, from_seed.latents)
    on = "cuda" if device.startswith("cuda") else "cpu"
    narrow = {name: torch.from_numpy(array).to(on, torch.bfloat16) for name, array in embeds.items()}
    return f"embeddings in bfloat16 differ by {difference(pipe(**narrow, **SETTINGS).latents, from_seed.latents):.1e}"


def places_in_a_batch(pipe):
    prompts = [f"a castle with {i} towers" for i in range(4)]
    forth, back = (pipe(p, seed=s, num_inference_steps=8).latents for p, s in ((prompts, [0, 1, 2, 3]), (prompts[::-1], [3, 2, 1, 0])))
    equal = np.array_equal(forth, back[::-1])
    assert equal or not device.startswith("cuda")
    return "same bytes" if equal else "other bytes, as on a CPU"


def loras(pipe):
    plain = pipe(PROMPT, **SETTINGS).arrays
    turbo = os.path.join(os.path.dirname(hayate.__file__), "share/hayate/models/builtin-turbo.safetensors")
    times = []
    for given in ([(turbo, 1.0)], [], [(turbo, 0.5)], []):
        times.append(pipe.set_loras(given).seconds)
        assert np.array_equal(plain, pipe(PROMPT, **SETTINGS).arrays) == (not given)
    return "exchanged in " + ", ".join(f"{t * 1000:.0f} ms" for t in times)


def ctrl_c(pipe):
    def interrupt():
        time.sleep(0.5)
        at.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    at = []
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        pipe(PROMPT, **ENDLESS)
    except KeyboardInterrupt:
        after = time.perf_counter() - at[0]
    thread.join()
    pipe(PROMPT, **SETTINGS)
    return f"ended after {after * 1000:.0f} ms"


def the_gil_is_free(pipe):
    ticks, running = [], True

    def tick():
        while running:
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    pipe(PROMPT, **{**SETTINGS, "num_inference_steps": 50})
    running = False
    thread.join()
    return f"longest pause of another thread {max(np.diff(ticks)) * 1000:.0f} ms"


def forecast(pipe):
    told = pipe.forecast(width=512, height=512)
    taken = pipe(PROMPT, width=512, height=512, **SETTINGS).peak_memory
    return f"{told.peak / 2**20:.0f} MiB forecast, {taken / 2**20:.0f} MiB of weights and activations taken"


def main():
    shared = open_builtin(device)
    print(repr(shared), "hayate", hayate.__version__, "python", sys.version.split()[0], "torch", torch.__version__)
    failed = 0
    for check in (float32_equals_the_cpu, every_rung_draws):
        failed += not run(check)
    for check in (torch_takes_and_gives, places_in_a_batch, loras, ctrl_c, the_gil_is_free, forecast):
        failed += not run(check, shared)
    sys.exit(bool(failed))


def run(check, *arguments):
    start = time.perf_counter()
    try:
        told = check(*arguments)
    except Exception:
        traceback.print_exc()
        print(f"FAILED  {check.__name__}", flush=True)
        return False
    print(f"ok      {check.__name__:24} {time.perf_counter() - start:5.1f} s  {told}", flush=True)
    return True


if __name__ == "__main__":
    main()
