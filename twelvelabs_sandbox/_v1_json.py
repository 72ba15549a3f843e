"""Vectors and what is said beside them, as JSON in the words of v1."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from twelvelabs_sandbox._embedding_json import compact, listed_metadata, numbers, origin
from twelvelabs_sandbox._engine import ClipVector, FloatVector
from twelvelabs_sandbox._intake import LocalMedia
from twelvelabs_sandbox._rows import Json, Row
from twelvelabs_sandbox._tasks import Task
from twelvelabs_sandbox._values import MediaRequest


def plain_segment(vector: FloatVector) -> Json:
    """Return the segment of a text or an image."""
    return {"float": [round(value, 7) for value in vector.tolist()]}


def audio_segment(clip: ClipVector) -> Json:
    """Return the segment of one clip of a sound."""
    times: Json = {"start_offset_sec": clip.start, "end_offset_sec": clip.end}
    return plain_segment(clip.vector) | times | {"embedding_option": clip.option}


def result(segments: list[Json], media: LocalMedia) -> Json:
    """Return the vectors of one input and where it came from."""
    return {"segments": segments, "metadata": origin(media)}


def failure(error: Exception) -> Json:
    """Return why there are no vectors of one input."""
    return {"segments": [], "error_message": getattr(error, "message", None) or str(error)}


def task_metadata(task: Task) -> Json:
    """Return the metadata of a task's video, in which the whole asset is called ``video``."""
    metadata = listed_metadata(task.request, task.media)
    if isinstance(task.request, MediaRequest):
        scopes = ["video" if scope == "asset" else scope for scope in task.request.scopes]
        metadata["video_embedding_scope"] = scopes
    return metadata


def segment_lines(rows: Iterable[Row]) -> Iterator[bytes]:
    """Write the segments of a task, one a line, so that those of some options can be picked out."""
    for row in rows:
        labels = {
            "start_offset_sec": row.labels["start_sec"],
            "end_offset_sec": row.labels["end_sec"],
            "embedding_scope": "video" if row.labels["embedding_scope"] == "asset" else "clip",
            "embedding_option": row.labels["embedding_option"],
        }
        yield b'{"float":' + numbers(row.vector) + b"," + compact(labels)[1:] + b"\n"


def task_pieces(body: Json, task: Task, lines: Path, options: Collection[str]) -> Iterator[bytes]:
    """Write a task with its segments of some options; never all of them in memory."""
    endings = tuple(f'"embedding_option":"{option}"}}\n'.encode() for option in options)
    yield compact(body)[:-1] + b',"video_embedding":{"metadata":' + compact(task_metadata(task)) + b',"segments":['
    with lines.open("rb") as file:
        comma = b""
        for line in file:
            if line.endswith(endings):
                yield comma + line[:-1]
                comma = b","
    yield b"]}}"
