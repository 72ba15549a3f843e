"""Media against the API's limits, before anything is sent: each refusal names the limit and the value.

What may be uploaded as an asset, and how: by one request, or in chunks.

The notes that an owner keeps on an asset, against what the API stores.
"""

import math
import mimetypes
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.inspect import (
    PDF_ENDINGS,
    TEXT_ENDINGS,
    Probe,
    document_kind,
    media_type_of,
    probe,
    read_image_header,
)
from twelvelabs_core.media.source import Media
from twelvelabs_core.models.marengo import MARENGO_30, Model

DOCUMENT_MAX_BYTES = 512 * limits.MIB  # reference, AsyncDocumentInputRequest
_HEADER_CHUNK = 64 * 1024
_TEXT_CHUNK = 1024 * 1024
HEARD = frozenset({"audio", "transcription"})  # the options that are nothing without a sound track


def check_text(text: str, what: str = "text") -> str:
    """Return the text; refuse what holds nothing to embed.

    Raises:
        InputError: Not a string, empty or white space only, or no valid Unicode.
    """
    if not isinstance(text, str):
        raise InputError(f"{what} must be a str, got {type(text).__name__}.")
    if len(text.strip()) < limits.TEXT_MIN_CHARACTERS:
        raise InputError(
            f"{what} is empty ({len(text)} characters of white space); the API needs at least 1 character."
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{what} is no valid Unicode: a lone surrogate at character {error.start}.") from None
    return text


def check_image(media: Media, model: Model = MARENGO_30) -> None:
    """Refuse an image whose size, or (where the model's are known) format or resolution the API would refuse.

    Raises:
        InputError: Missing, empty, too large, neither JPEG nor PNG, or too small.
    """
    if not media.is_local:
        return
    check_size(media, limits.IMAGE_MAX_BYTES, "an image")
    if not model.knows_media:
        return
    header = read_image_header(media.read_chunks(_HEADER_CHUNK))
    if header is None:
        raise InputError(f"{media.source}: images must be {' or '.join(limits.IMAGE_FORMATS)}; this is neither.")
    if min(header.width, header.height) < limits.IMAGE_MIN_SIDE:
        raise InputError(
            f"{media.source}: image is {header.width}x{header.height} pixels; "
            f"the API needs at least {limits.IMAGE_MIN_SIDE}x{limits.IMAGE_MIN_SIDE}."
        )


def check_readable(media: Media) -> None:
    """Refuse local media that is not there, not a file, empty, or larger than any upload may be.

    Raises:
        InputError: One of these.
    """
    if media.is_local:
        check_size(media, limits.UPLOAD_MAX_BYTES, "an upload", advice="; cut it, or encode it smaller")


def check_audio_video(media: Media, input_type: str, *, task: bool, model: Model = MARENGO_30) -> Probe | None:
    """Refuse audio or video that the API would refuse; return what was found out, if anything.

    Length, resolution and format need PyAV (extra `media`); without it they are left to the server.

    Raises:
        InputError: Missing, a folder, empty, unreadable, or of a size, length, resolution or ratio out of range.
    """
    if not media.is_local:
        return None
    if task:
        advice = "; cut it, or encode it smaller"
        check_size(media, limits.TASK_MAX_BYTES, "media of an embedding task", advice)
    else:
        check_readable(media)
    found = probe(media)
    if found is None:
        return None
    _check_kind(media, found, input_type, model)
    _check_duration(media, found, model.task_sec if task else (0.0, model.sync_max_sec), task=task)
    if input_type == "video" and model.knows_media:
        _check_picture(media, found)
    return found


def check_source(media: Media, media_type: str, model: Model) -> None:
    """Refuse a source of `multi_input` that the API would refuse.

    Raises:
        InputError: Missing, empty, unreadable, too large or too long.
    """
    if media_type == "image":
        check_image(media, model)
    elif media.is_local:
        if model.sync_max_bytes is not None:
            check_size(media, model.sync_max_bytes, f"{media_type} of {model.name} at once")
        if media_type == "document":
            check_document(media)
        else:
            check_audio_video(media, media_type, task=False, model=model)


def check_document(media: Media, limit: int | None = None) -> None:
    """Refuse a local document that the API would refuse. Pages are left to the API: it counts them before it works.

    Args:
        media: PDF, text or Markdown.
        limit: Most bytes. Default: those of a task.

    Raises:
        InputError: Missing, empty, too large, of another kind, or no text in it.
    """
    if not media.is_local:
        return
    check_size(media, limit or DOCUMENT_MAX_BYTES, "a document")
    ending = Path(media.title).suffix.lower()
    if ending and media.origin != "bytes" and ending not in (*PDF_ENDINGS, *TEXT_ENDINGS):
        raise InputError(
            f"{media.source}: documents must be PDF (.pdf), text (.txt) or Markdown (.md); this is {ending}."
        )
    if document_kind(media) == "text":
        _check_plain_text(media)


def check_has_sound(media: Media, found: Probe, input_type: str, embedding_option: Sequence[str]) -> None:
    """Refuse a video without sound where only what is heard was asked for: it would be paid for, and give no vector.

    Raises:
        InputError: That is so.
    """
    if input_type == "video" and not found.has_audio and HEARD.issuperset(embedding_option):
        raise InputError(
            f"{media.source}: has no sound track, so embedding_option {list(embedding_option)} would give no vector; "
            "add visual."
        )


def check_window(start_sec: float | None, end_sec: float | None, duration_sec: float | None, source: str) -> None:
    """Refuse a time window that lies outside the film.

    Raises:
        InputError: It begins after the film's end, or ends more than a second after it.
    """
    if duration_sec is None:
        return
    if start_sec is not None and start_sec >= duration_sec:
        raise InputError(f"{source}: start_sec {start_sec:g} is not before the film's end at {duration_sec:.3f} s.")
    if end_sec is not None and end_sec > duration_sec + 1:
        raise InputError(f"{source}: end_sec {end_sec:g} is after the film's end at {duration_sec:.3f} s.")


def check_size(media: Media, limit: int, what: str, advice: str = "") -> None:
    """Refuse local media that is not there, not a file, empty or too large."""
    size = media.size()
    path = media.path
    if path is not None and not path.is_file():
        raise InputError(f"{media.source}: is {'a folder' if path.is_dir() else 'not a regular file'}; pass a file.")
    if size == 0 or not next(media.read_chunks(1), b""):
        raise InputError(f"{media.source}: file is empty: 0 bytes.")
    if size > limit:
        raise InputError(
            f"{media.source}: {size:,} bytes; {what} may have at most {limit:,} ({limits.in_words(limit)}){advice}."
        )


def _check_plain_text(media: Media) -> None:
    kind = media_type_of(media)
    if kind not in (None, "document"):
        raise InputError(f"{media.source}: is {kind}, not a document (PDF, text or Markdown).")
    if not any(chunk.strip() for chunk in media.read_chunks(_TEXT_CHUNK)):
        raise InputError(f"{media.source}: holds no text.")


def _check_kind(media: Media, found: Probe, input_type: str, model: Model) -> None:
    if found.is_picture:
        raise InputError(f"{media.source}: is a picture ({found.format_name}), not {input_type}; use embed_image.")
    if input_type == "video" and found.width is None:
        raise InputError(f"{media.source}: has no picture track; load it as audio.")
    if input_type == "audio" and not found.has_audio:
        raise InputError(f"{media.source}: has no sound track.")
    names = found.format_name.split(",")
    if input_type == "audio" and model.knows_media and not any(name in limits.AUDIO_FORMATS for name in names):
        raise InputError(
            f"{media.source}: audio must be {', '.join(limits.AUDIO_FORMATS).upper()}; this is {found.format_name}."
        )


def _check_duration(media: Media, found: Probe, allowed: tuple[float, float] | None, *, task: bool) -> None:
    seconds = found.duration_sec
    if seconds is None or allowed is None:
        return
    least, limit = allowed
    # Containers round: a film cut at 4 s may say 3.98.
    if seconds < least - 0.05:
        raise InputError(f"{media.source}: {seconds:.2f} s long; an embedding task needs at least {least:g} s.")
    if seconds > limit + 1:
        advice = "cut it" if task else "use segment_video or segment_audio"
        raise InputError(f"{media.source}: {seconds:,.1f} s long; at most {limit:,.0f} s here: {advice}.")


def _check_picture(media: Media, found: Probe) -> None:
    if found.width is None or found.height is None:
        return
    short, long = sorted((found.width, found.height))
    size = f"{found.width}x{found.height}"
    if short < limits.VIDEO_MIN_SIDE:
        least = limits.VIDEO_MIN_SIDE
        raise InputError(f"{media.source}: video is {size} pixels; the API needs at least {least}x{least}.")
    if long > limits.VIDEO_MAX_LONG_SIDE or short > limits.VIDEO_MAX_SHORT_SIDE:
        raise InputError(
            f"{media.source}: video is {size} pixels; "
            f"the API takes at most {limits.VIDEO_MAX_LONG_SIDE}x{limits.VIDEO_MAX_SHORT_SIDE}."
        )
    if long / short > limits.VIDEO_MAX_ASPECT + 0.005:
        raise InputError(
            f"{media.source}: video is {size} pixels, a ratio of {long / short:.2f}:1; "
            f"the API takes 1:1 to {limits.VIDEO_MAX_ASPECT}:1, lying or standing."
        )


ASSET_TYPES = ("image", "video", "audio", "document")
MULTIPART_TYPES = ("video", "audio", "image")
METHODS = ("direct", "url", "multipart")

UploadMethod = Literal["direct", "url", "multipart"]

_LARGEST = {
    "video": limits.UPLOAD_MAX_BYTES,
    "audio": limits.UPLOAD_MAX_BYTES,
    "image": limits.IMAGE_MAX_BYTES,
    "document": limits.DOCUMENT_UPLOAD_MAX_BYTES,
}
_DOCUMENT_TYPES = frozenset({"application/pdf", "text/plain", "text/markdown"})


def check_filename(filename: object) -> str:
    """Return the name of an asset.

    Raises:
        InputError: It is no text of 1 to 255 characters.
    """
    if not isinstance(filename, str) or not filename:
        raise InputError(f"filename must be a str of 1 to {limits.FILENAME_MAX} characters, got {filename!r}.")
    if len(filename) > limits.FILENAME_MAX:
        raise InputError(f"filename may have at most {limits.FILENAME_MAX} characters, got {len(filename)}.")
    return filename


def check_upload_size(name: str, size: int, asset_type: str) -> None:
    """Refuse what is larger than an upload of its kind may be.

    Raises:
        InputError: It is; the message has the limit.
    """
    limit = _LARGEST[asset_type]
    if size > limit:
        advice = "cut it, or encode it smaller" if limit == limits.UPLOAD_MAX_BYTES else "make it smaller"
        raise InputError(
            f"{name}: {size:,} bytes; an upload of this kind ({asset_type}) may have at most {limit:,} "
            f"({limits.in_words(limit)}); {advice}."
        )


def check_asset_type(asset_type: str | None) -> None:
    """Refuse an unknown kind of asset.

    Raises:
        InputError: It is none of the four.
    """
    if asset_type is not None and asset_type not in ASSET_TYPES:
        raise InputError(f"asset_type must be one of {', '.join(ASSET_TYPES)}; got {asset_type!r}.")


def kind_by_name(name: str) -> str | None:
    """Return what the ending of a name says that it is, or None."""
    mime_type = mimetypes.guess_type(name)[0] or ""
    if mime_type in _DOCUMENT_TYPES:
        return "document"
    kind = mime_type.partition("/")[0]
    return kind if kind in MULTIPART_TYPES else None


def upload_method(media: Media, size: int | None, asset_type: str | None, method: str | None) -> UploadMethod:
    """Return how a medium goes to the API.

    Args:
        media: The medium.
        size: Its bytes, if it is local.
        asset_type: What it is, if that is known.
        method: What the caller asks for; None leaves it to the size.

    Raises:
        InputError: It cannot go this way, or is too large for any.
    """
    if method is not None and method not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}; got {method!r}.")
    if size is None:
        return _method_of_remote(media, method)
    if asset_type is not None:
        check_upload_size(media.source, size, asset_type)
    if method == "url":
        raise InputError(f"{media.source}: method='url' takes an http(s) URL, this is local.")
    limit = limits.DIRECT_UPLOAD_MAX_BYTES
    if method == "direct" and size > limit:
        raise InputError(
            f"{media.source}: {size:,} bytes; a direct upload may have at most {limit:,} ({limits.in_words(limit)}); "
            "leave method out, and it goes in chunks."
        )
    return method or ("direct" if size <= limit else "multipart")  # type: ignore[return-value]  # checked above


