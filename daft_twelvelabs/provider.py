"""`TwelveLabsProvider`: Daft's own `embed_text` and `embed_image` with Marengo."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
from daft import DataType, Series
from daft.ai.protocols import ImageEmbedder, ImageEmbedderDescriptor, TextEmbedder, TextEmbedderDescriptor
from daft.ai.provider import Provider
from daft.ai.typing import EmbeddingDimensions, Options, UDFOptions
from numpy.typing import NDArray
from pydantic import SecretStr

from daft_twelvelabs.clients import WorkerClient
from twelvelabs_core import (
    AsyncClient,
    Client,
    InputError,
    SegmentStore,
    Settings,
    TwelveLabsError,
)
from twelvelabs_core.integration import ends_the_run

logger = logging.getLogger("twelvelabs_core")

T = TypeVar("T")
OnError = Literal["raise", "log", "ignore"]
Vector = NDArray[np.float32]

_BATCH_SIZE = 256  # rows that Daft passes at once; the client sends `max_concurrency` of them at once
_OPTIONS = ("batch_size", "max_retries", "on_error")


class TwelveLabsProvider(Provider):
    """TwelveLabs as a provider of Daft: for `embed_text`, `embed_image`, `embed_video` and `embed_audio`.

    Each worker process has one client. A provider travels to workers as its settings, with the key only if it was
    passed as an argument; else each worker reads `TWELVELABS_API_KEY` from its own environment.

    Args:
        api_key: The API key. Default: `TWELVELABS_API_KEY`, else `TWELVE_LABS_API_KEY`.
        name: Its name in a Daft session.
        model: `marengo3.0` (default) or `marengo3.5`; their vectors are not comparable.
        embedding_dimension: Values in a vector: 512 (default), with marengo3.5 also 256 or 128.
        base_url: Root of the API. Default: `TWELVELABS_BASE_URL`, else the live service.
        timeout: Longest silence of the server within one request, in seconds. Default 60.
        max_retries: Most retries of a request that is safe to repeat. Default 4. Daft's own retries, which repeat
            whole batches, are off.
        max_concurrency: Most concurrent requests of one batch of texts or images. Default 8. Daft runs two batches of
            a worker at once.
        requests_per_minute: Most requests of a worker process in any minute.
        max_concurrent_requests: Most concurrent requests of a worker process; with a store on PostgreSQL, of all
            processes that use it.
        store: The segment store: a file for the processes of one machine, a SQLAlchemy URL of PostgreSQL for several
            machines. Default: `TWELVELABS_STORE` of each worker, else a file in the user's data directory there.
        settings: All of key, base URL, timeout, retries, concurrency and pace in one, with `max_retry_wait` and
            `task_timeout`; then pass none of them.

    Raises:
        ConfigurationError: No key, or an invalid value.
        InputError: An unknown model, or a dimension that it does not have.

    Example:
        ```python
        import daft
        from daft.functions import embed_text
        from daft_twelvelabs import TwelveLabsProvider

        provider = TwelveLabsProvider()
        frame = daft.from_pydict({"text": ["a red car", "rain on a window"]})
        frame = frame.with_column("vector", embed_text(daft.col("text"), provider=provider))
        ```
    """

    def __init__(
        self,
        api_key: SecretStr | str | None = None,
        *,
        name: str = "twelvelabs",
        model: str = "marengo3.0",
        embedding_dimension: int | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        max_concurrency: int | None = None,
        requests_per_minute: float | None = None,
        max_concurrent_requests: int | None = None,
        store: SegmentStore | str | os.PathLike[str] | None = None,
        settings: Settings | None = None,
    ) -> None:
        # A path is that of the caller's folder, which a worker does not share.
        self._store = store if store is None or isinstance(store, SegmentStore) else SegmentStore(store)
        self._name = name
        self._client = AsyncClient(
            api_key,
            model=model,
            embedding_dimension=embedding_dimension,
            base_url=base_url,
            timeout=timeout,
            max_retries=max_retries,
            max_concurrency=max_concurrency,
            requests_per_minute=requests_per_minute,
            max_concurrent_requests=max_concurrent_requests,
            store=self._store,
            settings=settings,
        )

    @property
    def name(self) -> str:
        """Its name in a Daft session: `daft.attach_provider(provider)`, `daft.set_provider(name)`."""
        return self._name

    @property
    def client(self) -> AsyncClient:
        """The client of this process, for example to search with; `client.space` names the vector space."""
        return self._client

    def get_text_embedder(
        self, model: str | None = None, dimensions: int | None = None, **options: Any
    ) -> TextEmbedderDescriptor:
        """Return what `daft.functions.embed_text` uses.

        A text that is the document of a segment, as `segment_rows` writes it, gets the vector of the segment from the
        segment store, without a request.

        Args:
            model: Another model than the provider's.
            dimensions: Values in a vector, where the model has a choice.
            **options: `batch_size`: rows that Daft passes at once, default 256. `max_retries`: as for the provider.
                `on_error`: `raise` (default) ends the query; `log` and `ignore` give null for the texts that failed,
                and not for the others of their batch.

        Raises:
            ConfigurationError: The segment store is in memory, so no worker can open it.
            InputError: An unknown option or model.
        """
        return _TextDescriptor(self._name, *self._parts(model, dimensions, options))

    def get_image_embedder(self, model: str | None = None, **options: Any) -> ImageEmbedderDescriptor:
        """Return what `daft.functions.embed_image` uses.

        A column of images is sent as PNG; paths, URLs and encoded bytes are sent as they are.

        Args:
            model: Another model than the provider's.
            **options: As for `get_text_embedder`.

        Raises:
            ConfigurationError: The segment store is in memory, so no worker can open it.
            InputError: An unknown option or model.
        """
        return _ImageDescriptor(self._name, *self._parts(model, None, options))

    def __repr__(self) -> str:
        return f"TwelveLabsProvider(name={self._name!r}, model={self._client.model!r}, store={self._store!r})"

    def _parts(
        self, model: str | None, dimensions: int | None, options: dict[str, Any]
    ) -> tuple[WorkerClient[Client], str, int, "_EmbedOptions"]:
        if unknown := sorted(set(options) - set(_OPTIONS)):
            raise InputError(f"unknown options {', '.join(unknown)}; TwelveLabs has {', '.join(_OPTIONS)}.")
        given = {name: value for name, value in options.items() if value is not None}
        settings = self._client.settings
        if "max_retries" in given:
            settings = settings.replace(max_retries=given.pop("max_retries"))
        if dimensions is None and model in (None, self._client.model):
            dimensions = self._client.embedding_dimension
        model = self._client.model if model is None else model
        # Threads of a sync client take a third of the CPU of asyncio for small requests.
        client = Client(settings=settings, model=model, embedding_dimension=dimensions, store=self._store)
        return WorkerClient(client), client.model, client.embedding_dimension, _EmbedOptions(**given)


@dataclass(frozen=True)
class _EmbedOptions:
    """How Daft calls an embedder.

    Attributes:
        batch_size: Rows of one call.
        on_error: What becomes of a row that fails.
    """

    batch_size: int = _BATCH_SIZE
    on_error: OnError = "raise"

    def __post_init__(self) -> None:
        if self.on_error not in ("raise", "log", "ignore"):
            raise InputError(f"on_error must be 'raise', 'log' or 'ignore', got {self.on_error!r}.")
        if isinstance(self.batch_size, bool) or not isinstance(self.batch_size, int) or self.batch_size < 1:
            raise InputError(f"batch_size must be a whole number from 1, got {self.batch_size!r}.")

    def for_daft(self) -> UDFOptions:
        """Return Daft's options: no retries of whole batches, and errors of rows handled by the embedder."""
        return UDFOptions(concurrency=1, max_retries=0, on_error="raise", batch_size=self.batch_size)


