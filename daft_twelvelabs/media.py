"""`embed_video` and `embed_audio`: a column of videos to a column of segments, paid for once."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any, Literal, TypedDict, Unpack

import daft
from daft import DataType, Expression, Series

from daft_twelvelabs.clients import WorkerClient
from daft_twelvelabs.columns import failure_array, segments_array, struct_type
from daft_twelvelabs.provider import TwelveLabsProvider
from twelvelabs_core import (
    AuthenticationError,
    ConfigurationError,
    InputError,
    Media,
    Segmentation,
    SegmentRecord,
    TimeBasedMetadata,
)
from twelvelabs_core.integration import check_count

OnError = Literal["return", "raise"]

MAX_TASKS = 50


class MediaOptions(TypedDict, total=False):
    """The options that `embed_video` and `embed_audio` have in common with the loaders."""

    segmentation: Segmentation | None
    embedding_option: Sequence[str] | None
    embedding_scope: Sequence[str] | None
    embedding_type: Sequence[str] | None
    time_based_metadata: Sequence[TimeBasedMetadata] | None
    include_transcript: bool
    start_sec: float | None
    end_sec: float | None
    keep_asset: bool
    check: bool
    timeout: float | None
    max_minutes: float | None
    max_cost: float | None
    price_per_minute: float | None


def embed_video(
    video: Expression,
    *,
    provider: TwelveLabsProvider | None = None,
    source: Expression | None = None,
    version: Expression | None = None,
    id_namespace: str | None = None,
    max_tasks: int = MAX_TASKS,
    on_error: OnError = "return",
    **options: Unpack[MediaOptions],
) -> Expression:
    """Return the segments of each video of a column, each video embedded by a task that is paid for once.

    All workers that share a segment store pay once: the rows of a partition that is run again, rows with the same
    content, and rows of an earlier run cost nothing. A worker leaves its unfinished tasks to the others.

    Args:
        video: Paths, URLs, `asset:<id>` (str) or bytes. A path must exist on each worker.
        provider: Key, model and segment store. Default: `TwelveLabsProvider()`.
        source: The name of each video, a column of str: metadata `source`. Default: the path as given, the URL without
            signature, `asset:<id>`. For bytes, and URLs whose signature is in their path, give one.
        version: For URLs, a column of str: a new value means that the content has changed.
        id_namespace: Changes the ids of the segments, for stores whose collections share ids (PGVector).
        max_tasks: Maximum number of unfinished videos of a worker process. Default 50. Each result goes on as soon as
            its task ends, so memory depends on it and not on the number of rows.
        on_error: `return` (default) writes a failure into `error`; `raise` ends the query. A refused key and an
            unusable store always end it.
        **options: `segmentation`, `embedding_option`, `embedding_scope` (default: only `clip`), `embedding_type`,
            `time_based_metadata`, `include_transcript`, `start_sec`, `end_sec`, `keep_asset`, `check`, `timeout`,
            `max_minutes`, `max_cost`, `price_per_minute`: as for `langchain_twelvelabs.TwelveLabsVideoLoader`, for
            each video. The last three limit what all workers of a segment store pay for within 24 hours.

    Returns:
        A column of structs. `segments`: a list of structs with the fifteen keys of segment metadata, `text` (title, time
        range, option, transcript, and a line that refers to the vector) and `embedding`, a list of 512 float32; null
        for a failure. `error`: null, or a struct of `type` and `message`.

    Raises:
        ConfigurationError: No key, or a segment store that workers cannot open.
        InputError: An option cannot be used; nothing was sent.

    Example:
        ```python
        frame = frame.with_column("video", embed_video(daft.col("url"), embedding_option=["visual"]))
        frame.write_parquet("embedded")
        ```
    """
    names = source, version
    limits = {"max_tasks": max_tasks, "on_error": on_error, "id_namespace": id_namespace}
    return _expression("video", video, provider, names, dict(options), **limits)


def embed_audio(
    audio: Expression,
    *,
    provider: TwelveLabsProvider | None = None,
    source: Expression | None = None,
    version: Expression | None = None,
    id_namespace: str | None = None,
    max_tasks: int = MAX_TASKS,
    on_error: OnError = "return",
    **options: Unpack[MediaOptions],
) -> Expression:
    """Return the segments of each audio file of a column; everything is as for `embed_video`.

    Args:
        audio: Paths, URLs, `asset:<id>` (str) or bytes.
        provider: As for `embed_video`, as the following.
        source: The name of each file.
        version: For URLs: a new value means that the content has changed.
        id_namespace: Changes the ids of the segments.
        max_tasks: Maximum number of unfinished files of a worker process.
        on_error: `return` or `raise`.
        **options: As for `embed_video`.

    Returns:
        A column of structs `segments` and `error`.

    Example:
        ```python
        frame = frame.with_column("audio", embed_audio(daft.col("path"), embedding_option=["transcription"]))
        ```
    """
    names = source, version
    limits = {"max_tasks": max_tasks, "on_error": on_error, "id_namespace": id_namespace}
    return _expression("audio", audio, provider, names, dict(options), **limits)


def _expression(
    input_type: Literal["video", "audio"],
    media: Expression,
    provider: TwelveLabsProvider | None,
    names: tuple[Expression | None, Expression | None],
    options: dict[str, Any],
    *,
    max_tasks: int,
    on_error: OnError,
    id_namespace: str | None,
) -> Expression:
    for what, value in zip((input_type, "source", "version"), (media, *names), strict=True):
        if not isinstance(value, Expression) and (value is not None or what == input_type):
            raise InputError(f"{what} must be a column, such as daft.col('url'), got {type(value).__name__}.")
    if on_error not in ("return", "raise"):
        raise InputError(f"on_error must be 'return' or 'raise', got {on_error!r}.")
    if id_namespace is not None and not isinstance(id_namespace, str):
        raise InputError(f"id_namespace must be a str, got {type(id_namespace).__name__}.")
    if unknown := sorted(set(options) - set(MediaOptions.__annotations__)):
        raise InputError(f"unknown options {', '.join(unknown)}.")
    check_count("max_tasks", max_tasks)
    client = (provider or TwelveLabsProvider()).client
    options = {"input_type": input_type, "embedding_scope": ("clip",), **options}
    client.segment_many((), **options)  # raises for invalid options
    worker = _Worker(WorkerClient(client), options, max_tasks, is_raising=on_error == "raise", namespace=id_namespace)
    # One row a batch, so that each result goes on when it is ready; Daft's retries and errors are those of batches.
    function = daft.func.batch(
        return_dtype=DataType.from_arrow_type(struct_type(client.embedding_dimension)),
        batch_size=1,
        max_concurrency=max_tasks,
        max_retries=0,
        on_error="raise",
    )(worker.embed)
    return function(media, *names)


class _Worker:
    """The function that Daft runs: it embeds the rows of one process, at most `max_tasks` at once."""

    def __init__(
        self, client: WorkerClient, options: dict[str, Any], max_tasks: int, *, is_raising: bool, namespace: str | None
    ) -> None:
        self._client = client
        self._options = options
        self._max_tasks = max_tasks
        self._is_raising = is_raising
        self._namespace = namespace
        self._slots: asyncio.Semaphore | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_slots": None}

    async def embed(self, media: Series, source: Series | None, version: Series | None) -> Any:
        """Return the arrow array of structs for a batch of rows."""
        import pyarrow as pa  # noqa: PLC0415  # Daft's own dependency; the driver may only plan

        if self._slots is None:  # Daft runs one batch more than it is told
            self._slots = asyncio.Semaphore(self._max_tasks)
        values = media.to_pylist()
        named = [[None] * len(values) if one is None else one.to_pylist() for one in (source, version)]
        rows = [await self._row(*row) for row in zip(values, *named, strict=True)]
        return rows[0] if len(rows) == 1 else pa.concat_arrays(rows)

    async def _row(self, value: Any, source: str | None, version: str | None) -> Any:
        dimension = self._client.get().embedding_dimension
        async with self._slots or asyncio.Semaphore():
            try:
                records = await self._records(value, source, version)
            except (AuthenticationError, ConfigurationError):
                raise  # every other row would fail with it
            except Exception as error:
                if self._is_raising:
                    raise
                return failure_array(dimension, type(error).__name__, str(error))
            return segments_array(dimension, records)

    async def _records(self, value: Any, source: str | None, version: str | None) -> list[SegmentRecord]:
        client = self._client.get()
        if value is None:
            raise InputError("the row has no media, its value is null.")
        media = Media.of(value, source=source, version=version, check=self._options.get("check", True))
        async with aclosing(client.segment_many([media], **self._options)) as segmented:
            async for item in segmented:
                return await client.register(item, id_namespace=self._namespace)
        raise InputError(f"{media.source}: no result.")  # segment_many yields or raises
