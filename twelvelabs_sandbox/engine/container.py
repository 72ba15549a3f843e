"""Opens a media file safely: known formats only, no reading of other files, every library error as MediaError."""

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

# The largest picture that is decoded; the largest video that the vendor takes, 5184x2160, has 11 million pixels.
MAX_PIXELS = 50_000_000

# Playlists and scripts (HLS, DASH, concat, SDP ...) are left out on purpose: they make FFmpeg open other files.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,flv,mpeg,mpegts,mpegvideo,m4v,h264,hevc,obu,ivf,vc1,dv,mxf,gxf,nut,"
    "nsv,rm,wtv,ogg,gif,apng,yuv4mpegpipe,wav,w64,mp3,flac,aac,ac3,eac3,dts,truehd,amr,aiff,au,caf,tta,wv,ape,mpc,mpc8,voc,dsf,"
    "jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,tiff_pipe"
)
# Titles may be in any encoding. PyAV 19 took the argument away, and is lenient always.
PYAV_WITH_STRICT_METADATA = ("16", "17", "18")
LENIENT_METADATA: dict[str, Any] = (
    {"metadata_errors": "replace"} if av.__version__.startswith(PYAV_WITH_STRICT_METADATA) else {}
)
OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": "file", "max_pixels": str(MAX_PIXELS)}


@contextmanager
def open_media(path: Path, demuxer: str | None = None) -> Iterator[InputContainer]:
    """Open a film, sound or picture for reading, by its content or by a demuxer that the caller knows to fit.

    Raises:
        MediaError: It cannot be read, or reading it failed inside the ``with`` block.
    """
    try:
        # The prefix keeps a colon in the name from being taken for a protocol.
        with av.open(f"file:{path}", "r", demuxer, options=OPTIONS, **LENIENT_METADATA) as container:
            yield container
    except MediaError:
        raise
    except (av.error.FFmpegError, OSError, ArithmeticError, ValueError) as error:
        # PyAV says ValueError, beside FFmpeg's own errors, to tracks that it cannot decode.
        raise MediaError("video_file_broken", f"The file cannot be read as audio or video: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """Return what went wrong without the name of the file, which is the server's own affair."""
    return str(getattr(error, "strerror", None) or type(error).__name__)


def video_stream(container: InputContainer) -> VideoStream | None:
    """Return the film's picture track: the first that is not merely a cover or a thumbnail."""
    still = Disposition.attached_pic | Disposition.timed_thumbnails
    films = (stream for stream in container.streams.video if not stream.disposition & still)
    return next(filter(_known, films), None)


def audio_stream(container: InputContainer) -> AudioStream | None:
    """Return the first sound track that can be decoded."""
    return next(filter(_known, container.streams.audio), None)


def _known(stream: Stream) -> bool:
    # FFmpeg has no decoder for some tracks; PyAV then says so by a missing context.
    return stream.codec_context is not None


def configure_decoder(stream: VideoStream | AudioStream) -> None:
    """Set the limits of a decoder, before its first packet."""
    context = stream.codec_context
    # Each thread of a decoder holds frames of its own: without a bound, memory would grow with the machine.
    context.thread_count = 4
    context.thread_type = "AUTO"
    if isinstance(stream, VideoStream):
        context.options = {"max_pixels": str(MAX_PIXELS)}


def start_time(container: InputContainer) -> float:
    """Return the time stamp, in seconds, at which the film begins; many do not begin at 0."""
    return (container.start_time or 0) / av.time_base


def packets(container: InputContainer, *streams: Stream) -> Iterator["Packet[Stream]"]:
    """Yield the packets of some streams (of all, when none is named) up to the end or to the first unreadable place."""
    chosen = list(streams) or [stream for stream in container.streams if stream.type in {"video", "audio", "subtitle"}]
    try:
        yield from (packet for packet in container.demux(chosen) if packet.size)
    except av.error.FFmpegError:
        # A file that breaks off: what was read so far counts; the caller compares it with the promised length.
        return


def decode_video(stream: VideoStream, source: Iterable["Packet[Stream]"]) -> Iterator[VideoFrame]:
    """Yield the frames of packets and what the decoder still holds after the last; broken packets are passed over."""
    for packet in chain(source, [None]):
        with suppress(av.error.FFmpegError):
            yield from stream.codec_context.decode(packet)


def decode_audio(stream: AudioStream, source: Iterable["Packet[Stream]"]) -> Iterator[AudioFrame]:
    """Yield the frames of packets and what the decoder still holds after the last; broken packets are passed over."""
    for packet in chain(source, [None]):
        with suppress(av.error.FFmpegError):
            yield from stream.codec_context.decode(packet)


def seek(container: InputContainer, second: float) -> None:
    """Move to the last keyframe before a second of the film; where a format does not allow that, read on from here."""
    if second > 0:
        with suppress(av.error.FFmpegError):
            container.seek(int((second + start_time(container)) * av.time_base))
