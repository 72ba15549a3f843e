"""Classification of audio, on signals independent of twelvelabs_sandbox.films."""

import numpy as np
import numpy.typing as npt
import pytest

from twelvelabs_sandbox.engine import audio
from twelvelabs_sandbox.engine.audio_samples import RATE
from twelvelabs_sandbox.engine.text import embed_text

SECONDS = 6
T = np.arange(SECONDS * RATE) / RATE
KINDS = ("silence", "tone", "noise", "music", "speech")
Wave = npt.NDArray[np.float64]


def colored_noise(steepness: float) -> Wave:
    """Return noise with a falling spectrum: 0 is white, 0.5 pink, 1 brown."""
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.normal(0, 1, T.size)) / np.maximum(np.fft.rfftfreq(T.size, 1 / RATE), 20) ** steepness
    noise = np.fft.irfft(spectrum, T.size)
    scaled: Wave = 0.3 * noise / noise.std()
    return scaled


def tones(*hertz: float) -> Wave:
    wave: Wave = np.sum([np.sin(2 * np.pi * frequency * T) for frequency in hertz], axis=0) / len(hertz)
    return wave


def voice() -> Wave:
    """Return a buzz whose loudness varies four times per second."""
    buzz = sum(np.sin(2 * np.pi * 130 * overtone * T) / overtone for overtone in range(1, 15))
    return 0.4 * buzz * np.clip(np.sin(2 * np.pi * 4.3 * T), 0, 1)


def vector(wave: Wave, start: float = 0.0, end: float = SECONDS) -> npt.NDArray[np.float32]:
    block = np.zeros(audio.BLOCK, np.float32)
    block[: wave.size] = wave
    return audio.clip_vector(audio.measure([block]), start, end)


def kind(vector: npt.NDArray[np.float32]) -> str:
    return max(KINDS, key=lambda name: float(vector @ embed_text(name)))


@pytest.mark.parametrize(
    ("wave", "expected"),
    [
        (0 * T, "silence"),
        (0.0005 * tones(440), "silence"),
        (0.5 * tones(440), "tone"),
        (0.5 * tones(60), "tone"),
        (0.5 * tones(1000) * (T * 2 % 1 < 0.5), "tone"),
        (0.3 * np.sign(tones(300)), "tone"),
        (colored_noise(0.0), "noise"),
        (colored_noise(0.5), "noise"),
        (colored_noise(1.0), "noise"),
        (0.02 * colored_noise(0.0), "noise"),
        (0.5 * tones(220, 277, 330, 440), "music"),
        (voice(), "speech"),
    ],
)
def test_kinds_of_sound(wave: Wave, expected: str) -> None:
    assert kind(vector(wave)) == expected


def test_pitch_and_loudness() -> None:
    low, high = vector(0.5 * tones(200)), vector(0.5 * tones(2000))
    assert low @ embed_text("low tone") > high @ embed_text("low tone")
    assert high @ embed_text("high tone") > low @ embed_text("high tone")
    loud, quiet = vector(colored_noise(0.0)), vector(0.05 * colored_noise(0.0))
    assert loud @ embed_text("loud noise") > quiet @ embed_text("loud noise")
    assert quiet @ embed_text("quiet noise") > loud @ embed_text("quiet noise")


def test_loud_neighbouring_clip_does_not_change_a_quiet_one() -> None:
    wave = 0.01 * colored_noise(0.0)
    wave[: RATE // 10] = tones(300)[: RATE // 10]
    assert kind(vector(wave)) == "noise"


def test_tones_of_different_frequency_have_different_vectors() -> None:
    first, second = vector(0.5 * tones(500)), vector(0.5 * tones(700))
    assert first @ second < 0.9
    assert first @ vector(0.4 * tones(500)) > 0.99


def test_a_change_of_the_audio_is_located() -> None:
    wave = np.where(T < 2.4, 0.5 * tones(440), colored_noise(0.0))
    block = np.zeros(audio.BLOCK, np.float32)
    block[: wave.size] = wave
    changes = audio.spectrum_changes(audio.measure([block[: SECONDS * RATE]]))
    strongest, _ = max(changes, key=lambda change: change[1])
    assert strongest == pytest.approx(2.4, abs=0.11)
