"""Classifies images as plain, striped, checkered or detailed by variance, direction and period of their contrast."""

import numpy as np
import numpy.typing as npt

from twelvelabs_sandbox.engine.thumbnails import HEIGHT, WIDTH
from twelvelabs_sandbox.engine.types import FloatArray, Pixels

# Standard deviation (0 to 255) below which contrast counts as noise.
FLAT = 4.0
# Minimum number of repetitions of a pattern across the image.
MIN_REPEATS = 2
BIN = 8.0
BINS = round(2 * 512 / BIN)


def pattern_shares(pixels: Pixels) -> FloatArray:
    """Return the shares of plain, stripes, checkerboard and detailed, (n, 4), in thumbnails of shape (n, 54, 96, 3)."""
    contrast, spread = _contrast(pixels)
    one_color = np.where(spread < FLAT, 1.0, ramp(_mode_share(contrast), 0.6, 0.85))
    rhythm, crossed = _rhythm(contrast)
    striped = ramp(_coherence(contrast), 0.45, 0.7) * ramp(rhythm, 0.3, 0.5) * (1 - one_color)
    checkered = (1 - one_color - striped) * np.where(crossed, ramp(rhythm, 0.45, 0.65), 0.0)
    shares = np.stack([one_color, striped, checkered, 1 - one_color - striped - checkered], axis=1)
    whole: FloatArray = np.clip(shares, 0, 1).astype(np.float32)
    return whole


def ramp(values: npt.ArrayLike, low: float, high: float) -> npt.NDArray[np.float64]:
    """Return the position of values between low (0) and high (1), clipped."""
    share: npt.NDArray[np.float64] = np.clip((np.asarray(values, np.float64) - low) / (high - low), 0.0, 1.0)
    return share


def _contrast(pixels: Pixels) -> tuple[FloatArray, FloatArray]:
    """Project each image on its main colour axis; return the result, shape (n, 54, 96), and its standard deviation.

    Brightness alone would miss patterns of two equally bright colours.
    """
    flat = pixels.reshape(len(pixels), -1, 3).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    values, axes = np.linalg.eigh(flat.transpose(0, 2, 1) @ flat / flat.shape[1])
    contrast = flat @ axes[:, :, -1:]
    return contrast.reshape(-1, HEIGHT, WIDTH), np.sqrt(np.maximum(values[:, -1], 0))


def _mode_share(contrast: FloatArray) -> FloatArray:
    """Return the share of pixels near the most frequent value of each image."""
    levels = np.clip((contrast + 512) / BIN, 0, BINS - 1).astype(np.int64).reshape(len(contrast), -1)
    levels += np.arange(len(contrast))[:, None] * BINS
    counts = np.bincount(levels.ravel(), minlength=len(contrast) * BINS).reshape(-1, BINS)
    share: FloatArray = (counts[:, :-2] + counts[:, 1:-1] + counts[:, 2:]).max(axis=1) / (HEIGHT * WIDTH)
    return share


def _coherence(contrast: FloatArray) -> FloatArray:
    """Return how far the edges of each image have one direction, 0 to 1."""
    down, across = np.gradient(contrast, axis=(1, 2))
    xx, yy, xy = (np.mean(product, axis=(1, 2)) for product in (across * across, down * down, across * down))
    coherence: FloatArray = np.hypot(xx - yy, 2 * xy) / (xx + yy + 1e-6)
    return coherence


def _rhythm(contrast: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Return the share of one spatial frequency in each image, and whether it is present along both diagonals."""
    window = np.outer(np.hanning(HEIGHT), np.hanning(WIDTH)).astype(np.float32)
    power = np.abs(np.fft.fft2(contrast * window)) ** 2
    total = power.sum(axis=(1, 2)) - power[:, 0, 0] + 1e-6
    down, across = (np.abs(np.fft.fftfreq(length, 1 / length)) for length in (HEIGHT, WIDTH))
    power[:, (down[:, None] < MIN_REPEATS) & (across < MIN_REPEATS)] = 0
    peaks = power.reshape(len(power), -1).argmax(axis=1)
    y, x = np.divmod(peaks, WIDTH)
    near = np.array([-1, 0, 1])
    picture = np.arange(len(power))[:, None, None]
    columns = (x[:, None, None] + near) % WIDTH
    here = power[picture, (y[:, None, None] + near[:, None]) % HEIGHT, columns].sum(axis=(1, 2))
    mirrored = power[picture, (-y[:, None, None] + near[:, None]) % HEIGHT, columns].sum(axis=(1, 2))
    slant = np.minimum(np.minimum(y, HEIGHT - y), np.minimum(x, WIDTH - x))
    crossed = (slant >= MIN_REPEATS) & (mirrored > here / 2)
    rhythm: FloatArray = 2 * (here + np.where(crossed, mirrored, 0)) / total
    return rhythm, crossed
