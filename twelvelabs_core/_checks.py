"""Media against the API's limits, before anything is sent: each refusal names the limit and the value."""

from collections.abc import Sequence
from pathlib import Path

from twelvelabs_core import _limits
from twelvelabs_core._errors import InputError
from twelvelabs_core._image_header import read_image_header
from twelvelabs_core._media import Media
from twelvelabs_core._media_types import PDF_ENDINGS, TEXT_ENDINGS, document_kind, media_type_of
from twelvelabs_core._models import MARENGO_30, Model
from twelvelabs_core._probe import Probe, probe

DOCUMENT_MAX_BYTES = 512 * _limits.MIB  # reference, AsyncDocumentInputRequest
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
    if len(text.strip()) < _limits.TEXT_MIN_CHARACTERS:
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
    check_size(media, _limits.IMAGE_MAX_BYTES, "an image")
    if not model.knows_media:
        return
    header = read_image_header(media.read_chunks(_HEADER_CHUNK))
    if header is None:
        raise InputError(f"{media.source}: images must be {' or '.join(_limits.IMAGE_FORMATS)}; this is neither.")
    if min(header.width, header.height) < _limits.IMAGE_MIN_SIDE:
        raise InputError(
            f"{media.source}: image is {header.width}x{header.height} pixels; "
            f"the API needs at least {_limits.IMAGE_MIN_SIDE}x{_limits.IMAGE_MIN_SIDE}."
        )


def check_readable(media: Media) -> None:
    """Refuse local media that is not there, not a file, empty, or larger than any upload may be.

    Raises:
        InputError: One of these.
    """
    if media.is_local:
        check_size(media, _limits.UPLOAD_MAX_BYTES, "an upload", advice="; cut it, or encode it smaller")


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
        check_size(media, _limits.TASK_MAX_BYTES, "media of an embedding task", advice)
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
            f"{media.source}: {size:,} bytes; {what} may have at most {limit:,} ({_limits.in_words(limit)}){advice}."
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
    if input_type == "audio" and model.knows_media and not any(name in _limits.AUDIO_FORMATS for name in names):
        raise InputError(
            f"{media.source}: audio must be {', '.join(_limits.AUDIO_FORMATS).upper()}; this is {found.format_name}."
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
    if short < _limits.VIDEO_MIN_SIDE:
        least = _limits.VIDEO_MIN_SIDE
        raise InputError(f"{media.source}: video is {size} pixels; the API needs at least {least}x{least}.")
    if long > _limits.VIDEO_MAX_LONG_SIDE or short > _limits.VIDEO_MAX_SHORT_SIDE:
        raise InputError(
            f"{media.source}: video is {size} pixels; "
            f"the API takes at most {_limits.VIDEO_MAX_LONG_SIDE}x{_limits.VIDEO_MAX_SHORT_SIDE}."
        )
    if long / short > _limits.VIDEO_MAX_ASPECT + 0.005:
        raise InputError(
            f"{media.source}: video is {size} pixels, a ratio of {long / short:.2f}:1; "
            f"the API takes 1:1 to {_limits.VIDEO_MAX_ASPECT}:1, lying or standing."
        )
