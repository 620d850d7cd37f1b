"""Draws one prompt with several seeds and shows them side by side: seeds.py [PROMPT [MODEL [STEPS]]]"""

import sys
from pathlib import Path

import hayate

prompt, model, steps = (sys.argv[1:] + ["a castle on a hill at night", "builtin", "30"][len(sys.argv) - 1 :])[:3]
pipe = hayate.Pipeline.from_pretrained(model)
result = pipe(prompt, seed=1, num_images_per_prompt=4, num_inference_steps=int(steps))
print(*result.save("seed-{seed}.png"), f"{result.timings.total:.1f} s")
Path("seeds.png").write_bytes(result._repr_png_())
