"""Vectors and what is said beside them, as JSON in the API's words."""

import functools
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from twelvelabs_sandbox.requests.types import MediaRequest
from twelvelabs_sandbox.requests.types import MultiRequest
from twelvelabs_sandbox.requests.types import SingleVectorRequest
from twelvelabs_sandbox.requests.types import TaskRequest
from twelvelabs_sandbox.engine.types import ClipVector
from twelvelabs_sandbox.engine.types import FloatVector
from twelvelabs_sandbox.embedding.types import Json
from twelvelabs_sandbox.embedding.types import LocalMedia
from twelvelabs_sandbox.embedding.types import Row
from twelvelabs_sandbox.embedding.types import Usage
from twelvelabs_sandbox.embedding.types import clip_rows
from twelvelabs_sandbox.embedding.types import media_labels

T = TypeVar("T")


def single_vector_body(request: SingleVectorRequest, images: Sequence[LocalMedia], vector: FloatVector) -> bytes:
    """Return the answer of ``POST /embed-v2`` for a text, images or both."""
    row = Row(vector, media_labels(None, None, None, None))
    if request.input_type == "text":
        return _body([row], {})
    named = origin(images[0]) if request.input_type != "multi_input" else {}
    return _body([row], {"metadata": {"input_type": request.input_type, **named}})


def multi_input_body(request: MultiRequest, row: Row, usage: Usage) -> bytes:
    """Return the answer of ``POST /embed-v2`` for the one input type of marengo3.5."""
    metadata = {"input_type": "multi_input", "embedding_dimension": request.vector_options.dimension}
    return _body([row], {"metadata": metadata, "usage": usage.body()})


def media_body(request: MediaRequest, media: LocalMedia, vectors: Iterable[ClipVector]) -> bytes:
    """Return the answer of ``POST /embed-v2`` for a film or sound."""
    return _body(clip_rows(vectors), {"metadata": task_metadata(request, media)})


def data_array(rows: Iterable[Row]) -> Iterator[bytes]:
    """Write a ``data`` array, one entry at a time."""
    opening = b"["
    for row in rows:
        yield opening
        yield _entry(row)
        opening = b","
    yield b"]" if opening == b"," else b"[]"


def shuffled(items: Iterable[T]) -> list[T]:
    """Return items in an order that is the same each time, but not that in which they came."""
    given = list(items)
    mixed = list(given)
    random.Random(len(mixed)).shuffle(mixed)  # noqa: S311 - an order, not a secret
    return mixed if [id(item) for item in mixed] != [id(item) for item in given] else mixed[::-1]


def task_metadata(request: TaskRequest, media: LocalMedia) -> Json:
    """Return the ``metadata`` beside the vectors of a task, or of a film or sound at once."""
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
    """Return the ``metadata`` of a task in a list, which has other names (those of v1)."""
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
    """Return JSON without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def numbers(vector: FloatVector) -> bytes:
    """Return a vector as a JSON array."""
    return b"[" + (_format(len(vector)) % tuple(vector.tolist())).encode() + b"]"


def _body(rows: Iterable[Row], beside: Json) -> bytes:
    return b"".join([b'{"data":', *data_array(rows), b"," if beside else b"", compact(beside)[1:]])


def origin(media: LocalMedia) -> Json:
    """Return where a medium came from, as far as it has a name and the options let answers say it."""
    named = {"input_url": media.url, "input_filename": media.filename} if media.is_named else {}
    return {key: value for key, value in named.items() if value is not None}


def _offsets(request: MediaRequest) -> Json:
    offsets: Json = {"start_offset_sec": request.start_sec} if request.start_sec else {}
    return offsets if request.end_sec is None else offsets | {"end_offset_sec": request.end_sec}


def _entry(row: Row) -> bytes:
    unsure = b"" if row.uncertainty is None else b'"embedding_uncertainty":' + numbers(row.uncertainty) + b","
    return b'{"embedding":' + numbers(row.vector) + b"," + unsure + compact(row.labels)[1:]


@functools.cache
def _format(width: int) -> str:
    # One % over the row is twice as fast as json.dumps; seven places are as exact as float32 at these sizes.
    return ",".join(["%.7f"] * width)