@dataclass
class _Descriptor:
    """What a worker needs to make an embedder."""

    provider_name: str
    client: WorkerClient[Client]
    model: str
    dimension: int
    options: _EmbedOptions

    def get_provider(self) -> str:
        return self.provider_name

    def get_model(self) -> str:
        return self.model

    def get_options(self) -> Options:
        return {"batch_size": self.options.batch_size, "max_retries": 0, "on_error": self.options.on_error}

    def get_udf_options(self) -> UDFOptions:
        return self.options.for_daft()

    def get_dimensions(self) -> EmbeddingDimensions:
        return EmbeddingDimensions(self.dimension, DataType.float32())

    def is_async(self) -> bool:
        return True


class _TextDescriptor(_Descriptor, TextEmbedderDescriptor):
    def instantiate(self) -> TextEmbedder:
        return _TextEmbedder(self.client.get(), self.options.on_error)


class _ImageDescriptor(_Descriptor, ImageEmbedderDescriptor):
    def instantiate(self) -> ImageEmbedder:
        return _ImageEmbedder(self.client.get(), self.options.on_error)


class _TextEmbedder:
    """Embeds texts; those of segments are read from the segment store."""

    def __init__(self, client: Client, on_error: OnError) -> None:
        self._client = client
        self._on_error: OnError = on_error

    async def embed_text(self, text: list[str]) -> list[Any]:
        """Return one vector per text, and None for null or a failure that is not raised."""
        return await _vectors(text, self._embed_all, self._client, self._on_error)

    def _embed_all(self, texts: Sequence[str]) -> list[Vector]:
        stored = self._client.find_vectors_by_text(texts)
        new = [text for text, vector in zip(texts, stored, strict=True) if vector is None]
        fresh = iter(self._client.embed_texts(new) if new else ())
        return [next(fresh).vector if vector is None else vector for vector in stored]


