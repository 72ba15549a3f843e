"""Check media, texts, uploads and asset metadata against the API's limits before a request is sent.

Every function raises `InputError`, with the limit and the value. Where a property cannot be determined, nothing is
refused and the server decides.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.inspect import (
    DOCUMENT_SUFFIXES,
    IMAGE_HEADER_BYTES,
    Probe,
    document_kind,
    media_type_of,
    probe,
    read_image_header,
)
from twelvelabs_core.media.source import Media
from twelvelabs_core.models.marengo import MARENGO_30, MediaType, Model

DOCUMENT_MAX_BYTES = 512 * limits.MIB  # reference, AsyncDocumentInputRequest
AUDIO_OPTIONS = frozenset({"audio", "transcription"})  # values of `embedding_option` that need an audio track
_TEXT_CHUNK = 1024 * 1024
_SHORTEN = "shorten it, or encode it smaller"


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
        raise InputError(f"{media.source}: is {'a folder' if path.is_dir() else 'not a regular file'}; pass a file.")
    if size == 0 or not next(media.read_chunks(1), b""):
        raise InputError(f"{media.source}: file is empty: 0 bytes.")
    if size > limit:
        raise InputError(
            f"{media.source}: {size:,} bytes; {what} may have at most {limit:,} ({limits.in_words(limit)}){advice}."
        )


def check_readable(media: Media) -> None:
    """Refuse local media that is missing, not a file, not readable, empty or larger than any upload."""
    if media.is_local:
        check_size(media, limits.UPLOAD_MAX_BYTES, "an upload", f"; {_SHORTEN}")


def check_image(media: Media, model: Model = MARENGO_30) -> None:
    """Refuse a local image of a size or, where the model's limits are known, format or resolution out of range."""
    if not media.is_local:
        return
    check_size(media, limits.IMAGE_MAX_BYTES, "an image")
    if not model.knows_media:
        return
    header = read_image_header(next(media.read_chunks(IMAGE_HEADER_BYTES), b""))
    if header is None:
        raise InputError(f"{media.source}: images must be {' or '.join(limits.IMAGE_FORMATS)}; this is neither.")
    if header.size is not None and min(header.size) < limits.IMAGE_MIN_SIDE:
        width, height = header.size
        raise InputError(
            f"{media.source}: image is {width}x{height} pixels; "
            f"the API needs at least {limits.IMAGE_MIN_SIDE}x{limits.IMAGE_MIN_SIDE}."
        )


def check_document(media: Media) -> None:
    """Refuse a local document that is too large, of another format, or without text. The API checks its pages."""
    if not media.is_local:
        return
    check_size(media, DOCUMENT_MAX_BYTES, "a document")
    suffix = Path(media.title).suffix.lower()
    if suffix and media.origin != "bytes" and suffix not in DOCUMENT_SUFFIXES:
        raise InputError(
            f"{media.source}: documents must be PDF (.pdf), text (.txt) or Markdown (.md); this is {suffix}."
        )
    if document_kind(media) == "pdf":
        return
    kind = media_type_of(media)
    if kind not in (None, "document"):
        raise InputError(f"{media.source}: is {kind}, not a document (PDF, text or Markdown).")
    if not any(chunk.strip() for chunk in media.read_chunks(_TEXT_CHUNK)):
        raise InputError(f"{media.source}: holds no text.")


def check_audio_video(media: Media, input_type: str, *, task: bool, model: Model = MARENGO_30) -> Probe | None:
    """Refuse local audio or video out of the limits of an embedding task or, else, of the synchronous endpoint.

    Duration, resolution and format need PyAV (extra `media`); without it the server checks them.

    Returns:
        The properties of local media, where they could be determined.
    """
    if not media.is_local:
        return None
    if task:
        check_size(media, limits.TASK_MAX_BYTES, "media of an embedding task", f"; {_SHORTEN}")
    else:
        check_readable(media)
    found = probe(media)
    if found is None:
        return None
    _check_tracks(media, found, input_type, model)
    _check_duration(media, found, model.task_sec if task else (0.0, model.sync_max_sec), task=task)
    if input_type == "video" and model.knows_media and found.size is not None:
        _check_resolution(media, *found.size)
    return found


def check_source(media: Media, media_type: str, model: Model) -> None:
    """Refuse a source of `multi_input` out of the API's limits."""
    if media_type == "image":
        check_image(media, model)
    elif media.is_local:
        if model.sync_max_bytes is not None:
            check_size(media, model.sync_max_bytes, f"{media_type} of {model.name} at once")
        if media_type == "document":
            check_document(media)
        else:
            check_audio_video(media, media_type, task=False, model=model)


def check_has_sound(media: Media, found: Probe, input_type: str, embedding_option: Sequence[str]) -> None:
    """Refuse a video without audio track if every option needs one: the task would be billed and give no vector."""
    if input_type == "video" and not found.has_audio and AUDIO_OPTIONS.issuperset(embedding_option):
        raise InputError(
            f"{media.source}: has no audio track, so embedding_option {list(embedding_option)} would give no vector; "
            "add visual."
        )


