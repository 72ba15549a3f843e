"""Validates request bodies for marengo3.5."""

from collections import Counter
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
    refuse_others,
    resolved_text,
    window,
)
from twelvelabs_sandbox.requests.types import (
    DocumentRequest,
    ImageRequest,
    MediaRequest,
    MultiRequest,
    MultiSource,
    SentenceChunks,
    SourceType,
    TaskRequest,
    TimedText,
    VectorOptions,
)

MODEL = "marengo3.5"
OLDER_SYNC_INPUTS = ("text", "image", "text_image", "audio", "video")
TASK_INPUTS = ("audio", "video", "document", "image")
VECTOR_OPTION_FIELDS = ("embedding_uncertainty", "embedding_dimension")
DIMENSIONS = (128, 256, 512)
OPTIONS = {"audio": ("audio",), "video": ("visual", "audio")}
SOURCE_TYPES: tuple[SourceType, ...] = ("image", "video", "audio", "document")
MEDIA_FIELDS = (
    "media_source", "start_sec", "end_sec", "segmentation", "embedding_option", "embedding_scope", "embedding_type",
    "time_based_metadata",
)  # fmt: skip
UNTIMED_FIELDS = ("media_source", "embedding_option", "embedding_scope", "embedding_type")
TYPES = ("separate_embedding", "fused_embedding")
DEFAULT_SEGMENTATION = Segmentation(min_sec=2.0)
# The API documents no limits for these; the sandbox sets some.
MAX_TIMED_TEXTS, MAX_SENTENCES = 10_000, 10_000


def sync_request(body: object) -> MultiRequest:
    """Read the body of ``POST /embed-v2``, whose only input type is ``multi_input``."""
    allowed = ("input_type", "model_name", "multi_input", "auto_truncate", *VECTOR_OPTION_FIELDS, *OLDER_SYNC_INPUTS)
    fields = Fields(body, "", allowed)
    kind = fields.choice("input_type", ("multi_input", *OLDER_SYNC_INPUTS))
    if kind != "multi_input":
        raise invalid(f"The input_type `{kind}` requires marengo3.0; with {MODEL}, send it as `multi_input`.")
    refuse_others(fields, kind, OLDER_SYNC_INPUTS)
    truncate = fields.flag("auto_truncate") if "auto_truncate" in fields else False
    return _multi_input(fields.inner(kind, ("input_text", "media_sources")), _vector_options(fields), truncate=truncate)


def task_request(body: object) -> TaskRequest:
    """Read the body of ``POST /embed-v2/tasks``."""
    fields = Fields(body, "", ("input_type", "model_name", *TASK_INPUTS, *VECTOR_OPTION_FIELDS))
    kind = fields.choice("input_type", TASK_INPUTS)
    refuse_others(fields, kind, TASK_INPUTS)
    vector_options = _vector_options(fields)
    match kind:
        case "image":
            return _image(fields.inner(kind, UNTIMED_FIELDS), vector_options)
        case "document":
            return _document(fields.inner(kind, (*UNTIMED_FIELDS, "segmentation")), vector_options)
        case _:
            return _media(fields.inner(kind, MEDIA_FIELDS), "audio" if kind == "audio" else "video", vector_options)


def _vector_options(fields: Fields) -> VectorOptions:
    dimension = fields.integer("embedding_dimension", 1, 512) if "embedding_dimension" in fields else DIMENSIONS[-1]
    if dimension not in DIMENSIONS:
        raise invalid(f"The embedding_dimension parameter must be one of 128, 256, 512, not {dimension}.")
    uncertainty = fields.flag("embedding_uncertainty") if "embedding_uncertainty" in fields else False
    return VectorOptions(dimension, uncertainty)


def _multi_input(fields: Fields, vector_options: VectorOptions, *, truncate: bool) -> MultiRequest:
    items = (
        fields.inners("media_sources", ("media_type", "name", *SOURCE_KINDS), MAX_SOURCES)
        if "media_sources" in fields
        else []
    )
    sources = tuple(_multi_source(item) for item in items)
    names = Counter(item.text("name") for item in items if "name" in item)
    if repeated := [name for name, count in names.items() if count > 1]:
        raise invalid(f"The name {short_repr(repeated[0])} is given to several items of media_sources.")
    # A text of placeholders only is empty, but counts as given.
    text = (resolved_text(fields.text("input_text"), names) or "") if "input_text" in fields else None
    if not sources and not text:
        raise invalid("The multi_input parameter needs input_text, media_sources or both.")
    _check_combination(sources, has_text=text is not None)
    if vector_options.uncertainty:
        if sources and text is not None:
            raise invalid("The embedding_uncertainty parameter needs a text or media sources, not both.")
        if any(source.media_type == "document" for source in sources):
            raise invalid("The embedding_uncertainty parameter cannot be used with a document.")
    return MultiRequest(text, sources, vector_options, truncate)


def _multi_source(item: Fields) -> MultiSource:
    chosen = item.choice("media_type", SOURCE_TYPES)
    return MultiSource(next(kind for kind in SOURCE_TYPES if kind == chosen), one_source(item))


