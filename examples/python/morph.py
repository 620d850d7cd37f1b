"""Goes from one prompt to another by way of their embeddings, one picture for each stage: morph.py [MODEL [STEPS]]"""

import sys

import hayate
import numpy as np

model, steps = (sys.argv[1:] + ["builtin", "30"][len(sys.argv) - 1 :])[:2]
pipe = hayate.Pipeline.from_pretrained(model)
hidden, negative, pooled, negative_pooled = pipe.encode_prompt(["a castle at night, stars", "a castle at sunset, vivid colors"])
way = np.linspace(0, 1, 5, dtype=np.float32)
result = pipe(
    prompt_embeds=np.stack([(1 - t) * hidden[0] + t * hidden[1] for t in way]),
    pooled_prompt_embeds=np.stack([(1 - t) * pooled[0] + t * pooled[1] for t in way]),
    negative_prompt_embeds=np.repeat(negative[:1], len(way), axis=0),
    negative_pooled_prompt_embeds=np.repeat(negative_pooled[:1], len(way), axis=0),
    seed=[3] * len(way),
    num_inference_steps=int(steps),
)
print(*result.save("morph-{index}.png"))
