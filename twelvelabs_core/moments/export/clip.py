"""Write a moment as a clip that can be played alone, and as a thumbnail."""

import os
from pathlib import Path
from typing import Protocol

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.export.files import private_part
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
        moment: A moment, hit, or anything with `source`, `start_sec` and `end_sec`.
        path: Path of the clip, which ends in `.mp4`, or in `.m4a` for sound alone.
        media: The local file, where the moment's `source` is a URL or another name. Default: `source`.

    Returns:
        The path.

    Raises:
        InputError: The moment has no times or is not in the file, the file cannot be read, or the suffix is another.
        ImportError: The extra `media` is not installed.

    Example:
        ```python
        for number, moment in enumerate(client.find_moments(hits, query)):
            write_clip(moment, f"clip-{number}.mp4")
        ```
    """
    target = _target(path)
    if target.suffix.lower() not in FORMATS:
        raise InputError(f"a clip is written to a path that ends in {' or '.join(FORMATS)}, got {target.name!r}.")
    file = _local_file(moment, media)
    if not 0 <= moment.start_sec < moment.end_sec:
        raise InputError(
            f"cannot cut {file.name} from {moment.start_sec} to {moment.end_sec} s: a clip needs a start of at least 0 "
            "and an end after it; pages, chunks and images have no times."
        )
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
        moment: A moment, hit, or anything with `source`, `start_sec` and `end_sec`.
        path: Path of the JPEG; where it exists, it is replaced once the picture is complete.
        media: The local file, where the moment's `source` is a URL or another name. Default: `source`.
        width: Maximum width in pixels.

    Returns:
        The path.

    Raises:
        InputError: The file cannot be read, or has no video.
        ImportError: The extra `media` is not installed.

    Example:
        ```python
        write_thumbnail(moment, "goal.jpg")
        ```
    """
    target = _target(path)
    middle = (moment.start_sec + moment.end_sec) / 2
    jpeg = still(_local_file(moment, media), float(getattr(moment, "best_sec", middle)), width)
    with private_part(target.parent, "thumbnail.jpg") as part:
        part.write_bytes(jpeg)
        part.replace(target)
    return target


def _target(path: str | os.PathLike[str]) -> Path:
    target = Path(path)
    if not target.parent.is_dir():
        raise InputError(f"cannot write {target}: there is no folder {target.parent}.")
    return target


def _local_file(moment: TimeRange, media: str | os.PathLike[str] | None) -> Path:
    path = Path(moment.source if media is None else media)
    if not path.is_file():
        advice = "give the local file as media=" if media is None else "media= must be a local file"
        raise InputError(f"cannot read {os.fspath(path if media else moment.source)}: no such file; {advice}.")
    return path
