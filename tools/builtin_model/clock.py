"""Learning-rate schedules that follow the clock: a stage of training gets so many seconds, whatever the machine."""

import time


class Clock:
    def __init__(self, seconds, begin=None):
        self.begin, self.seconds = begin or time.time(), seconds

    def progress(self):
        return (time.time() - self.begin) / self.seconds

    def elapsed(self):
        return time.time() - self.begin


def rate(step, progress, warm_up, hold):
    """Factor of the learning rate: rises over `warm_up` steps, holds until `hold` of the run, then falls to zero in a line."""
    return min(1., (step + 1) / warm_up, max(0., 1 - progress) / (1 - hold))