def multipart_type(media: Media, asset_type: str | None) -> str:
    """Return what a session in chunks is told of a medium: `video`, `audio` or `image`.

    Raises:
        InputError: It is nothing of the kind, or nobody can tell.
    """
    kind = asset_type or _kind_by_content(media)
    if kind not in MULTIPART_TYPES:
        what = f"a {kind}" if kind else "of an unknown kind"
        raise InputError(
            f"{media.source}: is {what}; uploads above {limits.in_words(limits.DIRECT_UPLOAD_MAX_BYTES)} must be "
            f"{', '.join(MULTIPART_TYPES)}. If it is one, say so with asset_type=."
        )
    return kind


def _method_of_remote(media: Media, method: str | None) -> UploadMethod:
    if media.asset_id is not None:
        raise InputError(f"{media.source} is an asset already.")
    if method not in (None, "url"):
        raise InputError(f"{media.source}: method={method!r} takes local media; a URL is fetched by the API.")
    return "url"


def _kind_by_content(media: Media) -> str | None:
    """Look inside, where PyAV is installed (extra `media`)."""
    try:
        found = probe(media)
    except InputError:
        return None
    if found is None:
        return None
    if found.is_picture:
        return "image"
    return "video" if found.width is not None else "audio"


UserMetadata = Mapping[str, str | int | float | bool | list[str] | None]
"""Names and values: str, number, bool or list of str. None deletes a name in an update and means nothing elsewhere."""

_WIDEST_INT = 2**53 - 1  # reference: integers beyond 53 bits are to be sent as text


def check_user_metadata(user_metadata: object) -> dict[str, Any]:
    """Return the notes as a plain dict.

    Raises:
        InputError: A name is no text, or a value is of another kind or too large a number.
    """
    if not isinstance(user_metadata, Mapping):
        raise InputError(f"user_metadata must be a mapping of names to values, got {type(user_metadata).__name__}.")
    for name, value in user_metadata.items():
        if not isinstance(name, str):
            raise InputError(f"user_metadata has the name {name!r}; names must be str.")
        _check_value(name, value)
    return dict(user_metadata)


def _check_value(name: str, value: object) -> None:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return
    if value is not None and not isinstance(value, str | int | float):
        raise InputError(
            f"user_metadata[{name!r}] is of type {type(value).__name__}; the API stores str, numbers, bool and "
            "lists of str."
        )
    if isinstance(value, int) and abs(value) > _WIDEST_INT:
        raise InputError(f"user_metadata[{name!r}] is {value}: integers beyond {_WIDEST_INT} must be passed as str.")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"user_metadata[{name!r}] is {value}, which JSON cannot carry.")
