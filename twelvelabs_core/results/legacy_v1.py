"""Typed responses of the deprecated v1 embed API, as frozen models.

As everywhere, strings lose keys and signatures, and vectors go from bytes into a float32 matrix.
"""

from collections.abc import Collection
from typing import Any, ClassVar

from pydantic import Field, SkipValidation
from pydantic.json_schema import SkipJsonSchema

from twelvelabs_core.base.errors import TwelveLabsError
from twelvelabs_core.results.decode import (
    Row,
    Seconds,
    Split,
    check_all_read,
    deviation,
    read_answer,
    read_segments,
    validate,
    without_secrets,
)
from twelvelabs_core.results.responses import Answer, Id, MediaMetadata, Task, current_names
from twelvelabs_core.results.segments import Segments

VECTOR_KEYS = ("float",)


class LegacyPart(Answer):
    """The result of one input of the v1 `POST /embed`: its vectors, or why there are none.

    Attributes:
        input_type: `text`, `image` or `audio`.
        error_message: Why it was not embedded, or None. The status is 200 even then.
        metadata: The URL or file name that was embedded, or None.
        found: Its vectors, or None where there are none. Not in `model_dump`; see `segments`.

    Example:
        ```python
        answer = client.legacy_v1.embed(text="a red car", image_file="car.jpg")
        print(answer.image_embedding.error_message or answer.image_embedding.segments.vectors.shape)
        ```
    """

    input_type: str
    error_message: str | None = None
    metadata: MediaMetadata | None = None
    found: SkipJsonSchema[SkipValidation[Segments | None]] = Field(default=None, exclude=True)

    @property
    def segments(self) -> Segments:
        """The vectors: one for a text or an image, one for each clip (with times) of audio.

        Raises:
            TwelveLabsError: There are none; the message has the server's reason.
        """
        if self.found is None:
            raise TwelveLabsError(f"the {self.input_type} was not embedded: {self.error_message}")
        return self.found


class LegacyEmbedding(Answer):
    """The response of the v1 `POST /embed`. Its inputs fail independently of each other.

    Attributes:
        model_name: The model of the vectors.
        text_embedding: The result of the text, or None if none was given.
        image_embedding: The result of the image, or None if none was given.
        audio_embedding: The result of the audio, or None if none was given.

    Example:
        ```python
        answer = client.legacy_v1.embed(text="a red car")
        print(answer.text_embedding.segments[0].vector.shape)
        ```
    """

    model_name: str
    text_embedding: LegacyPart | None = None
    image_embedding: LegacyPart | None = None
    audio_embedding: LegacyPart | None = None


class LegacyTask(Task):
    """A video embedding task of the v1 API; its scope for the whole video is `video`.

    Attributes:
        model_name: The model that embeds, or None. Vectors of different models are not comparable.

    Example:
        ```python
        task = client.legacy_v1.retrieve_task(task_id)
        if task.status == "ready":
            print(task.model_name, task.segments.select(embedding_scope="video").vectors.shape)
        ```
    """

    model_name: str | None = None


class _Created(Answer):
    id: Id


class _Row(Row):
    vector_key: ClassVar[str] = "float"
    time_keys: ClassVar[tuple[str, str]] = ("start_offset_sec", "end_offset_sec")

    start_sec: Seconds = Field(default=None, validation_alias="start_offset_sec")
    end_sec: Seconds = Field(default=None, validation_alias="end_offset_sec")


def parse_legacy_embedding(split: Split, requested: Collection[str]) -> LegacyEmbedding:
    """Read the response of `POST /embed`; a requested input type without a result gets a `LegacyPart` that says so."""
    body = _object(split.rest, "embedding")
    parts: dict[str, LegacyPart | None] = {}
    for kind in ("text", "image", "audio"):
        name = f"{kind}_embedding"
        parts[name] = _part(body.pop(name, None), kind, split)
        if parts[name] is None and kind in requested:
            parts[name] = LegacyPart(input_type=kind, error_message=f"the response has no `{name}`")
    check_all_read(split, (part.found for part in parts.values() if part is not None), "float")
    return validate(LegacyEmbedding, without_secrets(body) | parts, "embedding")


def parse_legacy_created(body: bytes) -> str:
    """Read the response of `POST /embed/tasks`: an id and nothing else."""
    return read_answer(_Created, body, "task").id


def parse_legacy_task(split: Split) -> LegacyTask:
    """Read the response of `GET /embed/tasks/{task_id}`, with the vectors of a task that is ready."""
    body = _object(split.rest, "task")
    embedding = _object(body.pop("video_embedding", None) or {}, "video_embedding")
    metadata = embedding.get("metadata")
    if metadata is not None:
        metadata = current_names("video", without_secrets(_object(metadata, "video_embedding.metadata")))
    task = validate(LegacyTask, without_secrets(body) | {"metadata": metadata, "segments": None}, "task")
    data = embedding.get("segments")
    if not data and task.status != "ready" and not len(split.vectors):
        return task
    segments = read_segments(data, "video_embedding.segments", split, row_type=_Row)
    check_all_read(split, [segments], "float")
    return task.model_copy(update={"segments": segments})


def _part(value: Any, kind: str, split: Split) -> LegacyPart | None:
    if value is None:
        return None
    where = f"{kind}_embedding"
    fields = _object(value, where)
    data = fields.pop("segments", None)
    part = validate(LegacyPart, without_secrets(fields) | {"input_type": kind, "found": None}, where)
    if data:
        return part.model_copy(update={"found": read_segments(data, f"{where}.segments", split, row_type=_Row)})
    return part.model_copy(update={"error_message": part.error_message or "the response has no vector, and no reason"})


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise deviation(where, "is not an object")
    return dict(value)
