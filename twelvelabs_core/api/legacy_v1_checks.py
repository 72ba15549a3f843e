"""Checks of the arguments of the old embed API (v1) against its published limits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.source import Media, MediaInput, many
from twelvelabs_core.media.validate import check_audio_video, check_size, duration_if
from twelvelabs_core.models.marengo import MARENGO_30

_OPTIONS = ("visual", "audio", "transcription", "visual-text")  # the last one of Marengo 2.7
_SCOPES = ("clip", "video")
# Containers round durations, and the API may compute another duration; within this margin it decides.
_ROUNDING_SEC = 1.0


@dataclass(frozen=True, slots=True)
class TaskOptionsV1:
    """The options of a video task; None leaves an option to the API.

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
        """Return the form fields of the options that are given."""
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
        InputError: An option is out of range, or two options contradict each other.
    """
    if (start is None) != (end is None):
        missing, given = ("start", "end") if start is None else ("end", "start")
        raise InputError(
            f"video_start_offset_sec and video_end_offset_sec must be given together: only video_{given}_offset_sec "
            f"was given; add video_{missing}_offset_sec."
        )
    low, high = limits.V1_CLIP_SEC
    if clip_length is not None:
        check_number("video_clip_length", clip_length, low, high)
    if start is not None and end is not None:
        _check_window(start, end, clip_length)
    return TaskOptionsV1(start, end, clip_length, _checked_scopes(scopes))


def check_embed_options(options: Sequence[str] | None) -> tuple[str, ...]:
    """Return the options whose vectors are requested; empty for all.

    Raises:
        InputError: An unknown option.
    """
    return () if options is None else _among("embedding_option", options, _OPTIONS)


def check_number(name: str, value: object, low: float, high: float = math.inf) -> None:
    """Require a number of seconds between two bounds.

    Raises:
        InputError: The value is not a number or is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high or value == math.inf:
        bounds = f"from {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise InputError(f"{name} must be a number of seconds {bounds}, got {value!r}.")


def one_source(input_type: str, url: str | None, file: MediaInput | None) -> Media | None:
    """Return the medium that one of the two parameters `<type>_url` and `<type>_file` names, or None.

    Raises:
        InputError: Both are given, or one holds a value for the other.
    """
    if url is not None and file is not None:
        raise InputError(f"pass {input_type}_url or {input_type}_file, not both.")
    if url is not None:
        media = Media.of(url)
        if not isinstance(url, str) or media.url is None:
            raise InputError(f"{input_type}_url must be an http(s) URL; for a local file pass {input_type}_file.")
        return media
    if file is None:
        return None
    media = Media.of(file)
    if media.is_local:
        return media
    advice = f"pass a URL as {input_type}_url" if media.url else "the old API accepts no assets; pass the file or a URL"
    raise InputError(f"{input_type}_file must be a path, bytes or a binary file object; {advice}.")


def check_audio_v1(audio: Media, start: float | None) -> None:
    """Check audio and its first second against the limits of the API; reads local media.

    Raises:
        InputError: The audio cannot be read or exceeds a limit, or ends before `start`.
    """
    _check_upload(audio)
    found = check_audio_video(audio, "audio", task=False, model=MARENGO_30)
    duration = duration_if(audio, found, lambda seconds: start is not None and start >= seconds)
    if duration is not None:
        raise InputError(
            f"{audio.source}: audio_start_offset_sec {start:g} is not before the end of the audio at {duration:.3f} s."
        )


def check_video_v1(video: Media, options: TaskOptionsV1) -> None:
    """Check a video and its options against the limits of the API; reads local media.

    Raises:
        InputError: The video cannot be read or exceeds a limit, or an option exceeds its duration.
    """
    _check_upload(video)
    found = check_audio_video(video, "video", task=True, model=MARENGO_30)
    name = "video_end_offset_sec" if options.end is not None else "video_clip_length"
    needed = options.clip_length if options.end is None else options.end
    duration = duration_if(video, found, lambda seconds: needed is not None and needed > seconds + _ROUNDING_SEC)
    if duration is not None:
        raise InputError(f"{video.source}: {name} {needed:g} is more than the video's {duration:.3f} s.")


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
            f"video_start_offset_sec {start:g} to video_end_offset_sec {end:g} is {end - start:g} s, "
            f"less than one clip of {clip:g} s{default}."
        )


def _checked_scopes(scopes: Sequence[str] | None) -> tuple[str, ...] | None:
    if scopes is None:
        return None
    given = _among("video_embedding_scope", scopes, _SCOPES)
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
