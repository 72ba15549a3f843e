"""Validates request bodies for marengo3.0."""

from typing import Literal

from twelvelabs_sandbox.engine.types import Segmentation
from twelvelabs_sandbox.errors import invalid
from twelvelabs_sandbox.requests.fields import Fields, short_repr
from twelvelabs_sandbox.requests.media_fields import (
    MAX_SOURCES,
    SOURCE_KINDS,
    media_source,
    one_source,
    read_segmentation,
    refuse,
    refuse_others,
    resolved_text,
    window,
)
from twelvelabs_sandbox.requests.types import MediaRequest, SingleVectorRequest

MODEL = "marengo3.0"
SYNC_INPUTS = ("text", "image", "text_image", "audio", "video", "multi_input")
TASK_INPUTS = ("audio", "video")
OPTIONS = {"audio": ("audio", "transcription"), "video": ("visual", "audio", "transcription")}
SCOPES = ("clip", "asset")
TYPES = ("separate_embedding", "fused_embedding")
STRATEGIES = {"audio": ("fixed",), "video": ("dynamic", "fixed")}
# Used if a request has no segmentation.
DEFAULT_SEGMENTATIONS = {"audio": Segmentation(fixed_sec=6.0), "video": Segmentation(min_sec=4.0)}
MEDIA_FIELDS = (
    "media_source", "start_sec", "end_sec", "segmentation", "embedding_option", "embedding_scope", "embedding_type",
)  # fmt: skip
# Fields of marengo3.5: the error says so instead of reporting them as unknown.
NEWER_BODY_FIELDS = ("auto_truncate", "embedding_uncertainty", "embedding_dimension")
NEWER_MEDIA_FIELDS = ("time_based_metadata",)


def sync_request(body: object) -> SingleVectorRequest | MediaRequest:
    """Read the body of ``POST /embed-v2``."""
    fields, kind = _open(body, SYNC_INPUTS)
    match kind:
        case "text":
            return SingleVectorRequest(kind, text=fields.inner(kind, ("input_text",)).text("input_text"))
        case "image":
            return SingleVectorRequest(kind, images=(media_source(fields.inner(kind, ("media_source",))),))
        case "text_image":
            both = fields.inner(kind, ("media_source", "input_text"))
            return SingleVectorRequest(kind, both.text("input_text"), (media_source(both),))
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
    refuse(fields, NEWER_BODY_FIELDS, MODEL)
    kind = fields.choice("input_type", inputs)
    refuse_others(fields, kind, inputs)
    return fields, kind


def _media(fields: Fields, kind: str) -> MediaRequest:
    input_type: Literal["audio", "video"] = "audio" if kind == "audio" else "video"
    media = fields.inner(kind, (*MEDIA_FIELDS, *NEWER_MEDIA_FIELDS))
    refuse(media, NEWER_MEDIA_FIELDS, MODEL)
    start, end = window(media)
    options = media.choices("embedding_option", OPTIONS[kind])
    types = media.choices("embedding_type", TYPES) if "embedding_type" in media else TYPES[:1]
    if "fused_embedding" in types and len(options) < 2:  # noqa: PLR2004 - fusing needs two options
        name = media.name("embedding_type")
        raise invalid(
            f"`fused_embedding` in {name} needs two or more embedding options, not {short_repr(list(options))}."
        )
    return MediaRequest(
        input_type=input_type,
        source=media_source(media),
        start_sec=start,
        end_sec=end,
        segmentation=_segmentation(media, kind) if "segmentation" in media else DEFAULT_SEGMENTATIONS[kind],
        options=options,
        scopes=media.choices("embedding_scope", SCOPES),
        separate="separate_embedding" in types,
        fused="fused_embedding" in types,
    )


def _segmentation(media: Fields, kind: str) -> Segmentation:
    segmentation = media.inner("segmentation", ("strategy", "fixed", "dynamic", "temporal"))
    refuse(segmentation, ("temporal",), MODEL)
    return read_segmentation(segmentation, STRATEGIES[kind])


def _multi_input(fields: Fields) -> SingleVectorRequest:
    sources = fields.inners("media_sources", ("media_type", "name", *SOURCE_KINDS), MAX_SOURCES)
    for source in sources:
        source.choice("media_type", ("image",))
    names = {source.text("name") for source in sources if "name" in source}
    words = resolved_text(fields.text("input_text"), names) if "input_text" in fields else None
    return SingleVectorRequest("multi_input", words, tuple(one_source(source) for source in sources))
