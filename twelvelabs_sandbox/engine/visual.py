"""Measures what is to be seen: colours and where they are, light, pattern and movement, thumbnail by thumbnail."""

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from twelvelabs_sandbox.engine.vector_space import COLORS
from twelvelabs_sandbox.engine.vector_space import FINGERPRINT_ROWS
from twelvelabs_sandbox.engine.vector_space import SIZE
from twelvelabs_sandbox.engine.vector_space import facet_coordinates
from twelvelabs_sandbox.engine.vector_space import unit
from twelvelabs_sandbox.engine.vector_space import vector
from twelvelabs_sandbox.engine.types import FloatArray
from twelvelabs_sandbox.engine.types import FloatVector
from twelvelabs_sandbox.engine.types import MediaError
from twelvelabs_sandbox.engine.types import Pixels
from twelvelabs_sandbox.engine.thumbnails import HEIGHT
from twelvelabs_sandbox.engine.thumbnails import WIDTH
from twelvelabs_sandbox.engine.thumbnails import Thumbnail
from twelvelabs_sandbox.engine.thumbnails import image_thumbnail
from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.patterns import pattern_shares
from twelvelabs_sandbox.engine.patterns import ramp
from twelvelabs_sandbox.engine.images import decode_image
from twelvelabs_sandbox.engine.colors import color_shares

# Thumbnails that are measured at once: fast, and a few megabytes.
BATCH = 32
CELLS = 3
LAYOUT_ROWS = FINGERPRINT_ROWS[: CELLS * CELLS * len(COLORS)]
# What the places of colours weigh beside all that words can name. Words do not reach them, pictures do.
LAYOUT_WEIGHT = 0.6
# Seconds from one look at the pattern to the next; it is the dearest feature.
PATTERN_STEP_SECONDS = 0.35
# Two thumbnails further apart than this do not show a movement.
MAX_PAIR_SECONDS = 1.2
# Changes of colour (0 to 255) up to this are noise, in thumbnails halved once more.
NOISE = 5.0
# A colour that covers less than this is noise.
MIN_COLOR_SHARE = 0.02
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class VisualFeatures:
    """What was measured on n thumbnails in order.

    Attributes:
        times: Seconds of the film, shape (n,).
        cells: Shares of the twelve colours in 3x3 places, shape (n, 9, 12).
        light: Mean brightness, 0 to 1, shape (n,).
        patterns: Shares of plain, stripes, checkerboard, detailed, shape (n, 4).
        speeds: Movement against the thumbnail before, in its pixels a second, shape (n,); NaN where there is none near.
        changes: How different the picture is from the one before, 0 to 1, shape (n,); 0 for the first.
    """

    times: FloatArray
    cells: FloatArray
    light: FloatArray
    patterns: FloatArray
    speeds: FloatArray
    changes: FloatArray


