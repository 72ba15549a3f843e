"""Makes the video that the demo searches when it is given none: scenes, sounds and captions, three minutes of them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av

from examples.demo.parts import private_part
from twelvelabs_sandbox.films import Scene, random_scenes, write_film

QUERIES = (
    "red and white stripes moving fast",
    "plain blue with a yellow box",
    "loud music",
    "the goalkeeper dives to the left",
)
"""What to ask of this video: by sight, by sound and by what is said."""

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
"""Part of the file's name: another video of the same name would be new work every time."""


def sample_video_path(folder: Path) -> Path:
    """Return where the demo's own video is, or will be."""
    return folder / f"demo-video-{VERSION}.mkv"


def write_sample_video(path: Path) -> None:
    """Write the demo's own video, whole or not at all; takes about ten seconds."""
    scenes = list(_scenes())
    captions = list(_captions(sum(scene.seconds for scene in scenes)))
    with private_part(path.parent, path.name) as part:
        write_film(part, scenes, size=SIZE, fps=FPS, captions=captions)
        part.replace(path)


def is_whole(path: Path) -> bool:
    """Return whether there is a video that can be opened, and is as long as the demo's own."""
    try:
        with av.open(str(path)) as video:
            return abs((video.duration or 0) / av.time_base - sum(scene.seconds for scene in _scenes())) < 1
    except (OSError, ValueError, av.error.FFmpegError):
        return False


def _scenes() -> Iterator[Scene]:
    """Scenes drawn at random, always the same ones, with those that are asked for spread among them."""
    asked_for = iter(ASKED_FOR)
    for number, scene in enumerate(random_scenes(SCENES - len(ASKED_FOR), seed=SEED)):
        if number % 8 == 5:  # noqa: PLR2004  # the sixth, fourteenth and twenty-second
            yield next(asked_for)
        yield replace(scene, grain=0.0)  # grain costs half of the writing time


def _captions(seconds: float) -> Iterator[tuple[float, float, str]]:
    for number, text in enumerate(CAPTIONS):
        start = 4.0 + number * (seconds - 12.0) / len(CAPTIONS)
        yield start, start + 5.0, text
