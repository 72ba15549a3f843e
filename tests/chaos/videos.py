"""The videos of a chaos run: many short ones, all different, and a few that cannot be embedded."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.sandbox.file_server import FileServer
from twelvelabs_sandbox.films import Scene, random_scenes, write_film

SIZE, FPS, SCENE_SEC = (360, 360), 4, (2.3, 2.8)
# One in this many good videos is given as a signed URL instead of a file.
URL_EVERY = 8


@dataclass(frozen=True)
class Signature:
    """The secret parameters of a signed URL."""

    signature: str
    credential: str
    token: str

    @classmethod
    def of(cls, seed: int) -> "Signature":
        digest = hashlib.sha512(f"chaos {seed}".encode()).hexdigest()
        return cls(digest[:64], "AKIA" + digest[64:80].upper(), "tok" + digest[80:120])

    @property
    def query(self) -> str:
        return f"X-Amz-Credential={self.credential}&X-Amz-Security-Token={self.token}&X-Amz-Signature={self.signature}"


@dataclass(frozen=True)
class Video:
    """One source of the run.

    Attributes:
        source: Expected source name: the path, or the URL without its signature.
        given: The value passed to the loader.
        sha256: Digest of the bytes; "" for bad videos.
        reason: Text that the reported failure must contain; None for a good video.
    """

    source: str
    given: str
    sha256: str
    reason: str | None = None


def make_videos(folder: Path, count: int, seed: int) -> list[Path]:
    """Write the good videos, all different; existing files are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    scenes = random_scenes(2 * count, seed, seconds=SCENE_SEC)
    paths = [folder / f"video-{number:03}.mp4" for number in range(count)]
    for number, path in enumerate(paths):
        if not path.exists():
            _write(path, scenes[2 * number : 2 * number + 2])
    return paths


def sources(
    folder: Path, video_paths: Sequence[Path], bad: int, server: FileServer, signature: Signature
) -> list[Video]:
    """Return the good videos, as files and signed URLs, followed by videos that cannot be embedded."""
    good = [_good(path, number, server, signature) for number, path in enumerate(video_paths)]
    return good + [_bad(folder, number, server, signature) for number in range(bad)]


def _good(path: Path, number: int, server: FileServer, signature: Signature) -> Video:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if number % URL_EVERY:
        return Video(path.as_posix(), str(path), digest)
    url = server.url(path.name)
    return Video(url, f"{url}?{signature.query}", digest)


def _bad(folder: Path, number: int, server: FileServer, signature: Signature) -> Video:
    kind, name = number % 4, f"bad-{number:03}.mp4"
    path = folder / name
    if kind == 0:
        path.write_text(f"Not a video, number {number}.\n" * 20)
        return Video(path.as_posix(), str(path), "", "")
    if kind == 1:
        if not path.exists():
            _write(path, [Scene(color="red", seconds=3.0 + 0.001 * number)])
        return Video(path.as_posix(), str(path), "", "4 s")
    if kind == 2:  # the third of four kinds
        url = server.url(f"missing-{number}.mp4")
        return Video(url, f"{url}?{signature.query}", "", "media_url_not_exists")
    path.write_text(f"Not a video either, number {number}.\n" * 20)
    url = server.url(name)
    return Video(url, f"{url}?{signature.query}", "", "HTTP 400")


def _write(path: Path, scenes: Sequence[Scene]) -> None:
    """Write a video atomically, so that an interrupted run leaves no partial file."""
    part = path.with_suffix(".part.mp4")
    write_film(part, scenes, size=SIZE, fps=FPS)
    part.replace(path)
