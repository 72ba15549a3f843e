"""The values that pass through the media engine's door: what a file is, how to cut it, one vector of one stretch."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatVector = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

MediaKind = Literal["video", "audio", "image", "document"]
Option = Literal["visual", "audio", "transcription", "fused"]
Scope = Literal["clip", "asset"]


class MediaError(ValueError):
    """Media that cannot be used.

    Attributes:
        code: The vendor's error code, such as ``video_file_broken`` or ``parameter_invalid``.

    Example:
        >>> MediaError("video_file_broken", "The file ends in the middle of its index.").code
        'video_file_broken'
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type["MediaError"], tuple[str, str]]:
        return type(self), (self.code, str(self))


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a file is, before any limit is judged.

    Attributes:
        kind: ``document`` is PDF, plain text or Markdown.
        mime_type: Such as ``video/mp4``.
        format_name: As FFmpeg names the container; ``jpeg`` or ``png`` for images.
        size: Bytes.
        duration: Seconds; None for images and documents.
        width: Display width in pixels after rotation; None for audio and documents.
        height: Display height in pixels after rotation; None for audio and documents.
        fps: Average frames a second; None where there is no film.
        video_codec: FFmpeg's name of the picture codec, or None.
        audio_codec: FFmpeg's name of the sound codec, or None.
        sample_rate: Samples a second, or None without sound.
        channels: Number of sound channels, or None without sound.
    """

    kind: MediaKind
    mime_type: str
    format_name: str
    size: int
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    sample_rate: int | None = None
    channels: int | None = None


@dataclass(frozen=True, slots=True)
class Segmentation:
    """How to cut a film into clips; exactly one of the two is set.

    Attributes:
        fixed_sec: DurationLimits of every clip in seconds; the last may be shorter.
        min_sec: Segmentation at shots, every clip at least this many seconds long; the last too, unless all of it is shorter.
    """

    fixed_sec: float | None = None
    min_sec: float | None = None

    def __post_init__(self) -> None:
        lengths = [length for length in (self.fixed_sec, self.min_sec) if length is not None]
        if len(lengths) != 1 or not 0 < lengths[0] < float("inf"):
            msg = f"exactly one of fixed_sec and min_sec must be a positive number, not {self!r}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, eq=False)
class ClipVector:
    """One vector of one stretch of a film or sound.

    Attributes:
        start: Seconds from the beginning of the film (not of the asked window), rounded to milliseconds.
        end: The same for the end.
        scope: ``clip`` for one clip, ``asset`` for the whole asked window.
        option: Which side of the media the vector speaks of.
        vector: VectorOptions (512,), float32, length 1.
    """

    start: float
    end: float
    scope: Scope
    option: Option
    vector: FloatVector
