"""The scenes of test videos: their frames, their audio and a description as a person would write it.

Nothing here depends on the sandbox's engine, so that tests of the engine are fair.
"""

import functools
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

Pattern = Literal["plain", "stripes", "checkerboard"]
Motion = Literal["still", "slow", "fast"]
Sound = Literal["silence", "tone", "noise", "music", "speech"]
Picture = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.float32]
Wave = npt.NDArray[np.float64]

COLORS: dict[str, tuple[int, int, int]] = {
    "red": (214, 32, 30),
    "orange": (248, 140, 22),
    "yellow": (245, 225, 40),
    "green": (40, 160, 50),
    "cyan": (40, 215, 220),
    "blue": (35, 60, 215),
    "purple": (120, 30, 150),
    "pink": (250, 150, 190),
    "brown": (118, 70, 28),
    "black": (14, 14, 14),
    "white": (244, 244, 244),
    "gray": (128, 128, 128),
}
PIXELS_PER_SECOND = {"still": 0.0, "slow": 12.0, "fast": 90.0}
EVEN_ODDS = 0.5
CONSONANT_SHARE = 0.15  # of a syllable
SPOKEN_SHARE = 0.82  # of syllables; the rest are pauses
VOWELS = np.array([(730, 1090), (270, 2290), (300, 870), (530, 1840), (570, 840)])


@dataclass(frozen=True, slots=True)
class Scene:
    """A part of a video with constant appearance and sound.

    `plain` is a field of `color` with a box of `second` on it. `seed` varies what a description omits: shade, width and
    direction of the pattern, position of the box, frequencies of the sound.
    """

    color: str = "red"
    second: str = "white"
    pattern: Pattern = "plain"
    motion: Motion = "still"
    sound: Sound = "silence"
    pitch: Literal["low", "high"] = "high"
    volume: Literal["quiet", "loud"] = "loud"
    seconds: float = 6.0
    grain: float = 0.0
    seed: int = 0


def describe(scene: Scene) -> str:
    """Return the full description of a scene, as a person might type it."""
    return f"{describe_look(scene)}, {describe_sound(scene)}"


def describe_look(scene: Scene) -> str:
    """Return the description of a scene's appearance."""
    look = {
        "plain": f"plain {scene.color} with a {scene.second} box",
        "stripes": f"{scene.color} and {scene.second} stripes",
        "checkerboard": f"{scene.color} and {scene.second} checkerboard",
    }[scene.pattern]
    motion = {"still": "standing still", "slow": "moving slowly", "fast": "moving fast"}[scene.motion]
    return f"{look} {motion}"


def describe_sound(scene: Scene) -> str:
    """Return the description of a scene's sound."""
    pitch = f"{scene.pitch} " if scene.sound == "tone" else ""
    return "in silence" if scene.sound == "silence" else f"with {scene.volume} {pitch}{scene.sound}"


def random_scenes(count: int, seed: int, seconds: tuple[float, float] = (5.0, 8.0)) -> list[Scene]:
    """Return random scenes, no two with the same description."""
    rng = np.random.default_rng(seed)
    scenes: dict[str, Scene] = {}
    for _ in range(count * 20):
        scene = _random_scene(rng, seconds)
        # "red and white stripes" equals "white and red stripes".
        scenes.setdefault(" ".join(sorted(describe(scene).split())), scene)
        if len(scenes) == count:
            return list(scenes.values())
    msg = f"there are not {count} different descriptions"
    raise ValueError(msg)


def _random_scene(rng: np.random.Generator, seconds: tuple[float, float]) -> Scene:
    names = list(COLORS)
    first, second = rng.choice(len(names), 2, replace=False)
    return Scene(
        color=names[first],
        second=names[second],
        pattern=rng.choice(get_args(Pattern)),
        motion=rng.choice(get_args(Motion)),
        sound=rng.choice(get_args(Sound)),
        pitch="low" if rng.random() < EVEN_ODDS else "high",
        volume="quiet" if rng.random() < EVEN_ODDS else "loud",
        seconds=round(float(rng.uniform(*seconds)), 1),
        grain=float(rng.choice([0.0, 4.0, 9.0])),
        seed=int(rng.integers(1 << 30)),
    )


def picture(scene: Scene, at: float, size: tuple[int, int] = (480, 360)) -> Picture:
    """Return the frame of a scene at a second as RGB, shape (height, width, 3)."""
    width, height = size
    rng = np.random.default_rng(scene.seed)
    shades = [np.array(COLORS[name]) + rng.integers(-10, 11, 3) for name in (scene.second, scene.color)]
    shift = PIXELS_PER_SECOND[scene.motion] * at * height / 360
    mask = _stripes if scene.pattern == "stripes" else _checkerboard if scene.pattern == "checkerboard" else _box
    frame = np.clip(shades, 0, 255).astype(np.uint8)[mask(rng, width, height, shift).view(np.uint8)]
    return _grainy(frame, scene.grain, round(at * 1000)) if scene.grain else frame


