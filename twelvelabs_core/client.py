"""`Client` and `AsyncClient`: the same operations, for callers without and with an event loop.

`AsyncClient` is the operations bound to asyncio. `Client` has one line per operation, which drives the same code on an
`Io` that never suspends; its docstrings are the operations' own.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import SecretStr

from twelvelabs_core.api.chunks import CompletedChunk
from twelvelabs_core.api.legacy_v1_clients import AsyncLegacyV1, LegacyV1
from twelvelabs_core.api.multi_input import MediaSource
from twelvelabs_core.base.errors import ConfigurationError
from twelvelabs_core.base.progress import OnProgress
from twelvelabs_core.base.settings import Settings
from twelvelabs_core.ingest.plan import InputType
from twelvelabs_core.ingest.report import OnError
from twelvelabs_core.ingest.segment import SegmentOperations
from twelvelabs_core.media.source import MediaInput
from twelvelabs_core.media.validate import UploadMethod, UserMetadata
from twelvelabs_core.models.marengo import DEFAULT_MODEL
from twelvelabs_core.models.options import TimeBasedMetadata
from twelvelabs_core.models.segmentation import Segmentation
from twelvelabs_core.results.records import SegmentedMedia, SegmentRecord
from twelvelabs_core.results.responses import Asset, Embedding, Task, TaskSummary
from twelvelabs_core.results.segments import Matrix, Segments
from twelvelabs_core.results.upload_responses import (
    ChunkBatchReport,
    MultipartUpload,
    MultipartUploadStatus,
    MultipartUploadSummary,
    PresignedUrl,
    Transcription,
)
from twelvelabs_core.store.store import SegmentStore
from twelvelabs_core.transport.aio import AsyncIo
from twelvelabs_core.transport.blocking import BlockingIo
from twelvelabs_core.transport.io import drain, finish
from twelvelabs_core.transport.rate_limit import RateLimiter

StoreInput = SegmentStore | str | os.PathLike[str]
"""A segment store, or where it is: a file, a SQLAlchemy URL, or ":memory:"."""


class _Start:
    """What both clients are made from; also what they are pickled as."""

    def __init__(
        self,
        settings: Settings | None,
        model: str,
        embedding_dimension: int | None,
        store: StoreInput | None,
        given: dict[str, Any],
    ) -> None:
        options = {name: value for name, value in given.items() if value is not None}
        if settings is not None and options:
            raise ConfigurationError(f"pass settings, or {', '.join(sorted(options))}, not both.")
        self.settings = settings if settings is not None else Settings.resolve(**options)
        self.model = model
        self.embedding_dimension = embedding_dimension
        self._stores: dict[str, SegmentStore] = {}
        if store is not None:
            self._stores["it"] = store if isinstance(store, SegmentStore) else SegmentStore(store)

    def store(self) -> SegmentStore:
        """Return the segment store, opened at first use; the same to all threads."""
        # setdefault is one step: of several stores that threads make at once, one is used, the others never opened.
        return self._stores.get("it") or self._stores.setdefault("it", SegmentStore())

    def rebuild(self, cls: type[Any]) -> tuple[Any, ...]:
        """Return what pickle needs: no connection crosses a process border, and the key only if it was passed."""
        return _rebuild, (cls, self.settings, self.model, self.embedding_dimension, self._stores.get("it"))


class AsyncClient(SegmentOperations):
    """The API's embed endpoints for asyncio; the same methods as `Client`, awaited.

    One client serves any number of event loops, each with connections of its own. See `Client` for the arguments.

    Example:
        ```python
        async with AsyncClient() as client:
            embedding = await client.embed_text("a red car")
            async for film in client.segment_many(["a.mp4", "b.mp4"]):
                print(film.title, len(film.segments))
        ```
    """

    def __init__(
        self,
        api_key: SecretStr | str | None = None,
        *,
        model: str = DEFAULT_MODEL,
        embedding_dimension: int | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        max_concurrency: int | None = None,
        requests_per_minute: float | None = None,
        max_concurrent_requests: int | None = None,
        store: StoreInput | None = None,
        rate_limiter: RateLimiter | None = None,
        settings: Settings | None = None,
    ) -> None:
        given = {
            "api_key": api_key,
            "base_url": base_url,
            "timeout": timeout,
            "max_retries": max_retries,
            "max_concurrency": max_concurrency,
            "requests_per_minute": requests_per_minute,
            "max_concurrent_requests": max_concurrent_requests,
        }
        self._start = _Start(settings, model, embedding_dimension, store, given)
        self._async_io = AsyncIo()
        super().__init__(
            self._start.settings,
            self._async_io,
            model=model,
            store=self._start.store,
            embedding_dimension=embedding_dimension,
            rate_limiter=rate_limiter,
        )

    @property
    def legacy_v1(self) -> AsyncLegacyV1:
        """The old embed API (v1): to fetch tasks that were made with it. Each call of it warns."""
        return AsyncLegacyV1(self.settings, self._async_io, self.model, self._rate_limiter, self)

    async def aclose(self) -> None:
        """Close the connections of the running event loop. Another loop's are closed when it shuts down."""
        await self._async_io.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __reduce__(self) -> tuple[Any, ...]:
        return self._start.rebuild(type(self))

    def __repr__(self) -> str:
        return f"AsyncClient(space={self.space!r}, base_url={self.settings.base_url!r})"


