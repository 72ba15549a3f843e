"""The shapes of what the old embed API (v1) answers, as frozen models.

The body of an answer of the old embed API (v1) -> one of the models; deviations are `APIResponseError`s.

As everywhere, texts lose keys and signatures, and vectors go from bytes into a float32 matrix.
"""

from collections.abc import Collection
from typing import Any

from pydantic import Field, SkipValidation

from twelvelabs_core.base.errors import TwelveLabsError
from twelvelabs_core.results.decode import Split, deviation, read_json, without_secrets
from twelvelabs_core.results.responses import (
    Answer,
    Id,
    MediaMetadata,
    Task,
    TaskSummary,
    current_names,
    task_summary,
    validate,
)
from twelvelabs_core.results.rows import RowNames, read_some_rows
from twelvelabs_core.results.segments import Segments


class LegacyPart(Answer):
    """What became of one input of the old `POST /embed`: its vectors, or why there are none.

    Attributes:
        input_type: `text`, `image` or `audio`.
        error_message: Why it was not embedded, or None. The API answers 200 all the same.
        metadata: The URL or file name that was embedded, or None.
        found: Its vectors, or None where there are none. Left out of `model_dump`; see `segments`.

    Example:
        ```python
        answer = client.legacy_v1.embed(text="a red car", image_file="car.jpg")
        print(answer.image_embedding.error_message or answer.image_embedding.segments.vectors.shape)
        ```
    """

    input_type: str
    error_message: str | None = None
    metadata: MediaMetadata | None = None
    found: SkipValidation[Segments | None] = Field(default=None, exclude=True)

    @property
    def segments(self) -> Segments:
        """The vectors: one for a text or an image, one a clip (with times) for audio.

        Raises:
            TwelveLabsError: There are none; the message has the server's reason.
        """
        if self.found is None:
            raise TwelveLabsError(f"the {self.input_type} was not embedded: {self.error_message}")
        return self.found


class LegacyEmbedding(Answer):
    """The answer of the old `POST /embed`, each input by itself: one can fail beside another.

    Attributes:
        model_name: The model that embedded.
        text_embedding: What became of the text, or None if none was given.
        image_embedding: What became of the image, or None if none was given.
        audio_embedding: What became of the audio, or None if none was given.

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
    """A video embedding task of the old API; its scope for the whole film is called `video`.

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


VECTOR_KEYS = ("float",)
NAMES = RowNames("float", "start_offset_sec", "end_offset_sec")
KINDS = ("text", "image", "audio")


class _Created(Answer):
    id: Id


def parse_legacy_embedding(split: Split, asked: Collection[str]) -> LegacyEmbedding:
    """Read the answer of `POST /embed`.

    Args:
        split: The answer.
        asked: The kinds of input that were sent; one without an answer becomes a part that says so.
    """
    body = _object(split.rest, "embedding")
    parts = {f"{kind}_embedding": _part(body.pop(f"{kind}_embedding", None), kind, split, asked) for kind in KINDS}
    _check_count(split, sum(len(part.found) for part in parts.values() if part is not None and part.found is not None))
    return validate(LegacyEmbedding, without_secrets(body) | parts, "embedding")


def parse_legacy_created(body: bytes) -> str:
    """Read the answer of `POST /embed/tasks`: an id and nothing else."""
    return validate(_Created, read_json(body), "task").id


def parse_legacy_status(body: bytes) -> TaskSummary:
    """Read the answer of `GET /embed/tasks/{task_id}/status`."""
    return task_summary(without_secrets(read_json(body)), "task")


def parse_legacy_task(split: Split) -> LegacyTask:
    """Read the answer of `GET /embed/tasks/{task_id}`, with the vectors of a task that is ready."""
    body = _object(split.rest, "task")
    where = "video_embedding"
    embedding = _object(body.pop(where, None) or {}, where)
    data = embedding.get("segments")
    metadata = embedding.get("metadata")
    if metadata is not None:
        metadata = current_names("video", without_secrets(_object(metadata, f"{where}.metadata")))
    task = validate(LegacyTask, without_secrets(body) | {"metadata": metadata, "segments": None}, "task")
    if not data and task.status != "ready" and not len(split.vectors):
        return task
    rows = read_some_rows(data, f"{where}.segments", split, NAMES)
    _check_count(split, len(rows.loci))
    return task.model_copy(update={"segments": rows.segments()})


def _part(value: Any, kind: str, split: Split, asked: Collection[str]) -> LegacyPart | None:
    if value is None:
        missing = f"the answer has no `{kind}_embedding`"
        return LegacyPart(input_type=kind, error_message=missing) if kind in asked else None
    where = f"{kind}_embedding"
    fields = _object(value, where)
    data = fields.pop("segments", None)
    part = validate(LegacyPart, without_secrets(fields) | {"input_type": kind, "found": None}, where)
    if data:
        return part.model_copy(update={"found": read_some_rows(data, f"{where}.segments", split, NAMES).segments()})
    reason = part.error_message or "the API gave no vector, and no reason"
    return part.model_copy(update={"error_message": reason})


def _check_count(split: Split, used: int) -> None:
    """Hold that no vector of the answer was left over."""
    if used != len(split.vectors):
        raise deviation(
            "segments", f"{used} items, but the response has {len(split.vectors)} arrays named `{NAMES.vector}`"
        )


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise deviation(where, "is not an object")
    return dict(value)