def _stripes(rng: np.random.Generator, width: int, height: int, shift: float) -> npt.NDArray[np.bool_]:
    x, y = _axes(width, height)
    angle, period = rng.uniform(0, np.pi), rng.uniform(0.11, 0.22) * height
    stripes: npt.NDArray[np.bool_] = (x * np.cos(angle) + y * np.sin(angle) + shift) % period < period / 2
    return stripes


def _checkerboard(rng: np.random.Generator, width: int, height: int, shift: float) -> npt.NDArray[np.bool_]:
    x, y = _axes(width, height)
    side = rng.uniform(0.11, 0.22) * height
    board: npt.NDArray[np.bool_] = ((x + shift) % (2 * side) < side) ^ ((y + shift / 3) % (2 * side) < side)
    return board


def _box(rng: np.random.Generator, width: int, height: int, shift: float) -> npt.NDArray[np.bool_]:
    x, y = _axes(width, height)
    side = height * 0.3
    left = (rng.uniform() * width + shift) % (width - side)
    top = (rng.uniform() * height + shift / 3) % (height - side)
    field: npt.NDArray[np.bool_] = ~((x >= left) & (x < left + side) & (y >= top) & (y < top + side))
    return field


def _axes(width: int, height: int) -> tuple[Samples, Samples]:
    return np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]


@functools.cache
def _noise(height: int, width: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(height * width).normal(0, 1, (height, width, 1)).astype(np.float32)


def _grainy(frame: Picture, grain: float, turn: int) -> Picture:
    """Add noise by shifting one precomputed array, which is far cheaper than new noise for each frame."""
    noise = np.roll(_noise(*frame.shape[:2]), (turn * 37 % 251, turn * 71 % 379), axis=(0, 1))
    return np.clip(frame + noise * np.float32(grain), 0, 255).astype(np.uint8)


def sound(scene: Scene, rate: int = 32000) -> Samples:
    """Return the audio of a whole scene as mono samples between -1 and 1."""
    count = round(scene.seconds * rate)
    if scene.sound == "silence":
        return np.zeros(count, np.float32)
    rng = np.random.default_rng([scene.seed, 1])
    t = np.arange(count) / rate
    maker = {"tone": _tone, "noise": _hiss, "music": _music, "speech": _speech}[scene.sound]
    wave = maker(rng, t, scene)
    level = 0.2 if scene.volume == "loud" else 0.018
    loudness = float(np.sqrt(np.mean(wave**2)))
    samples: Samples = np.clip(wave * level / loudness, -1, 1).astype(np.float32)
    return samples


def _tone(rng: np.random.Generator, t: Wave, scene: Scene) -> Wave:
    hertz = rng.uniform(150, 300) if scene.pitch == "low" else rng.uniform(1200, 2600)
    wave: Wave = np.sin(2 * np.pi * hertz * t)
    return wave


def _hiss(rng: np.random.Generator, t: Wave, _: Scene) -> Wave:
    spectrum = np.fft.rfft(rng.normal(0, 1, t.size))
    hertz = np.fft.rfftfreq(t.size, t[1])
    low, high = rng.uniform(100, 900), rng.uniform(4000, 8000)
    return np.fft.irfft(spectrum * ((hertz > low) & (hertz < high)), t.size)


def _music(rng: np.random.Generator, t: Wave, _: Scene) -> Wave:
    root, beat = 110 * 2 ** rng.uniform(0, 1.5), rng.uniform(0.35, 0.7)
    step, since = (t // beat).astype(int), t % beat
    chords = rng.integers(0, 8, int(step[-1]) + 1)[step]
    wave = np.zeros_like(t)
    for semitones in (0, 4, 7):
        hertz = root * 2 ** ((chords + semitones) / 12)
        for overtone in (1, 2, 3):
            wave += np.sin(2 * np.pi * hertz * overtone * since) / overtone**1.5
    music: Wave = wave * np.exp(-2.0 * since / beat)
    return music


def _speech(rng: np.random.Generator, t: Wave, _: Scene) -> Wave:
    """A buzzing voice with changing vowels, in syllables with pauses between them."""
    voice, pace = rng.uniform(90, 220), rng.uniform(3.2, 5.5)
    pitch = voice * (1 + 0.08 * np.sin(2 * np.pi * 0.7 * t) + 0.05 * np.sin(2 * np.pi * 2.3 * t))
    phase = 2 * np.pi * np.cumsum(pitch) * t[1]
    syllable, along = (t * pace).astype(int), t * pace % 1
    vowels = VOWELS[rng.integers(0, len(VOWELS), syllable[-1] + 1)]
    wave = np.zeros_like(t)
    for overtone in range(1, 28):
        gain = np.sum(1 / (1 + ((overtone * voice - vowels) / 120) ** 2), axis=1)
        wave += gain[syllable] * np.sin(overtone * phase) / overtone**0.3
    consonant = rng.normal(0, 0.15, t.size) * (along < CONSONANT_SHARE)
    spoken = rng.random(syllable[-1] + 1) < SPOKEN_SHARE
    speech: Wave = (wave * np.sin(np.pi * along) ** 1.5 + consonant) * spoken[syllable]
    return speech
