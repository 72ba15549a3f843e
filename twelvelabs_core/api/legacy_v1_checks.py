"""Checks of the arguments of the old embed API (v1) against its published limits."""

import math
from collections.abc import Sequence

from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.source import Media, MediaInput, many
from twelvelabs_core.media.validate import check_audio_video, check_image, check_size, check_window
from twelvelabs_core.models.marengo import MARENGO_30

FormFields = dict[str, str | Sequence[str]]
EMBED_OPTIONS = ("visual", "audio", "transcription", "visual-text")  # the last one of Marengo 2.7


def task_fields(
    start: float | None, end: float | None, clip_length: float | None, scopes: Sequence[str] | None
) -> FormFields:
    """Return the form fields of the options of a task that are given, checked."""
    if (start is None) != (end is None):
        missing, given = ("start", "end") if start is None else ("end", "start")
        raise InputError(
            f"video_start_offset_sec and video_end_offset_sec must be given together: only video_{given}_offset_sec "
            f"was given; add video_{missing}_offset_sec."
        )
    fields: FormFields = {}
    if start is not None and end is not None:
        fields["video_start_offset_sec"] = seconds("video_start_offset_sec", start)
        fields["video_end_offset_sec"] = seconds("video_end_offset_sec", end)
        if end <= start:
            raise InputError(f"video_end_offset_sec must be after video_start_offset_sec {start:g}, got {end:g}.")
    if clip_length is not None:
        fields["video_clip_length"] = seconds("video_clip_length", clip_length, *limits.V1_CLIP_SEC)
    if scopes is not None:
        fields["video_embedding_scope"] = among("video_embedding_scope", scopes, ("clip", "video"))
        if "clip" not in fields["video_embedding_scope"]:
            raise InputError("video_embedding_scope must be ['clip'] or ['clip', 'video'], got ['video'].")
    return fields


def seconds(name: str, value: object, low: float = 0.0, high: float = math.inf) -> str:
    """Return a number of seconds between two bounds as the text of a form field."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high or value == math.inf:
        bounds = f"from {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise InputError(f"{name} must be a number of seconds {bounds}, got {value!r}.")
    return str(value)


def among(name: str, values: Sequence[str], allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Return one or more of the allowed values, each once, in their order."""
    given = many(values, name)
    unknown = [value for value in given if value not in allowed]
    if unknown or not given:
        raise InputError(f"{name} must be among {', '.join(allowed)}; got {repr(unknown[0]) if unknown else 'none'}.")
    return tuple(value for value in allowed if value in given)


def one_source(input_type: str, url: str | None, file: MediaInput | None) -> Media | None:
    """Return the media that one of the two parameters `<type>_url` and `<type>_file` names, or None."""
    if url is not None and file is not None:
        raise InputError(f"pass {input_type}_url or {input_type}_file, not both.")
    given = file if url is None else url
    media = None if given is None else Media.of(given)
    if media is None or (media.is_local if url is None else media.url and isinstance(url, str)):
        return media
    if url is not None:
        raise InputError(f"{input_type}_url must be an http(s) URL; for a local file pass {input_type}_file.")
    advice = f"pass a URL as {input_type}_url" if media.url else "the old API accepts no assets; pass the file or a URL"
    raise InputError(f"{input_type}_file must be a path, bytes or a binary file object; {advice}.")


def check_media(media: Media, input_type: str, start: float | None = None, end: float | None = None) -> None:
    """Refuse local media out of the limits of the old API, and a time window outside the media."""
    if input_type == "image":
        check_image(media)
        return
    if media.is_local:
        advice = "; use segment_video, which uploads up to 10 GB"
        check_size(media, limits.V1_UPLOAD_MAX_BYTES, "an upload to the old API", advice)
    found = check_audio_video(media, input_type, task=input_type == "video", model=MARENGO_30)
    check_window(media, found, start, end)
