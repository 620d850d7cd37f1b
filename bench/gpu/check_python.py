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
    narrow = {name: torch.from_numpy(array).to(gpu() or "cpu", torch.bfloat16) for name, array in embeds.items()}
    return f"embeddings in bfloat16 differ by {difference(pipe(**narrow, **SETTINGS).latents, from_seed.latents):.1e}"


def gpu():
    """The pipeline's first one as torch names it; None on the CPU."""
    if not device.startswith("cuda"):
        return None
    return torch.device("cuda", int(device.partition(":")[2].split(",")[0] or 0))


def on_gpu(array, dtype=torch.float32):
    return torch.as_tensor(np.asarray(array)).to(gpu(), dtype)


class NothingComesToTheHost:
    """torch's ways to the host fail inside."""

    def __enter__(self):
        self.ways = {name: getattr(torch.Tensor, name) for name in ("cpu", "to", "numpy", "tolist", "__array__")}
        for name in self.ways:
            setattr(torch.Tensor, name, lambda *_, name=name, **__: (_ for _ in ()).throw(AssertionError(f"torch's {name}() was called")))

    def __exit__(self, *_):
        for name, way in self.ways.items():
            setattr(torch.Tensor, name, way)


def noise_stays_on_the_gpu(pipe):
    noise = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(7))
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        narrow = noise.to(dtype)
        expected = pipe(PROMPT, latents=narrow.float(), **SETTINGS).latents
        there = narrow.to(gpu())
        strided = torch.empty(1, 32, 4, 32, dtype=dtype, device=gpu()).permute(0, 2, 3, 1)
        strided.copy_(there)
        for given in (there, strided, there.flip(2).flip(2), there.clone().requires_grad_()):
            with NothingComesToTheHost():
                drawn = pipe(PROMPT, latents=given, **SETTINGS)
            assert np.array_equal(drawn.latents, expected), dtype
    for bad, why in ((noise.double(), "float64"), (noise[0], "expected"), (noise[:, :, 1:], "expected"), (noise * np.nan, "not finite"), (noise.int(), "int32")):
        try:
            pipe(PROMPT, latents=bad.to(gpu()), **SETTINGS)
        except hayate.UsageError as error:
            assert why in str(error) and "latents" in str(error), error
        else:
            raise AssertionError(f"latents of {bad.dtype}, {tuple(bad.shape)} were taken")
    return "float32, float16, bfloat16, strided: as from the host"


def embeddings_stay_on_the_gpu(pipe):
    names = ["prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds"]
    prompts = ["a castle", "two boats"]
    embeds = dict(zip(names, pipe.encode_prompt(prompts)))
    expected = pipe(**embeds, **SETTINGS).latents
    assert np.array_equal(expected, pipe(prompts, **SETTINGS).latents)
    there = {name: on_gpu(array) for name, array in embeds.items()}
    mixed = {**there, names[1]: embeds[names[1]]}
    with NothingComesToTheHost():
        assert np.array_equal(pipe(**there, **SETTINGS).latents, expected)
        assert np.array_equal(pipe(**mixed, **SETTINGS).latents, expected)
        assert np.array_equal(pipe(**there, guidance_interval=(0, 0.5), **SETTINGS).latents, pipe(**embeds, guidance_interval=(0, 0.5), **SETTINGS).latents)
    return "two prompts: as from the host"


def latents_stay_on_the_gpu(pipe):
    expected = pipe(PROMPT, **SETTINGS).latents
    result = pipe(PROMPT, output_type="latent", **SETTINGS)
    assert isinstance(result.latents, hayate.GpuArray) and result.latents.device == str(gpu()), result.latents
    assert np.array_equal(np.asarray(result.latents), expected)
    taken, again = torch.from_dlpack(result.latents), torch.from_dlpack(result.latents)
    assert taken.device == gpu() and taken.data_ptr() == again.data_ptr() and taken.shape == (1, 4, 32, 32)
    before = torch.cuda.current_device()
    del result
    pipe("another", output_type="latent", **{**SETTINGS, "seed": 8})
    assert np.array_equal(taken.cpu().numpy(), expected), "other latents were written into them"
    assert torch.cuda.current_device() == before
    with NothingComesToTheHost():
        there = pipe(PROMPT, latents=taken, **SETTINGS).latents
    assert np.array_equal(there, pipe(PROMPT, latents=expected, **SETTINGS).latents)
    return f"{taken.data_ptr():#x}, out and in again"


