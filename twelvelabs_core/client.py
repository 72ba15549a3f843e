"""`AsyncClient`: the embed API and paid-once segments for asyncio. `Client` is generated from it."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import SecretStr

from twelvelabs_core.api.assets import AsyncAssets
from twelvelabs_core.api.embed import EmbedMethods
from twelvelabs_core.api.embed_media import EmbedMediaMethods
from twelvelabs_core.api.legacy_v1 import AsyncLegacyV1
from twelvelabs_core.api.tasks import AsyncTasks
from twelvelabs_core.api.uploads import AsyncUploads
from twelvelabs_core.base.errors import ConfigurationError
from twelvelabs_core.base.settings import Settings, as_secret, store_location
from twelvelabs_core.ingest.job import Ingestion
from twelvelabs_core.ingest.planning import PlanMethods
from twelvelabs_core.ingest.segment import SegmentMethods
from twelvelabs_core.ingest.ticket_methods import TicketMethods
from twelvelabs_core.models.marengo import DEFAULT_MODEL, EmbeddingModel
from twelvelabs_core.moments.methods import MomentMethods
from twelvelabs_core.transport.aio import AsyncIo
from twelvelabs_core.transport.io import Io
from twelvelabs_core.transport.rate_limit import RateLimiter
from twelvelabs_core.transport.session import Session

if TYPE_CHECKING:
    from twelvelabs_core.store.store import SegmentStore


class AsyncClient(EmbedMethods, EmbedMediaMethods, SegmentMethods, TicketMethods, PlanMethods, MomentMethods):
    """The TwelveLabs embed API for asyncio: embeddings, tasks, assets, uploads, and segments that are paid for once.

    Safe to share between threads and event loops, each with its own connections; works after fork. A client pickles as
    its settings, with the key only if it was passed as an argument.

    Attributes:
        tasks: Asynchronous embedding tasks.
        assets: Uploaded media.
        uploads: Sessions that upload one large file in chunks; `assets.create` uses them by itself.
        legacy_v1: The deprecated v1 of the embed API.

    Args:
        api_key: The API key. Default: `TWELVELABS_API_KEY`, else `TWELVE_LABS_API_KEY`.
        model: The embedding model, `marengo3.0` (default) or `marengo3.5`; their vectors are not comparable.
        embedding_dimension: Values in a vector: 512 (default), with marengo3.5 also 256 or 128. A shorter vector is
            the beginning of the longer one; each length is a different vector space.
        base_url: Root of the API. Default: `TWELVELABS_BASE_URL`, else the live service.
        timeout: Longest silence of the server within one request, in seconds. Default 60.
        max_retries: Most retries of a request that is safe to repeat. Default 4.
        max_concurrency: Most concurrent requests of one call. Default 8.
        requests_per_minute: Most requests in any minute over all clients of this process with this key and host;
            polling requests are not counted. Default None: the API's own limits apply.
        max_concurrent_requests: Most concurrent requests over all calls, clients and threads of this process with this
            key and host, and with a store on PostgreSQL over all processes that use it. Default None: fewer only after
            the API has refused some.
        store: The segment store, or its location: a file, a SQLAlchemy URL, or ":memory:". Default:
            `TWELVELABS_STORE`, else a file in the user's data directory.
        rate_limiter: Acquired before each request that embeds something, to share one pace between objects. It is not
            pickled.
        settings: All of key, base URL, timeout, retries, concurrency and pace in one; then pass none of them.

    Raises:
        ConfigurationError: No key, or an invalid value.
        InputError: An unknown model, or a dimension that it does not have.

    Example:
        ```python
        async with AsyncClient() as client:
            video = await client.segment_video("match.mp4")
            query = (await client.embed_text("goalkeeper dives to the left")).vector
            best = video.segments[(video.segments.vectors @ query).argmax()]
            print(best.start_sec, best.end_sec)
        ```
    """

    _make_io: ClassVar[Callable[[], Io]] = AsyncIo
    _open_store: "_StoreOpener"

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
        store: "SegmentStore | str | os.PathLike[str] | None" = None,
        rate_limiter: RateLimiter | None = None,
        settings: Settings | None = None,
    ) -> None:
        api_key = as_secret(api_key)
        given: dict[str, Any] = {
            "api_key": api_key,
            "base_url": base_url,
            "timeout": timeout,
            "max_retries": max_retries,
            "max_concurrency": max_concurrency,
            "requests_per_minute": requests_per_minute,
            "max_concurrent_requests": max_concurrent_requests,
        }
        options = {name: value for name, value in given.items() if value is not None}
        if settings is not None and options:
            raise ConfigurationError(f"pass settings, or {', '.join(sorted(options))}, not both.")
        self._io = type(self)._make_io()  # noqa: SLF001  # a function stored on the class, not a method
        self._open_store = store if isinstance(store, _StoreOpener) else _StoreOpener(store)
        open_pace = self._open_store if self._open_store.is_server else None
        self._session = Session(settings or Settings.resolve(**options), self._io, rate_limiter, open_pace)
        self._embedding_model = EmbeddingModel.of(model, embedding_dimension)
        self.uploads = AsyncUploads(self._session)
        self.assets = AsyncAssets(self._session, self.uploads, self._open_store)
        self.tasks = AsyncTasks(self._session, self._embedding_model, self.assets)
        self.legacy_v1 = AsyncLegacyV1(self._session, self._embedding_model.name)
        self._ingestion = Ingestion(self._session, self._embedding_model, self.tasks, self.assets, self._open_store)

    @property
    def settings(self) -> Settings:
        """Key, base URL, timeouts, retries and concurrency."""
        return self._session.settings

    @property
    def model(self) -> str:
        """The embedding model."""
        return self._embedding_model.name

    @property
    def embedding_dimension(self) -> int:
        """Number of values in each vector."""
        return self._embedding_model.dimension

    @property
    def space(self) -> str:
        """The vector space of this client, such as `marengo3.0/512`; never mix two in one vector store."""
        return self._ingestion.space

    @property
    def store(self) -> "SegmentStore":
        """The segment store: paid tasks and their vectors. Opened at first use."""
        return self._open_store()

    async def aclose(self) -> None:
        """Close the connections of the running event loop; those of another loop are closed when it shuts down."""
        if isinstance(self._io, AsyncIo):
            await self._io.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild, (type(self), self.settings, self.model, self.embedding_dimension, self._open_store.opened)

    def __repr__(self) -> str:
        if not hasattr(self, "_ingestion"):  # while the constructor runs
            return f"<{type(self).__name__}, not made yet>"
        return f"{type(self).__name__}(space={self.space!r}, base_url={self.settings.base_url!r})"


class _StoreOpener:
    """Opens the segment store at first use, once for all resources of a client."""

    def __init__(self, store: "SegmentStore | str | os.PathLike[str] | None") -> None:
        self.opened: SegmentStore | None = None
        if store is not None:
            self.opened = _as_store(store)

    @property
    def is_server(self) -> bool:
        """Whether the store is a database server, which several machines share."""
        if self.opened is None:
            return (store_location() or "").startswith("postgres")
        return self.opened.is_server

    def __call__(self) -> "SegmentStore":
        """Return the store."""
        if self.opened is None:
            # Atomic: of the stores that threads create at the same time one is used; the others are never opened.
            self.opened = vars(self).setdefault("_first", _as_store(None))
        return self.opened


def _as_store(store: "SegmentStore | str | os.PathLike[str] | None") -> "SegmentStore":
    from twelvelabs_core.store.store import SegmentStore  # noqa: PLC0415  # SQLAlchemy is loaded at first use

    return store if isinstance(store, SegmentStore) else SegmentStore(store)


def rebuild(
    cls: type[Any], settings: Settings, model: str, embedding_dimension: int, store: "SegmentStore | None"
) -> Any:
    """Return a client from its pickle: without connections, and with the key only if it was passed."""
    return cls(settings=settings, model=model, embedding_dimension=embedding_dimension, store=store)
