"""What framework integrations share: for authors of adapters such as `langchain_twelvelabs`, not for applications.

An adapter imports `twelvelabs_core` and this module, and nothing else of the core. The names here are as stable as the
client's. Importing the module loads pydantic, and neither the HTTP library nor numpy nor SQLAlchemy.

An operation of an adapter is written once, as `async def` over a `Mode`. A public method runs it as
`finish(operation(BLOCKING, ...))`, its async variant as `await operation(AWAITING, ...)`.
"""

import os
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError

from twelvelabs_core.base.checks import as_whole_if_so
from twelvelabs_core.base.errors import ConfigurationError
from twelvelabs_core.base.lazy import lazy_exports
from twelvelabs_core.base.settings import FIELDS, settings_of
from twelvelabs_core.transport.mode import AWAITING, BLOCKING, Mode

if TYPE_CHECKING:
    from twelvelabs_core._sync_client import Client
    from twelvelabs_core.base.checks import check_count, check_options
    from twelvelabs_core.base.progress import OnProgress
    from twelvelabs_core.base.redact import unsigned_url
    from twelvelabs_core.client import AsyncClient
    from twelvelabs_core.ingest.batch import FailureReport, ends_the_run
    from twelvelabs_core.ingest.budget import minutes_allowed
    from twelvelabs_core.ingest.estimate import IngestionPlan
    from twelvelabs_core.ingest.plan import input_type_of, plain_options, untimed_types
    from twelvelabs_core.ingest.sync import DRY_RUN, SyncRules, synchronize
    from twelvelabs_core.media.folders import media_set
    from twelvelabs_core.media.lists import check_unique, media_list, with_distinct_titles
    from twelvelabs_core.media.source import MediaInput, is_one, many, storable_text
    from twelvelabs_core.models.marengo import UNTIMED_TYPES
    from twelvelabs_core.models.options import DOCUMENT_MODEL
    from twelvelabs_core.moments.agent import complaint_about_source, example_named, searchable_titles
    from twelvelabs_core.moments.conditions import TOOL_OPTIONS, Conditions, Predicate, time_window_of
    from twelvelabs_core.moments.metadata import checked_metadata
    from twelvelabs_core.moments.retrieval import (
        check_query,
        conditions_of,
        retrieve_moments,
        segments_named,
        sources_named,
    )
    from twelvelabs_core.moments.text import (
        complaint_about,
        moment_for_model,
        moment_metadata,
        moment_text,
        public_document,
        sentence_of,
        text_for_model,
    )
    from twelvelabs_core.results.records import METADATA_KEYS, SegmentRecord, readable_head_of
    from twelvelabs_core.results.spaces import SpaceCheck
    from twelvelabs_core.results.stored import StoredSegment, segments_among
    from twelvelabs_core.store.store import SegmentStore
    from twelvelabs_core.transport.io import drain, finish
else:
    SegmentStore = Any  # pydantic evaluates the annotation of a field; the class itself would import SQLAlchemy
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "twelvelabs_core.base.checks": ["check_count", "check_options"],
            "twelvelabs_core.base.redact": ["unsigned_url"],
            "twelvelabs_core.ingest.plan": ["input_type_of", "plain_options", "untimed_types"],
            "twelvelabs_core.ingest.batch": ["FailureReport", "ends_the_run"],
            "twelvelabs_core.ingest.sync": ["DRY_RUN", "SyncRules", "synchronize"],
            "twelvelabs_core.media.folders": ["media_set"],
            "twelvelabs_core.ingest.budget": ["minutes_allowed"],
            "twelvelabs_core.media.lists": ["check_unique", "media_list", "with_distinct_titles"],
            "twelvelabs_core.media.source": ["is_one", "many", "storable_text"],
            "twelvelabs_core.models.marengo": ["UNTIMED_TYPES"],
            "twelvelabs_core.models.options": ["DOCUMENT_MODEL"],
            "twelvelabs_core.moments.agent": ["complaint_about_source", "example_named", "searchable_titles"],
            "twelvelabs_core.moments.conditions": ["TOOL_OPTIONS", "Conditions", "Predicate", "time_window_of"],
            "twelvelabs_core.moments.metadata": ["checked_metadata"],
            "twelvelabs_core.moments.retrieval": [
                "check_query",
                "conditions_of",
                "retrieve_moments",
                "segments_named",
                "sources_named",
            ],
            "twelvelabs_core.moments.text": [
                "complaint_about",
                "moment_for_model",
                "moment_metadata",
                "moment_text",
                "public_document",
                "sentence_of",
                "text_for_model",
            ],
            "twelvelabs_core.results.records": ["METADATA_KEYS", "readable_head_of"],
            "twelvelabs_core.results.spaces": ["SpaceCheck"],
            "twelvelabs_core.results.stored": ["StoredSegment", "segments_among"],
            "twelvelabs_core.transport.io": ["drain", "finish"],
        },
    )

