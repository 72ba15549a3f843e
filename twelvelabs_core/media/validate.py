"""Check media, texts, uploads and asset metadata against the API's limits before a request is sent.

Every function raises `InputError`, with the limit and the value. Where a property cannot be determined, nothing is
refused and the server decides. Of media with `check=False` only that they can be read is checked.
"""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.formats import DOCUMENT_SUFFIXES, IMAGE_HEADER_BYTES, read_image_header, suffix_of
from twelvelabs_core.media.inspect import (
    CHECK_FALSE,
    Probe,
    document_kind,
    find_end,
    has_picture,
    media_type_of,
    probe,
)
from twelvelabs_core.media.source import Media
from twelvelabs_core.models.marengo import MARENGO_30, MediaType, Model

DOCUMENT_MAX_BYTES = 512 * limits.MIB  # reference, AsyncDocumentInputRequest
AUDIO_OPTIONS = frozenset({"audio", "transcription"})  # values of `embedding_option` that need an audio track
_TEXT_CHUNK = 1024 * 1024
_SHORTEN = "shorten it, or encode it smaller"
# Tracks end at different times, and subtitles or data count for the declared duration: a file that ends this much
# earlier than declared is complete.
_END_SEC, _END_SHARE = 2.0, 0.05

logger = logging.getLogger("twelvelabs_core")


