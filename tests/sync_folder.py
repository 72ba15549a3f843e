"""The folder of videos of the tests of `sync_videos`, its steps, and what a vector store has to hold after each."""

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

from twelvelabs_sandbox.films import Scene, write_film

LOOKS = (
    Scene("red", "white", "stripes", "fast", "noise"),
    Scene("blue", "yellow", "plain", "still", "tone"),
    Scene("green", "black", "checkerboard", "slow", "music"),
    Scene("yellow", "purple", "plain", "fast", "silence"),
    Scene("purple", "white", "plain", "slow", "tone"),
    Scene("white", "red", "stripes", "still", "noise"),
    Scene("black", "green", "plain", "fast", "tone"),
    Scene("orange", "blue", "checkerboard", "fast", "music"),
)
OPTIONS = {
    "segmentation": {"strategy": "fixed", "fixed": {"duration_sec": 3}},
    "embedding_option": ["visual", "audio"],
    "end_sec": 6.0,
}


@functools.cache
def look(number: int) -> bytes:
    """Return a video of one scene, 6 s long; cached, since writing it takes longer than embedding it."""
    with tempfile.TemporaryDirectory() as place:
        write_film(Path(place) / "scene.mkv", [LOOKS[number]], fps=2)
        return (Path(place) / "scene.mkv").read_bytes()


def fill(folder: Path) -> None:
    """Write six videos, one of them in a folder of its own, and files that are none."""
    (folder / "cup").mkdir(parents=True)
    for number in range(5):
        (folder / f"v{number}.mkv").write_bytes(look(number))
    (folder / "cup" / "v5.mkv").write_bytes(look(5))
    (folder / "notes.txt").write_text("Not a video.")
    (folder / "._v0.mkv").write_bytes(b"a file of another system")


def add(folder: Path) -> None:
    (folder / "v6.mkv").write_bytes(look(6))


def change(folder: Path) -> None:
    (folder / "v1.mkv").write_bytes(look(7))


def rename(folder: Path) -> None:
    (folder / "v2.mkv").rename(folder / "cup" / "renamed.mkv")


def delete(folder: Path) -> None:
    (folder / "v3.mkv").unlink()


def damage(folder: Path) -> None:
    (folder / "v4.mkv").write_bytes(b"\x1a\x45\xdf\xa3 not a video any more")


# Each step, the number of contents that nobody paid for before it, and what the report counts: the rest is unchanged.
STEPS: tuple[tuple[Callable[[Path], None], int, dict[str, int]], ...] = (
    (fill, 6, {"added": 6}),
    (add, 1, {"added": 1}),
    (change, 1, {"changed": 1}),
    (rename, 0, {"renamed": 1}),
    (delete, 0, {"removed": 1}),
    (damage, 0, {"failures": 1}),
)
COUNTS = (6, 7, 7, 7, 6, 6)
"""Videos that a vector store holds after each step."""


def videos_of(folder: Path) -> list[Path]:
    """Return the videos of a folder, named as `sync_videos` names them."""
    return sorted(path for path in folder.resolve().rglob("*.mkv") if not path.name.startswith("."))
