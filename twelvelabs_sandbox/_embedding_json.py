"""Vectors and what is said beside them, as JSON in the API's words."""

import functools
import json
import random
from collections.abc import Iterable, Iterator, Sequence

from twelvelabs_sandbox._engine import ClipVector, FloatVector
from twelvelabs_sandbox._intake import LocalMedia
from twelvelabs_sandbox._values import MediaRequest, StillRequest

Json = dict[str, object]


def still_body(request: StillRequest, images: Sequence[LocalMedia], vector: FloatVector) -> bytes:
    """Return the answer of ``POST /embed-v2`` for a text, images or both."""
    parts = [b'{"data":[', _entry(vector, None, None, None, None), b"]"]
    if request.input_type != "text":
        origin = _origin(images[0]) if request.input_type != "multi_input" else {}
        parts += [b',"metadata":', compact({"input_type": request.input_type, **origin})]
    return b"".join([*parts, b"}"])


def media_body(request: MediaRequest, media: LocalMedia, vectors: Iterable[ClipVector]) -> bytes:
    """Return the answer of ``POST /embed-v2`` for a film or sound."""
    return b"".join([b'{"data":', *data_array(vectors), b',"metadata":', compact(media_metadata(request, media)), b"}"])


def data_array(vectors: Iterable[ClipVector]) -> Iterator[bytes]:
    """Write a ``data`` array, one entry at a time."""
    opening = b"["
    for row in vectors:
        yield opening
        yield _entry(row.vector, row.option, row.scope, row.start, row.end)
        opening = b","
    yield b"]" if opening == b"," else b"[]"


def out_of_order(vectors: Sequence[ClipVector]) -> list[ClipVector]:
    """Return the vectors in an order that is the same each time, but not that of time."""
    mixed = list(vectors)
    random.Random(len(mixed)).shuffle(mixed)  # noqa: S311 - an order, not a secret
    return mixed if mixed != list(vectors) else mixed[::-1]


def media_metadata(request: MediaRequest, media: LocalMedia) -> Json:
    """Return the ``metadata`` beside the vectors of a film or sound."""
    metadata: Json = {"input_type": request.input_type, **_origin(media)}
    if request.input_type == "video" and request.cut.fixed_sec is not None:
        metadata["clip_length"] = int(request.cut.fixed_sec)
    return metadata | {
        "embedding_scopes": list(request.scopes),
        "embedding_options": list(request.options),
        "duration": media.info.duration,
        **_offsets(request),
    }


def listed_metadata(request: MediaRequest, media: LocalMedia) -> Json:
    """Return the ``metadata`` of a task in a list, which has other names (those of v1)."""
    kind = request.input_type
    metadata: Json = dict(_origin(media))
    if kind == "video" and request.cut.fixed_sec is not None:
        metadata["video_clip_length"] = request.cut.fixed_sec
    return metadata | {
        f"{kind}_embedding_scope": list(request.scopes),
        f"{kind}_embedding_option": list(request.options),
        "duration": media.info.duration,
        **(_offsets(request) if kind == "audio" else {}),
    }


def compact(value: object) -> bytes:
    """Return JSON without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _origin(media: LocalMedia) -> Json:
    named = {"input_url": media.url, "input_filename": media.filename}
    return {key: value for key, value in named.items() if value is not None}


def _offsets(request: MediaRequest) -> Json:
    offsets: Json = {"start_offset_sec": request.start_sec} if request.start_sec else {}
    return offsets if request.end_sec is None else offsets | {"end_offset_sec": request.end_sec}


def _entry(vector: FloatVector, option: str | None, scope: str | None, start: float | None, end: float | None) -> bytes:
    labels = {"embedding_option": option, "embedding_scope": scope, "start_sec": start, "end_sec": end}
    numbers = _format(len(vector)) % tuple(vector.tolist())
    return b'{"embedding":[' + numbers.encode() + b"]," + compact(labels)[1:]


@functools.cache
def _format(width: int) -> str:
    # One % over the row is twice as fast as json.dumps; seven places are as exact as float32 at these sizes.
    return ",".join(["%.7f"] * width)
