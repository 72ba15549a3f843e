"""Write a preview of a whole video that every browser plays, small enough to embed in a page.

Many videos do not play in a browser as they are (mkv, HEVC, AC-3 ...), so each is encoded anew.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.export.files import local_path, private_part, target_path
from twelvelabs_core.moments.export.transcode import Encoding, transcode

MAX_BYTES = 20_000_000
"""Base64 makes four bytes of three, so a page with one preview stays under 30 MB with all its pictures."""


@dataclass(frozen=True, slots=True)
class PreviewQuality:
    """The encoding parameters of a preview.

    Attributes:
        height: Maximum height in pixels.
        fps: Maximum frames per second; 0 uses keyframes only, which reads thirty times faster.
        video_rate: Maximum bits per second of the video track.
        audio_rate: Bits per second of the audio track; 0 omits it.

    Example:
        ```python
        quality = write_preview("match.mkv", "preview.mp4", duration_sec=5400)
        print(quality.shortcomings)
        ```
    """

    height: int
    fps: int
    video_rate: int
    audio_rate: int

    @property
    def shortcomings(self) -> str:
        """What the preview lacks compared with the video; empty for a full preview."""
        lacks = ["shows keyframes only"] * (not self.fps) + ["has no sound"] * (not self.audio_rate)
        return " and ".join(lacks)

    def encoding(self) -> Encoding:
        """Return the parameters of the encoder."""
        options = {
            "preset": "superfast",
            "crf": "25",
            "maxrate": str(self.video_rate),
            "bufsize": str(self.video_rate * 2),
            # A small GOP, so that seeking to a moment is fast.
            "g": str(self.fps * 2 or 8),
        }
        return Encoding(max_height=self.height, fps=self.fps, audio_rate=self.audio_rate, options=options)


LADDER = (
    PreviewQuality(480, 24, 1_200_000, 96_000),
    PreviewQuality(480, 24, 400_000, 64_000),
    PreviewQuality(360, 15, 170_000, 48_000),
    PreviewQuality(240, 12, 90_000, 32_000),
    PreviewQuality(240, 0, 50_000, 32_000),
    PreviewQuality(240, 0, 24_000, 18_000),
    PreviewQuality(180, 0, 12_000, 16_000),
    PreviewQuality(144, 0, 10_000, 0),
)


def write_preview(
    media: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    duration_sec: float,
    max_bytes: int = MAX_BYTES,
    on_second: Callable[[float], object] = lambda _: None,
) -> PreviewQuality:
    """Write a preview of a video as mp4, in the best quality that fits.

    Args:
        media: Path of the video.
        path: Path of the preview; where it exists, it is replaced once the preview is complete.
        duration_sec: Length of the video, as in its segments' metadata.
        max_bytes: Maximum size of the preview.
        on_second: Called with the second of the video that is being written.

    Returns:
        The quality.

    Raises:
        InputError: The video is too long for any quality or cannot be read, or `path` does not end in `.mp4`, is the
            video itself, or in no folder.
        ImportError: The extra `media` is not installed.

    Example:
        ```python
        write_preview("match.mkv", "preview.mp4", duration_sec=moments[0].hits[0].duration_sec)
        page = moments_to_html({"a goal": moments}, previews={moments[0].source: "preview.mp4"})
        ```
    """
    media = local_path(media)
    target = target_path(path, (".mp4",), media)
    with private_part(target.parent, "preview.mp4") as part:
        # Very detailed pictures exceed the bit rate; then the next lower quality is tried.
        for quality in affordable(duration_sec, max_bytes):
            transcode(media, part, quality.encoding(), on_second=on_second)
            if part.stat().st_size <= max_bytes:
                part.replace(target)
                return quality
    raise InputError(f"a preview of {duration_sec:,.0f} s does not fit into {max_bytes:,} bytes in any quality.")


def affordable(duration_sec: float, max_bytes: int) -> list[PreviewQuality]:
    """Return the qualities in which a video of this length fits into a number of bytes, best first."""
    bits = max_bytes * 8 * 0.97
    return [quality for quality in LADDER if (quality.video_rate + quality.audio_rate) * duration_sec <= bits]
