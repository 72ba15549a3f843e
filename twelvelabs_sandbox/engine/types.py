"""The types of the engine: properties of a file, segmentation, vector of a clip."""

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
    """Media that cannot be decoded or embedded.

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
    """The properties of a file, before any limit is applied.

    Attributes:
        kind: ``document`` is PDF, plain text or Markdown.
        mime_type: Such as ``video/mp4``.
        format_name: As FFmpeg names the container; ``jpeg`` or ``png`` for images.
        size: Bytes.
        duration: Seconds; None for images and documents.
        width: Width in pixels after rotation, of the largest track and frame; None for audio and documents.
        height: Height in pixels after rotation, likewise.
        square_size: Width and height at which a video is shown, with square pixels; None for other media.
        fps: Average frames per second; None without video.
        video_codec: FFmpeg's name of the video codec, or None.
        audio_codec: FFmpeg's name of the audio codec, or None.
        sample_rate: Audio samples per second, or None without audio.
        channels: Number of audio channels, or None without audio.
    """

    kind: MediaKind
    mime_type: str
    format_name: str
    size: int
    duration: float | None = None
    width: int | None = None
    height: int | None = None
    square_size: tuple[int, int] | None = None
    fps: float | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    sample_rate: int | None = None
    channels: int | None = None


@dataclass(frozen=True, slots=True)
class Segmentation:
    """How to split media into clips; exactly one of the two is set.

    Attributes:
        fixed_sec: Fixed duration of the clips in seconds; the last clip may be shorter.
        min_sec: Dynamic, by shots: minimum duration of each clip in seconds; only a shorter window has a shorter clip.
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
    """One vector of a clip or of a whole window.

    Attributes:
        start: Start in seconds from the start of the file (not of the window), rounded to milliseconds.
        end: End, likewise.
        scope: ``clip`` for one clip, ``asset`` for the whole window.
        option: The content that the vector represents.
        vector: Shape (512,), float32, length 1.
    """

    start: float
    end: float
    scope: Scope
    option: Option
    vector: FloatVector