def measure(thumbnails: Iterable[Thumbnail]) -> VisualFeatures:
    """Measure thumbnails as they come; none is kept."""
    parts: list[tuple[FloatArray, ...]] = []
    rhythm = _PatternSampler()
    before: Thumbnail | None = None
    for batch in _batches(thumbnails):
        times = np.array([thumbnail.time for thumbnail in batch])
        pixels = np.stack([thumbnail.pixels for thumbnail in batch])
        chain = np.concatenate([(before or batch[0]).pixels[None], pixels])
        gaps = np.diff(times, prepend=before.time if before else np.nan)
        before = batch[-1]
        parts.append(
            (
                times,
                _cells(pixels),
                _light(pixels),
                rhythm.patterns(times, pixels),
                np.where(gaps <= MAX_PAIR_SECONDS, _moved(chain) / np.maximum(gaps, 1e-3), np.nan).astype(np.float32),
                _changes(chain),
            )
        )
    return VisualFeatures(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _batches(thumbnails: Iterable[Thumbnail]) -> Iterator[list[Thumbnail]]:
    source = iter(thumbnails)
    while batch := list(islice(source, BATCH)):
        yield batch


def _light(pixels: Pixels) -> FloatArray:
    light: FloatArray = (pixels[:, ::2, ::2] @ LUMA).reshape(len(pixels), -1).mean(axis=1) / 255
    return light


class _PatternSampler:
    """Measures patterns now and then, and repeats the last for the thumbnails between."""

    def __init__(self) -> None:
        self.due = float("-inf")
        self.last = np.zeros((1, 4), np.float32)

    def patterns(self, times: FloatArray, pixels: Pixels) -> FloatArray:
        chosen = []
        for number, time in enumerate(times):
            if time >= self.due:
                chosen.append(number)
                self.due = time + PATTERN_STEP_SECONDS
        known = np.concatenate([self.last, pattern_shares(pixels[chosen])]) if chosen else self.last
        self.last = known[-1:]
        repeated: FloatArray = known[np.searchsorted(chosen, np.arange(len(times)), side="right")]
        return repeated


def _cells(pixels: Pixels) -> FloatArray:
    shares = color_shares(pixels[:, ::2, ::2]).reshape(len(pixels), -1, len(COLORS))
    return _cell_means() @ shares


@functools.cache
def _cell_means() -> FloatArray:
    """Return the weights that average the pixels of a halved thumbnail in 3x3 places, shape (9, 27 * 48)."""
    return np.kron(_means(HEIGHT // 2, CELLS), _means(WIDTH // 2, CELLS)).astype(np.float32)


@functools.cache
def _means(length: int, parts: int) -> FloatArray:
    """Return the weights that average a length in equal parts, shape (parts, length); far faster than numpy's mean."""
    return np.kron(np.eye(parts), np.full((1, length // parts), parts / length)).astype(np.float32)


def _moved(chain: Pixels) -> FloatArray:
    """Return how far each picture moved against the one before, in its pixels: change in time by change in place."""
    whole: FloatArray = chain.astype(np.float32)
    rows = whole[:, ::2] + whole[:, 1::2]
    small = (rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25)
    change = _largest(small[1:] - small[:-1])
    middle = small[1:] + small[:-1]
    across = _largest(middle[:, 1:-1, 2:] - middle[:, 1:-1, :-2])
    down = _largest(middle[:, 2:, 1:-1] - middle[:, :-2, 1:-1])
    slope = np.hypot(across, down) / 4
    changed = np.where(change > NOISE, change, 0).reshape(len(change), -1).sum(axis=1)
    sloped = np.where(slope > NOISE / 2, slope, 0).reshape(len(slope), -1).sum(axis=1)
    # The constant keeps a picture with hardly an edge from dividing by next to nothing.
    moved: FloatArray = 2 * changed / (sloped + 200)
    return moved


def _largest(difference: FloatArray) -> FloatArray:
    """Return the largest difference among the three colour channels."""
    red, green, blue = (np.abs(difference[..., channel]) for channel in range(3))
    return np.maximum(np.maximum(red, green), blue)


def _changes(chain: Pixels) -> FloatArray:
    """Return how different each picture is from the one before: its colours most of all, then where light falls."""
    codes = chain >> 6
    levels = (codes[..., 0] * 16 + codes[..., 1] * 4 + codes[..., 2]).reshape(len(chain), -1).astype(np.int64)
    levels += np.arange(len(chain))[:, None] * 64
    counts = np.bincount(levels.ravel(), minlength=len(chain) * 64).reshape(-1, 64) / (HEIGHT * WIDTH)
    blocks = _means(HEIGHT, 9) @ (chain @ LUMA) @ _means(WIDTH, 16).T / 255
    colors = np.abs(np.diff(counts, axis=0)).sum(axis=1) / 2
    places = np.abs(np.diff(blocks, axis=0)).mean(axis=(1, 2))
    changes: FloatArray = (0.7 * colors + 0.3 * places).astype(np.float32)
    return changes


def embed_image(path: Path) -> FloatVector:
    """Return the unit vector of a JPEG or PNG file: as of a clip, only that nothing is known of movement."""
    look = measure([Thumbnail(0.0, image_thumbnail(decode_image(path)))])
    return clip_vector(look, 0.0, 1.0)


def clip_vector(look: VisualFeatures, start: float, end: float) -> FloatVector:
    """Return the unit vector of what was seen from one second to another; of the nearest picture, where none was."""
    chosen = np.flatnonzero((look.times >= start) & (look.times < end))
    if not chosen.size:
        chosen = np.array([np.abs(look.times - (start + end) / 2).argmin()])
    cells = look.cells[chosen].mean(axis=0)
    coordinates = np.zeros(SIZE, np.float32)
    coordinates += facet_coordinates("color", _without_small_shares(cells.mean(axis=0)))
    coordinates += facet_coordinates("light", _light_shares(float(look.light[chosen].mean())))
    coordinates += facet_coordinates("pattern", look.patterns[chosen].mean(axis=0))
    speeds = look.speeds[chosen]
    speeds = np.sort(speeds[~np.isnan(speeds)])
    if speeds.size:
        # The quickest tenth may be a cut, or a keyframe that looks unlike its neighbours.
        speed = float(speeds[: max(1, int(speeds.size * 0.9))].mean())
        coordinates += facet_coordinates("motion", _motion_shares(speed))
    coordinates[LAYOUT_ROWS] = LAYOUT_WEIGHT * unit(np.sqrt(cells).ravel())
    return vector(coordinates)


def _without_small_shares(shares: FloatArray) -> FloatArray:
    rest = np.maximum(shares - MIN_COLOR_SHARE, 0)
    cleaned: FloatArray = rest / rest.sum()
    return cleaned


def _light_shares(light: float) -> list[float]:
    dark, bright = 1 - float(ramp(light, 0.15, 0.35)), float(ramp(light, 0.5, 0.75))
    return [dark, 1 - dark - bright, bright]


def _motion_shares(speed: float) -> list[float]:
    moving = float(ramp(speed, 0.3, 0.8))
    fast = moving * float(ramp(np.log(max(speed, 0.1)), np.log(3.5), np.log(8.0)))
    return [1 - moving, moving - fast, fast]


def embed_text_and_images(text: str | None, image_paths: Sequence[Path]) -> FloatVector:
    """Return one unit vector, shape (512,), of images and, where given, a text, all with equal weight.

    Raises:
        MediaError: There is neither a text nor an image, the text has no visible character, or an image cannot be read.
    """
    vectors = [embed_image(path) for path in image_paths]
    if text is not None:
        vectors.append(embed_text(text))
    if not vectors:
        raise MediaError("parameter_invalid", "There is neither a text nor an image to embed.")
    return unit(np.sum(vectors, axis=0))
