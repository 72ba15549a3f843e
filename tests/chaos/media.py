"""The media of a chaos run: many short videos, windows of one, PDFs, and a few that cannot be embedded."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sandbox.file_server import FileServer
from tests.sandbox.pdf import write_pdf
from twelvelabs_core import FixedSegmentation, SpatialSegmentation
from twelvelabs_sandbox.films import Scene, random_scenes, write_film

SIZE, FPS, SCENE_SEC = (360, 360), 4, (2.3, 2.8)
# One in this many good videos is given as a signed URL instead of a file.
URL_EVERY = 8
WAYS = ("langchain", "async client", "llama-index")  # of `callers`, whose import takes seconds
# The collections of vectors of videos and of documents, and the options of both.
VIDEOS, DOCUMENTS = "moments", "pages"
DOCUMENT_MODEL = "marengo3.5"
VIDEO: dict[str, Any] = {
    "segmentation": FixedSegmentation(3),
    "embedding_option": ("visual", "audio"),
    "embedding_scope": ("clip",),
}
DOCUMENT: dict[str, Any] = {"segmentation": SpatialSegmentation("quadrants")}
WINDOWS = ((0.0, 6.0), (6.0, 12.0), (12.0, 18.0))
PDFS = 3


# Content and window: what a task is created for.
Work = tuple[str | None, float | None, float | None]


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
class Item:
    """A video or document of the run, or a window of a video: what is paid for once.

    Attributes:
        source: Expected source name: the path, or the URL without its signature.
        given: The value passed to the loader.
        sha256: Digest of the bytes; "" for bad ones.
        reason: Text that the reported failure must contain; None for a good one.
        start: First second, as tasks show it; None for a document.
        end: Last second; None for the end.
    """

    source: str
    given: str
    sha256: str
    reason: str | None = None
    start: float | None = 0.0
    end: float | None = None

    @property
    def work(self) -> Work:
        return self.sha256, self.start, self.end

    @property
    def label(self) -> str:
        return self.source if self.end is None else f"{self.source} {self.start:g}-{self.end:g} s"


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
) -> list[Item]:
    """Return the good videos, as files and signed URLs, followed by videos that cannot be embedded."""
    good = [_good(path, number, server, signature) for number, path in enumerate(video_paths)]
    return good + [_bad(folder, number, server, signature) for number in range(bad)]


def _good(path: Path, number: int, server: FileServer, signature: Signature) -> Item:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if number % URL_EVERY:
        return Item(path.as_posix(), str(path), digest)
    url = server.url(path.name)
    return Item(url, f"{url}?{signature.query}", digest)


def _bad(folder: Path, number: int, server: FileServer, signature: Signature) -> Item:
    kind, name = number % 4, f"bad-{number:03}.mp4"
    path = folder / name
    if kind == 0:
        path.write_text(f"Not a video, number {number}.\n" * 20)
        return Item(path.as_posix(), str(path), "", "")
    if kind == 1:
        if not path.exists():
            _write(path, [Scene(color="red", seconds=3.0 + 0.001 * number)])
        return Item(path.as_posix(), str(path), "", "4 s")
    if kind == 2:  # the third of four kinds
        url = server.url(f"missing-{number}.mp4")
        return Item(url, f"{url}?{signature.query}", "", "media_url_not_exists")
    path.write_text(f"Not a video either, number {number}.\n" * 20)
    url = server.url(name)
    return Item(url, f"{url}?{signature.query}", "", "HTTP 400")


def _write(path: Path, scenes: Sequence[Scene]) -> None:
    """Write a video atomically, so that an interrupted run leaves no partial file."""
    part = path.with_suffix(".part.mp4")
    write_film(part, scenes, size=SIZE, fps=FPS)
    part.replace(path)


def windows(folder: Path) -> list[Item]:
    """Write one longer video, and return windows of it."""
    path = folder / "windows.mp4"
    if not path.exists():
        _write(path, random_scenes(6, seed=99, seconds=(3.0, 3.0)))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return [Item(path.as_posix(), str(path), digest, None, start, end) for start, end in WINDOWS]


def documents(folder: Path) -> list[Item]:
    """Write some PDFs of two pages."""
    paths = [folder / f"document-{number}.pdf" for number in range(PDFS)]
    for number, path in enumerate(paths):
        lines = [(20, 150, f"Report {number}"), (120, 40, "in the corner")]
        write_pdf(path, [lines, [(20, 20, f"Page two of {number}")]])
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    return [Item(path.as_posix(), str(path), digest, None, None) for path, digest in zip(paths, digests, strict=True)]
