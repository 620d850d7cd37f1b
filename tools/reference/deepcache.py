"""DeepCache by its authors' package, with the step schedules of their pipelines and of an interval of guidance."""
import numpy as np
from DeepCache.extension.deepcache import DeepCacheSDHelper


def whole_steps(steps, interval, center=None, power=1.2):
    """In which steps the whole UNet is computed; with a center as in sample_from_quad_center of horseee/DeepCache."""
    if center is None or interval == 1:
        return list(range(0, steps, interval))
    count = -(-steps // interval)
    while power > 1:
        roots = np.linspace(complex(-center) ** (1 / power), complex(steps - center) ** (1 / power), count + 1)
        found = [0] + [x + center for x in np.unique((roots**power).real.astype(np.int32))[1:-1]]
        if len(found) == count:
            return [int(x) for x in found]
        power -= 0.02
    raise ValueError("no such schedule")


class Helper(DeepCacheSDHelper):
    """A step is whole where the schedule says so and where the batch has changed its shape."""

    def __init__(self, pipeline, whole):
        super().__init__(pipeline)
        self.whole = set(whole)

    def is_skip_step(self, block_i, layer_i, blocktype="down"):
        if self.cur_timestep in self.whole:
            return False
        kept, self.params["skip_mode"] = self.params["skip_mode"], "never whole"
        skip = super().is_skip_step(block_i, layer_i, blocktype)
        self.params["skip_mode"] = kept
        return skip


def enable(pipeline, steps, interval, branch, center=None, power=1.2, also_whole=()):
    helper = Helper(pipeline, [*whole_steps(steps, interval, center, power), *also_whole])
    helper.set_params(cache_interval=interval, cache_branch_id=branch)
    helper.enable()
    return helper
