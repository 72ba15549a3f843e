"""The documented limits of media (size, duration, dimensions), checked against the properties of the decoded file."""

from dataclasses import dataclass
from math import ceil

from twelvelabs_sandbox.engine.types import MediaInfo
from twelvelabs_sandbox.errors import ApiError, invalid, too_large_error

# The documentation does not say whether an MB is 10^6 or 2^20 bytes. The smaller value is safe: what passes here also
# passes on the real service.
KB, MB, GB = 10**3, 10**6, 10**9
IMAGE_BYTES = 32 * MB
BASE64_BYTES = 36 * MB
MEDIA_BYTES = 4 * GB
DIRECT_UPLOAD_BYTES = 200 * MB
V1_UPLOAD_BYTES = 2 * GB
MULTIPART_BYTES = 10 * GB
URL_DOCUMENT_BYTES = 512 * MB
TASK_DOCUMENT_BYTES = 512 * MB
# Limits of media in a synchronous request of marengo3.5, for all kinds of source.
SYNC35_BYTES, SYNC35_SECONDS = 32 * MB, 30
SYNC_PAGES_PER_MB, TASK_PAGES_PER_MB = 16, 64

MIN_IMAGE_SIDE = 128
IMAGE_FORMATS = {"jpeg", "png"}
AUDIO_FORMATS = {"wav", "mp3", "flac"}
MIN_VIDEO_SIDE = 360
MAX_VIDEO_LONG_SIDE, MAX_VIDEO_SHORT_SIDE = 5184, 2160
MAX_ASPECT_RATIO = 2.4


@dataclass(frozen=True, slots=True)
class DurationLimits:
    """Minimum and maximum duration in seconds, both inclusive."""

    shortest: float
    longest: float


# No minimum is documented for synchronous requests.
SYNC_DURATION = DurationLimits(0, 10 * 60)
ANY_DURATION = DurationLimits(0, float("inf"))
TASK_DURATION = DurationLimits(4, 4 * 60 * 60)


def size_message(size: float, limit: int) -> str:
    """Return the vendor's message for a file that is too large."""
    unit, name = (MB, "MB") if limit < GB else (GB, "GB")
    return f"File size ({size / unit:.1f} {name}) exceeds maximum limit of {limit // unit} {name}"


def check_image(info: MediaInfo) -> None:
    """Raise ApiError 400 if a file cannot be embedded as an image."""
    _check_kind(info, "image")
    if info.format_name not in IMAGE_FORMATS:
        raise invalid(f"The image must be a JPEG or PNG file, not {info.mime_type}.")
    if info.size > IMAGE_BYTES:
        raise too_large_error(size_message(info.size, IMAGE_BYTES))
    width, height = info.width or 0, info.height or 0
    if min(width, height) < MIN_IMAGE_SIDE:
        raise invalid(f"The image must be at least {MIN_IMAGE_SIDE}x{MIN_IMAGE_SIDE} pixels, not {width}x{height}.")


def check_audio(info: MediaInfo, length: DurationLimits) -> None:
    """Raise ApiError 400 if a file cannot be embedded as audio."""
    _check_kind(info, "audio")
    if info.format_name not in AUDIO_FORMATS:
        raise invalid(f"The audio must be a WAV, MP3 or FLAC file, not {info.format_name}.")
    if info.size > MEDIA_BYTES:
        raise invalid(size_message(info.size, MEDIA_BYTES))
    seconds = info.duration or 0.0
    if not length.shortest <= seconds <= length.longest:
        raise invalid(_bounds("audio", length, seconds))


def check_video(info: MediaInfo, length: DurationLimits) -> None:
    """Raise ApiError 400 if a file cannot be embedded as a video."""
    _check_kind(info, "video")
    if info.size > MEDIA_BYTES:
        raise ApiError(400, "video_filesize_too_large", size_message(info.size, MEDIA_BYTES))
    seconds = info.duration or 0.0
    if seconds < length.shortest:
        raise ApiError(400, "video_duration_too_short", _bounds("video", length, seconds))
    if seconds > length.longest:
        raise ApiError(400, "video_duration_too_long", _bounds("video", length, seconds))
    width, height = info.width or 0, info.height or 0
    # Which of the two sizes the vendor judges is not documented; a video is refused if neither is accepted.
    if not _is_accepted(*(info.square_size or (0, 0))):
        _check_picture(width, height)


def check_document(info: MediaInfo, limit: int) -> None:
    """Raise ApiError 400 if a file cannot be embedded as a document."""
    _check_kind(info, "document")
    if info.size > limit:
        raise too_large_error(size_message(info.size, limit))


def page_count_message(pages: int, size: int, per_mb: int) -> str | None:
    """Return the vendor's message for a PDF of ``size`` bytes with too many pages, or None within the limit."""
    allowed = per_mb * max(1, ceil(size / MB))
    return f"Document ({pages} pages) exceeds maximum limit of {allowed} pages" if pages > allowed else None


def duration_message(seconds: float, limit: int) -> str:
    """Return the vendor's message for video or audio that is too long."""
    return f"Duration ({seconds:.1f} seconds) exceeds maximum limit of {limit} seconds ({limit // 60} minutes)"


def _check_picture(width: int, height: int) -> None:
    short, long = sorted((width, height))
    size = f"The current resolution is {width}x{height}."
    if short < MIN_VIDEO_SIDE:
        message = f"The resolution of the video must be at least {MIN_VIDEO_SIDE}x{MIN_VIDEO_SIDE}. {size}"
        raise ApiError(400, "video_resolution_too_low", message)
    if long > MAX_VIDEO_LONG_SIDE or short > MAX_VIDEO_SHORT_SIDE:
        message = f"The resolution of the video must be at most {MAX_VIDEO_LONG_SIDE}x{MAX_VIDEO_SHORT_SIDE}. {size}"
        raise ApiError(400, "video_resolution_too_high", message)
    if long > short * MAX_ASPECT_RATIO:
        message = f"The aspect ratio of the video must be between 1:1 and 1:2.4 or between 2.4:1 and 1:1. {size}"
        raise ApiError(400, "video_resolution_invalid_aspect_ratio", message)


def _is_accepted(width: int, height: int) -> bool:
    try:
        _check_picture(width, height)
    except ApiError:
        return False
    return True


def _check_kind(info: MediaInfo, kind: str) -> None:
    if info.kind != kind:
        raise invalid(f"The media source must be {kind}, but the file is {info.kind} ({info.mime_type}).")


def _bounds(kind: str, length: DurationLimits, seconds: float) -> str:
    return (
        f"The duration of the {kind} must be between {length.shortest:g} and {length.longest:g} seconds. "
        f"The current duration is {seconds:.3f} seconds."
    )