class Client:
    """The API's embed endpoints for code without an event loop (and inside one: notebooks).

    Safe to share between threads; works after fork; pickles as its settings, with the key only if it was passed.

    Args:
        api_key: The key. Default: `TWELVELABS_API_KEY`, else `TWELVE_LABS_API_KEY`.
        model: The embedding model, `marengo3.0` (default) or `marengo3.5`; their vectors are not comparable.
        embedding_dimension: Values in a vector: 512 (default), with marengo3.5 also 256 or 128. A shorter vector is
            the beginning of the longer one; each length is a space of its own.
        base_url: Root of the API. Default: `TWELVELABS_BASE_URL`, else the live service.
        timeout: Longest silence of the server within one request, in seconds. Default 60.
        max_retries: How often a safe request is repeated. Default 4.
        max_concurrency: Most requests at once in one call. Default 8.
        requests_per_minute: Most requests in any minute over all clients of this process with this key and host, looks
            (GETs) not counted. Default None: as the API lets them through.
        max_concurrent_requests: Most requests under way at once over all calls, clients and threads of this process
            with this key and host; one that takes longer than 30 s is not counted any more. Default None: fewer only
            after the API has refused some.
        store: The segment store, or where it is. Default: `TWELVELABS_STORE`, else a file in the user's data folder.
        rate_limiter: Asked before each request that embeds something; for a pace that several objects share. It is
            not pickled.
        settings: All of key, base URL, time-out, retries, concurrency and pace in one; then pass none of them.

    Raises:
        ConfigurationError: No key, or a value that cannot be.
        InputError: An unknown model, or a dimension that it does not have.

    Example:
        ```python
        with Client() as client:
            film = client.segment_video("match.mp4")
            query = client.embed_text("goalkeeper dives to the left").vector
            best = film.segments[(film.segments.vectors @ query).argmax()]
            print(best.start_sec, best.end_sec)
        ```
    """

    def __init__(
        self,
        api_key: SecretStr | str | None = None,
        *,
        model: str = DEFAULT_MODEL,
        embedding_dimension: int | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        max_concurrency: int | None = None,
        requests_per_minute: float | None = None,
        max_concurrent_requests: int | None = None,
        store: StoreInput | None = None,
        rate_limiter: RateLimiter | None = None,
        settings: Settings | None = None,
    ) -> None:
        given = {
            "api_key": api_key,
            "base_url": base_url,
            "timeout": timeout,
            "max_retries": max_retries,
            "max_concurrency": max_concurrency,
            "requests_per_minute": requests_per_minute,
            "max_concurrent_requests": max_concurrent_requests,
        }
        self._start = _Start(settings, model, embedding_dimension, store, given)
        self._io = BlockingIo()
        self._rate_limiter = rate_limiter
        self._operations = SegmentOperations(
            self._start.settings,
            self._io,
            model=model,
            store=self._start.store,
            embedding_dimension=embedding_dimension,
            rate_limiter=rate_limiter,
        )

    @property
    def settings(self) -> Settings:
        """Key, base URL, time-outs, retries, concurrency."""
        return self._operations.settings

    @property
    def model(self) -> str:
        """The embedding model."""
        return self._operations.model

    @property
    def embedding_dimension(self) -> int:
        """Number of values in each vector."""
        return self._operations.embedding_dimension

    @property
    def store(self) -> SegmentStore:
        """The segment store: what was paid for. Opened at first use."""
        return self._operations.store

    @property
    def space(self) -> str:
        """The vector space of this client, such as `marengo3.0/512`; never mix two in one vector store."""
        return self._operations.space

    @property
    def legacy_v1(self) -> LegacyV1:
        """The old embed API (v1): to fetch tasks that were made with it. Each call of it warns."""
        return LegacyV1(self.settings, self._io, self.model, self._rate_limiter, self)

    def close(self) -> None:
        """Close the connections; the client opens new ones when it is used again."""
        self._io.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return self._start.rebuild(type(self))

    def __repr__(self) -> str:
        return f"Client(space={self.space!r}, base_url={self.settings.base_url!r})"

    def embed_text(self, text: str, *, auto_truncate: bool = False, embedding_uncertainty: bool = False) -> Embedding:
        return finish(
            self._operations.embed_text(text, auto_truncate=auto_truncate, embedding_uncertainty=embedding_uncertainty)
        )

    def embed_texts(
        self, texts: Iterable[str], *, auto_truncate: bool = False, embedding_uncertainty: bool = False
    ) -> list[Embedding]:
        return finish(
            self._operations.embed_texts(
                texts, auto_truncate=auto_truncate, embedding_uncertainty=embedding_uncertainty
            )
        )

    def embed_image(self, image: MediaInput, *, embedding_uncertainty: bool = False) -> Embedding:
        return finish(self._operations.embed_image(image, embedding_uncertainty=embedding_uncertainty))

    def embed_images(self, images: Iterable[MediaInput], *, embedding_uncertainty: bool = False) -> list[Embedding]:
        return finish(self._operations.embed_images(images, embedding_uncertainty=embedding_uncertainty))

    def embed_text_image(self, text: str, image: MediaInput, *, auto_truncate: bool = False) -> Embedding:
        return finish(self._operations.embed_text_image(text, image, auto_truncate=auto_truncate))

    def embed_multi_input(
        self,
        media_sources: Sequence[MediaInput | MediaSource],
        *,
        text: str | None = None,
        auto_truncate: bool = False,
        embedding_uncertainty: bool = False,
    ) -> Embedding:
        return finish(
            self._operations.embed_multi_input(
                media_sources, text=text, auto_truncate=auto_truncate, embedding_uncertainty=embedding_uncertainty
            )
        )

    def embed_audio(
        self,
        audio: MediaInput,
        *,
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
    ) -> Segments:
        return finish(
            self._operations.embed_audio(
                audio,
                start_sec=start_sec,
                end_sec=end_sec,
                segmentation=segmentation,
                embedding_option=embedding_option,
                embedding_scope=embedding_scope,
                embedding_type=embedding_type,
            )
        )

    def embed_video(
        self,
        video: MediaInput,
        *,
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
    ) -> Segments:
        return finish(
            self._operations.embed_video(
                video,
                start_sec=start_sec,
                end_sec=end_sec,
                segmentation=segmentation,
                embedding_option=embedding_option,
                embedding_scope=embedding_scope,
                embedding_type=embedding_type,
            )
        )

    def embed_clip(
        self,
        clip: MediaInput,
        *,
        input_type: Literal["audio", "video"] = "video",
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> Matrix:
        return finish(
            self._operations.embed_clip(
                clip, input_type=input_type, embedding_option=embedding_option, start_sec=start_sec, end_sec=end_sec
            )
        )

    def embed_clips(
        self,
        clips: Iterable[MediaInput],
        *,
        input_type: Literal["audio", "video"] = "video",
        embedding_option: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
    ) -> list[Matrix]:
        return finish(
            self._operations.embed_clips(
                clips, input_type=input_type, embedding_option=embedding_option, start_sec=start_sec, end_sec=end_sec
            )
        )

    def create_audio_task(
        self,
        audio: MediaInput,
        *,
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        embedding_uncertainty: bool = False,
    ) -> Task:
        return finish(
            self._operations.create_audio_task(
                audio,
                start_sec=start_sec,
                end_sec=end_sec,
                segmentation=segmentation,
                embedding_option=embedding_option,
                embedding_scope=embedding_scope,
                embedding_type=embedding_type,
                time_based_metadata=time_based_metadata,
                embedding_uncertainty=embedding_uncertainty,
            )
        )

    def create_video_task(
        self,
        video: MediaInput,
        *,
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        embedding_uncertainty: bool = False,
    ) -> Task:
        return finish(
            self._operations.create_video_task(
                video,
                start_sec=start_sec,
                end_sec=end_sec,
                segmentation=segmentation,
                embedding_option=embedding_option,
                embedding_scope=embedding_scope,
                embedding_type=embedding_type,
                time_based_metadata=time_based_metadata,
                embedding_uncertainty=embedding_uncertainty,
            )
        )

    def create_document_task(
        self,
        document: MediaInput,
        *,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_uncertainty: bool = False,
    ) -> Task:
        return finish(
            self._operations.create_document_task(
                document,
                segmentation=segmentation,
                embedding_option=embedding_option,
                embedding_scope=embedding_scope,
                embedding_uncertainty=embedding_uncertainty,
            )
        )

    def create_image_task(self, image: MediaInput, *, embedding_uncertainty: bool = False) -> Task:
        return finish(self._operations.create_image_task(image, embedding_uncertainty=embedding_uncertainty))

    def retrieve_task(self, task_id: str) -> Task:
        return finish(self._operations.retrieve_task(task_id))

    def list_tasks(
        self, *, status: str | None = None, started_at: datetime | None = None, ended_at: datetime | None = None
    ) -> Iterator[TaskSummary]:
        return drain(self._operations.list_tasks(status=status, started_at=started_at, ended_at=ended_at))

    def wait_for_task(
        self, task_id: str, *, timeout: float | None = None, callback: Callable[[Task], Any] | None = None
    ) -> Task:
        return finish(self._operations.wait_for_task(task_id, timeout=timeout, callback=callback))

    def create_asset(
        self,
        media: MediaInput,
        *,
        filename: str | None = None,
        asset_type: str | None = None,
        method: UploadMethod | None = None,
        enable_hls: bool = False,
        enable_thumbnail: bool = False,
        user_metadata: UserMetadata | None = None,
        on_progress: OnProgress | None = None,
    ) -> Asset:
        return finish(
            self._operations.create_asset(
                media,
                filename=filename,
                asset_type=asset_type,
                method=method,
                enable_hls=enable_hls,
                enable_thumbnail=enable_thumbnail,
                user_metadata=user_metadata,
                on_progress=on_progress,
            )
        )

    def retrieve_asset(self, asset_id: str) -> Asset:
        return finish(self._operations.retrieve_asset(asset_id))

    def list_assets(
        self, *, asset_ids: Sequence[str] = (), asset_types: Sequence[str] = (), filename: str | None = None
    ) -> Iterator[Asset]:
        return drain(self._operations.list_assets(asset_ids=asset_ids, asset_types=asset_types, filename=filename))

    def delete_asset(self, asset_id: str, *, force: bool = False) -> None:
        return finish(self._operations.delete_asset(asset_id, force=force))

    def wait_for_asset(self, asset_id: str, *, timeout: float | None = None) -> Asset:
        return finish(self._operations.wait_for_asset(asset_id, timeout=timeout))

    def retrieve_transcription(self, asset_id: str, *, include: Sequence[str] = ("words",)) -> Transcription:
        return finish(self._operations.retrieve_transcription(asset_id, include=include))

    def update_user_metadata(self, asset_id: str, user_metadata: UserMetadata) -> None:
        return finish(self._operations.update_user_metadata(asset_id, user_metadata))

    def replace_user_metadata(self, asset_id: str, user_metadata: UserMetadata) -> None:
        return finish(self._operations.replace_user_metadata(asset_id, user_metadata))

    def delete_user_metadata(self, asset_id: str) -> None:
        return finish(self._operations.delete_user_metadata(asset_id))

    def create_multipart_upload(
        self,
        filename: str,
        *,
        asset_type: str,
        total_size: int,
        enable_hls: bool = False,
        enable_thumbnail: bool = False,
        user_metadata: UserMetadata | None = None,
    ) -> MultipartUpload:
        return finish(
            self._operations.create_multipart_upload(
                filename,
                asset_type=asset_type,
                total_size=total_size,
                enable_hls=enable_hls,
                enable_thumbnail=enable_thumbnail,
                user_metadata=user_metadata,
            )
        )

    def create_presigned_urls(self, upload_id: str, *, start: int, count: int) -> tuple[PresignedUrl, ...]:
        return finish(self._operations.create_presigned_urls(upload_id, start=start, count=count))

    def report_chunk_batch(self, upload_id: str, completed_chunks: Sequence[CompletedChunk]) -> ChunkBatchReport:
        return finish(self._operations.report_chunk_batch(upload_id, completed_chunks))

    def retrieve_multipart_upload(self, upload_id: str) -> MultipartUploadStatus:
        return finish(self._operations.retrieve_multipart_upload(upload_id))

    def list_multipart_uploads(self) -> Iterator[MultipartUploadSummary]:
        return drain(self._operations.list_multipart_uploads())

    def segment_video(
        self,
        video: MediaInput,
        *,
        source: str | None = None,
        version: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        embedding_uncertainty: bool = False,
        timeout: float | None = None,
        keep_asset: bool = True,
        include_transcript: bool = False,
        on_progress: OnProgress | None = None,
    ) -> SegmentedMedia:
        return finish(
            self._operations.segment_video(
                video,
                source=source,
                version=version,
                start_sec=start_sec,
                end_sec=end_sec,
                segmentation=segmentation,
                embedding_option=embedding_option,
                embedding_scope=embedding_scope,
                embedding_type=embedding_type,
                time_based_metadata=time_based_metadata,
                embedding_uncertainty=embedding_uncertainty,
                timeout=timeout,
                keep_asset=keep_asset,
                include_transcript=include_transcript,
                on_progress=on_progress,
            )
        )

    def segment_audio(
        self,
        audio: MediaInput,
        *,
        source: str | None = None,
        version: str | None = None,
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        embedding_uncertainty: bool = False,
        timeout: float | None = None,
        keep_asset: bool = True,
        include_transcript: bool = False,
        on_progress: OnProgress | None = None,
    ) -> SegmentedMedia:
        return finish(
            self._operations.segment_audio(
                audio,
                source=source,
                version=version,
                start_sec=start_sec,
                end_sec=end_sec,
                segmentation=segmentation,
                embedding_option=embedding_option,
                embedding_scope=embedding_scope,
                embedding_type=embedding_type,
                time_based_metadata=time_based_metadata,
                embedding_uncertainty=embedding_uncertainty,
                timeout=timeout,
                keep_asset=keep_asset,
                include_transcript=include_transcript,
                on_progress=on_progress,
            )
        )

    def segment_document(
        self,
        document: MediaInput,
        *,
        source: str | None = None,
        version: str | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_uncertainty: bool = False,
        timeout: float | None = None,
        keep_asset: bool = True,
        on_progress: OnProgress | None = None,
    ) -> SegmentedMedia:
        return finish(
            self._operations.segment_document(
                document,
                source=source,
                version=version,
                segmentation=segmentation,
                embedding_option=embedding_option,
                embedding_scope=embedding_scope,
                embedding_uncertainty=embedding_uncertainty,
                timeout=timeout,
                keep_asset=keep_asset,
                on_progress=on_progress,
            )
        )

    def segment_image(
        self,
        image: MediaInput,
        *,
        source: str | None = None,
        version: str | None = None,
        embedding_uncertainty: bool = False,
        timeout: float | None = None,
        keep_asset: bool = True,
        on_progress: OnProgress | None = None,
    ) -> SegmentedMedia:
        return finish(
            self._operations.segment_image(
                image,
                source=source,
                version=version,
                embedding_uncertainty=embedding_uncertainty,
                timeout=timeout,
                keep_asset=keep_asset,
                on_progress=on_progress,
            )
        )

    def segment_many(
        self,
        media: Iterable[MediaInput],
        *,
        input_type: InputType | Sequence[InputType] = "video",
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | Sequence[Segmentation] | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        embedding_uncertainty: bool = False,
        timeout: float | None = None,
        keep_asset: bool = True,
        include_transcript: bool = False,
        max_tasks: int | None = None,
        on_error: OnError = "raise",
        on_progress: OnProgress | None = None,
    ) -> Iterator[SegmentedMedia]:
        return drain(
            self._operations.segment_many(
                media,
                input_type=input_type,
                start_sec=start_sec,
                end_sec=end_sec,
                segmentation=segmentation,
                embedding_option=embedding_option,
                embedding_scope=embedding_scope,
                embedding_type=embedding_type,
                time_based_metadata=time_based_metadata,
                embedding_uncertainty=embedding_uncertainty,
                timeout=timeout,
                keep_asset=keep_asset,
                include_transcript=include_transcript,
                max_tasks=max_tasks,
                on_error=on_error,
                on_progress=on_progress,
            )
        )

    def register(self, media: SegmentedMedia, *, id_namespace: str | None = None) -> list[SegmentRecord]:
        return finish(self._operations.register(media, id_namespace=id_namespace))

    def content_of(self, media: MediaInput) -> str:
        return finish(self._operations.content_of(media))

    def find_vectors(self, segment_ids: Sequence[str]) -> list[Matrix]:
        return finish(self._operations.find_vectors(segment_ids))


def _rebuild(
    cls: type[Any], settings: Settings, model: str, embedding_dimension: int | None, store: SegmentStore | None
) -> Any:
    return cls(settings=settings, model=model, embedding_dimension=embedding_dimension, store=store)


for _name, _method in vars(Client).items():
    if not _name.startswith("_") and _method.__doc__ is None:
        # One docstring serves both clients, so that they cannot come to differ.
        _method.__doc__ = getattr(AsyncClient, _name).__doc__