__all__ = [
    "AWAITING",
    "BLOCKING",
    "DOCUMENT_MODEL",
    "DRY_RUN",
    "METADATA_KEYS",
    "TOOL_OPTIONS",
    "UNTIMED_TYPES",
    "Conditions",
    "EmbeddingFields",
    "FailureReport",
    "Mode",
    "Predicate",
    "SpaceCheck",
    "StoredSegment",
    "SyncRules",
    "check_count",
    "check_options",
    "check_query",
    "check_unique",
    "checked_metadata",
    "client_of",
    "complaint_about",
    "complaint_about_source",
    "conditions_of",
    "drain",
    "each_medium",
    "ends_the_run",
    "example_named",
    "finish",
    "input_type_of",
    "is_one",
    "lazy_exports",
    "many",
    "media_list",
    "media_set",
    "minutes_allowed",
    "moment_for_model",
    "moment_metadata",
    "moment_text",
    "plain_options",
    "plan_media",
    "public_document",
    "readable_head_of",
    "retrieve_moments",
    "searchable_titles",
    "segments_among",
    "segments_named",
    "sentence_of",
    "sources_named",
    "storable_text",
    "synchronize",
    "text_for_model",
    "time_window_of",
    "unsigned_url",
    "untimed_types",
    "with_distinct_titles",
]

WholeOrNone = Annotated[int | None, BeforeValidator(as_whole_if_so)]


class TextCache(Protocol):
    """Keeps the vectors of texts outside the segment store."""

    async def find(self, texts: Mapping[int, str]) -> dict[int, list[float]]:
        """Return the vectors of those texts that it has, by their position."""

    async def keep(self, texts: Mapping[int, str], vectors: Mapping[int, list[float]]) -> None:
        """Keep new vectors."""


