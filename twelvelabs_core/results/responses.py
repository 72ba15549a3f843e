"""Typed responses of the embed, task and asset endpoints, as frozen models.

Fields that the API adds later are kept, and so are unknown values of its enumerations. Strings lose API keys and the
signatures of URLs, also in thumbnail links, but not in `user_metadata`. Every deviation from the documented shape is an
`APIResponseError`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, SkipValidation, model_validator
from pydantic.json_schema import SkipJsonSchema

from twelvelabs_core.base.errors import APIResponseError
from twelvelabs_core.results.decode import (
    Split,
    VectorSplitter,
    check_all_read,
    deviation,
    read_answer,
    read_json,
    read_segments,
    validate,
    without_secrets,
)
from twelvelabs_core.results.segments import Matrix, Segments, same_values


def _read_time(value: object) -> datetime:
    """Read an RFC 3339 time, with or without fractions of a second, as UTC; without a zone it is UTC."""
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
    """Return the text of `{"message": text}`."""
    return value.get("message") if isinstance(value, Mapping) else value


_ID = r"^[!-~]{1,200}$"  # in a path, and in any database
PlainId = Annotated[str, Field(pattern=_ID)]
Id = Annotated[str, Field(pattern=_ID, validation_alias=AliasChoices("_id", "id"))]
Time = Annotated[datetime, BeforeValidator(_read_time)]
Message = Annotated[str | None, BeforeValidator(_read_message)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
EMPTY_FOR_NULL = BeforeValidator(lambda value: () if value is None else value)
Names = Annotated[tuple[str, ...], EMPTY_FOR_NULL]


class Answer(BaseModel):
    """A frozen object of a response; unknown fields are kept as attributes."""

    model_config = ConfigDict(frozen=True, extra="allow", arbitrary_types_allowed=True, protected_namespaces=())


T = TypeVar("T", bound=Answer)


class MediaMetadata(Answer):
    """What the API reports about the embedded media. Which fields it has depends on the media type.

    Attributes:
        input_type: `text_image`, `image`, `audio`, `video`, `multi_input`, `document`, or None.
        input_url: The URL that was embedded, without its signature, or None.
        input_filename: The name of the file that was embedded, or None.
        duration: Seconds of audio or video, or None.
        embedding_options: The requested options.
        embedding_scopes: The requested scopes.
        clip_length: Seconds of a clip, for fixed segmentation of video, or None.
        start_offset_sec: First second of the media that was embedded, or None.
        end_offset_sec: Last second of the media that was embedded, or None.
        embedding_dimension: Number of values in each vector, or None.

    Example:
        ```python
        print(client.tasks.retrieve(task_id).metadata.duration)
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
        input_tokens: Tokens per input type, such as `{"text": 12}`.
        truncated: Whether the input was truncated to the model's limit.
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
        metadata: What is known of the media, or None.
        usage: What it consumed, or None.
        error: Why it failed, or None.
        segments: The vectors, when it is ready; else None. Not in `model_dump`.

    Example:
        ```python
        task = client.tasks.retrieve(task_id)
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
    segments: SkipJsonSchema[SkipValidation[Segments | None]] = Field(default=None, exclude=True)


