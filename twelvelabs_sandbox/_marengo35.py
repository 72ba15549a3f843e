"""What Marengo 3.5 understands of a request, and nothing of other models."""

from collections import Counter
from typing import Literal

from twelvelabs_sandbox._engine import Cut
from twelvelabs_sandbox._errors import invalid
from twelvelabs_sandbox._fields import Fields, shown
from twelvelabs_sandbox._media_bodies import (
    MOST_SOURCES,
    SOURCE_KINDS,
    cut,
    media_source,
    one_source,
    refuse_others,
    resolved_text,
    window,
)
from twelvelabs_sandbox._values import (
    DocumentRequest,
    ImageRequest,
    MediaRequest,
    MultiRequest,
    MultiSource,
    Sentences,
    Shape,
    SourceType,
    TaskRequest,
    TimedText,
)

MODEL = "marengo3.5"
OLDER_SYNC_INPUTS = ("text", "image", "text_image", "audio", "video")
TASK_INPUTS = ("audio", "video", "document", "image")
SHAPE_FIELDS = ("embedding_uncertainty", "embedding_dimension")
DIMENSIONS = (128, 256, 512)
OPTIONS = {"audio": ("audio",), "video": ("visual", "audio")}
SOURCE_TYPES: tuple[SourceType, ...] = ("image", "video", "audio", "document")
MEDIA_FIELDS = (
    "media_source", "start_sec", "end_sec", "segmentation", "embedding_option", "embedding_scope", "embedding_type",
    "time_based_metadata",
)  # fmt: skip
STILL_FIELDS = ("media_source", "embedding_option", "embedding_scope", "embedding_type")
TYPES = ("separate_embedding", "fused_embedding")
DEFAULT_CUT = Cut(min_sec=2.0)
# The API names no bounds for these; a request has some.
MOST_TEXTS, MOST_SENTENCES = 10_000, 10_000


def sync_request(body: object) -> MultiRequest:
    """Read the body of ``POST /embed-v2``, whose only input type is ``multi_input``."""
    allowed = ("input_type", "model_name", "multi_input", "auto_truncate", *SHAPE_FIELDS, *OLDER_SYNC_INPUTS)
    fields = Fields(body, "", allowed)
    kind = fields.choice("input_type", ("multi_input", *OLDER_SYNC_INPUTS))
    if kind != "multi_input":
        raise invalid(f"The input_type `{kind}` requires marengo3.0; with {MODEL}, send it as `multi_input`.")
    refuse_others(fields, kind, OLDER_SYNC_INPUTS)
    truncate = fields.flag("auto_truncate") if "auto_truncate" in fields else False
    return _multi_input(fields.inner(kind, ("input_text", "media_sources")), _shape(fields), truncate=truncate)


def task_request(body: object) -> TaskRequest:
    """Read the body of ``POST /embed-v2/tasks``."""
    fields = Fields(body, "", ("input_type", "model_name", *TASK_INPUTS, *SHAPE_FIELDS))
    kind = fields.choice("input_type", TASK_INPUTS)
    refuse_others(fields, kind, TASK_INPUTS)
    shape = _shape(fields)
    match kind:
        case "image":
            return _image(fields.inner(kind, STILL_FIELDS), shape)
        case "document":
            return _document(fields.inner(kind, (*STILL_FIELDS, "segmentation")), shape)
        case _:
            return _media(fields.inner(kind, MEDIA_FIELDS), "audio" if kind == "audio" else "video", shape)


def _shape(fields: Fields) -> Shape:
    dimension = fields.integer("embedding_dimension", 1, 512) if "embedding_dimension" in fields else DIMENSIONS[-1]
    if dimension not in DIMENSIONS:
        raise invalid(f"The embedding_dimension parameter must be one of 128, 256, 512, not {dimension}.")
    uncertainty = fields.flag("embedding_uncertainty") if "embedding_uncertainty" in fields else False
    return Shape(dimension, uncertainty)


