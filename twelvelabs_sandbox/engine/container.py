"""Opens and decodes media files with PyAV: known formats only, no access to other files, errors as MediaError."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from twelvelabs_sandbox.engine.types import MediaError

# Maximum size of a frame; the largest video that the vendor accepts, 5184x2160, has 11 million pixels.
MAX_PIXELS = 50_000_000

# Playlists and scripts (HLS, DASH, concat, SDP ...) are excluded: they make FFmpeg open other files.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,flv,mpeg,mpegts,mpegvideo,m4v,h264,hevc,obu,ivf,vc1,dv,mxf,gxf,nut,"
    "nsv,rm,wtv,ogg,gif,apng,yuv4mpegpipe,wav,w64,mp3,flac,aac,ac3,eac3,dts,truehd,amr,aiff,au,caf,tta,wv,ape,mpc,mpc8,voc,dsf,"
    "jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,tiff_pipe"
)
# Titles may have any encoding. PyAV 19 removed the argument and always replaces invalid bytes.
PYAV_WITH_STRICT_METADATA = ("16", "17", "18")
LENIENT_METADATA: dict[str, Any] = (
    {"metadata_errors": "replace"} if av.__version__.startswith(PYAV_WITH_STRICT_METADATA) else {}
)
OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": "file", "max_pixels": str(MAX_PIXELS)}


@contextmanager
def open_media(path: Path, demuxer: str | None = None) -> Iterator[InputContainer]:
    """Open a video, audio or image file, with a demuxer chosen by its content or by the caller.

    Raises:
        MediaError: The file cannot be read, or reading failed inside the ``with`` block.
    """
    try:
        # Without the prefix, FFmpeg would read a colon in the path as a protocol.
        with av.open(f"file:{path}", "r", demuxer, options=OPTIONS, **LENIENT_METADATA) as container:
            yield container
    except MediaError:
        raise
    except (av.error.FFmpegError, OSError, ArithmeticError, ValueError) as error:
        # PyAV raises ValueError, besides FFmpeg's errors, for tracks that it cannot decode.
        raise MediaError(
            "video_file_broken", f"The file cannot be read as audio or video: {error_text(error)}"
        ) from error


def error_text(error: BaseException) -> str:
    """Return the error_text of an error without the path, which must not appear in responses."""
    return str(getattr(error, "strerror", None) or type(error).__name__)


def video_stream(container: InputContainer) -> VideoStream | None:
    """Return the largest video track that can be decoded and is not a cover: a file may begin with a small preview."""
    videos = [stream for stream in container.streams.video if _is_decodable(stream) and not is_cover(stream)]
    return max(videos, key=lambda stream: stream.codec_context.width * stream.codec_context.height, default=None)


def is_cover(stream: Stream) -> bool:
    """Return whether a track is a cover image or a set of thumbnails."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def audio_stream(container: InputContainer) -> AudioStream | None:
    """Return the first audio track that can be decoded."""
    return next(filter(_is_decodable, container.streams.audio), None)


def _is_decodable(stream: Stream) -> bool:
    # PyAV leaves the context of a track empty if FFmpeg has no decoder for it.
    return stream.codec_context is not None


def configure_decoder(stream: VideoStream | AudioStream) -> None:
    """Set the limits of a decoder; to be called before the first packet."""
    context = stream.codec_context
    # Each decoder thread keeps its own frames: limit them, so that memory does not grow with the number of cores.
    context.thread_count = 4
    # The frame threads of VP9 stop accepting packets after a few that cannot be decoded.
    context.thread_type = "SLICE" if context.name == "vp9" else "AUTO"
    if isinstance(stream, VideoStream):
        context.options = {"max_pixels": str(MAX_PIXELS)}


def start_time(container: InputContainer) -> float:
    """Return the timestamp, in seconds, of the start of the file; it is often not 0."""
    return (container.start_time or 0) / av.time_base


def decode_video(stream: VideoStream, source: Iterable["Packet[Stream]"]) -> Iterator[VideoFrame]:
    """Yield the frames of packets, including those buffered in the decoder; skip broken packets."""
    for packet in chain(source, [None]):
        with suppress(av.error.FFmpegError):
            yield from stream.codec_context.decode(packet)


def decode_audio(stream: AudioStream, source: Iterable["Packet[Stream]"]) -> Iterator[AudioFrame]:
    """Yield the frames of packets, including those buffered in the decoder; skip broken packets."""
    for packet in chain(source, [None]):
        with suppress(av.error.FFmpegError):
            yield from stream.codec_context.decode(packet)
