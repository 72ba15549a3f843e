"""Write a moment as a clip that can be played alone, and as a thumbnail."""

import math
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.export.files import local_file, private_part, target_path
from twelvelabs_core.moments.export.frames import still
from twelvelabs_core.moments.export.transcode import FORMATS, Encoding, transcode

_CLIP = Encoding(options={"preset": "veryfast", "crf": "18", "bf": "0"})


class TimeRange(Protocol):
    """A part of a video or audio file: a `Moment`, a `Hit`, or anything with these attributes."""

    @property
    def source(self) -> str:
        """Path of the file, unless the caller gives it."""

    @property
    def start_sec(self) -> float:
        """First second."""

    @property
    def end_sec(self) -> float:
        """Last second."""


def write_clip(moment: TimeRange, path: str | os.PathLike[str], *, media: str | os.PathLike[str] | None = None) -> Path:
    """Write a moment as a clip: mp4 with H.264 and AAC, or m4a with the sound alone.

    The clip is encoded anew, so it begins with the frame that the video shows at the moment's first second, and not
    with a keyframe before it. Frames keep their times, variable frame rates too; rotated videos become upright, pixels
    square and sides even. Where `path` exists, it is replaced once the clip is complete.

    Args:
        moment: A moment, a hit, a result of a retriever, or anything with `source`, `start_sec` and `end_sec`.
        path: Path of the clip, which ends in `.mp4`, or in `.m4a` for sound alone.
        media: The local file, where the moment's `source` is a URL or another name. Default: `source`.

    Returns:
        The path.

    Raises:
        InputError: The moment has no times or is not in the file, the file cannot be read, `path` is the file itself or
            in no folder, or its suffix is another.
        ImportError: The extra `media` is not installed.

    Example:
        ```python
        for number, moment in enumerate(client.find_moments(hits, query)):
            write_clip(moment, f"clip-{number}.mp4")
        ```
    """
    moment = _time_range(moment)
    file = _local_file(moment, media)
    target = target_path(path, FORMATS, file)
    _check_times(moment, f"cut {file.name}")
    with private_part(target.parent, f"clip{target.suffix.lower()}") as part:
        transcode(file, part, _CLIP, start_sec=moment.start_sec, end_sec=moment.end_sec)
        part.replace(target)
    return target


def write_thumbnail(
    moment: TimeRange,
    path: str | os.PathLike[str],
    *,
    media: str | os.PathLike[str] | None = None,
    width: int = 480,
) -> Path:
    """Write the picture at a moment's best second, or else at its middle, as JPEG; never the file's cover.

    Args:
        moment: A moment, a hit, a result of a retriever, or anything with `source`, `start_sec` and `end_sec`.
        path: Path of the JPEG; where it exists, it is replaced once the picture is complete.
        media: The local file, where the moment's `source` is a URL or another name. Default: `source`.
        width: Maximum width in pixels.

    Returns:
        The path.

    Raises:
        InputError: The moment has no times, the file cannot be read or has no video, `path` is the file itself or
            cannot be written, or its suffix is not `.jpg` or `.jpeg`.
        ImportError: The extra `media` is not installed.

    Example:
        ```python
        write_thumbnail(moment, "goal.jpg")
        ```
    """
    moment = _time_range(moment)
    file = _local_file(moment, media)
    target = target_path(path, (".jpg", ".jpeg"), file)
    _check_times(moment, f"take a picture of {file.name}")
    second = float(getattr(moment, "best_sec", (moment.start_sec + moment.end_sec) / 2))
    if not 0 <= second < math.inf:
        raise InputError(f"cannot take a picture of {file.name} at {second} s: a moment begins at 0 or later.")
    jpeg = still(file, second, width)
    with private_part(target.parent, "thumbnail.jpg") as part:
        part.write_bytes(jpeg)
        part.replace(target)
    return target


def _time_range(result: Any) -> Any:
    """Return a moment or hit; of a LangChain document or LlamaIndex node the values in its metadata.

    Raises:
        InputError: It has neither.
    """
    if hasattr(result, "start_sec") and hasattr(result, "source"):
        return result
    metadata = getattr(result, "metadata", None) or {}
    if not {"source", "start_sec", "end_sec"} <= set(metadata):
        raise InputError(f"a {type(result).__name__} is not a moment: it has no source, start_sec and end_sec.")
    names = [name for name in ("source", "start_sec", "end_sec", "best_sec") if name in metadata]
    return SimpleNamespace(**{name: metadata[name] for name in names})


def _check_times(moment: TimeRange, purpose: str) -> None:
    if not 0 <= moment.start_sec < moment.end_sec < math.inf:
        raise InputError(
            f"cannot {purpose} from {moment.start_sec} to {moment.end_sec} s: a moment needs a start of at least 0 and "
            "an end after it; pages, chunks and images have no times."
        )


def _local_file(moment: TimeRange, media: str | os.PathLike[str] | None) -> Path:
    path = moment.source if media is None else media
    file = local_file(path)
    if file is None:
        advice = "give the local file as media=" if media is None else "media= must be a local file"
        raise InputError(f"cannot read {os.fspath(path)}: no such file; {advice}.")
    return file
