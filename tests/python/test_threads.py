"""Several threads, Ctrl-C, stop(), fork."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import hayate
import numpy as np
import pytest

ENDLESS = {"width": 256, "height": 256, "num_inference_steps": 999, "seed": 7}  # minutes


def test_threads_wait_for_each_other(pipe, small):
    def draw(seed):
        return pipe("a castle", **{**small, "seed": seed}).arrays

    alone = [draw(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(draw, range(4)))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together))


def test_other_threads_run_meanwhile(pipe):
    ticks = []
    running = True

    def tick():
        while running:
            ticks.append(time.perf_counter())
            time.sleep(0.005)

    thread = threading.Thread(target=tick)
    thread.start()
    pipe("a castle", width=64, height=64, num_inference_steps=20, seed=1)
    running = False
    thread.join()
    assert len(ticks) > 10 or ticks[-1] - ticks[0] < 0.1


def test_ctrl_c_ends_a_request(pipe, small):
    started = threading.Event()

    def interrupt():
        started.wait()
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    steps = []
    with pytest.raises(KeyboardInterrupt):
        pipe("a castle", callback_on_step_end=lambda _, step, *rest: (steps.append(step), started.set())[1], **ENDLESS)
    thread.join()
    assert 0 < len(steps) < 999
    assert len(pipe("a castle", **small)) == 1


def test_stop_ends_a_request(pipe, small):
    threading.Timer(0.3, pipe.stop).start()
    with pytest.raises(hayate.CancelledError):
        pipe("a castle", **ENDLESS)
    assert len(pipe("a castle", **small)) == 1


def test_a_forked_child_is_told(pipe, small):
    child = os.fork()
    if child == 0:
        try:
            pipe("a castle", **small)
        except hayate.UsageError as error:
            os._exit(0 if "fork" in str(error) else 2)
        except BaseException:
            os._exit(3)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
