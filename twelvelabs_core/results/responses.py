"""The shapes of what the API answers, as frozen models.

Fields that the API adds one day are kept, as are unknown values of its enumerations.

The body of an answer -> one of the models; every deviation from the documented shape is an `APIResponseError`.

Texts lose API keys and the signatures of URLs before anything is kept; `user_metadata` and thumbnail links do too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

import numpy as np
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation, ValidationError

from twelvelabs_core.base.errors import APIResponseError
from twelvelabs_core.results.decode import Split, VectorSplitter, deviation, read_json, without_secrets
from twelvelabs_core.results.rows import read_rows
from twelvelabs_core.results.segments import Matrix, Segments


def _read_time(value: object) -> datetime:
    """Read an RFC 3339 time, with or without fractions of a second, as UTC."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("is not a time")  # noqa: TRY004  # pydantic reports ValueError only
    try:
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not an RFC 3339 time") from None


def _read_message(value: object) -> object:
    """Take the text out of `{"message": text}`."""
    return value.get("message") if isinstance(value, Mapping) else value


def none_as_empty(value: object) -> object:
    return () if value is None else value


Id = Annotated[str, Field(min_length=1, validation_alias=AliasChoices("_id", "id"))]
Time = Annotated[datetime, BeforeValidator(_read_time)]
Message = Annotated[str | None, BeforeValidator(_read_message)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Names = Annotated[tuple[str, ...], BeforeValidator(none_as_empty)]


class Answer(BaseModel):
    """A frozen part of an answer; unknown fields are kept as attributes."""

    model_config = ConfigDict(frozen=True, extra="allow", arbitrary_types_allowed=True, protected_namespaces=())


T = TypeVar("T", bound=Answer)


class MediaMetadata(Answer):
    """What the API says about the medium of an embedding. All fields depend on the kind of medium.

    Attributes:
        input_type: `text_image`, `image`, `audio`, `video`, `multi_input`, `document`, or None.
        input_url: The URL that was embedded, without its signature, or None.
        input_filename: The name of the file that was embedded, or None.
        duration: Seconds of audio or video, or None.
        embedding_options: The options that were asked for.
        embedding_scopes: The scopes that were asked for.
        clip_length: Seconds of a clip, for fixed segmentation of video, or None.
        start_offset_sec: Where the embedded part starts, in seconds, or None.
        end_offset_sec: Where it ends, in seconds, or None.
        embedding_dimension: Number of values in each vector, or None.

    Example:
        ```python
        print(client.retrieve_task(task_id).metadata.duration)
        ```
    """

    input_type: str | None = None
    input_url: str | None = None
    input_filename: str | None = None
    duration: Number | None = None
    embedding_options: Names = ()
    embedding_scopes: Names = ()
    clip_length: Number | None = None
    start_offset_sec: Number | None = None
    end_offset_sec: Number | None = None
    embedding_dimension: int | None = None


class Usage(Answer):
    """What a request consumed.

    Attributes:
        input_tokens: Tokens per kind of input, such as `{"text": 12}`.
        truncated: Whether the text was cut to the model's limit.
        truncation_reason: Why, or None.

    Example:
        ```python
        print(embedding.usage.input_tokens)
        ```
    """

    input_tokens: dict[str, int]
    truncated: bool
    truncation_reason: str | None = None


class Task(Answer):
    """An embedding task.

    Attributes:
        id: The task's id.
        status: `processing`, `ready` or `failed`.
        created_at: When it was created (UTC), or None.
        updated_at: When it last changed (UTC), or None.
        metadata: What is known of the medium, or None.
        usage: What it consumed, or None.
        error: Why it failed, or None.
        segments: The vectors, when it is ready; else None. Left out of `model_dump`.

    Example:
        ```python
        task = client.retrieve_task(task_id)
        if task.status == "ready":
            print(task.segments.vectors.shape)
        ```
    """

    id: Id
    status: str
    created_at: Time | None = None
    updated_at: Time | None = None
    metadata: MediaMetadata | None = None
    usage: Usage | None = None
    error: Message = None
    segments: SkipValidation[Segments | None] = Field(default=None, exclude=True)


class TaskSummary(Answer):
    """An embedding task as lists show it, without vectors.

    Attributes:
        id: The task's id.
        model_name: The model that embeds, or None.
        status: `processing`, `ready` or `failed`.
        created_at: When it was created (UTC), or None.
        updated_at: When it last changed (UTC), or None.
        metadata: What is known of the medium, under the names of `Task.metadata`, or None.

    Example:
        ```python
        for task in client.list_tasks(status="ready"):
            print(task.id, task.metadata.input_filename)
        ```
    """

    id: Id
    model_name: str | None = None
    status: str
    created_at: Time | None = None
    updated_at: Time | None = None
    metadata: MediaMetadata | None = None


class Asset(Answer):
    """A file at the API.

    Attributes:
        id: The asset's id.
        method: `direct`, `url` or `multipart`, or None.
        status: `processing`, `ready` or `failed`.
        filename: Its name, or None.
        file_type: Its MIME type, or None.
        created_at: When it was created (UTC), or None.
        size: Bytes, once it is ready.
        duration: Seconds of audio or video, once it is ready.
        technical_metadata: What the API found in the file, once it is ready.
        error: Why it failed, or None. The wording may change.
        user_metadata: What its owner noted about it, or None. URLs in it lose their signatures.

    Example:
        ```python
        asset = client.retrieve_asset(asset_id)
        print(asset.status, asset.duration)
        ```
    """

    id: Id
    method: str | None = None
    status: str
    filename: str | None = None
    file_type: str | None = None
    created_at: Time | None = None
    size: int | None = None
    duration: Number | None = None
    technical_metadata: dict[str, Any] | None = None
    error: Message = None
    user_metadata: dict[str, Any] | None = None


class PageInfo(Answer):
    """Where a page stands in its list; the API may leave out each field.

    Attributes:
        page: Number of the page, from 1.
        limit_per_page: How many items a page holds at most.
        total_page: Number of pages.
        total_results: Number of items on all pages.
    """

    page: int | None = None
    limit_per_page: int | None = None
    total_page: int | None = None
    total_results: int | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, newest items first.

    Attributes:
        data: The items.
        page_info: Where the page stands.
    """

    data: tuple[T, ...]
    page_info: PageInfo


class Embedding(Answer):
    """One vector for one input.

    Attributes:
        vector: Read-only float32 array of shape (dimension,). Unit length is not promised by the API.
        metadata: What the API says about the medium; None for text.
        usage: What the request consumed, where the model reports it.
        uncertainty: float32 like `vector`, higher where the model is less sure; None if it was not asked for.

    Example:
        ```python
        embedding = client.embed_text("a red car")
        print(embedding.vector.shape)
        ```
    """

    vector: SkipValidation[Matrix] = Field(repr=False, exclude=True)
    metadata: MediaMetadata | None = None
    usage: Usage | None = None
    uncertainty: SkipValidation[Matrix | None] = Field(default=None, repr=False, exclude=True)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Embedding):
            return NotImplemented
        same = np.array_equal(self.vector, other.vector) and self.model_dump() == other.model_dump()
        if self.uncertainty is None or other.uncertainty is None:
            return same and self.uncertainty is other.uncertainty
        return same and np.array_equal(self.uncertainty, other.uncertainty)

    __hash__ = None  # type: ignore[assignment]  # compared by value


__all__ = [
    "Asset",
    "Embedding",
    "MediaMetadata",
    "Page",
    "PageInfo",
    "Task",
    "TaskSummary",
    "Usage",
    "parse_asset",
    "parse_asset_page",
    "parse_created_task",
    "parse_embedding",
    "parse_metadata",
    "parse_segments",
    "parse_task",
    "parse_task_page",
]


def parse_task(split: Split) -> Task:
    """Read the answer of `GET /embed-v2/tasks/{task_id}`, with the vectors of a task that is ready."""
    data, body = _without_data(split, "task")
    task = validate(Task, body | {"segments": None}, "task")
    if not data and task.status != "ready" and not len(split.vectors):
        return task
    rows = read_rows(data, split, task.metadata.input_type if task.metadata else None)
    return task.model_copy(update={"segments": rows.segments()})


def parse_created_task(body: bytes) -> Task:
    """Read the answer of `POST /embed-v2/tasks`: the id of a task that has just begun."""
    splitter = VectorSplitter()
    splitter.feed(body)
    return parse_task(splitter.finish())


def parse_embedding(split: Split) -> Embedding:
    """Read the answer of `POST /embed-v2` for one text, image, or mixture: exactly one vector."""
    data, body = _without_data(split, "embedding")
    rows = read_rows(data, split, None)
    if len(rows.loci) != 1:
        raise APIResponseError(f"The response has {len(rows.loci)} embeddings in `data` where one was expected.")
    vectors = {"vector": _only_row(rows.vectors), "uncertainty": _only_row(rows.uncertainty)}
    return validate(Embedding, body | vectors, "embedding")


def parse_segments(split: Split) -> Segments:
    """Read the vectors in the answer of `POST /embed-v2` for audio or video."""
    metadata = parse_metadata(split)
    data, _ = _without_data(split, "embedding")
    return read_rows(data, split, metadata.input_type if metadata else None).segments()


def parse_metadata(split: Split) -> MediaMetadata | None:
    """Read what the answer of `POST /embed-v2` says about the medium, such as its duration."""
    _, body = _without_data(split, "embedding")
    metadata = body.get("metadata")
    return None if metadata is None else validate(MediaMetadata, metadata, "metadata")


def parse_asset(body: bytes) -> Asset:
    """Read the answer of `POST /assets` and `GET /assets/{asset_id}`."""
    return validate(Asset, without_secrets(read_json(body)), "asset")


def parse_task_page(body: bytes) -> Page[TaskSummary]:
    """Read the answer of `GET /embed-v2/tasks`."""
    return parse_page(body, task_summary)


def parse_asset_page(body: bytes) -> Page[Asset]:
    """Read the answer of `GET /assets`."""
    return parse_page(body, lambda item, where: validate(Asset, item, where))


def _only_row(matrix: Matrix | None) -> Matrix | None:
    if matrix is None:
        return None
    matrix.setflags(write=False)
    row: Matrix = matrix[0]
    return row


def _without_data(split: Split, what: str) -> tuple[Any, dict[str, Any]]:
    """Return `data` and the other fields, the latter without secrets; vectors are never copied."""
    if not isinstance(split.rest, dict):
        raise deviation(what, "is not an object")
    others = {name: value for name, value in split.rest.items() if name != "data"}
    return split.rest.get("data"), without_secrets(others)


def parse_page(body: bytes, parse_item: Callable[[Any, str], T]) -> Page[T]:
    """Read one page of a list."""
    page = without_secrets(read_json(body))
    if not isinstance(page, dict) or "data" not in page:
        raise deviation("list", "has no field `data`")
    items = [] if page["data"] is None else page["data"]
    if not isinstance(items, list):
        raise deviation("list", "field `data` is not an array")
    parsed = tuple(parse_item(item, f"data[{index}]") for index, item in enumerate(items))
    page_info = page.get("page_info")
    return Page(parsed, PageInfo() if page_info is None else validate(PageInfo, page_info, "page_info"))


def task_summary(item: Any, where: str) -> TaskSummary:
    """Read an item of a list, whose metadata stand in `video_embedding`, `audio_embedding`..., by older names."""
    if not isinstance(item, dict):
        raise deviation(where, "is not an object")
    fields = dict(item)
    for name in ("video_embedding", "audio_embedding", "document_embedding", "image_embedding"):
        embedding = fields.pop(name, None)
        if embedding is None:
            continue
        if not isinstance(embedding, dict) or not isinstance(embedding.get("metadata", {}), dict | None):
            raise deviation(where, f"field `{name}.metadata` is not an object")
        fields["metadata"] = current_names(name.removesuffix("_embedding"), embedding.get("metadata") or {})
    return validate(TaskSummary, fields, where)


def current_names(kind: str, metadata: dict[str, Any]) -> dict[str, Any]:
    """Rename `video_embedding_option`, `audio_embedding_scopes`, `video_clip_length`... as tasks have them."""
    names = {f"{kind}_clip_length": "clip_length"}
    for singular in ("option", "scope"):
        for name in (f"{kind}_embedding_{singular}", f"{kind}_embedding_{singular}s"):
            names[name] = f"embedding_{singular}s"
    return {"input_type": kind} | {names.get(name, name): value for name, value in metadata.items()}


def validate(model: type[T], fields: Any, where: str) -> T:
    """Return the fields as the model, or say which of them is not as documented."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        # The library's own error quotes the input, which may hold what must not be shown.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        path = ".".join(str(step) for step in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise deviation(where, f"field `{path}`: {reason}" if path else reason) from None
