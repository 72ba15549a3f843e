"""Measures audio 25 times per second: loudness, spectrum, and whether it is tone, noise, music or speech."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from twelvelabs_sandbox.engine.audio_samples import RATE
from twelvelabs_sandbox.engine.patterns import ramp
from twelvelabs_sandbox.engine.types import FloatArray, FloatVector
from twelvelabs_sandbox.engine.vector_space import FINGERPRINT_ROWS, SIZE, facet_coordinates, unit, vector

# Samples between two measurements (40 ms), and samples per measurement (64 ms).
HOP, WINDOW = 640, 1024
PER_SECOND = RATE // HOP
# Samples per block: 10 seconds.
BLOCK = 10 * RATE
BANDS, NOTES = 40, 12
LOWEST_HERTZ, HIGHEST_HERTZ, TUNING_HERTZ = 80.0, 7600.0, 440.0
SPECTRUM_ROWS = FINGERPRINT_ROWS[-(BANDS + NOTES) :]
# Frequencies below this bin of the spectrum (47 Hz) count as rumble, never as a tone.
FIRST_AUDIBLE_BIN = 3
# Weight of the spectrum relative to the qualities that texts can name. Texts have no component there.
SPECTRUM_WEIGHT = 0.7
# Decibels below the loudest level of a clip at which audio counts as a pause.
PAUSE_DECIBELS = 30.0
# Measurements (of 40 ms) ignored at both ends of a clip.
EDGE_FRAMES = 3
# Loudness modulation in hertz: below the first value ignored, between the second and the third that of syllables.
SYLLABLE_RATES = (0.3, 2.5, 8.0)
# Spectra averaged over this many seconds before and after a change, and their minimum difference (1 - cosine).
NOVELTY_SECONDS, MIN_NOVELTY = 1, 0.15
EPSILON = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class AudioFeatures:
    """Measurements at n points in time, 25 per second, from the start of the window.

    Attributes:
        level: Loudness in decibels relative to full scale, shape (n,).
        purity: Share of the strongest frequency, shape (n,).
        change: Difference from the previous spectrum, 0 to 1, shape (n,).
        center: Mean frequency in hertz, shape (n,).
        spectrum: Strength in 40 bands and of 12 notes, shape (n, 52).
    """

    level: FloatArray
    purity: FloatArray
    change: FloatArray
    center: FloatArray
    spectrum: FloatArray


def measure(blocks: Iterable[FloatArray]) -> AudioFeatures:
    """Measure blocks of samples, each a multiple of HOP long, without keeping them."""
    measured: list[tuple[FloatArray, ...]] = []
    carry = np.zeros(WINDOW - HOP, np.float32)
    before = np.zeros((1, WINDOW // 2 + 1), np.float32)
    for block in blocks:
        samples = np.concatenate([carry, block])
        carry = samples[-carry.size :]
        power = _power(samples)
        measured.append((*_scalars(power, before), np.sqrt(power) @ _bands_and_notes()))
        before = power[-1:]
    return AudioFeatures(*(np.concatenate(columns).astype(np.float32) for columns in zip(*measured, strict=True)))


def _power(samples: FloatArray) -> FloatArray:
    """Return the power spectrum of each measurement, shape (n, 513); its sum is the mean square of the samples."""
    window = np.hanning(WINDOW).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    power: FloatArray = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2 * (2 / WINDOW / (window**2).sum())
    return power


def _scalars(power: FloatArray, before: FloatArray) -> tuple[FloatArray, ...]:
    total = power.sum(axis=1)
    level = 10 * np.log10(total + EPSILON)
    audible = power[:, FIRST_AUDIBLE_BIN:]
    near = np.clip(audible.argmax(axis=1)[:, None] + np.arange(-2, 3), 0, audible.shape[1] - 1)
    purity = np.take_along_axis(audible, near, axis=1).sum(axis=1) / (total + EPSILON)
    center = power @ _hertz() / (total + EPSILON)
    chain = np.concatenate([before, power])
    shares = chain / (chain.sum(axis=1, keepdims=True) + EPSILON)
    change = np.abs(np.diff(shares, axis=0)).sum(axis=1) / 2
    return level, np.minimum(purity, 1.0), change, center


@functools.cache
def _hertz() -> FloatArray:
    return np.fft.rfftfreq(WINDOW, 1 / RATE).astype(np.float32)


@functools.cache
def _bands_and_notes() -> FloatArray:
    """Return the weights from the spectrum to 40 overlapping mel-like bands and 12 notes, shape (513, 52)."""
    edges = np.geomspace(LOWEST_HERTZ, HIGHEST_HERTZ, BANDS + 2)
    # Without this the lowest bands would fall between two bins: keep them at least one bin wide.
    edges = np.maximum(edges, LOWEST_HERTZ + np.arange(BANDS + 2) * RATE / WINDOW)
    hertz = _hertz().astype(np.float64)
    bands = [np.interp(hertz, edges[at : at + 3], [0, 1, 0]) for at in range(BANDS)]
    audible = (hertz >= LOWEST_HERTZ) & (hertz <= HIGHEST_HERTZ)
    pitch = 12 * np.log2(np.maximum(hertz, 1) / TUNING_HERTZ) % 12
    distance = np.abs((pitch[:, None] - np.arange(NOTES) + 6) % 12 - 6)
    notes = np.clip(1 - distance, 0, 1) * audible[:, None] / np.maximum(hertz, 1)[:, None] * 200
    return np.concatenate([np.array(bands).T, notes], axis=1).astype(np.float32)


def clip_vector(features: AudioFeatures, start: float, end: float) -> FloatVector:
    """Return the unit vector of a clip; start and end in seconds from the start of the window."""
    clip = _slice(features, start, end)
    loudness = float(np.percentile(clip.level, 90))
    silence = 1 - float(ramp(loudness, -60, -50))
    coordinates = np.zeros(SIZE, np.float32)
    coordinates += facet_coordinates("sound", [silence, *(np.array(_sound_shares(clip)) * (1 - silence))])
    if silence < 1:
        active = clip.level >= loudness - PAUSE_DECIBELS
        high = float(ramp(np.log2(np.median(clip.center[active]) + 1), np.log2(350), np.log2(900)))
        loud = float(ramp(loudness, -30, -12))
        coordinates += (1 - silence) * facet_coordinates("pitch", [1 - high, high])
        coordinates += (1 - silence) * facet_coordinates("loudness", [1 - loud, loud])
        coordinates[SPECTRUM_ROWS] = (1 - silence) * SPECTRUM_WEIGHT * _fingerprint(clip.spectrum[active])
    return vector(coordinates)


def _slice(features: AudioFeatures, start: float, end: float) -> AudioFeatures:
    first = min(round(start * PER_SECOND), len(features.level) - 1)
    last = max(first + 1, round(end * PER_SECOND))
    if last - first >= PER_SECOND:
        # Measurements at the edges may overlap the adjacent clips.
        first, last = first + EDGE_FRAMES, last - EDGE_FRAMES
    return AudioFeatures(*(getattr(features, field.name)[first:last] for field in fields(AudioFeatures)))


def _fingerprint(spectrum: FloatArray) -> FloatVector:
    mean = spectrum.mean(axis=0)
    bands, notes = np.sqrt(mean[:BANDS]), np.sqrt(mean[BANDS:])
    return np.concatenate([unit(bands), 0.5 * unit(notes)])


def _sound_shares(clip: AudioFeatures) -> list[float]:
    """Return the shares of tone, noise, music and speech in a clip that is not silent."""
    active = clip.level >= np.percentile(clip.level, 90) - PAUSE_DECIBELS
    strength = (10 ** (clip.level / 20)).astype(np.float32)
    tone = float(ramp(np.median(clip.purity[active]), 0.6, 0.85))
    change = float(clip.change[active].mean())
    # The spectrum of noise varies while its loudness is constant; the loudness of speech varies with its syllables.
    uneven = float(strength.std() / (strength.mean() + EPSILON))
    noise = (1 - tone) * float(ramp(change, 0.25, 0.4)) * (1 - float(ramp(uneven, 0.3, 0.5)))
    speech = (1 - tone - noise) * float(ramp(_syllable_share(strength), 0.35, 0.55)) * float(ramp(change, 0.1, 0.3))
    return [tone, noise, 1 - tone - noise - speech, speech]


def _syllable_share(strength: FloatArray) -> float:
    """Return the share of the loudness modulation between 2.5 and 8 Hz."""
    if strength.size < PER_SECOND:
        return 0.0
    swing = np.abs(np.fft.rfft((strength - strength.mean()) * np.hanning(strength.size))) ** 2
    pace = np.fft.rfftfreq(strength.size, 1 / PER_SECOND)
    slowest, first, last = SYLLABLE_RATES
    return float(swing[(pace >= first) & (pace <= last)].sum() / (swing[pace > slowest].sum() + EPSILON))


def spectrum_changes(features: AudioFeatures) -> list[tuple[float, float]]:
    """Return (seconds from the start of the window, strength) of the changes of the spectrum."""
    half = PER_SECOND * NOVELTY_SECONDS
    scale = np.concatenate([features.spectrum, 10 ** (features.level[:, None] / 40)], axis=1)
    sums = np.cumsum(np.concatenate([np.zeros((1, scale.shape[1])), scale]), axis=0)
    positions = np.arange(half, len(scale) - half, PER_SECOND // 5)
    if not positions.size:
        return []
    before, after = (sums[positions] - sums[positions - half]), (sums[positions + half] - sums[positions])
    novelty = 1 - np.sum(before * after, axis=1) / (
        np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1) + EPSILON
    )
    peaks = np.flatnonzero(novelty >= MIN_NOVELTY)
    return [(float(positions[peak]) / PER_SECOND, float(novelty[peak])) for peak in peaks]
