"""Measures what is to be heard: loudness, tone, noise, music or speech, and the spectrum, 25 times a second."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from twelvelabs_sandbox.engine.vector_space import FINGERPRINT_ROWS
from twelvelabs_sandbox.engine.vector_space import SIZE
from twelvelabs_sandbox.engine.vector_space import facet_coordinates
from twelvelabs_sandbox.engine.vector_space import unit
from twelvelabs_sandbox.engine.vector_space import vector
from twelvelabs_sandbox.engine.types import FloatArray
from twelvelabs_sandbox.engine.types import FloatVector
from twelvelabs_sandbox.engine.patterns import ramp
from twelvelabs_sandbox.engine.audio_samples import RATE

# Samples from one measure to the next (40 ms), and samples that each looks at (64 ms).
HOP, WINDOW = 640, 1024
PER_SECOND = RATE // HOP
# Samples to measure at once: 10 seconds.
BLOCK = 10 * RATE
BANDS, NOTES = 40, 12
LOWEST_HERTZ, HIGHEST_HERTZ, TUNING_HERTZ = 80.0, 7600.0, 440.0
SPECTRUM_ROWS = FINGERPRINT_ROWS[-(BANDS + NOTES) :]
# Lines of the spectrum below this (47 Hz) are rumble, never a tone.
FIRST_AUDIBLE_BIN = 3
# What the spectrum weighs beside all that words can name. Words do not reach it, sounds do.
SPECTRUM_WEIGHT = 0.7
# Sound this much (decibels) below the loudest of its clip is a pause.
PAUSE_DECIBELS = 30.0
# Moments (of 40 ms) at either end of a clip that are passed over.
EDGE_FRAMES = 3
# How often a second loudness rises and falls: slower is no rhythm at all; between the others it is that of syllables.
SYLLABLE_RATES = (0.3, 2.5, 8.0)
# Where the spectra of so many seconds before and after differ by so much (1 - cosine), the sound has become another.
NOVELTY_SECONDS, MIN_NOVELTY = 1, 0.15
EPSILON = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """What was measured at n moments, 25 a second, from the beginning of the window.

    Attributes:
        level: Loudness in decibels below full scale, shape (n,).
        purity: Share of the strongest frequency, shape (n,).
        change: How different the spectrum is from the one before, 0 to 1, shape (n,).
        center: Mean frequency in hertz, shape (n,).
        spectrum: Strength in 40 bands and of 12 notes, shape (n, 52).
    """

    level: FloatArray
    purity: FloatArray
    change: FloatArray
    center: FloatArray
    spectrum: FloatArray


def measure(blocks: Iterable[FloatArray]) -> Sound:
    """Measure blocks of samples, each a multiple of HOP long, as they come; none is kept."""
    parts: list[tuple[FloatArray, ...]] = []
    run_up = np.zeros(WINDOW - HOP, np.float32)
    before = np.zeros((1, WINDOW // 2 + 1), np.float32)
    for block in blocks:
        samples = np.concatenate([run_up, block])
        run_up = samples[-run_up.size :]
        power = _power(samples)
        parts.append((*_scalars(power, before), np.sqrt(power) @ _bands_and_notes()))
        before = power[-1:]
    return Sound(*(np.concatenate(columns).astype(np.float32) for columns in zip(*parts, strict=True)))


def _power(samples: FloatArray) -> FloatArray:
    """Return the power spectrum at each moment, shape (n, 513); its sum is the mean square of the samples."""
    window = np.hanning(WINDOW).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    power: FloatArray = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2 * (2 / WINDOW / (window**2).sum())
    return power


def _scalars(power: FloatArray, before: FloatArray) -> tuple[FloatArray, ...]:
    total = power.sum(axis=1)
    level = 10 * np.log10(total + EPSILON)
    heard = power[:, FIRST_AUDIBLE_BIN:]
    near = np.clip(heard.argmax(axis=1)[:, None] + np.arange(-2, 3), 0, heard.shape[1] - 1)
    purity = np.take_along_axis(heard, near, axis=1).sum(axis=1) / (total + EPSILON)
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
    """Return weights from spectrum to 40 overlapping bands, evenly spaced to the ear, and 12 notes; shape (513, 52)."""
    edges = np.geomspace(LOWEST_HERTZ, HIGHEST_HERTZ, BANDS + 2)
    # The lowest bands would fall between two lines of the spectrum: keep them one line wide at least.
    edges = np.maximum(edges, LOWEST_HERTZ + np.arange(BANDS + 2) * RATE / WINDOW)
    hertz = _hertz().astype(np.float64)
    bands = [np.interp(hertz, edges[at : at + 3], [0, 1, 0]) for at in range(BANDS)]
    heard = (hertz >= LOWEST_HERTZ) & (hertz <= HIGHEST_HERTZ)
    pitch = 12 * np.log2(np.maximum(hertz, 1) / TUNING_HERTZ) % 12
    distance = np.abs((pitch[:, None] - np.arange(NOTES) + 6) % 12 - 6)
    notes = np.clip(1 - distance, 0, 1) * heard[:, None] / np.maximum(hertz, 1)[:, None] * 200
    return np.concatenate([np.array(bands).T, notes], axis=1).astype(np.float32)


def clip_vector(sound: Sound, start: float, end: float) -> FloatVector:
    """Return the unit vector of what was heard, from and to seconds after the beginning of the window."""
    part = _part(sound, start, end)
    loudness = float(np.percentile(part.level, 90))
    silence = 1 - float(ramp(loudness, -60, -50))
    coordinates = np.zeros(SIZE, np.float32)
    coordinates += facet_coordinates("sound", [silence, *(np.array(_kinds(part)) * (1 - silence))])
    if silence < 1:
        active = part.level >= loudness - PAUSE_DECIBELS
        high = float(ramp(np.log2(np.median(part.center[active]) + 1), np.log2(350), np.log2(900)))
        loud = float(ramp(loudness, -30, -12))
        coordinates += (1 - silence) * facet_coordinates("pitch", [1 - high, high])
        coordinates += (1 - silence) * facet_coordinates("loudness", [1 - loud, loud])
        coordinates[SPECTRUM_ROWS] = (1 - silence) * SPECTRUM_WEIGHT * _print(part.spectrum[active])
    return vector(coordinates)


def _part(sound: Sound, start: float, end: float) -> Sound:
    first = min(round(start * PER_SECOND), len(sound.level) - 1)
    last = max(first + 1, round(end * PER_SECOND))
    if last - first >= PER_SECOND:
        # The edges may hold a little of the clips before and after.
        first, last = first + EDGE_FRAMES, last - EDGE_FRAMES
    return Sound(*(getattr(sound, field.name)[first:last] for field in fields(Sound)))


def _print(spectrum: FloatArray) -> FloatVector:
    mean = spectrum.mean(axis=0)
    bands, notes = np.sqrt(mean[:BANDS]), np.sqrt(mean[BANDS:])
    return np.concatenate([unit(bands), 0.5 * unit(notes)])


def _kinds(part: Sound) -> list[float]:
    """Return the shares of tone, noise, music and speech in a clip that is not silent."""
    active = part.level >= np.percentile(part.level, 90) - PAUSE_DECIBELS
    strength = (10 ** (part.level / 20)).astype(np.float32)
    tone = float(ramp(np.median(part.purity[active]), 0.6, 0.85))
    change = float(part.change[active].mean())
    # Noise never repeats itself but stays as strong as it is; speech swells and fades with its syllables.
    uneven = float(strength.std() / (strength.mean() + EPSILON))
    noise = (1 - tone) * float(ramp(change, 0.25, 0.4)) * (1 - float(ramp(uneven, 0.3, 0.5)))
    speech = (1 - tone - noise) * float(ramp(_syllables(strength), 0.35, 0.55)) * float(ramp(change, 0.1, 0.3))
    return [tone, noise, 1 - tone - noise - speech, speech]


def _syllables(strength: FloatArray) -> float:
    """Return how much of the rise and fall happens 2.5 to 8 times a second."""
    if strength.size < PER_SECOND:
        return 0.0
    swing = np.abs(np.fft.rfft((strength - strength.mean()) * np.hanning(strength.size))) ** 2
    pace = np.fft.rfftfreq(strength.size, 1 / PER_SECOND)
    slowest, first, last = SYLLABLE_RATES
    return float(swing[(pace >= first) & (pace <= last)].sum() / (swing[pace > slowest].sum() + EPSILON))


def spectrum_changes(sound: Sound) -> list[tuple[float, float]]:
    """Return (seconds after the beginning of the window, strength) of those places where the sound becomes another."""
    half = PER_SECOND * NOVELTY_SECONDS
    scale = np.concatenate([sound.spectrum, 10 ** (sound.level[:, None] / 40)], axis=1)
    sums = np.cumsum(np.concatenate([np.zeros((1, scale.shape[1])), scale]), axis=0)
    places = np.arange(half, len(scale) - half, PER_SECOND // 5)
    if not places.size:
        return []
    before, after = (sums[places] - sums[places - half]), (sums[places + half] - sums[places])
    novelty = 1 - np.sum(before * after, axis=1) / (
        np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1) + EPSILON
    )
    peaks = np.flatnonzero(novelty >= MIN_NOVELTY)
    return [(float(places[peak]) / PER_SECOND, float(novelty[peak])) for peak in peaks]
