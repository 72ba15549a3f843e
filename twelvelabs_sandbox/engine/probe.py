"""Determines the type, format, duration, size and codecs of a file, without applying limits."""

from itertools import islice
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from twelvelabs_sandbox.engine.container import (
    audio_stream,
    configure_decoder,
    decode_audio,
    decode_video,
    open_media,
    packets,
    start_time,
    video_stream,
)
from twelvelabs_sandbox.engine.images import decode_image, image_format
from twelvelabs_sandbox.engine.packets import last_packet_end
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
# Far more than any decoder needs before its first frame.
MAX_PACKETS_TO_FIRST_FRAME = 500


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
    if document := _document_type(path, Path(filename or path.name).suffix.lower()):
        return MediaInfo("document", document, document.partition("/")[2], size)
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
    width, height = _display_size(container, video) if video else (None, None)
    if audio and not video:
        _check_audio(container, audio)
    rate = video.average_rate or video.guessed_rate if video and not still else None
    return MediaInfo(
        kind=kind,
        mime_type=_mime_type(container, kind, video, audio),
        format_name=container.format.name,
        size=path.stat().st_size,
        duration=duration,
        width=width,
        height=height,
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
        return sum(1 for _ in islice(packets(container), 2)) == 1


def _duration(path: Path, container: InputContainer) -> float:
    duration = (container.duration or 0) / av.time_base
    if container.format.name == "matroska,webm":
        # Matroska durations count from 0, even if the video starts later.
        duration -= start_time(container)
    if duration <= 0 or container.format.name in WITHOUT_LENGTH:
        measured = last_packet_end(path)
        # A small difference is padding by the encoder, which the container's duration excludes.
        duration = measured if abs(measured - duration) > PADDING_SECONDS else duration
    if duration <= 0:
        raise MediaError("video_file_broken", "The duration of the file is 0: its tracks are empty.")
    return round(duration, 3)


def _display_size(container: InputContainer, video: VideoStream) -> tuple[int, int]:
    configure_decoder(video)
    for frame in decode_video(video, islice(packets(container, video), MAX_PACKETS_TO_FIRST_FRAME)):
        return _rotated(frame.width, frame.height, frame.rotation)
    raise MediaError("video_file_broken", "No frame of the video track can be decoded.")


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
