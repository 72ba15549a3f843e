"""Determines the type, format, duration, size and codecs of a file, without applying limits."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import prod
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from twelvelabs_sandbox.engine.container import (
    audio_stream,
    configure_decoder,
    decode_audio,
    decode_video,
    open_media,
    start_time,
    video_stream,
)
from twelvelabs_sandbox.engine.images import decode_image, image_format
from twelvelabs_sandbox.engine.packets import measure, packets, timed_packets
from twelvelabs_sandbox.engine.types import MediaError, MediaInfo, MediaKind

TEXT_SUFFIXES = {".txt": "text/plain", ".md": "text/markdown", ".markdown": "text/markdown"}
MIME_TYPES = {
    "mov,mp4,m4a,3gp,3g2,mj2": "{kind}/mp4",
    "matroska,webm": "{kind}/x-matroska",
    "avi": "video/x-msvideo",
    "mpeg": "video/mpeg",
    "mpegvideo": "video/mpeg",
    "mpegts": "video/mp2t",
    "flv": "video/x-flv",
    "asf": "{kind}/x-ms-asf",
    "gif": "image/gif",
    "webp_pipe": "image/webp",
    "bmp_pipe": "image/bmp",
    "tiff_pipe": "image/tiff",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "ogg": "{kind}/ogg",
}
WEBM_CODECS = {"vp8", "vp9", "libvpx", "libvpx-vp9", "av1", "libdav1d", "opus", "libopus", "vorbis"}
# FFmpeg estimates the duration of these formats from size and bit rate, often wrongly.
WITHOUT_LENGTH = {"mp3", "aac", "ac3", "eac3", "dts", "truehd", "amr", "h264", "hevc", "m4v", "mpegvideo", "obu"}
PADDING_SECONDS = 0.5
# The durations of these formats count from 0, also if the first packet comes later.
COUNTED_FROM_ZERO = {"matroska,webm", "flv"}
# Of a file that begins later than this, the declared duration may count from 0 or from its start.
MAX_START_SECONDS = 1.0
# Recordings of calls begin small and grow with the bandwidth.
SMALL_SIDE = 360
# Two minutes: far more than any decoder needs before its first frame, and enough for a recording that begins long
# before its first keyframe.
MAX_PACKETS_TO_FIRST_FRAME = 3000


def probe(path: Path, filename: str | None = None) -> MediaInfo:
    """Return the properties of a file, without checking its duration or size.

    Args:
        path: The file.
        filename: The user's name of the file if it differs from the path; only its suffix is used, to distinguish plain
            text and Markdown from each other and from broken videos.

    Raises:
        MediaError: The file is not media, or no frame of it can be decoded.
    """
    size = path.stat().st_size
    if size == 0:
        raise MediaError("video_file_broken", "The file is empty.")
    kind = image_format(path)
    if kind in {"jpeg", "png"}:
        return _probe_image(path, kind, size)
    suffix = Path(filename or path.name).suffix.lower()
    if document := _document_type(path, suffix):
        return MediaInfo("document", document, document.partition("/")[2], size)
    try:
        return _probe_media(path, kind)
    except MediaError as error:
        if suffix in TEXT_SUFFIXES:
            raise MediaError(error.code, "The text is not valid UTF-8.") from error
        raise


def _probe_media(path: Path, kind: str | None) -> MediaInfo:
    with open_media(path, kind and f"{kind}_pipe") as container:
        video, audio = video_stream(container), audio_stream(container)
        if video is None and audio is None:
            raise MediaError("video_file_broken", "The file has no video and no audio track that can be decoded.")
        return _probe_container(path, container, video, audio)


def _probe_image(path: Path, kind: str, size: int) -> MediaInfo:
    frame = decode_image(path)
    width, height = _rotated(frame.width, frame.height, frame.rotation)
    return MediaInfo("image", f"image/{kind}", kind, size, width=width, height=height, video_codec=kind)


def _document_type(path: Path, suffix: str) -> str | None:
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    # Only the suffix makes a file a text document: text named video.mp4 is a broken video.
    if suffix not in TEXT_SUFFIXES or b"\0" in head:
        return None
    try:
        # Byte 4096 may be inside a character.
        head[: head.rfind(b"\n") + 1 or len(head)].decode()
    except UnicodeDecodeError:
        return None
    return TEXT_SUFFIXES[suffix]


def _probe_container(
    path: Path, container: InputContainer, video: VideoStream | None, audio: AudioStream | None
) -> MediaInfo:
    still = _is_still_image(path, container.format.name)
    kind: MediaKind = "image" if still else "video" if video else "audio"
    duration = None if still else _duration(path, container)
    size = _frame_size(path, container, video) if video else None
    if audio and not video:
        _check_audio(container, audio)
    rate = video.average_rate or video.guessed_rate if video and not still else None
    return MediaInfo(
        kind=kind,
        mime_type=_mime_type(container, kind, video, audio),
        format_name=container.format.name,
        size=path.stat().st_size,
        duration=duration,
        width=size.stored[0] if size else None,
        height=size.stored[1] if size else None,
        square_size=size.square if size else None,
        fps=round(float(rate), 3) if rate else None,
        video_codec=video.codec_context.name if video else None,
        audio_codec=audio.codec_context.name if audio else None,
        sample_rate=audio.codec_context.sample_rate if audio else None,
        channels=audio.codec_context.channels if audio else None,
    )


def _is_still_image(path: Path, format_name: str) -> bool:
    if format_name not in {"gif", "apng"}:
        return format_name.endswith("_pipe")
    with open_media(path) as container:
        return sum(1 for _ in islice(timed_packets(container), 2)) == 1


def _duration(path: Path, container: InputContainer) -> float:
    name, begin = container.format.name, start_time(container)
    declared = (container.duration or 0) / av.time_base - (begin if name in COUNTED_FROM_ZERO else 0.0)
    measured, has_jumps = measure(path)
    if declared <= 0 or has_jumps or abs(begin) > MAX_START_SECONDS:
        duration = measured
    elif name in WITHOUT_LENGTH:
        # A small difference is padding by the encoder, which the container's duration excludes.
        duration = measured if abs(measured - declared) > PADDING_SECONDS else declared
    else:
        # A file that ends long before is truncated.
        duration = declared
    if duration <= 0:
        raise MediaError("video_file_broken", "The duration of the file is 0: its tracks are empty.")
    return round(duration, 3)


@dataclass(frozen=True, slots=True)
class _FrameSize:
    """Width and height of a frame after rotation, as it is stored and as it is shown with square pixels."""

    stored: tuple[int, int]
    square: tuple[int, int]

    @classmethod
    def of(cls, frame: VideoFrame, video: VideoStream) -> "_FrameSize":
        wide = round(frame.width * (video.sample_aspect_ratio or 1))
        return cls(_rotated(frame.width, frame.height, frame.rotation), _rotated(wide, frame.height, frame.rotation))


def _frame_size(path: Path, container: InputContainer, video: VideoStream) -> _FrameSize:
    """Return the size of the first frame, or of the largest keyframe where the first is small."""
    configure_decoder(video)
    frames = decode_video(video, islice(packets(container, video), MAX_PACKETS_TO_FIRST_FRAME))
    first = next(frames, None)
    if first is None:
        raise MediaError("video_file_broken", "No frame of the video track can be decoded.")
    size = _FrameSize.of(first, video)
    if min(size.stored) >= SMALL_SIDE:
        return size
    return max([size, *_keyframe_sizes(path)], key=lambda one: prod(one.stored))


def _keyframe_sizes(path: Path) -> Iterator[_FrameSize]:
    with open_media(path) as container:
        video = video_stream(container)
        if video is not None:
            configure_decoder(video)
            video.codec_context.skip_frame = "NONKEY"
            yield from (_FrameSize.of(frame, video) for frame in decode_video(video, packets(container, video)))


def _rotated(width: int, height: int, rotation: int) -> tuple[int, int]:
    return (height, width) if round(rotation / 90) % 2 else (width, height)


def _check_audio(container: InputContainer, audio: AudioStream) -> None:
    configure_decoder(audio)
    for _ in decode_audio(audio, islice(packets(container, audio), MAX_PACKETS_TO_FIRST_FRAME)):
        return
    raise MediaError("video_file_broken", "No part of the audio track can be decoded.")


def _mime_type(container: InputContainer, kind: MediaKind, video: VideoStream | None, audio: AudioStream | None) -> str:
    name, codecs = container.format.name, {stream.codec_context.name for stream in (video, audio) if stream}
    if name == "matroska,webm" and codecs <= WEBM_CODECS:
        return f"{kind}/webm"
    if container.metadata.get("major_brand", "").strip() == "qt":
        return "video/quicktime"
    return MIME_TYPES.get(name, "{kind}/x-" + name.partition(",")[0]).format(kind=kind)
