"""Writes vectors and their metadata as the JSON of the v1 API."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from twelvelabs_sandbox.embedding.response_json import compact, listed_metadata, numbers, origin
from twelvelabs_sandbox.embedding.types import Json, LocalMedia, Row
from twelvelabs_sandbox.engine.types import ClipVector, FloatVector
from twelvelabs_sandbox.requests.types import MediaRequest, TaskRequest


def plain_segment(vector: FloatVector) -> Json:
    """Return the segment of a text or an image."""
    return {"float": [round(value, 7) for value in vector.tolist()]}


def audio_segment(clip: ClipVector) -> Json:
    """Return the segment of one audio clip."""
    times: Json = {"start_offset_sec": clip.start, "end_offset_sec": clip.end}
    return plain_segment(clip.vector) | times | {"embedding_option": clip.option}


def result(segments: list[Json], media: LocalMedia) -> Json:
    """Return the segments of one input and its origin."""
    return {"segments": segments, "metadata": origin(media)}


def failure(error: Exception) -> Json:
    """Return the error of one input that could not be embedded."""
    return {"segments": [], "error_message": getattr(error, "message", None) or str(error)}


def v1_task_metadata(request: TaskRequest, media: LocalMedia) -> Json:
    """Return the metadata of a task's video; v1 calls the scope of the whole asset ``video``."""
    metadata = listed_metadata(request, media)
    if isinstance(request, MediaRequest):
        scopes = ["video" if scope == "asset" else scope for scope in request.scopes]
        metadata["video_embedding_scope"] = scopes
    return metadata


def segment_lines(rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield the segments of a task, one per line, so that a response can select segments by option."""
    for row in rows:
        labels = {
            "start_offset_sec": row.labels["start_sec"],
            "end_offset_sec": row.labels["end_sec"],
            "embedding_scope": "video" if row.labels["embedding_scope"] == "asset" else "clip",
            "embedding_option": row.labels["embedding_option"],
        }
        yield b'{"float":' + numbers(row.vector) + b"," + compact(labels)[1:] + b"\n"


def task_chunks(body: Json, metadata: Json, lines: Path, options: Collection[str]) -> Iterator[bytes]:
    """Yield the JSON of a task with the segments of some options, without loading all of them into memory."""
    endings = tuple(f'"embedding_option":"{option}"}}\n'.encode() for option in options)
    yield compact(body)[:-1] + b',"video_embedding":{"metadata":' + compact(metadata) + b',"segments":['
    with lines.open("rb") as file:
        comma = b""
        for line in file:
            if line.endswith(endings):
                yield comma + line[:-1]
                comma = b","
    yield b"]}}"