def _multi_input(fields: Fields, shape: Shape, *, truncate: bool) -> MultiRequest:
    items = (
        fields.inners("media_sources", ("media_type", "name", *SOURCE_KINDS), MOST_SOURCES)
        if "media_sources" in fields
        else []
    )
    sources = tuple(_multi_source(item) for item in items)
    names = Counter(item.text("name") for item in items if "name" in item)
    if repeated := [name for name, count in names.items() if count > 1]:
        raise invalid(f"The name {shown(repeated[0])} is given to several items of media_sources.")
    # A text of placeholders only says nothing more, but it is there.
    text = (resolved_text(fields.text("input_text"), names) or "") if "input_text" in fields else None
    if not sources and not text:
        raise invalid("The multi_input parameter needs input_text, media_sources or both.")
    _check_combination(sources, has_text=text is not None)
    if shape.uncertainty:
        if sources and text is not None:
            raise invalid("The embedding_uncertainty parameter needs a text or media sources, not both.")
        if any(source.media_type == "document" for source in sources):
            raise invalid("The embedding_uncertainty parameter cannot be used with a document.")
    return MultiRequest(text, sources, shape, truncate)


def _multi_source(item: Fields) -> MultiSource:
    chosen = item.choice("media_type", SOURCE_TYPES)
    return MultiSource(next(kind for kind in SOURCE_TYPES if kind == chosen), one_source(item))


def _check_combination(sources: tuple[MultiSource, ...], *, has_text: bool) -> None:
    kinds = {source.media_type for source in sources}
    if len(kinds) > 1 and not has_text:
        listed = ", ".join(sorted(kinds))
        raise invalid(f"Media sources of different types ({listed}) can be combined only together with input_text.")


def _media(media: Fields, kind: Literal["audio", "video"], shape: Shape) -> MediaRequest:
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
    if shape.uncertainty and (scopes is None or "asset" in scopes):
        raise invalid(f"With embedding_uncertainty, {media.name('embedding_scope')} must not include `asset`.")
    return MediaRequest(
        input_type=kind,
        source=media_source(media),
        start_sec=start,
        end_sec=end,
        cut=_cut(media) if "segmentation" in media else DEFAULT_CUT,
        options=options or OPTIONS[kind],
        scopes=scopes or ("clip", "asset"),
        separate="separate_embedding" in types,
        fused=fused,
        shape=shape,
        texts=texts,
    )


def _has_option(media: Fields) -> bool:
    return "embedding_option" in media


def _cut(media: Fields) -> Cut:
    segmentation = media.inner("segmentation", ("temporal", "strategy", "fixed", "dynamic"))
    for flat in ("strategy", "fixed", "dynamic"):
        if flat in segmentation:
            name, place = segmentation.name(flat), segmentation.name("temporal")
            raise invalid(f"The {name} parameter is that of marengo3.0; with {MODEL}, put it into {place}.")
    return cut(segmentation.inner("temporal", ("strategy", "fixed", "dynamic")), ("dynamic", "fixed"))


def _timed_texts(media: Fields) -> tuple[TimedText, ...]:
    if "time_based_metadata" not in media:
        return ()
    items = media.inners("time_based_metadata", ("start", "end", "text"), MOST_TEXTS)
    texts = tuple(TimedText(item.seconds("start"), item.seconds("end"), item.text("text")) for item in items)
    for item, text in zip(items, texts, strict=True):
        if text.end < text.start:
            raise invalid(
                f"The {item.name('end')} parameter must not be less than start: {text.end:g} < {text.start:g}."
            )
    return texts


def _image(fields: Fields, shape: Shape) -> ImageRequest:
    for name, only in (
        ("embedding_option", "visual"),
        ("embedding_type", "separate_embedding"),
        ("embedding_scope", "asset"),
    ):
        fields.choices(name, (only,))
    return ImageRequest(media_source(fields), shape)


def _document(fields: Fields, shape: Shape) -> DocumentRequest:
    fields.choices("embedding_type", TYPES[:1])
    spatial, sequential = _pages(fields)
    return DocumentRequest(
        source=media_source(fields),
        options=fields.choices("embedding_option", ("visual", "text")) if _has_option(fields) else None,
        scopes=fields.choices("embedding_scope", ("local", "asset")) if "embedding_scope" in fields else None,
        spatial=spatial,
        sequential=sequential,
        shape=shape,
    )


def _pages(fields: Fields) -> tuple[str | None, Sentences | None]:
    """Read how a document is cut: the pages of a PDF, or the sentences of a text."""
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


def _sentences(segmentation: Fields) -> Sentences:
    fields = segmentation.inner("sequential", ("strategy", "max_sentences", "overlap_sentences"))
    fields.choice("strategy", ("sentence",))
    most = fields.integer("max_sentences", 1, MOST_SENTENCES)
    overlap = fields.integer("overlap_sentences", 0, most - 1) if "overlap_sentences" in fields else 0
    return Sentences(most, overlap)