def check_text(text: str, what: str = "text") -> str:
    """Return a text that can be embedded; `what` is its name in messages."""
    if not isinstance(text, str):
        raise InputError(f"{what} must be a str, got {type(text).__name__}.")
    if len(text.strip()) < limits.TEXT_MIN_CHARACTERS:
        raise InputError(
            f"{what} is empty ({len(text)} characters of white space); the API needs at least 1 character."
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{what} is not valid Unicode: a lone surrogate at character {error.start}.") from None
    return text


def check_size(media: Media, limit: int, what: str, advice: str = "") -> None:
    """Refuse local media that is missing, not a file, not readable, empty or larger than `limit` in bytes.

    `what` and `advice` begin and end the message about the limit.
    """
    size, path = media.size(), media.path
    if path is not None and not path.is_file():
        raise InputError(f"{media.source}: is {_not_a_file(path)}.")
    if size == 0 or not next(media.read_chunks(1), b""):
        raise InputError(f"{media.source}: file is empty: 0 bytes.")
    if size > limit:
        raise InputError(
            f"{media.source}: {size:,} bytes; {what} may have at most {limit:,} ({limits.in_words(limit)}){advice}."
        )


def _not_a_file(path: Path) -> str:
    if not path.is_dir():
        return "not a regular file; pass a file"
    files = f'sorted(Path({str(path)!r}).glob("*.mp4"))'
    return f"a folder; pass a list of its files, such as {files}, or call sync_videos once for each folder"


def check_readable(media: Media) -> None:
    """Refuse local media that is missing, not a file, not readable, empty or larger than any upload."""
    if media.is_local:
        check_size(media, limits.UPLOAD_MAX_BYTES, "an upload", f"; {_SHORTEN}")


def check_image(media: Media, model: Model = MARENGO_30) -> None:
    """Refuse a local image of a size or, where the model's limits are known, format or resolution out of range."""
    if not _is_to_check(media, limits.IMAGE_MAX_BYTES, "an image"):
        return
    if not model.knows_media:
        return
    header = read_image_header(next(media.read_chunks(IMAGE_HEADER_BYTES), b""))
    if header is None:
        raise _refusal(media, f"images must be {' or '.join(limits.IMAGE_FORMATS)}; this is neither")
    if header.size is not None and min(header.size) < limits.IMAGE_MIN_SIDE:
        least = f"{limits.IMAGE_MIN_SIDE}x{limits.IMAGE_MIN_SIDE}"
        raise _refusal(media, f"image is {_by(header.size)} pixels; the API needs at least {least}")


def check_document(media: Media) -> None:
    """Refuse a local document that is too large, of another format, or without text. The API checks its pages."""
    if not _is_to_check(media, DOCUMENT_MAX_BYTES, "a document"):
        return
    suffix = suffix_of(media.title)
    if suffix and media.origin != "bytes" and suffix not in DOCUMENT_SUFFIXES:
        raise _refusal(media, f"documents must be PDF (.pdf), text (.txt) or Markdown (.md); this is {suffix}")
    if document_kind(media) == "pdf":
        return
    kind = media_type_of(media)
    if kind not in (None, "document"):
        raise _refusal(media, f"is {kind}, not a document (PDF, text or Markdown)")
    if not any(chunk.strip() for chunk in media.read_chunks(_TEXT_CHUNK)):
        raise _refusal(media, "contains no text")


def check_audio_video(media: Media, input_type: str, *, task: bool, model: Model = MARENGO_30) -> Probe | None:
    """Refuse local audio or video out of the limits of an embedding task or, else, of the synchronous endpoint.

    Duration, resolution and format need PyAV (extra `media`); without it the server checks them.

    Returns:
        The properties of local media, where they could be determined.
    """
    limit, what = limits.UPLOAD_MAX_BYTES, "an upload"
    if task:
        limit, what = limits.TASK_MAX_BYTES, "media of an embedding task"
    if not _is_to_check(media, limit, what, f"; {_SHORTEN}"):
        return None
    found = probe(media)
    if found is None:
        return None
    _check_tracks(media, found, input_type, model)
    _check_duration(media, found, model.task_sec if task else (0.0, model.sync_max_sec), task=task)
    if input_type == "video" and model.knows_media:
        _check_resolution(media, found)
    _warn_if_truncated(media, found)
    return found


def check_source(media: Media, media_type: str, model: Model) -> None:
    """Refuse a source of `multi_input` out of the API's limits."""
    if media_type != "image" and model.sync_max_bytes is not None:
        _is_to_check(media, model.sync_max_bytes, f"{media_type} of {model.name} at once")
    if media_type == "image":
        check_image(media, model)
    elif media_type == "document":
        check_document(media)
    else:
        check_audio_video(media, media_type, task=False, model=model)


def check_has_sound(media: Media, found: Probe, input_type: str, embedding_option: Sequence[str]) -> None:
    """Refuse a video without audio track if every option needs one: the task would be billed and give no vector."""
    if input_type == "video" and not found.has_audio and AUDIO_OPTIONS.issuperset(embedding_option):
        options = list(embedding_option)
        raise _refusal(media, f"has no audio track, so embedding_option {options} would give no vector; add visual")


def check_window(media: Media, found: Probe | None, start_sec: float | None, end_sec: float | None) -> None:
    """Refuse a time window that begins after the end of the media, or ends more than a second after it."""
    begin, end = start_sec or 0.0, end_sec or 0.0
    seconds = duration_if(found, lambda seconds: begin > 0 and begin >= seconds)
    if seconds is not None:
        raise _refusal(media, f"start_sec {begin:g} must be less than the duration of {seconds:.3f} s")
    seconds = duration_if(found, lambda seconds: end > seconds + 1)  # containers round by up to a second
    if seconds is not None:
        raise _refusal(media, f"end_sec {end:g} must not exceed the duration of {seconds:.3f} s")


def duration_if(found: Probe | None, is_refused: Callable[[float], bool]) -> float | None:
    """Return the duration in seconds if it is to be refused, as declared and as measured; else None."""
    if found is None or found.duration_sec is None or not is_refused(found.duration_sec):
        return None
    measured = found.measured()
    return measured if measured is not None and is_refused(measured) else None


def _is_to_check(media: Media, limit: int, what: str, advice: str = "") -> bool:
    """Return whether these media are local and to be checked; verify in any case that they can be read.

    The other arguments are those of `check_size`.
    """
    if media.is_local and media.check:
        check_size(media, limit, what, advice)
        return True
    check_readable(media)
    return False


def _refusal(media: Media, what: str) -> InputError:
    """Return the error of a refusal that rests on what was found in the file."""
    return InputError(f"{media.source}: {what} ({CHECK_FALSE}).")


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _check_tracks(media: Media, found: Probe, input_type: str, model: Model) -> None:
    if found.is_image:
        method = "embed_images (in LlamaIndex get_image_embedding, in Daft embed_image)"
        raise _refusal(media, f"is an image, not {input_type}; use {method}")
    if input_type == "video":
        if not found.has_video:
            raise _refusal(media, "has no video track; load it as audio")
        if not found.can_decode:
            raise _refusal(media, "its video track is encrypted, or FFmpeg does not know its codec")
        return
    if not found.has_audio:
        raise _refusal(media, "has no audio track")
    if model.knows_media and not set(found.format_name.split(",")) & set(limits.AUDIO_FORMATS):
        raise _refusal(media, f"audio must be {', '.join(limits.AUDIO_FORMATS).upper()}; this is {found.format_name}")


def _check_duration(media: Media, found: Probe, allowed: tuple[float, float] | None, *, task: bool) -> None:
    if allowed is None:
        return
    shortest, longest = allowed
    # Containers round: the duration of a 4 s video may be given as 3.98 s.
    seconds = duration_if(found, lambda seconds: seconds < shortest - 0.05)
    if seconds is not None:
        raise _refusal(media, f"{seconds:.2f} s long; an embedding task needs at least {shortest:g} s")
    seconds = duration_if(found, lambda seconds: seconds > longest + 1)
    if seconds is not None:
        advice = "split it" if task else "load it as segments, with segment_video, a loader or a reader"
        raise _refusal(media, f"{seconds:,.1f} s long; at most {longest:,.0f} s here: {advice}")


def _check_resolution(media: Media, found: Probe) -> None:
    """Refuse a video if no size of any of its tracks is in range."""
    if not found.sizes or any(_resolution_problem(size) is None for size in found.sizes):
        return
    largest = max(found.sizes)
    # Recordings of live streams grow: search for a larger picture before refusing a small one.
    if (
        min(largest) < limits.VIDEO_MIN_SIDE
        and has_picture(media, lambda size: _resolution_problem(size) is None) is not False
    ):
        return
    raise _refusal(media, f"video is {_by(largest)} pixels{_resolution_problem(largest)}")


def _resolution_problem(size: tuple[int, int]) -> str | None:
    short, long = sorted(size)
    if short < limits.VIDEO_MIN_SIDE:
        return f"; the API needs at least {limits.VIDEO_MIN_SIDE}x{limits.VIDEO_MIN_SIDE}"
    if long > limits.VIDEO_MAX_LONG_SIDE or short > limits.VIDEO_MAX_SHORT_SIDE:
        return f"; the API accepts at most {limits.VIDEO_MAX_LONG_SIDE}x{limits.VIDEO_MAX_SHORT_SIDE}"
    if long / short > limits.VIDEO_MAX_ASPECT + 0.005:
        ratio = f"{long / short:.2f}:1; the API accepts 1:1 to {limits.VIDEO_MAX_ASPECT}:1"
        return f", an aspect ratio of {ratio}, landscape or portrait"
    return None


def _warn_if_truncated(media: Media, found: Probe) -> None:
    """Warn before a task is paid for: the API takes a truncated file, and then the task fails."""
    declared = found.duration_sec
    if declared is None or found.format_name == "mp3":  # of an MP3, FFmpeg extrapolates the duration
        return
    end = find_end(media)
    if end is not None and end < declared - max(_END_SEC, declared * _END_SHARE):
        logger.warning(
            "%s: its container declares %.1f s, but its content ends at %.1f s: is it truncated? The task may fail.",
            media.source,
            declared,
            end,
        )


UploadMethod = Literal["direct", "url", "multipart"]
METHODS: tuple[UploadMethod, ...] = get_args(UploadMethod)
ASSET_TYPES: tuple[MediaType, ...] = get_args(MediaType)
MULTIPART_TYPES: tuple[MediaType, ...] = ("video", "audio", "image")

_UPLOAD_MAX_BYTES = {
    "video": limits.UPLOAD_MAX_BYTES,
    "audio": limits.UPLOAD_MAX_BYTES,
    "image": limits.IMAGE_MAX_BYTES,
    "document": limits.DOCUMENT_UPLOAD_MAX_BYTES,
}


def check_filename(filename: object) -> str:
    """Return the file name of an asset."""
    if not isinstance(filename, str) or not 1 <= len(filename) <= limits.FILENAME_MAX:
        got = f"{len(filename)} characters" if isinstance(filename, str) else repr(filename)
        raise InputError(f"filename must be a str of 1 to {limits.FILENAME_MAX} characters, got {got}.")
    if not _is_unicode(filename):
        raise InputError(f"filename is not valid Unicode: {filename!r}.")
    return filename


def check_asset_type(asset_type: str | None) -> None:
    """Refuse an unknown asset type; None is accepted."""
    if asset_type is not None and asset_type not in ASSET_TYPES:
        raise InputError(f"asset_type must be one of {', '.join(ASSET_TYPES)}; got {asset_type!r}.")


def check_upload_size(name: str, size: int, asset_type: str) -> None:
    """Refuse an upload of more bytes than its asset type may have."""
    limit = _UPLOAD_MAX_BYTES[asset_type]
    if size > limit:
        advice = _SHORTEN if limit == limits.UPLOAD_MAX_BYTES else "make it smaller"
        raise InputError(
            f"{name}: {size:,} bytes; an upload of this type ({asset_type}) may have at most {limit:,} "
            f"({limits.in_words(limit)}); {advice}."
        )


def upload_method(media: Media, size: int | None, asset_type: str | None, method: str | None) -> UploadMethod:
    """Return the method by which media is uploaded: `method`, or by its size in bytes (None for a URL)."""
    if method is not None and method not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}; got {method!r}.")
    if media.asset_id is not None:
        raise InputError(f"{media.source} is an asset already.")
    if size is None:
        if method not in (None, "url"):
            raise InputError(f"{media.source}: method={method!r} needs local media; the API downloads a URL itself.")
        return "url"
    if asset_type is not None:
        check_upload_size(media.source, size, asset_type)
    if method == "url":
        raise InputError(f"{media.source}: method='url' needs an http(s) URL, this is local.")
    limit = limits.DIRECT_UPLOAD_MAX_BYTES
    if method == "direct" and size > limit:
        raise InputError(
            f"{media.source}: {size:,} bytes; a direct upload may have at most {limit:,} ({limits.in_words(limit)}); "
            "omit method to upload in chunks."
        )
    return method or ("direct" if size <= limit else "multipart")


