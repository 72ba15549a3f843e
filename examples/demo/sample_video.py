"""Generates the demo's default video: three minutes of scenes, sounds and captions."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av

from twelvelabs_core.moments.export.files import private_part
from twelvelabs_sandbox.films import Scene, random_scenes, write_film

QUERIES = (
    "red and white stripes moving fast",
    "plain blue with a yellow box",
    "loud music",
    "the goalkeeper dives to the left",
)
"""Queries for this video: by picture, by sound and by speech."""

QUERIES_FOR_ANY_VIDEO = ("green grass", "a dark scene", "moving fast", "loud music")

ASKED_FOR = (
    Scene("red", "white", "stripes", "fast", "noise", seed=3),
    Scene("blue", "yellow", "plain", "slow", "speech", volume="quiet", seed=4),
    Scene("green", "white", "checkerboard", "still", "music", volume="loud", seed=5),
)
CAPTIONS = (
    "welcome to the final of the cup",
    "the goalkeeper dives to the left and holds the ball",
    "half time, the score is still level",
    "a long pass down the wing and a header into the net",
    "thank you for watching and good night",
)
SCENES = 30
SIZE = (640, 360)
FPS = 8
SEED = 11
VERSION = 1
"""Part of the file name; to be increased whenever the generated video changes."""


def sample_video_path(folder: Path) -> Path:
    """Return the path of the demo's sample video, which may not exist yet."""
    return folder / f"demo-video-{VERSION}.mkv"


def write_sample_video(path: Path) -> None:
    """Write the sample video atomically; takes about ten seconds."""
    scenes = list(_scenes())
    captions = list(_captions(sum(scene.seconds for scene in scenes)))
    with private_part(path.parent, path.name) as part:
        write_film(part, scenes, size=SIZE, fps=FPS, captions=captions)
        part.replace(path)


def is_whole(path: Path) -> bool:
    """Return whether the file can be opened as a video and has the length of the sample video."""
    try:
        with av.open(str(path)) as video:
            return abs((video.duration or 0) / av.time_base - sum(scene.seconds for scene in _scenes())) < 1
    except (OSError, ValueError, av.error.FFmpegError):
        return False


def _scenes() -> Iterator[Scene]:
    """Yield random scenes with a fixed seed, with the scenes of `QUERIES` spread among them."""
    asked_for = iter(ASKED_FOR)
    for number, scene in enumerate(random_scenes(SCENES - len(ASKED_FOR), seed=SEED)):
        if number % 8 == 5:  # the sixth, fourteenth and twenty-second
            yield next(asked_for)
        yield replace(scene, grain=0.0)  # grain costs half of the writing time


def _captions(seconds: float) -> Iterator[tuple[float, float, str]]:
    for number, text in enumerate(CAPTIONS):
        start = 4.0 + number * (seconds - 12.0) / len(CAPTIONS)
        yield start, start + 5.0, text