def _check_combination(sources: tuple[MultiSource, ...], *, has_text: bool) -> None:
    kinds = {source.media_type for source in sources}
    if len(kinds) > 1 and not has_text:
        listed = ", ".join(sorted(kinds))
        raise invalid(f"Media sources of different types ({listed}) can be combined only together with input_text.")


def _media(media: Fields, kind: Literal["audio", "video"], vector_options: VectorOptions) -> MediaRequest:
    start, end = window(media)
    options = media.choices("embedding_option", (*OPTIONS[kind], "transcription")) if _has_option(media) else None
    if options and "transcription" in options:
        name = media.name("embedding_option")
        raise invalid(f"`transcription` in {name} requires marengo3.0; with {MODEL}, `audio` includes speech.")
    types = media.choices("embedding_type", TYPES) if "embedding_type" in media else TYPES[:1]
    scopes = media.choices("embedding_scope", ("clip", "local", "asset")) if "embedding_scope" in media else None
    texts = _timed_texts(media)
    fused = "fused_embedding" in types
    if fused != bool(texts):
        wanted, given = (
            ("time_based_metadata", "embedding_type") if fused else ("embedding_type", "time_based_metadata")
        )
        rule = f"`fused_embedding` and {media.name('time_based_metadata')} need each other"
        raise invalid(f"With {MODEL}, {rule}: {media.name(given)} is given, {media.name(wanted)} does not match.")
    if vector_options.uncertainty and (scopes is None or "asset" in scopes):
        raise invalid(f"With embedding_uncertainty, {media.name('embedding_scope')} must not include `asset`.")
    return MediaRequest(
        input_type=kind,
        source=media_source(media),
        start_sec=start,
        end_sec=end,
        segmentation=_segmentation(media) if "segmentation" in media else DEFAULT_SEGMENTATION,
        options=options or OPTIONS[kind],
        scopes=scopes or ("clip", "asset"),
        separate="separate_embedding" in types,
        fused=fused,
        vector_options=vector_options,
        texts=texts,
    )


def _has_option(media: Fields) -> bool:
    return "embedding_option" in media


def _segmentation(media: Fields) -> Segmentation:
    segmentation = media.inner("segmentation", ("temporal", "strategy", "fixed", "dynamic"))
    for flat in ("strategy", "fixed", "dynamic"):
        if flat in segmentation:
            name, target = segmentation.name(flat), segmentation.name("temporal")
            raise invalid(f"The {name} parameter belongs to marengo3.0; with {MODEL}, put it into {target}.")
    return read_segmentation(segmentation.inner("temporal", ("strategy", "fixed", "dynamic")), ("dynamic", "fixed"))


def _timed_texts(media: Fields) -> tuple[TimedText, ...]:
    if "time_based_metadata" not in media:
        return ()
    items = media.inners("time_based_metadata", ("start", "end", "text"), MAX_TIMED_TEXTS)
    texts = tuple(TimedText(item.seconds("start"), item.seconds("end"), item.text("text")) for item in items)
    for item, text in zip(items, texts, strict=True):
        if text.end < text.start:
            raise invalid(
                f"The {item.name('end')} parameter must not be less than start: {text.end:g} < {text.start:g}."
            )
    return texts


def _image(fields: Fields, vector_options: VectorOptions) -> ImageRequest:
    for name, only in (
        ("embedding_option", "visual"),
        ("embedding_type", "separate_embedding"),
        ("embedding_scope", "asset"),
    ):
        fields.choices(name, (only,))
    return ImageRequest(media_source(fields), vector_options)


def _document(fields: Fields, vector_options: VectorOptions) -> DocumentRequest:
    fields.choices("embedding_type", TYPES[:1])
    spatial, sequential = _pages(fields)
    return DocumentRequest(
        source=media_source(fields),
        options=fields.choices("embedding_option", ("visual", "text")) if _has_option(fields) else None,
        scopes=fields.choices("embedding_scope", ("local", "asset")) if "embedding_scope" in fields else None,
        spatial=spatial,
        sequential=sequential,
        vector_options=vector_options,
    )


def _pages(fields: Fields) -> tuple[str | None, SentenceChunks | None]:
    """Read the segmentation of a document: the pages of a PDF, or the sentences of a text."""
    if "segmentation" not in fields:
        return None, None
    segmentation = fields.inner("segmentation", ("spatial", "sequential"))
    if not ("spatial" in segmentation or "sequential" in segmentation):
        names = f"{segmentation.name('spatial')} or {segmentation.name('sequential')}"
        raise invalid(f"The {fields.name('segmentation')} parameter needs {names}.")
    spatial = None
    if "spatial" in segmentation:
        pages = segmentation.inner("spatial", ("strategy",))
        spatial = pages.choice("strategy", ("standard", "quadrants")) if "strategy" in pages else "standard"
    return spatial, _sentences(segmentation) if "sequential" in segmentation else None


def _sentences(segmentation: Fields) -> SentenceChunks:
    fields = segmentation.inner("sequential", ("strategy", "max_sentences", "overlap_sentences"))
    fields.choice("strategy", ("sentence",))
    most = fields.integer("max_sentences", 1, MAX_SENTENCES)
    overlap = fields.integer("overlap_sentences", 0, most - 1) if "overlap_sentences" in fields else 0
    return SentenceChunks(most, overlap)
