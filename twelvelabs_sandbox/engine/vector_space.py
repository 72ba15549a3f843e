"""The 512-d vector space: an orthogonal direction for each named quality, and directions for all other words.

The directions are rows of a Hadamard matrix, so they need neither random numbers nor training. The rows are assigned
so that vectors truncated to 256 or 128 values stay meaningful: named qualities remain orthogonal there.
"""

import functools
import hashlib

import numpy as np
import numpy.typing as npt

from twelvelabs_sandbox.engine.types import FloatArray, FloatVector

SIZE = 512
# Row r starts with the same values as rows r mod 256 and r mod 128. No row may start like a named quality within 256
# values; within 128 values, fingerprint rows coincide with fingerprint rows only.
NAMED_ROWS = np.arange(48)
FINGERPRINT_ROWS = np.concatenate([np.arange(48, 128), np.arange(176, 256)])
WORD_ROWS = np.concatenate([np.arange(128, 176), np.arange(304, 512)])

COLORS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "brown", "black", "white", "gray")
# The qualities that a text can name. The shares of the qualities of a facet sum to 1.
FACETS: dict[str, tuple[str, ...]] = {
    "color": COLORS,
    "light": ("dark", "medium", "bright"),
    "motion": ("still", "slow", "fast"),
    "pattern": ("plain", "stripes", "checkerboard", "detailed"),
    "sound": ("silence", "tone", "noise", "music", "speech"),
    "pitch": ("low", "high"),
    "loudness": ("quiet", "loud"),
}
FACET_WEIGHTS = {"color": 1.0, "light": 0.4, "motion": 0.8, "pattern": 0.8, "sound": 1.0, "pitch": 0.5, "loudness": 0.5}
FACET_OF = {quality: facet for facet, qualities in FACETS.items() for quality in qualities}
ROW_OF = {quality: int(row) for quality, row in zip(FACET_OF, NAMED_ROWS, strict=False)}


@functools.cache
def hadamard() -> FloatArray:
    """Return the Sylvester-Hadamard matrix, shape (512, 512), with rows of length 1."""
    matrix: FloatArray = np.ones((1, 1), np.float32)
    while len(matrix) < SIZE:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    rows: FloatArray = (matrix / np.sqrt(SIZE)).astype(np.float32)
    rows.flags.writeable = False
    return rows


def facet_coordinates(facet: str, shares: npt.ArrayLike) -> FloatVector:
    """Return the coordinates of the shares of a facet's qualities.

    Square roots of shares that sum to 1 are a vector of length 1, so each facet has the same weight in every clip.
    """
    coordinates = np.zeros(SIZE, np.float32)
    rows = [ROW_OF[quality] for quality in FACETS[facet]]
    coordinates[rows] = FACET_WEIGHTS[facet] * np.sqrt(np.maximum(shares, 0))
    return coordinates


@functools.lru_cache(maxsize=5_000)
def word_coordinates(word: str) -> FloatVector:
    """Return the direction of a word that names no quality: 256 signs from its hash, of length 1."""
    bits = np.frombuffer(_hashed(word), np.uint8)
    coordinates = np.zeros(SIZE, np.float32)
    coordinates[WORD_ROWS] = (np.unpackbits(bits).astype(np.float32) * 2 - 1) / np.float32(np.sqrt(len(WORD_ROWS)))
    coordinates.flags.writeable = False
    return coordinates


def _hashed(word: str) -> bytes:
    # JSON may contain a lone surrogate, which strict UTF-8 rejects.
    return hashlib.blake2b(word.encode(errors="surrogatepass"), digest_size=len(WORD_ROWS) // 8).digest()


def unit(vector: npt.ArrayLike) -> FloatVector:
    """Return a vector scaled to length 1; a zero vector becomes the first unit vector."""
    values = np.array(vector, np.float64)
    if not values.any():
        values[0] = 1.0
    direction: FloatVector = (values / np.linalg.norm(values)).astype(np.float32)
    return direction


def vector(coordinates: npt.ArrayLike) -> FloatVector:
    """Return the unit vector, shape (512,), of coordinates on the Hadamard rows."""
    return unit(np.asarray(coordinates, np.float64) @ hadamard())
