"""`embed_video` and `embed_audio`: a column of videos to a column of segments, paid for once."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack

import daft
from daft import DataType, Expression, Series

from daft_twelvelabs.clients import WorkerClient, slots_of
from daft_twelvelabs.columns import failure_array, joined, segments_array, struct_type
from daft_twelvelabs.provider import TwelveLabsProvider
from twelvelabs_core import AsyncClient, InputError, Media, Segmentation, SegmentRecord, TimeBasedMetadata
from twelvelabs_core.integration import check_count, ends_the_run

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


_OPTIONS = tuple(MediaOptions.__annotations__)


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

    Limit before `embed_video`; write before you filter: a `limit` behind a filter on this column pays for up to
    `max_tasks` videos.

    Args:
        video: Paths, URLs, `asset:<id>` (str) or bytes. A path must exist on each worker.
        provider: Key, model and segment store. Default: `TwelveLabsProvider()`.
        source: The name of each video, a column of str: metadata `source`. Default: the path as given, the URL without
            signature, `asset:<id>`. For bytes, and URLs whose signature is in their path, give one.
        version: For URLs, a column of str: a new value means that the content has changed.
        id_namespace: Changes the ids of the segments, for stores whose collections share ids (PGVector).
        max_tasks: Maximum number of unfinished videos of a worker process. Default 50. Each result is returned as
            soon as its task ends, so memory depends on it and not on the number of rows.
        on_error: `return` (default) writes a failure into `error`; `raise` ends the query. A refused key and an
            unusable store always end it.
        **options: `segmentation`, `embedding_option`, `embedding_scope` (default: only `clip`), `embedding_type`,
            `time_based_metadata`, `include_transcript`, `start_sec`, `end_sec`, `keep_asset`, `check`, `timeout`,
            `max_minutes`, `max_cost`, `price_per_minute`: as for `langchain_twelvelabs.TwelveLabsVideoLoader`, for
            each video. The last three limit what all workers of a segment store pay for within 24 hours.

    Returns:
        A column of structs. `segments`: a list of structs with the fifteen keys of segment metadata, `text` (title,
        time range, option, transcript, and a line that refers to the vector) and `embedding`, a list of 512 float32;
        null for a failure. `error`: null, or a struct of `type` and `message`. The rows come as their tasks end.

    Raises:
        ConfigurationError: No key, or a segment store that workers cannot open.
        InputError: An option cannot be used; nothing was sent.

    Example:
        ```python
        frame = frame.with_column("video", embed_video(daft.col("url"), embedding_option=["visual"]))
        frame.write_parquet("embedded", write_mode="overwrite")
        ```
    """
    worker = _worker(
        "video", provider, dict(options), max_tasks=max_tasks, on_error=on_error, id_namespace=id_namespace
    )
    return _expression(worker, {"video": video, "source": source, "version": version})


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
    worker = _worker(
        "audio", provider, dict(options), max_tasks=max_tasks, on_error=on_error, id_namespace=id_namespace
    )
    return _expression(worker, {"audio": audio, "source": source, "version": version})


def _worker(
    input_type: Literal["video", "audio"],
    provider: TwelveLabsProvider | None,
    options: dict[str, Any],
    *,
    max_tasks: int,
    on_error: OnError,
    id_namespace: str | None,
) -> "_Worker":
    """Check all options; nothing is sent."""
    if on_error not in ("return", "raise"):
        raise InputError(f"on_error must be 'return' or 'raise', got {on_error!r}.")
    if id_namespace is not None and not isinstance(id_namespace, str):
        raise InputError(f"id_namespace must be a str, got {type(id_namespace).__name__}.")
    if unknown := sorted(set(options) - set(_OPTIONS)):
        raise InputError(f"unknown options {', '.join(unknown)}; the options are {', '.join(_OPTIONS)}.")
    check_count("max_tasks", max_tasks)
    client = (provider or TwelveLabsProvider()).client
    options = {"input_type": input_type, "embedding_scope": ("clip",), **options}
    client.segment_many((), **options)  # raises for invalid options
    return _Worker(client, options, max_tasks, is_raising=on_error == "raise", namespace=id_namespace)


def _expression(worker: "_Worker", columns: Mapping[str, Expression | None]) -> Expression:
    """Return the call of a worker's function with columns, of which only the first is required."""
    for position, (name, column) in enumerate(columns.items()):
        if not isinstance(column, Expression) and (column is not None or position == 0):
            raise InputError(f"{name} must be a column, such as daft.col('url'), got {type(column).__name__}.")
    # One row a batch, so that each result is returned when it is ready; Daft's retries and errors are those of batches.
    function: Any = daft.func.batch(
        return_dtype=DataType.from_arrow_type(struct_type(worker.dimension)),
        batch_size=1,
        max_concurrency=worker.max_tasks,
        max_retries=0,
        on_error="raise",
    )(worker.embed)
    expression: Expression = function(*columns.values())
    return expression


class _Worker:
    """The function that Daft runs: it embeds rows, at most `max_tasks` of a process at once."""

    def __init__(
        self, client: AsyncClient, options: dict[str, Any], max_tasks: int, *, is_raising: bool, namespace: str | None
    ) -> None:
        self.dimension = client.embedding_dimension
        self.max_tasks = max_tasks
        self._client = WorkerClient(client)
        self._options = options
        self._is_raising = is_raising
        self._namespace = namespace

    async def embed(self, media: Series, source: Series | None, version: Series | None) -> Any:
        """Return the arrow array of structs for a batch of rows."""
        values = media.to_pylist()
        named = [[None] * len(values) if one is None else one.to_pylist() for one in (source, version)]
        rows = [await self._row(*row) for row in zip(values, *named, strict=True)]
        return joined(self.dimension, rows)

    async def _row(self, value: Any, source: str | None, version: str | None) -> Any:
        client = self._client.get()
        async with slots_of(client, self.max_tasks):  # Daft's own limit holds for each partition
            try:
                return segments_array(self.dimension, await self._records(client, value, source, version))
            except Exception as error:
                if self._is_raising or ends_the_run(error):
                    raise
                return failure_array(self.dimension, type(error).__name__, str(error))

    async def _records(
        self, client: AsyncClient, value: Any, source: str | None, version: str | None
    ) -> list[SegmentRecord]:
        if value is None:
            raise InputError("the row has no media, its value is null.")
        media = Media.of(value, source=source, version=version, check=self._options.get("check", True))
        [item] = [one async for one in client.segment_many([media], **self._options)]  # raises the error of this item
        return await client.register(item, id_namespace=self._namespace)
