"""Reads and validates the forms of the legacy v1 embed API."""

from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile

from twelvelabs_sandbox.engine.types import Segmentation
from twelvelabs_sandbox.errors import invalid, missing
from twelvelabs_sandbox.requests.fields import FormFields
from twelvelabs_sandbox.requests.types import MediaRequest, MediaSource

MODELS = ("marengo3.0",)
EMBED_FIELDS = (
    "model_name", "text", "image_url", "image_file", "audio_url", "audio_file", "audio_start_offset_sec",
)  # fmt: skip
TASK_FIELDS = (
    "model_name", "video_file", "video_url", "video_start_offset_sec", "video_end_offset_sec", "video_clip_length",
    "video_embedding_scope",
)  # fmt: skip
MIN_CLIP_SECONDS, MAX_CLIP_SECONDS, DEFAULT_CLIP_SECONDS = 2.0, 10.0, 6.0
MILLISECOND = 0.001
# The media of a v1 request are loaded before the MediaRequest is made.
NO_SOURCE = MediaSource("asset_id", "")

# Source of media: a file in the form, or a URL.
Origin = UploadFile | MediaSource


@dataclass(frozen=True, slots=True)
class EmbedV1:
    """A validated ``POST /embed``; at least one of the three inputs is given."""

    model: str
    text: str | None
    image: Origin | None
    audio: Origin | None
    audio_start_sec: float


@dataclass(frozen=True, slots=True)
class TaskV1:
    """A validated ``POST /embed/tasks``; times in seconds of the video, ``end_sec`` None means its end."""

    model: str
    video: Origin
    start_sec: float
    end_sec: float | None
    clip_sec: float
    has_clip_sec: bool
    scopes: tuple[str, ...]


def embed_form(form: FormData) -> EmbedV1:
    """Read the form of ``POST /embed``."""
    fields = FormFields(form, EMBED_FIELDS)
    parsed = EmbedV1(
        model=fields.choice("model_name", MODELS),
        text=fields.text("text") if "text" in fields else None,
        image=_origin(fields, "image"),
        audio=_origin(fields, "audio"),
        audio_start_sec=fields.number("audio_start_offset_sec", 0) if "audio_start_offset_sec" in fields else 0.0,
    )
    if parsed.text is None and parsed.image is None and parsed.audio is None:
        raise invalid("One of text, image_url, image_file, audio_url, audio_file is required.")
    return parsed


def task_form(form: FormData) -> TaskV1:
    """Read the form of ``POST /embed/tasks``."""
    fields = FormFields(form, TASK_FIELDS, repeated=("video_embedding_scope",))
    model = fields.choice("model_name", MODELS)
    # As documented, the URL takes precedence if both are given.
    video = _address(fields, "video_url") if "video_url" in fields else _file(fields, "video_file")
    if video is None:
        raise missing("video_file")
    clip = _length(fields) if "video_clip_length" in fields else DEFAULT_CLIP_SECONDS
    start, end = _window(fields, clip)
    return TaskV1(model, video, start, end, clip, "video_clip_length" in fields, _scopes(fields))


def _origin(fields: FormFields, kind: str) -> Origin | None:
    url, file = f"{kind}_url", f"{kind}_file"
    if url in fields and file in fields:
        raise invalid(f"Only one of {url} and {file} can be given.")
    return _address(fields, url) if url in fields else _file(fields, file)


def _address(fields: FormFields, key: str) -> MediaSource:
    return MediaSource("url", fields.text(key))


def _file(fields: FormFields, key: str) -> UploadFile | None:
    return fields.file(key) if key in fields else None


def _length(fields: FormFields) -> float:
    return fields.number("video_clip_length", MIN_CLIP_SECONDS, MAX_CLIP_SECONDS)


def _window(fields: FormFields, clip: float) -> tuple[float, float | None]:
    has = [f"video_{side}_offset_sec" in fields for side in ("start", "end")]
    if not any(has):
        return 0.0, None
    if not all(has):
        raise invalid("The video_start_offset_sec and video_end_offset_sec parameters must be set both or neither.")
    start, end = (fields.number(f"video_{side}_offset_sec", 0) for side in ("start", "end"))
    if end <= start:
        raise invalid(f"The video_end_offset_sec parameter must be greater than the start: {end:g} <= {start:g}.")
    if end < start + clip:
        raise invalid(f"The window of {end - start:g} seconds must not be shorter than one clip of {clip:g} seconds.")
    return start, end


def _scopes(fields: FormFields) -> tuple[str, ...]:
    scopes = fields.texts("video_embedding_scope") or ["clip"]
    if set(scopes) not in ({"clip"}, {"clip", "video"}) or len(set(scopes)) != len(scopes):
        raise invalid(f"The video_embedding_scope parameter must be `clip`, or `clip` and `video`, not {scopes}.")
    return tuple(scopes)


def audio_request(start: float) -> MediaRequest:
    """Return the request that v1 makes of an audio input: clips of six seconds."""
    return MediaRequest(
        input_type="audio",
        source=NO_SOURCE,
        start_sec=start,
        end_sec=None,
        segmentation=Segmentation(fixed_sec=DEFAULT_CLIP_SECONDS),
        options=("audio",),
        scopes=("clip",),
        separate=True,
        fused=False,
    )


def video_request(parsed: TaskV1, duration: float) -> MediaRequest:
    """Return the request that v1 makes of a video; raise ApiError 400 if the window does not fit the video."""
    end = duration if parsed.end_sec is None else parsed.end_sec
    length = end - parsed.start_sec
    if end > duration:
        message = (
            f"The video_end_offset_sec parameter must not exceed the duration of the video: {end:g} > {duration:g}."
        )
        raise invalid(message)
    if parsed.has_clip_sec and parsed.clip_sec > length:
        raise invalid(f"The video_clip_length parameter must not exceed the window: {parsed.clip_sec:g} > {length:g}.")
    return MediaRequest(
        input_type="video",
        source=NO_SOURCE,
        start_sec=parsed.start_sec,
        end_sec=end - _dropped(length, parsed.clip_sec),
        segmentation=Segmentation(fixed_sec=parsed.clip_sec),
        options=("visual", "audio", "transcription"),
        scopes=("clip", "asset") if "video" in parsed.scopes else ("clip",),
        separate=True,
        fused=False,
    )


def _dropped(length: float, clip: float) -> float:
    """Return the seconds at the end that are too short for a clip; v1 drops them."""
    rest = length % clip
    is_whole = min(rest, clip - rest) < MILLISECOND
    return 0.0 if is_whole or rest >= MIN_CLIP_SECONDS or length < clip else rest
