"""The shapes of what the API answers, as frozen models.

Fields that the API adds one day are kept, as are unknown values of its enumerations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

import numpy as np
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation

from twelvelabs_core._segments import Matrix, Segments


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
