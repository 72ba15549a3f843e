"""What Marengo 3.0 understands of a request, and nothing of other models."""

import re
from typing import Literal

from twelvelabs_sandbox._engine import Cut
from twelvelabs_sandbox._errors import invalid
from twelvelabs_sandbox._fields import Fields, shown
from twelvelabs_sandbox._values import EmbedRequest, MediaRequest, MediaSource, SourceKind, StillRequest

SYNC_INPUTS = ("text", "image", "text_image", "audio", "video", "multi_input")
TASK_INPUTS = ("audio", "video")
OPTIONS = {"audio": ("audio", "transcription"), "video": ("visual", "audio", "transcription")}
SCOPES = ("clip", "asset")
TYPES = ("separate_embedding", "fused_embedding")
STRATEGIES = {"audio": ("fixed",), "video": ("dynamic", "fixed")}
# What is cut when no segmentation is given.
DEFAULT_CUTS = {"audio": Cut(fixed_sec=6.0), "video": Cut(min_sec=4.0)}
MOST_SOURCES = 10
PLACEHOLDER = re.compile(r"<@([^>]+)>")

SOURCE_KINDS: tuple[SourceKind, ...] = ("url", "base64_string", "asset_id")
MEDIA_FIELDS = (
    "media_source", "start_sec", "end_sec", "segmentation", "embedding_option", "embedding_scope", "embedding_type",
)  # fmt: skip
# Known words of the API that belong to Marengo 3.5: the error says so instead of calling them unknown.
NEWER_BODY_FIELDS = ("auto_truncate", "embedding_uncertainty", "embedding_dimension")
NEWER_MEDIA_FIELDS = ("time_based_metadata",)


def sync_request(body: object) -> EmbedRequest:
    """Read the body of ``POST /embed-v2``."""
    fields, kind = _open(body, SYNC_INPUTS)
    match kind:
        case "text":
            return StillRequest(kind, text=fields.inner(kind, ("input_text",)).text("input_text"))
        case "image":
            return StillRequest(kind, images=(_media_source(fields.inner(kind, ("media_source",))),))
        case "text_image":
            both = fields.inner(kind, ("media_source", "input_text"))
            return StillRequest(kind, both.text("input_text"), (_media_source(both),))
        case "multi_input":
            return _multi_input(fields.inner(kind, ("input_text", "media_sources")))
        case _:
            return _media(fields, kind)


def task_request(body: object) -> MediaRequest:
    """Read the body of ``POST /embed-v2/tasks``."""
    fields, kind = _open(body, TASK_INPUTS)
    return _media(fields, kind)


def _open(body: object, inputs: tuple[str, ...]) -> tuple[Fields, str]:
    fields = Fields(body, "", ("input_type", "model_name", *inputs, *NEWER_BODY_FIELDS))
    _refuse_newer(fields, NEWER_BODY_FIELDS)
    kind = fields.choice("input_type", inputs)
    for other in inputs:
        if other != kind and other in fields:
            raise invalid(f"The {other} parameter does not belong to input_type `{kind}`.")
    return fields, kind


def _refuse_newer(fields: Fields, names: tuple[str, ...]) -> None:
    for name in names:
        if name in fields:
            raise invalid(f"The {fields.name(name)} parameter is not supported by marengo3.0.")


def _media(fields: Fields, kind: str) -> MediaRequest:
    input_type: Literal["audio", "video"] = "audio" if kind == "audio" else "video"
    media = fields.inner(kind, (*MEDIA_FIELDS, *NEWER_MEDIA_FIELDS))
    _refuse_newer(media, NEWER_MEDIA_FIELDS)
    start, end = _window(media)
    options = media.choices("embedding_option", OPTIONS[kind])
    types = media.choices("embedding_type", TYPES) if "embedding_type" in media else TYPES[:1]
    if "fused_embedding" in types and len(options) < 2:  # noqa: PLR2004 - one option has nothing to fuse with
        name = media.name("embedding_type")
        raise invalid(f"`fused_embedding` in {name} needs two or more embedding options, not {shown(list(options))}.")
    return MediaRequest(
        input_type=input_type,
        source=_media_source(media),
        start_sec=start,
        end_sec=end,
        cut=_cut(media, kind) if "segmentation" in media else DEFAULT_CUTS[kind],
        options=options,
        scopes=media.choices("embedding_scope", SCOPES),
        separate="separate_embedding" in types,
        fused="fused_embedding" in types,
    )


def _window(media: Fields) -> tuple[float, float | None]:
    start = media.seconds("start_sec") if "start_sec" in media else 0.0
    end = media.seconds("end_sec") if "end_sec" in media else None
    if end is not None and end <= start:
        raise invalid(f"The {media.name('end_sec')} parameter must be greater than start_sec: {end:g} <= {start:g}.")
    return start, end


def _cut(media: Fields, kind: str) -> Cut:
    segmentation = media.inner("segmentation", ("strategy", "fixed", "dynamic", "temporal"))
    if "temporal" in segmentation:
        raise invalid(f"The {segmentation.name('temporal')} parameter is not supported by marengo3.0.")
    strategy = segmentation.choice("strategy", STRATEGIES[kind])
    other = "dynamic" if strategy == "fixed" else "fixed"
    if other in segmentation:
        raise invalid(f"The {segmentation.name(other)} parameter does not belong to strategy `{strategy}`.")
    if strategy == "fixed":
        return Cut(fixed_sec=segmentation.inner("fixed", ("duration_sec",)).integer("duration_sec", 2, 10))
    return Cut(min_sec=segmentation.inner("dynamic", ("min_duration_sec",)).integer("min_duration_sec", 2, 5))


def _media_source(fields: Fields) -> MediaSource:
    return _one_source(fields.inner("media_source", SOURCE_KINDS))


def _one_source(source: Fields) -> MediaSource:
    given = [kind for kind in SOURCE_KINDS if kind in source]
    if len(given) != 1:
        names = ", ".join(source.name(kind) for kind in SOURCE_KINDS)
        raise invalid(f"Exactly one of {names} is required; given: {', '.join(given) or 'none'}.")
    return MediaSource(given[0], source.text(given[0]))


def _multi_input(fields: Fields) -> StillRequest:
    sources = fields.inners("media_sources", ("media_type", "name", *SOURCE_KINDS), MOST_SOURCES)
    for source in sources:
        source.choice("media_type", ("image",))
    names = {source.text("name") for source in sources if "name" in source}
    text = fields.text("input_text") if "input_text" in fields else ""
    for name in PLACEHOLDER.findall(text):
        if name not in names:
            raise invalid(f"The placeholder <@{name[:100]}> in input_text names no item of media_sources.")
    words = PLACEHOLDER.sub(" ", text).strip()
    return StillRequest("multi_input", words or None, tuple(_one_source(source) for source in sources))
