"""Measures images and video frames: colours and their positions, brightness, pattern and motion of each thumbnail."""

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from twelvelabs_sandbox.engine.colors import color_shares
from twelvelabs_sandbox.engine.images import decode_image
from twelvelabs_sandbox.engine.patterns import pattern_shares, ramp
from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.thumbnails import HEIGHT, WIDTH, Thumbnail, image_thumbnail
from twelvelabs_sandbox.engine.types import FloatArray, FloatVector, MediaError, Pixels
from twelvelabs_sandbox.engine.vector_space import COLORS, FINGERPRINT_ROWS, SIZE, facet_coordinates, unit, vector

# Thumbnails per batch: fast, and a few megabytes.
BATCH = 32
CELLS = 3
LAYOUT_ROWS = FINGERPRINT_ROWS[: CELLS * CELLS * len(COLORS)]
# Weight of the positions of colours relative to the qualities that texts can name. Texts have no component there.
LAYOUT_WEIGHT = 0.6
# Seconds between two measurements of the pattern, which is the most expensive feature.
PATTERN_STEP_SECONDS = 0.35
# Two thumbnails farther apart than this show no motion.
MAX_PAIR_SECONDS = 1.2
# Colour differences (0 to 255) up to this are noise, in thumbnails of half the size.
NOISE = 5.0
# A colour with a smaller share than this is noise.
MIN_COLOR_SHARE = 0.02
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class VisualFeatures:
    """Measurements of n thumbnails in order.

    Attributes:
        times: Seconds of the file, shape (n,).
        cells: Shares of the twelve colours in 3x3 cells, shape (n, 9, 12).
        light: Mean brightness, 0 to 1, shape (n,).
        patterns: Shares of plain, stripes, checkerboard, detailed, shape (n, 4).
        speeds: Motion since the previous thumbnail, in its pixels per second, shape (n,); NaN if none is near in time.
        changes: Difference from the previous thumbnail, 0 to 1, shape (n,); 0 for the first.
    """

    times: FloatArray
    cells: FloatArray
    light: FloatArray
    patterns: FloatArray
    speeds: FloatArray
    changes: FloatArray


def measure(thumbnails: Iterable[Thumbnail]) -> VisualFeatures:
    """Measure thumbnails without keeping them."""
    measured: list[tuple[FloatArray, ...]] = []
    patterns = _PatternSampler()
    before: Thumbnail | None = None
    for batch in _batches(thumbnails):
        times = np.array([thumbnail.time for thumbnail in batch])
        pixels = np.stack([thumbnail.pixels for thumbnail in batch])
        chain = np.concatenate([(before or batch[0]).pixels[None], pixels])
        gaps = np.diff(times, prepend=before.time if before else np.nan)
        before = batch[-1]
        measured.append(
            (
                times,
                _cells(pixels),
                _light(pixels),
                patterns.patterns(times, pixels),
                np.where(gaps <= MAX_PAIR_SECONDS, _motion(chain) / np.maximum(gaps, 1e-3), np.nan).astype(np.float32),
                _changes(chain),
            )
        )
    return VisualFeatures(*(np.concatenate(columns) for columns in zip(*measured, strict=True)))


def _batches(thumbnails: Iterable[Thumbnail]) -> Iterator[list[Thumbnail]]:
    source = iter(thumbnails)
    while batch := list(islice(source, BATCH)):
        yield batch


def _light(pixels: Pixels) -> FloatArray:
    light: FloatArray = (pixels[:, ::2, ::2] @ LUMA).reshape(len(pixels), -1).mean(axis=1) / 255
    return light


class _PatternSampler:
    """Measures the pattern every PATTERN_STEP_SECONDS and repeats it for the thumbnails in between."""

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
    """Return the weights that average the pixels of a thumbnail of half the size in 3x3 cells, shape (9, 27 * 48)."""
    return np.kron(_means(HEIGHT // 2, CELLS), _means(WIDTH // 2, CELLS)).astype(np.float32)


@functools.cache
def _means(length: int, parts: int) -> FloatArray:
    """Return the weights that average a length in equal parts, shape (parts, length); far faster than numpy's mean."""
    return np.kron(np.eye(parts), np.full((1, length // parts), parts / length)).astype(np.float32)


def _motion(chain: Pixels) -> FloatArray:
    """Return the motion of each image since the previous one, in its pixels: temporal by spatial difference."""
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
    # The constant avoids dividing by almost nothing for an image without edges.
    moved: FloatArray = 2 * changed / (sloped + 200)
    return moved


def _largest(difference: FloatArray) -> FloatArray:
    """Return the largest difference among the three colour channels."""
    red, green, blue = (np.abs(difference[..., channel]) for channel in range(3))
    return np.maximum(np.maximum(red, green), blue)


def _changes(chain: Pixels) -> FloatArray:
    """Return the difference of each image from the previous one: mainly of its colours, then of local brightness."""
    codes = chain >> 6
    levels = (codes[..., 0] * 16 + codes[..., 1] * 4 + codes[..., 2]).reshape(len(chain), -1).astype(np.int64)
    levels += np.arange(len(chain))[:, None] * 64
    counts = np.bincount(levels.ravel(), minlength=len(chain) * 64).reshape(-1, 64) / (HEIGHT * WIDTH)
    blocks = _means(HEIGHT, 9) @ (chain @ LUMA) @ _means(WIDTH, 16).T / 255
    colors = np.abs(np.diff(counts, axis=0)).sum(axis=1) / 2
    brightness = np.abs(np.diff(blocks, axis=0)).mean(axis=(1, 2))
    changes: FloatArray = (0.7 * colors + 0.3 * brightness).astype(np.float32)
    return changes


def embed_image(path: Path) -> FloatVector:
    """Return the vector of a JPEG or PNG file, shape (512,), float32, length 1; like that of a clip, without motion.

    Raises:
        MediaError: The file is neither JPEG nor PNG, is broken, or has more than 50 million pixels.
    """
    features = measure([Thumbnail(0.0, image_thumbnail(decode_image(path)))])
    return clip_vector(features, 0.0, 1.0)


def clip_vector(features: VisualFeatures, start: float, end: float) -> FloatVector:
    """Return the unit vector of a clip, start and end in seconds; if it has no thumbnail, of the nearest one."""
    chosen = np.flatnonzero((features.times >= start) & (features.times < end))
    if not chosen.size:
        chosen = np.array([np.abs(features.times - (start + end) / 2).argmin()])
    cells = features.cells[chosen].mean(axis=0)
    coordinates = np.zeros(SIZE, np.float32)
    coordinates += facet_coordinates("color", _without_small_shares(cells.mean(axis=0)))
    coordinates += facet_coordinates("light", _light_shares(float(features.light[chosen].mean())))
    coordinates += facet_coordinates("pattern", features.patterns[chosen].mean(axis=0))
    speeds = features.speeds[chosen]
    speeds = np.sort(speeds[~np.isnan(speeds)])
    if speeds.size:
        # The fastest tenth may contain a shot boundary, or a keyframe that differs from the frames around it.
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