def multipart_type(media: Media, asset_type: str | None) -> str:
    """Return the asset type for a multipart upload: `asset_type`, or determined by the content with PyAV."""
    kind = asset_type or media_type_of(media)
    if kind not in MULTIPART_TYPES:
        what = f"a {kind}" if kind else "of an unknown kind"
        raise InputError(
            f"{media.source}: is {what}; uploads above {limits.in_words(limits.DIRECT_UPLOAD_MAX_BYTES)} must be "
            f"{', '.join(MULTIPART_TYPES)}. If it is one of these, pass asset_type=."
        )
    return kind


UserMetadata = Mapping[str, str | int | float | bool | list[str] | None]
"""Names and values: str, number, bool or list of str. In an update, None deletes a name."""

_LARGEST_INT = 2**53 - 1  # reference: integers beyond 53 bits must be sent as str


def check_user_metadata(user_metadata: object) -> dict[str, Any]:
    """Return the metadata of an asset as a plain dict."""
    if not isinstance(user_metadata, Mapping):
        raise InputError(f"user_metadata must be a mapping of names to values, got {type(user_metadata).__name__}.")
    for name, value in user_metadata.items():
        if not isinstance(name, str) or not _is_unicode(name) or not _is_metadata_value(value):
            raise InputError(
                f"user_metadata[{name!r}] is {value!r} ({type(value).__name__}). Names must be str, values str, bool, "
                f"list of str, finite float, or int up to {_LARGEST_INT}; pass a larger one as str. "
                "No str may have a lone surrogate."
            )
    return dict(user_metadata)


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _is_metadata_value(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) and _is_unicode(item) for item in value)
    if isinstance(value, int):
        return abs(value) <= _LARGEST_INT
    if isinstance(value, str):
        return _is_unicode(value)
    return value is None or (isinstance(value, float) and math.isfinite(value))
