"""Watches a picture come about: what each step changed, and the memory and time it took: watch.py [MODEL [STEPS]]"""

import sys

import hayate
import numpy as np

model, steps = (sys.argv[1:] + ["builtin", "30"][len(sys.argv) - 1 :])[:2]
pipe = hayate.Pipeline.from_pretrained(model)
forecast = pipe.forecast("a sailboat at dawn")
print(f"will take {forecast.peak / 2**20:.0f} MiB of {forecast.budget / 2**20:.0f}")
before = None


def note(pipe, step, timestep, given):
    global before
    latents = given["latents"]
    if before is not None:
        print(f"step {step}, timestep {timestep:.0f}: latents moved by {np.linalg.norm(latents - before):.2f}")
    before = latents


image = pipe("a sailboat at dawn", seed=7, num_inference_steps=int(steps), callback_on_step_end=note).images[0]
image.save("watch.png")
print(pipe.timings)
