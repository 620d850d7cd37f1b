"""The driver that tests/python/test_ray_kills.py kills: ray_driver.py ADDRESS PROMPTS OUT"""

import sys

import hayate.ray
import ray


ROWS_PER_FILE = 8
SETTINGS = {"width": 64, "height": 64, "num_inference_steps": 3}


def generate(prompts, out):
    return hayate.ray.generate_dataset(prompts, out, rows_per_file=ROWS_PER_FILE, cpus_per_actor=1, actors=2, settings=SETTINGS)


if __name__ == "__main__":
    address, prompts, out = sys.argv[1:]
    ray.init(address=address, log_to_driver=False)
    generate(prompts, out)
