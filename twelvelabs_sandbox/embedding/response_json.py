"""Writes vectors and their metadata as the JSON of ``/embed-v2``."""

import functools
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from twelvelabs_sandbox.embedding.types import Json, LocalMedia, Row, Usage, clip_rows, media_labels
from twelvelabs_sandbox.engine.types import ClipVector, FloatVector
from twelvelabs_sandbox.requests.types import MediaRequest, MultiRequest, SingleVectorRequest, TaskRequest

T = TypeVar("T")


def single_vector_body(request: SingleVectorRequest, images: Sequence[LocalMedia], vector: FloatVector) -> bytes:
    """Return the response of ``POST /embed-v2`` for a text, images or both (marengo3.0)."""
    row = Row(vector, media_labels(None, None, None, None))
    if request.input_type == "text":
        return _body([row], {})
    named = origin(images[0]) if request.input_type != "multi_input" else {}
    return _body([row], {"metadata": {"input_type": request.input_type, **named}})


def multi_input_body(request: MultiRequest, row: Row, usage: Usage) -> bytes:
    """Return the response of ``POST /embed-v2`` for ``multi_input`` of marengo3.5."""
    metadata = {"input_type": "multi_input", "embedding_dimension": request.vector_options.dimension}
    return _body([row], {"metadata": metadata, "usage": usage.body()})


def media_body(request: MediaRequest, media: LocalMedia, vectors: Iterable[ClipVector]) -> bytes:
    """Return the response of ``POST /embed-v2`` for video or audio."""
    return _body(clip_rows(vectors), {"metadata": task_metadata(request, media)})


def data_array(rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield the JSON of a ``data`` array, one entry at a time."""
    separator = b"["
    for row in rows:
        yield separator
        yield _entry(row)
        separator = b","
    yield b"]" if separator == b"," else b"[]"


def shuffled(items: Iterable[T]) -> list[T]:
    """Return items in a deterministic order that differs from the original one."""
    original = list(items)
    shuffled_items = list(original)
    random.Random(len(shuffled_items)).shuffle(shuffled_items)  # noqa: S311 - an order, not a secret
    return (
        shuffled_items
        if [id(item) for item in shuffled_items] != [id(item) for item in original]
        else shuffled_items[::-1]
    )


def task_metadata(request: TaskRequest, media: LocalMedia) -> Json:
    """Return the ``metadata`` of a completed task, or of a synchronous video or audio request."""
    metadata: Json = {"input_type": request.input_type, **origin(media)}
    if (
        isinstance(request, MediaRequest)
        and request.input_type == "video"
        and request.segmentation.fixed_sec is not None
    ):
        metadata["clip_length"] = int(request.segmentation.fixed_sec)
    metadata["embedding_scopes"] = list(request.scopes or ())
    metadata["embedding_options"] = list(request.options or ())
    if isinstance(request, MediaRequest):
        metadata |= {"duration": media.info.duration, **_offsets(request)}
    return (
        metadata
        if request.vector_options is None
        else metadata | {"embedding_dimension": request.vector_options.dimension}
    )


def listed_metadata(request: TaskRequest, media: LocalMedia) -> Json:
    """Return the ``metadata`` of a task in a list, whose field names are those of v1."""
    kind = request.input_type
    metadata: Json = dict(origin(media))
    if isinstance(request, MediaRequest) and kind == "video" and request.segmentation.fixed_sec is not None:
        metadata["video_clip_length"] = request.segmentation.fixed_sec
    metadata[f"{kind}_embedding_scope"] = list(request.scopes or ())
    metadata[f"{kind}_embedding_option"] = list(request.options or ())
    if not isinstance(request, MediaRequest):
        return metadata
    return metadata | {"duration": media.info.duration, **(_offsets(request) if kind == "audio" else {})}


def compact(value: object) -> bytes:
    """Return compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def numbers(vector: FloatVector) -> bytes:
    """Return a vector as a JSON array."""
    return b"[" + (_format(len(vector)) % tuple(vector.tolist())).encode() + b"]"


def _body(rows: Iterable[Row], extra: Json) -> bytes:
    return b"".join([b'{"data":', *data_array(rows), b"," if extra else b"", compact(extra)[1:]])


def origin(media: LocalMedia) -> Json:
    """Return the URL and the file name of media, as far as they exist and the options allow reporting them."""
    named = {"input_url": media.url, "input_filename": media.filename} if media.is_named else {}
    return {key: value for key, value in named.items() if value is not None}


def _offsets(request: MediaRequest) -> Json:
    offsets: Json = {"start_offset_sec": request.start_sec} if request.start_sec else {}
    return offsets if request.end_sec is None else offsets | {"end_offset_sec": request.end_sec}


def _entry(row: Row) -> bytes:
    uncertainty = b"" if row.uncertainty is None else b'"embedding_uncertainty":' + numbers(row.uncertainty) + b","
    return b'{"embedding":' + numbers(row.vector) + b"," + uncertainty + compact(row.labels)[1:]


@functools.cache
def _format(width: int) -> str:
    # One % format per vector is twice as fast as json.dumps; 7 decimals keep float32 precision at these magnitudes.
    return ",".join(["%.7f"] * width)