def streams_wait_for_each_other(pipe):
    """What is asked of the GPU in torch's stream before a call is done before it, and what is asked after it still finds its memory."""
    noise = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(7))
    expected = pipe(PROMPT, latents=noise, **SETTINGS).latents
    side, late = torch.cuda.Stream(gpu()), torch.zeros(1, 4, 32, 32, device=gpu())
    for stream in (side, torch.cuda.default_stream(gpu())):
        with torch.cuda.device(gpu()), torch.cuda.stream(stream):
            late.zero_()
            there = noise.to(gpu())
            torch.cuda.synchronize()
            torch.cuda._sleep(500_000_000)  # clock cycles
            late.copy_(there, non_blocking=True)
            result = pipe(PROMPT, latents=late, output_type="latent", **SETTINGS)
            taken = torch.from_dlpack(result.latents)
            torch.cuda._sleep(500_000_000)
            kept = taken.clone()
            del taken, result
            for seed in range(3):
                pipe("another", output_type="latent", **{**SETTINGS, "seed": seed})
            assert np.array_equal(kept.cpu().numpy(), expected), stream
    return "a stream of its own, and the default one"


def arrays_on_two_gpus():
    """The first GPU's and the second one's, into a pipeline on both; with one GPU it is both."""
    several = torch.cuda.device_count() > 1
    first = gpu().index
    second = 1 - first if several else first
    pipe = open_builtin(f"cuda:{first},{second}")
    names = ["prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds"]
    embeds = dict(zip(names, pipe.encode_prompt(PROMPT)))
    noise = torch.randn(1, 4, 32, 32, generator=torch.Generator().manual_seed(7))
    expected = pipe(**embeds, latents=noise, **SETTINGS).latents
    for index in {first, second}:
        on = torch.device("cuda", index)
        there = {name: torch.from_numpy(array).to(on) for name, array in embeds.items()}
        result = pipe(**there, latents=noise.to(on), output_type="latent", **SETTINGS)
        assert np.array_equal(np.asarray(result.latents), expected), on
        assert torch.from_dlpack(result.latents).device == gpu()
        assert np.array_equal(pipe(**there, latents=noise.to(on), **SETTINGS).latents, expected)
    if several:  # torch's current GPU stays what it is
        other = open_builtin(f"cuda:{second}")
        on = torch.device("cuda", second)
        with torch.cuda.device(first):
            taken = torch.from_dlpack(other(PROMPT, latents=noise.to(on), output_type="latent", **SETTINGS).latents)
            assert taken.device == on
            del taken
            assert torch.cuda.current_device() == first
    return f"{'two GPUs' if several else 'one GPU twice'}: as from the host"


def cupy_takes_and_gives(pipe):
    try:
        import cupy
    except ImportError:
        return "SKIPPED: there is no cupy"
    with cupy.cuda.Device(gpu().index):
        taken = cupy.from_dlpack(pipe(PROMPT, output_type="latent", **SETTINGS).latents)
        assert np.array_equal(pipe(PROMPT, latents=taken, **SETTINGS).latents, pipe(PROMPT, latents=cupy.asnumpy(taken), **SETTINGS).latents)
    return cupy.__version__


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
    if gpu():
        for check in (noise_stays_on_the_gpu, embeddings_stay_on_the_gpu, latents_stay_on_the_gpu, streams_wait_for_each_other, cupy_takes_and_gives):
            failed += not run(check, shared)
        failed += not run(arrays_on_two_gpus)
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
