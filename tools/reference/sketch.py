"""Small stand-ins for large values, from which the relative L2 distance of the whole value can still be told."""
import numpy as np

BUCKETS = 32


def sketch(value):
    """Adds every element, with a sign, to one of 32 sums (a count sketch: Charikar, Chen, Farach-Colton 2002).

    The map is linear and keeps the L2 norm of any difference within about a quarter (standard deviation sqrt(2 / 32)),
    whichever elements differ, so ||sketch(a) - sketch(b)|| / ||sketch(b)|| estimates ||a - b|| / ||b||. Sign and sum
    follow from the element's index alone: tests/pipeline/sketch.h draws the same. Up to 32 elements are kept as they are.
    A masked score, minus infinity, counts as 0.
    """
    flat = np.where(np.isneginf(value), 0, value).reshape(-1)
    if flat.size <= BUCKETS:
        return flat.astype(np.float32)
    hashed = mix_bits(np.arange(flat.size, dtype=np.uint32))
    sign = np.where(hashed >> 31, -1.0, 1.0)
    return np.bincount(hashed % BUCKETS, weights=sign * flat.astype(np.float64), minlength=BUCKETS).astype(np.float32)


def mix_bits(x):
    """The finalizer of MurmurHash3: every bit of the index moves every bit of the result."""
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x85EBCA6B)
    x = x ^ (x >> np.uint32(13))
    x = x * np.uint32(0xC2B2AE35)
    return x ^ (x >> np.uint32(16))