class EmbeddingFields(BaseModel):
    """Fields and clients of a framework's embeddings object, for a class that also derives from the framework's own.

    A subclass has the attributes `model` (name of the model) and `rate_limiter` (one of its framework, or None), and a
    constructor that lists its parameters. The key is in no repr, dump or error, and pickled only if it was passed.

    Attributes:
        embedding_dimension: Values in a vector: 512 (default), with marengo3.5 also 256 or 128.
        auto_truncate: Whether the API truncates texts that are too long for the model (marengo3.5). Default False.
        api_key: The key. Default: from the environment.
        base_url: Root of the API.
        max_concurrency: Maximum number of simultaneous requests of one call.
        max_retries: Maximum number of retries of a request.
        timeout: Maximum time without data from the server within one request, in seconds.
        requests_per_minute: Rate limit over all clients of this process with this key and host.
        max_concurrent_requests: Maximum number of simultaneous requests over all of these clients.
        segment_store: Where the vectors of segments are kept.

    Example:
        ```python
        class MyEmbeddings(EmbeddingFields, Embeddings):
            model: str = "marengo3.0"
            rate_limiter: BaseRateLimiter | None = Field(default=None, exclude=True)

            def __init__(self, *, model: str = "marengo3.0", api_key: str | None = None) -> None:
                super().__init__(model=model, api_key=api_key)
        ```
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, hide_input_in_errors=True)

    embedding_dimension: WholeOrNone = Field(default=None, frozen=True, strict=True)
    auto_truncate: bool = Field(default=False, frozen=True, strict=True)
    # Fields that change no vector are not part of what is written down: a cache must not depend on them.
    api_key: SecretStr | None = Field(default=None, exclude=True, repr=False, frozen=True)
    base_url: str | None = Field(default=None, frozen=True)
    max_concurrency: int | None = Field(default=None, exclude=True, frozen=True)
    max_retries: int | None = Field(default=None, exclude=True, frozen=True)
    timeout: float | None = Field(default=None, exclude=True, frozen=True)
    requests_per_minute: float | None = Field(default=None, exclude=True, frozen=True)
    max_concurrent_requests: int | None = Field(default=None, exclude=True, frozen=True)
    segment_store: SegmentStore | None = Field(default=None, exclude=True, frozen=True)

    _client: "Client | None" = PrivateAttr(default=None)
    _async_client: "AsyncClient | None" = PrivateAttr(default=None)

    def __init__(self, **given: Any) -> None:
        given["segment_store"] = _opened(given.get("segment_store"))
        try:
            super().__init__(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            raise ConfigurationError(f"{first['loc'][0]}: {first['msg']}.") from None
        client = self.client
        if self.auto_truncate:
            from twelvelabs_core.models.marengo import model_of  # noqa: PLC0415  # for few callers

            model_of(client.model).require("auto_truncate")
        # Show the values in effect; `model_fields_set` still says which of them the caller passed.
        for name in FIELDS:
            self.__dict__[name] = getattr(client.settings, name)
        self.__dict__["embedding_dimension"] = client.embedding_dimension

    def __setattr__(self, name: str, value: Any) -> None:
        field = type(self).model_fields.get(name)
        if field is not None and (field.frozen or type(self).model_config.get("frozen")):
            # pydantic's own message shows the value, which may be a key.
            raise ConfigurationError(
                f"{name} of a {type(self).__name__} cannot be changed; make a new one, or use "
                f"model_copy(update={{{name!r}: ...}})."
            )
        super().__setattr__(name, value)

    @property
    def space(self) -> str:
        """The vector space, such as `marengo3.0/512`; never mix two in one vector store."""
        return self.client.space

    @property
    def client(self) -> "Client":
        """The blocking client; made on first use, connected by its first request."""
        if self._client is None:
            from twelvelabs_core._sync_client import Client  # noqa: PLC0415  # imports the HTTP library

            holder: Any = self
            self._client = Client(
                settings=settings_of(self, has_key="api_key" in self.model_fields_set),
                model=holder.model,
                embedding_dimension=self.embedding_dimension,
                store=self.segment_store,
                rate_limiter=_RateLimiterOf(self),
            )
        return self._client

    @property
    def async_client(self) -> "AsyncClient":
        """The asyncio client, on the same segment store; serves any number of event loops."""
        if self._async_client is None:
            from twelvelabs_core.client import AsyncClient  # noqa: PLC0415  # imports the HTTP library

            client = self.client
            opener: Any = client._async._open_store  # noqa: SLF001  # opened later, outside the event loop
            self._async_client = AsyncClient(
                settings=client.settings,
                model=client.model,
                embedding_dimension=self.embedding_dimension,
                store=opener,
                rate_limiter=_RateLimiterOf(self),
            )
        return self._async_client

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed, and new clients."""
        return super().model_copy(update=update, deep=deep)._without_clients()  # noqa: SLF001  # of the same class

    def __copy__(self) -> Self:
        return super().__copy__()._without_clients()  # noqa: SLF001  # of the same class

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        # No field is mutable, and a segment store in memory cannot be copied.
        return self.__copy__()

    def __getstate__(self) -> dict[Any, Any]:
        # LlamaIndex's base class would remove what cannot be pickled from the living object too.
        state = BaseModel.__getstate__(self)
        fields = dict(state["__dict__"])
        if "api_key" not in self.model_fields_set:
            fields["api_key"] = None  # the other process reads it from its environment
        return {**state, "__dict__": fields, "__pydantic_private__": {"_client": None, "_async_client": None}}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        # Not through the constructor: it raises without a key, and a worker pool would then wait forever.
        BaseModel.__setstate__(self, state)

    def _without_clients(self) -> Self:
        self._client = self._async_client = None
        return self

    async def _embed_texts(
        self, mode: Mode, texts: Iterable[str], cache: TextCache | None = None, *, as_query: bool = False
    ) -> list[list[float]]:
        """Return one vector per text: for a segment the stored one, for another text a cached or new one."""
        from twelvelabs_core.media.source import many  # noqa: PLC0415  # imports more than this module needs

        texts = many(texts, "texts")
        client = await client_of(mode, self)
        stored = await mode.run(client.find_vectors_by_text, texts, as_query=as_query)
        vectors = {position: vector.tolist() for position, vector in enumerate(stored) if vector is not None}
        plain = {position: text for position, text in enumerate(texts) if position not in vectors}
        if cache is not None:
            vectors |= await cache.find(plain)
        new = {position: text for position, text in plain.items() if position not in vectors}
        if new:
            embedded = await mode.run(client.embed_texts, new.values(), auto_truncate=self.auto_truncate)
            fresh = {position: one.vector.tolist() for position, one in zip(new, embedded, strict=True)}
            if cache is not None:
                await cache.keep(new, fresh)
            vectors |= fresh
        return [vectors[position] for position in range(len(vectors))]

    async def _embed_images(self, mode: Mode, images: Iterable["MediaInput"]) -> list[list[float]]:
        client = await client_of(mode, self)
        return [one.vector.tolist() for one in await mode.run(client.embed_images, images)]

    async def _embed_text_image(self, mode: Mode, text: str, image: "MediaInput") -> list[float]:
        embed = (await client_of(mode, self)).embed_text_image
        found: list[float] = (await mode.run(embed, text, image, auto_truncate=self.auto_truncate)).vector.tolist()
        return found

    async def _embed_clips(
        self, mode: Mode, input_type: Literal["audio", "video"], clips: Iterable["MediaInput"], **options: Any
    ) -> list[list[float]]:
        client = await client_of(mode, self)
        vectors = await mode.run(client.embed_clips, clips, input_type=input_type, **options)
        return [vector.tolist() for vector in vectors]