class TaskSummary(Answer):
    """An embedding task as lists show it, without vectors.

    Attributes:
        id: The task's id.
        model_name: The model that embeds, or None.
        status: `processing`, `ready` or `failed`.
        created_at: When it was created (UTC), or None.
        updated_at: When it last changed (UTC), or None.
        metadata: What is known of the media, under the names of `Task.metadata`, or None.

    Example:
        ```python
        for task in client.tasks.list(status="ready"):
            print(task.id, task.metadata.input_filename)
        ```
    """

    id: Id
    model_name: str | None = None
    status: str
    created_at: Time | None = None
    updated_at: Time | None = None
    metadata: MediaMetadata | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_older_names(cls, value: Any) -> Any:
        """Read the metadata from `video_embedding`, `audio_embedding`..., where lists have them."""
        if not isinstance(value, dict):
            return value
        fields = dict(value)
        for input_type in ("video", "audio", "document", "image"):
            embedding = fields.pop(f"{input_type}_embedding", None)
            if embedding is None:
                continue
            if not isinstance(embedding, dict) or not isinstance(embedding.get("metadata"), dict | None):
                raise ValueError(f"field `{input_type}_embedding.metadata` is not an object")  # noqa: TRY004  # pydantic
            fields["metadata"] = current_names(input_type, embedding.get("metadata") or {})
        return fields


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
        user_metadata: The metadata that its owner set, unchanged, or None. `repr` hides credentials in it.

    Example:
        ```python
        asset = client.assets.retrieve(asset_id)
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

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, without_secrets(value) if name == "user_metadata" else value


class PageInfo(Answer):
    """The position of a page in its list: how many pages it has; the API may omit it."""

    total_page: int | None = None


class Page(Answer, Generic[T]):
    """One page of a list, newest items first."""

    data: Annotated[tuple[T, ...], EMPTY_FOR_NULL]
    page_info: Annotated[PageInfo, BeforeValidator(lambda value: {} if value is None else value)] = PageInfo()


class Embedding(Answer):
    """One vector for one input.

    Attributes:
        vector: Read-only float32 array of shape (dimension,). Unit length is not promised by the API.
        metadata: What the API reports about the media; None for text.
        usage: What the request consumed, where the model reports it.
        uncertainty: float32 like `vector`, higher where the model is less sure; None if it was not asked for.

    Example:
        ```python
        embedding = client.embed_text("a red car")
        print(embedding.vector.shape)
        ```
    """

    vector: SkipJsonSchema[SkipValidation[Matrix]] = Field(repr=False, exclude=True)
    metadata: MediaMetadata | None = None
    usage: Usage | None = None
    uncertainty: SkipJsonSchema[SkipValidation[Matrix | None]] = Field(default=None, repr=False, exclude=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        yield "dimension", len(self.vector)
        yield from super().__repr_args__()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Embedding):
            return NotImplemented
        same = same_values(self.vector, other.vector) and same_values(self.uncertainty, other.uncertainty)
        return same and self.model_dump() == other.model_dump()

    __hash__ = None  # type: ignore[assignment]  # compared by value


def parse_asset(body: bytes) -> Asset:
    """Read the response of `POST /assets` and `GET /assets/{asset_id}`."""
    return validate(Asset, _asset_fields(read_json(body)), "asset")


def parse_asset_page(body: bytes) -> Page[Asset]:
    """Read the response of `GET /assets`."""
    page = read_json(body)
    fields = without_secrets(page)
    if isinstance(fields, dict) and isinstance(fields.get("data"), list):
        fields["data"] = [_asset_fields(item) for item in page["data"]]
    return validate(Page[Asset], fields, "list")


def _asset_fields(asset: Any) -> Any:
    """Return the fields of an asset without secrets, except in the values of its owner, who may write them back."""
    fields = without_secrets(asset)
    if isinstance(asset, dict) and "user_metadata" in asset:
        fields["user_metadata"] = asset["user_metadata"]
    return fields


def page_parser(item: type[T]) -> Callable[[bytes], Page[T]]:
    """Return what reads one page of a list."""
    return lambda body: read_answer(Page[item], body, "list")  # type: ignore[valid-type]  # an argument, not a type


def parse_task(split: Split) -> Task:
    """Read the response of `GET /embed-v2/tasks/{task_id}`, with the vectors of a task that is ready."""
    data, body = _data_and_rest(split, "task")
    task = validate(Task, body | {"segments": None}, "task")
    if not data and task.status != "ready" and not len(split.vectors):
        return task
    segments = _read_all(data, split, task.metadata)
    return task.model_copy(update={"segments": segments})


def parse_created_task(body: bytes) -> Task:
    """Read the response of `POST /embed-v2/tasks`: the id of a new task."""
    splitter = VectorSplitter()
    splitter.feed(body)
    return parse_task(splitter.finish())


def parse_embedding(split: Split) -> Embedding:
    """Read the response of `POST /embed-v2` for one text, image, or mixture: exactly one vector."""
    data, body = _data_and_rest(split, "embedding")
    segments = _read_all(data, split, None)
    if len(segments) != 1:
        raise APIResponseError(f"The response has {len(segments)} embeddings in `data` where one was expected.")
    one = segments[0]
    return validate(Embedding, body | {"vector": one.vector, "uncertainty": one.uncertainty}, "embedding")


def parse_segments(split: Split) -> Segments:
    """Read the vectors in the response of `POST /embed-v2` for audio or video."""
    data, body = _data_and_rest(split, "embedding")
    metadata = body.get("metadata")
    return _read_all(data, split, None if metadata is None else validate(MediaMetadata, metadata, "metadata"))


def current_names(input_type: str, metadata: dict[str, Any]) -> dict[str, Any]:
    """Rename `video_embedding_option`, `audio_embedding_scopes`, `video_clip_length`... as tasks name them."""
    names = {f"{input_type}_clip_length": "clip_length"}
    for singular in ("option", "scope"):
        for name in (f"{input_type}_embedding_{singular}", f"{input_type}_embedding_{singular}s"):
            names[name] = f"embedding_{singular}s"
    return {"input_type": input_type} | {names.get(name, name): value for name, value in metadata.items()}


def _data_and_rest(split: Split, what: str) -> tuple[Any, dict[str, Any]]:
    """Return `data` as it is, and the other fields without secrets: `data` is large and its strings are known."""
    if not isinstance(split.rest, dict):
        raise deviation(what, "is not an object")
    rest = {name: value for name, value in split.rest.items() if name != "data"}
    return split.rest.get("data"), without_secrets(rest)


def _read_all(data: Any, split: Split, metadata: MediaMetadata | None) -> Segments:
    """Read `data`, and verify that the body has no other vectors."""
    segments = read_segments(data, "data", split, input_type=metadata.input_type if metadata else None)
    check_all_read(split, [segments])
    return segments