class _ImageEmbedder:
    """Embeds images."""

    def __init__(self, client: Client, on_error: OnError) -> None:
        self._client = client
        self._on_error: OnError = on_error

    async def embed_image(self, images: list[Any]) -> list[Any]:
        """Return one vector per image, and None for null or a failure that is not raised."""
        return await _vectors(images, self._embed_all, self._client, self._on_error)

    def _embed_all(self, images: Sequence[Any]) -> list[Vector]:
        return [one.vector for one in self._client.embed_images([_encoded(image) for image in images])]


async def _vectors(
    items: Sequence[T | None], embed_all: Callable[[Sequence[T]], list[Vector]], client: Client, on: OnError
) -> list[Vector | None]:
    """Embed what is not null: all at once where an error ends the query, else one by one."""

    def one(item: T) -> Vector | None:
        try:
            return embed_all([item])[0]
        except TwelveLabsError as error:
            if ends_the_run(error):
                raise
            if on == "log":
                # The position is that in this call, which has one row.
                logger.warning("a row was not embedded: %s", str(error).replace("texts[0]", "its text"))
            return None

    def each(given: Sequence[T]) -> list[Vector | None]:
        with ThreadPoolExecutor(client.settings.max_concurrency) as threads:
            return list(threads.map(one, given))

    vectors: list[Vector | None] = [None] * len(items)
    known = {position: item for position, item in enumerate(items) if item is not None}
    embed: Callable[[Sequence[T]], Sequence[Vector | None]] = embed_all if on == "raise" else each
    for position, vector in zip(known, await asyncio.to_thread(embed, list(known.values())), strict=True):
        vectors[position] = vector
    return vectors


def _encoded(image: Any) -> Any:
    """Return an image as something to send: the pixels of Daft's image columns as PNG, anything else as it is."""
    if not isinstance(image, np.ndarray):
        return image
    return Series.from_pylist([image], dtype=DataType.image()).image.encode("PNG").to_pylist()[0]