def check_window(start_sec: float | None, end_sec: float | None, duration_sec: float | None, source: str) -> None:
    """Refuse a time window outside the media; containers round by up to a second, and None is unknown."""
    if duration_sec is None:
        return
    if start_sec is not None and start_sec >= duration_sec:
        raise InputError(f"{source}: start_sec {start_sec:g} must be less than the duration of {duration_sec:.3f} s.")
    if end_sec is not None and end_sec > duration_sec + 1:
        raise InputError(f"{source}: end_sec {end_sec:g} must not exceed the duration of {duration_sec:.3f} s.")


def _check_tracks(media: Media, found: Probe, input_type: str, model: Model) -> None:
    if found.is_image:
        raise InputError(f"{media.source}: is an image ({found.format_name}), not {input_type}; use embed_image.")
    if input_type == "video" and not found.has_video:
        raise InputError(f"{media.source}: has no video track; load it as audio.")
    if input_type == "video":
        return
    if not found.has_audio:
        raise InputError(f"{media.source}: has no audio track.")
    if model.knows_media and not set(found.format_name.split(",")) & set(limits.AUDIO_FORMATS):
        raise InputError(
            f"{media.source}: audio must be {', '.join(limits.AUDIO_FORMATS).upper()}; this is {found.format_name}."
        )


def _check_duration(media: Media, found: Probe, allowed: tuple[float, float] | None, *, task: bool) -> None:
    seconds = found.duration_sec
    if seconds is None or allowed is None:
        return
    shortest, longest = allowed
    # Containers round: the duration of a 4 s video may be given as 3.98 s.
    if seconds < shortest - 0.05:
        raise InputError(f"{media.source}: {seconds:.2f} s long; an embedding task needs at least {shortest:g} s.")
    if seconds > longest + 1:
        advice = "split it" if task else "use segment_video or segment_audio"
        raise InputError(f"{media.source}: {seconds:,.1f} s long; at most {longest:,.0f} s here: {advice}.")


def _check_resolution(media: Media, width: int, height: int) -> None:
    short, long = sorted((width, height))
    what = f"{media.source}: video is {width}x{height} pixels"
    if short < limits.VIDEO_MIN_SIDE:
        raise InputError(f"{what}; the API needs at least {limits.VIDEO_MIN_SIDE}x{limits.VIDEO_MIN_SIDE}.")
    if long > limits.VIDEO_MAX_LONG_SIDE or short > limits.VIDEO_MAX_SHORT_SIDE:
        raise InputError(f"{what}; the API accepts at most {limits.VIDEO_MAX_LONG_SIDE}x{limits.VIDEO_MAX_SHORT_SIDE}.")
    if long / short > limits.VIDEO_MAX_ASPECT + 0.005:
        raise InputError(
            f"{what}, an aspect ratio of {long / short:.2f}:1; "
            f"the API accepts 1:1 to {limits.VIDEO_MAX_ASPECT}:1, landscape or portrait."
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
    kind = asset_type or _kind_by_tracks(media)
    if kind not in MULTIPART_TYPES:
        what = f"a {kind}" if kind else "of an unknown kind"
        raise InputError(
            f"{media.source}: is {what}; uploads above {limits.in_words(limits.DIRECT_UPLOAD_MAX_BYTES)} must be "
            f"{', '.join(MULTIPART_TYPES)}. If it is one of these, pass asset_type=."
        )
    return kind


def _kind_by_tracks(media: Media) -> MediaType | None:
    try:
        found = probe(media)
    except InputError:
        return None
    return None if found is None else "image" if found.is_image else "video" if found.has_video else "audio"


UserMetadata = Mapping[str, str | int | float | bool | list[str] | None]
"""Names and values: str, number, bool or list of str. In an update, None deletes a name."""

_LARGEST_INT = 2**53 - 1  # reference: integers beyond 53 bits must be sent as str


def check_user_metadata(user_metadata: object) -> dict[str, Any]:
    """Return the metadata of an asset as a plain dict."""
    if not isinstance(user_metadata, Mapping):
        raise InputError(f"user_metadata must be a mapping of names to values, got {type(user_metadata).__name__}.")
    for name, value in user_metadata.items():
        if not isinstance(name, str) or not _is_metadata_value(value):
            raise InputError(
                f"user_metadata[{name!r}] is {value!r} ({type(value).__name__}). Names must be str, values str, bool, "
                f"list of str, finite float, or int up to {_LARGEST_INT}; pass a larger one as str."
            )
    return dict(user_metadata)


def _is_metadata_value(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    if isinstance(value, int):
        return abs(value) <= _LARGEST_INT
    return value is None or isinstance(value, str) or (isinstance(value, float) and math.isfinite(value))