async def client_of(mode: Mode, embeddings: EmbeddingFields) -> Any:
    """Return the `Client` or `AsyncClient` of an embeddings object; its imports do not block the event loop."""
    if not mode.is_async:
        return embeddings.client
    if embeddings._async_client is None:  # noqa: SLF001  # of a class in this file
        await mode.blocking(lambda: embeddings.async_client)
    return embeddings.async_client


class _RateLimiterOf:
    """The rate limiter that an embeddings object has when a request is made; LlamaIndex lets users set it later."""

    def __init__(self, holder: Any) -> None:
        self._holder = holder

    def acquire(self) -> None:
        limiter = self._holder.rate_limiter
        if limiter is not None:
            limiter.acquire()

    async def async_acquire(self) -> None:
        limiter = self._holder.rate_limiter
        if limiter is not None:
            # `async_acquire` in LlamaIndex, `aacquire` in LangChain.
            acquire = getattr(limiter, "async_acquire", None) or limiter.aacquire
            await acquire()


def _opened(store: "SegmentStore | str | os.PathLike[str] | None") -> "SegmentStore | None":
    if store is None:
        return None
    from twelvelabs_core.store.store import SegmentStore  # noqa: PLC0415  # imports SQLAlchemy

    return store if isinstance(store, SegmentStore) else SegmentStore(store)


# Media to segments


async def each_medium(
    mode: Mode,
    embeddings: EmbeddingFields,
    media: "Sequence[MediaInput]",
    options: Mapping[str, Any],
    *,
    id_namespace: str | None = None,
    show_progress: bool = False,
    on_progress: "OnProgress | None" = None,
) -> AsyncGenerator[tuple[str, "list[SegmentRecord]"]]:
    """Yield the name and the records of each item when its embedding task is done; close it with `aclosing`.

    Args:
        mode: Blocking or awaiting.
        embeddings: The embeddings object whose clients and segment store are used.
        media: What to embed; duplicate names were refused before.
        options: Keyword arguments of `Client.segment_many`.
        id_namespace: Makes other ids for the same segments.
        show_progress: Whether to show progress on stderr: a bar, tqdm's if it is installed; a file gets one line.
        on_progress: Called with a `Progress` at each step.

    Raises:
        TwelveLabsError: The only item failed.
        IngestionError: At the end, if some of several media failed; the others are in the segment store.
    """
    from twelvelabs_core.base.progress import shown_progress  # noqa: PLC0415  # imports more than this module needs

    client = await client_of(mode, embeddings)
    with shown_progress(len(media), on_progress, show_progress=show_progress) as report:
        found = client.segment_many(media, on_progress=report, **options)
        async with aclosing(mode.each(found)) as segmented:
            async for item in segmented:
                yield item.source, await mode.run(client.register, item, id_namespace=id_namespace)


async def plan_media(
    mode: Mode,
    embeddings: EmbeddingFields,
    media: "Sequence[MediaInput]",
    options: Mapping[str, Any],
    *,
    probe_urls: bool = False,
    price_per_minute: float | None = None,
) -> "IngestionPlan":
    """Return what `each_medium` would do and pay for with these arguments; see `Client.plan`.

    Raises:
        InputError: An option cannot be used.
    """
    timed = ("start_sec", "end_sec", "time_based_metadata")
    untimed = ("input_type", "segmentation", "embedding_option", "embedding_scope", "embedding_type", "check")
    plain = {name: options[name] for name in (*untimed, *timed) if name in options}
    price = options.get("price_per_minute") if price_per_minute is None else price_per_minute
    client = await client_of(mode, embeddings)
    found: IngestionPlan = await mode.run(client.plan, media, probe_urls=probe_urls, price_per_minute=price, **plain)
    return found
