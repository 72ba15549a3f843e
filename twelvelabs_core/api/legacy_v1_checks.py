"""What the old embed API (v1) is asked, against its published limits, before anything is sent."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.source import Media, MediaInput, many
from twelvelabs_core.media.validate import check_audio_video, check_size
from twelvelabs_core.models.marengo import MARENGO_30

OPTIONS = ("visual", "audio", "transcription", "visual-text")  # the last one of Marengo 2.7
SCOPES = ("clip", "video")
# Containers round, and the server may read a length a little differently; it has the last word.
_ROUNDING_SEC = 1.0


@dataclass(frozen=True, slots=True)
class TaskOptionsV1:
    """How a video task of v1 cuts and what it gives; None leaves it to the API.

    Attributes:
        start: `video_start_offset_sec`.
        end: `video_end_offset_sec`.
        clip_length: `video_clip_length`.
        scopes: `video_embedding_scope`.
    """

    start: float | None
    end: float | None
    clip_length: float | None
    scopes: tuple[str, ...] | None

    def fields(self) -> dict[str, str | Sequence[str]]:
        """Return the form fields of what was given."""
        given: dict[str, str | Sequence[str] | None] = {
            "video_start_offset_sec": _text(self.start),
            "video_end_offset_sec": _text(self.end),
            "video_clip_length": _text(self.clip_length),
            "video_embedding_scope": self.scopes,
        }
        return {name: value for name, value in given.items() if value is not None}


def task_options(
    start: float | None, end: float | None, clip_length: float | None, scopes: Sequence[str] | None
) -> TaskOptionsV1:
    """Return the checked options of a task.

    Raises:
        InputError: One of them cannot be, or two do not fit together; the message has the limit and the value.
    """
    if (start is None) != (end is None):
        missing, given = ("start", "end") if start is None else ("end", "start")
        raise InputError(
            f"video_start_offset_sec and video_end_offset_sec go together: only video_{given}_offset_sec was given; "
            f"add video_{missing}_offset_sec."
        )
    low, high = limits.V1_CLIP_SEC
    if clip_length is not None:
        check_number("video_clip_length", clip_length, low, high)
    if start is not None and end is not None:
        _check_window(start, end, clip_length)
    return TaskOptionsV1(start, end, clip_length, _scopes(scopes))


def check_embed_options(options: Sequence[str] | None) -> tuple[str, ...]:
    """Return the options whose vectors of a task are asked for; none means all.

    Raises:
        InputError: One of them is unknown.
    """
    if options is None:
        return ()
    return _among("embedding_option", options, OPTIONS)


def check_number(name: str, value: object, low: float, high: float = math.inf) -> None:
    """Refuse what is no number between two bounds.

    Raises:
        InputError: It is not; the message has the bounds and the value.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high or value == math.inf:
        bounds = f"from {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise InputError(f"{name} must be a number of seconds {bounds}, got {value!r}.")


def one_source(kind: str, url: str | None, file: MediaInput | None) -> Media | None:
    """Return the medium that one of two parameters names, or None.

    Raises:
        InputError: Both are given, or one holds what belongs into the other.
    """
    if url is not None and file is not None:
        raise InputError(f"pass {kind}_url or {kind}_file, not both.")
    if url is not None:
        media = Media.of(url)
        if not isinstance(url, str) or media.url is None:
            raise InputError(f"{kind}_url must be an http(s) URL; for a local file pass {kind}_file.")
        return media
    if file is None:
        return None
    media = Media.of(file)
    if media.is_local:
        return media
    advice = f"pass a URL as {kind}_url" if media.url else "the old API takes no assets; pass the file or its URL"
    raise InputError(f"{kind}_file must be a path, bytes or a binary file object; {advice}.")


def check_audio_v1(audio: Media, start: float | None) -> None:
    """Refuse a sound that the API would refuse, and a start that is not in it.

    Raises:
        InputError: One of these.
    """
    _check_upload(audio)
    found = check_audio_video(audio, "audio", task=False, model=MARENGO_30)
    duration = None if found is None else found.duration_sec
    if start is not None and duration is not None and start >= duration:
        raise InputError(
            f"{audio.source}: audio_start_offset_sec {start:g} is not before the end of the sound at {duration:.3f} s."
        )


def check_video_v1(video: Media, options: TaskOptionsV1) -> None:
    """Refuse a video that the API would refuse, and options that do not fit its length.

    Raises:
        InputError: One of these.
    """
    _check_upload(video)
    found = check_audio_video(video, "video", task=True, model=MARENGO_30)
    duration = None if found is None else found.duration_sec
    if duration is None:
        return
    if options.end is not None and options.end > duration + _ROUNDING_SEC:
        raise InputError(
            f"{video.source}: video_end_offset_sec {options.end:g} is after the film's end at {duration:.3f} s."
        )
    if options.end is None and options.clip_length is not None and options.clip_length > duration + _ROUNDING_SEC:
        raise InputError(
            f"{video.source}: video_clip_length {options.clip_length:g} is more than the film's {duration:.3f} s."
        )


def _check_upload(media: Media) -> None:
    if media.is_local:
        advice = "; use segment_video, which uploads up to 10 GB"
        check_size(media, limits.V1_UPLOAD_MAX_BYTES, "an upload to the old API", advice)


def _check_window(start: float, end: float, clip_length: float | None) -> None:
    check_number("video_start_offset_sec", start, 0)
    check_number("video_end_offset_sec", end, 0)
    if end <= start:
        raise InputError(f"video_end_offset_sec must be after video_start_offset_sec {start:g}, got {end:g}.")
    clip = limits.V1_CLIP_USUAL_SEC if clip_length is None else clip_length
    if end - start < clip:
        default = " (the default video_clip_length)" if clip_length is None else ""
        raise InputError(
            f"video_start_offset_sec {start:g} to video_end_offset_sec {end:g} are {end - start:g} s; "
            f"there must be room for a clip of {clip:g} s{default}."
        )


def _scopes(scopes: Sequence[str] | None) -> tuple[str, ...] | None:
    if scopes is None:
        return None
    given = _among("video_embedding_scope", scopes, SCOPES)
    if "clip" not in given:
        raise InputError("video_embedding_scope must be ['clip'] or ['clip', 'video'], got ['video'].")
    return given


def _among(name: str, values: Sequence[str], allowed: tuple[str, ...]) -> tuple[str, ...]:
    given = many(values, name)
    unknown = [value for value in given if value not in allowed]
    if unknown or not given:
        raise InputError(f"{name} must be among {', '.join(allowed)}; got {repr(unknown[0]) if unknown else 'none'}.")
    return tuple(value for value in allowed if value in given)


def _text(number: float | None) -> str | None:
    return None if number is None else str(number)
