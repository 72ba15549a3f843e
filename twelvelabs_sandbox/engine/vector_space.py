"""The 512-d space: one exactly orthogonal direction for each named quality, and directions for all other words.

The directions are rows of a Hadamard matrix, so they need no random numbers and no training. Which row stands for what
is chosen so that shorter vectors, cut off at 256 or 128 values, stay meaningful: named qualities are orthogonal there.
"""

import functools
import hashlib

import numpy as np
import numpy.typing as npt

from twelvelabs_sandbox.engine.types import FloatArray
from twelvelabs_sandbox.engine.types import FloatVector

SIZE = 512
# A Hadamard row r begins like the rows r mod 256 and r mod 128. Nothing may begin like a named quality at 256 values;
# at 128, prints repeat prints only.
NAMED_ROWS = np.arange(48)
FINGERPRINT_ROWS = np.concatenate([np.arange(48, 128), np.arange(176, 256)])
WORD_ROWS = np.concatenate([np.arange(128, 176), np.arange(304, 512)])

COLORS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "brown", "black", "white", "gray")
# Qualities that a text can name. Each facet shares out one whole among its qualities.
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
    """Return the Sylvester-Hadamard matrix of shape (512, 512), its rows of length 1."""
    matrix: FloatArray = np.ones((1, 1), np.float32)
    while len(matrix) < SIZE:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    rows: FloatArray = (matrix / np.sqrt(SIZE)).astype(np.float32)
    rows.flags.writeable = False
    return rows


def facet_coordinates(facet: str, shares: npt.ArrayLike) -> FloatVector:
    """Return where the shares of a facet's qualities lie.

    Square roots of shares that sum to 1 make a vector of length 1: so each facet counts alike in every clip.
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
    # JSON may bring half a surrogate pair, which plain UTF-8 refuses.
    return hashlib.blake2b(word.encode(errors="surrogatepass"), digest_size=len(WORD_ROWS) // 8).digest()


def unit(vector: npt.ArrayLike) -> FloatVector:
    """Return a vector at length 1; one of zeros has no direction, and goes along its first value."""
    values = np.array(vector, np.float64)
    if not values.any():
        values[0] = 1.0
    direction: FloatVector = (values / np.linalg.norm(values)).astype(np.float32)
    return direction


def vector(coordinates: npt.ArrayLike) -> FloatVector:
    """Return the unit vector, shape (512,), of coordinates on the rows."""
    return unit(np.asarray(coordinates, np.float64) @ hadamard())
