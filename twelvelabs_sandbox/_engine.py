"""The only door of the sandbox's media engine: a file or a text goes in, facts and 512-d unit vectors come out.

The engine is NOT Marengo and knows no meaning. It measures colours, light, motion, texture, loudness, tone and noise, maps
the words of a text onto the same code words, and takes captions or chapters inside a file for its speech. Every function
blocks, may be called from any thread, gives the same vectors for the same input, and holds bounded memory.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

from twelvelabs_sandbox._media_values import ClipVector, Cut, FloatVector, MediaError, MediaInfo

__all__ = [
    "ClipVector",
    "Cut",
    "FloatVector",
    "MediaError",
    "MediaInfo",
    "embed_image",
    "embed_media",
    "embed_multi",
    "embed_text",
    "embed_text_image",
    "probe",
    "spoken_words",
]


def probe(path: Path, filename: str | None = None) -> MediaInfo:
    """Say what a file is; raise MediaError where it is no media."""
    raise NotImplementedError


def embed_text(text: str) -> FloatVector:
    """Return the vector of a text."""
    raise NotImplementedError


def embed_image(path: Path) -> FloatVector:
    """Return the vector of a JPEG or PNG file."""
    raise NotImplementedError


def embed_text_image(text: str, path: Path) -> FloatVector:
    """Return one vector of a text and an image together."""
    raise NotImplementedError


def embed_multi(text: str | None, image_paths: Sequence[Path]) -> FloatVector:
    """Return one vector of several images and, where given, a text."""
    raise NotImplementedError


def embed_media(
    path: Path,
    *,
    kind: Literal["video", "audio"],
    start: float,
    end: float,
    cut: Cut,
    options: Collection[str],
    scopes: Collection[str],
    separate: bool,
    fused: bool,
) -> list[ClipVector]:
    """Cut a stretch of a film or sound into clips and return their vectors."""
    raise NotImplementedError


def spoken_words(path: Path) -> list[tuple[float, float, str]]:
    """Return what captions or chapters inside the file say: (start, end, text) in seconds, in order."""
    raise NotImplementedError
