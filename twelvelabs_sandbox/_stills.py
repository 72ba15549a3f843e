"""One picture of a film or image as JPEG, such as is shown in a list."""

from fractions import Fraction
from pathlib import Path

import av
from av.video.frame import VideoFrame

from twelvelabs_sandbox._media_values import MediaError
from twelvelabs_sandbox._opening import decoded_pictures, opened, packets, prepare, seek, video_stream

WIDTH = 320


def still(path: Path, duration: float | None) -> bytes:
    """Return a JPEG of at most 320 pixels across, from the middle of a film; MediaError where there is no picture."""
    with opened(path) as container:
        video = video_stream(container)
        if video is None:
            raise MediaError("video_file_broken", "There is no picture.")
        prepare(video)
        seek(container, (duration or 0.0) / 2)
        frame = next(iter(decoded_pictures(video, packets(container, video))), None)
        if frame is None:
            raise MediaError("video_file_broken", "No picture can be decoded.")
        return _jpeg(frame)


def _jpeg(frame: VideoFrame) -> bytes:
    width = min(WIDTH, frame.width) // 2 * 2 or 2
    height = round(frame.height * width / frame.width) // 2 * 2 or 2
    context = av.VideoCodecContext.create("mjpeg", "w")
    context.width, context.height = width, height
    context.pix_fmt, context.time_base = "yuvj420p", Fraction(1, 25)
    small = frame.reformat(width, height, format=context.pix_fmt)
    small.pts = None
    return b"".join(bytes(packet) for packet in [*context.encode(small), *context.encode(None)])
