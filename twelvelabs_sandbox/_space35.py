"""The space of Marengo 3.5's twin: that of 3.0 with the signs of its values turned, so that nothing fits across both.

Turning signs changes no angle within the space, and none between the first 128 or 256 values of two vectors either.
"""

import functools
import hashlib

import numpy as np

from twelvelabs_sandbox._codebook import SIZE, unit
from twelvelabs_sandbox._media_values import FloatVector


def placed(vector: FloatVector) -> FloatVector:
    """Return a vector of the engine in the space of 3.5, shape (512,), of the same length."""
    turned: FloatVector = vector * _signs()
    return turned


def mean(vectors: list[FloatVector], weights: list[float] | None = None) -> FloatVector:
    """Return the unit vector in the middle of some."""
    return unit(np.average(vectors, axis=0, weights=weights) if vectors else np.zeros(SIZE))


def uncertainty(vector: FloatVector) -> FloatVector:
    """Return how unsure each value is, 0 to 1: a value near 0 says nothing of the content either way."""
    unsure: FloatVector = (1 / (1 + SIZE * vector**2)).astype(np.float32)
    return unsure


@functools.cache
def _signs() -> FloatVector:
    bits = np.frombuffer(hashlib.shake_256(b"marengo3.5").digest(SIZE // 8), np.uint8)
    signs: FloatVector = np.unpackbits(bits).astype(np.float32) * 2 - 1
    signs.flags.writeable = False
    return signs
