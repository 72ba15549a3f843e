"""`TwelveLabsEmbedding`: Marengo vectors of text, images, audio and video as a LlamaIndex `MultiModalEmbedding`."""

import logging
import os
import pickle
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from llama_index.core.base.embeddings.base import Embedding
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import BaseNode, MetadataMode
from llama_index.core.storage.kvstore.types import BaseKVStore
from pydantic import Field, SecretStr, SerializationInfo, SerializerFunctionWrapHandler, model_serializer

from llama_index_twelvelabs._media_embeddings import MediaEmbedding
from llama_index_twelvelabs._observed import embed_batches, embed_one
from llama_index_twelvelabs.nodes import check_no_video, check_spaces, has_vector, is_segment
from twelvelabs_core import ConfigurationError, SegmentStore
from twelvelabs_core.integration import AWAITING, BLOCKING, Mode, client_of, finish, many

logger = logging.getLogger("llama_index_twelvelabs")

DEFAULT_MODEL = "marengo3.0"
EMBED_BATCH_SIZE = 100
# Fields of one process; pickled if possible.
_PROCESS_FIELDS = ("callback_manager", "rate_limiter", "embeddings_cache")


class TwelveLabsEmbedding(MediaEmbedding):
    """Embeddings of text, images, audio and video in one vector space, by TwelveLabs' Marengo models.

    Every text is one request, at most `max_concurrency` at once; async methods never block the event loop. As a
    transformation it embeds text nodes and leaves the nodes of segments unchanged, since they have vectors; a segment
    that a store returned without its vector gets the stored one, without a request.

    Setup:
        Install `twelvelabs-rag[llama-index]` and set the environment variable `TWELVELABS_API_KEY`.

    Args:
        model: Name of the model. Default `marengo3.0`: vectors of 512 floats, which are not guaranteed to have length
            1, so set cosine as the distance of the vector store. The model reads about 500 tokens of a text (API
            reference); LlamaIndex's default chunks have 1024: use `SentenceSplitter(chunk_size=400)`.
        embedding_dimension: Values in a vector: 512 (default), with marengo3.5 also 256 or 128. Each length is a
            separate space; never mix two in one vector store.
        auto_truncate: Whether the API truncates texts that are too long for the model (marengo3.5). Default False: an
            error.
        api_key: The key. Default: `TWELVELABS_API_KEY`, else `TWELVE_LABS_API_KEY`. Pickled only if passed.
        base_url: Root of the API. Default: `TWELVELABS_BASE_URL`, else the live service.
        max_concurrency: Maximum number of simultaneous requests of one call. Default 8.
        max_retries: Maximum number of retries of a request. Default 4.
        timeout: Maximum time without data from the server within one request, in seconds. Default 60.
        requests_per_minute: Maximum number of requests in any minute over all clients of this process with this key and
            host; polling requests (GETs) do not count. Default: only the API's own limit.
        max_concurrent_requests: Maximum number of simultaneous requests over all clients of this process with this key
            and host, and with a segment store on PostgreSQL over all processes that use it; after 30 s a request no
            longer counts. Default: no limit until the API returns HTTP 429.
        segment_store: Where the vectors of segments are kept: a `SegmentStore`, a path, a SQLAlchemy URL, or
            ":memory:". Default: `TWELVELABS_STORE`, else one file in the user's data folder.
        embed_batch_size: Number of texts per event, callback and step of the progress bar, 1 to 2048. Default 100.
        callback_manager: LlamaIndex's callback manager.
        embeddings_cache: A LlamaIndex key-value store for the vectors of texts; each vector space has a separate
            collection in it.
        rate_limiter: A LlamaIndex rate limiter; acquired once per text, image, clip and embedding task.
        num_workers: LlamaIndex's name for `max_concurrency`.
        model_name: LlamaIndex's name for `model`.

    Raises:
        ConfigurationError: No API key was found, or a value is invalid.
        InputError: The model is unknown or does not support an option; the message names one that does.

    Example:
        ```python
        embed_model = TwelveLabsEmbedding()
        vector = embed_model.get_query_embedding("goalkeeper dives to the left")  # 512 floats
        vector = embed_model.get_image_embedding("frame.jpg")
        vector = await embed_model.aget_video_embedding("ten_seconds.mp4")
        ```
    """

    model_name: str = Field(default=DEFAULT_MODEL, frozen=True)
    embed_batch_size: int = Field(default=EMBED_BATCH_SIZE, gt=0, le=2048)
    # Neither field changes a vector, so neither is part of the identity of the transformation in a pipeline.
    num_workers: int | None = Field(default=None, exclude=True)
    embeddings_cache: Any = Field(default=None, exclude=True)

    # The parameters are listed because the base class ignores unknown arguments.
    def __init__(
        self,
        *,
        model: str | None = None,
        embedding_dimension: int | None = None,
        auto_truncate: bool = False,
        api_key: SecretStr | str | None = None,
        base_url: str | None = None,
        max_concurrency: int | None = None,
        max_retries: int | None = None,
        timeout: float | None = None,
        requests_per_minute: float | None = None,
        max_concurrent_requests: int | None = None,
        segment_store: SegmentStore | str | os.PathLike[str] | None = None,
        embed_batch_size: int = EMBED_BATCH_SIZE,
        callback_manager: CallbackManager | None = None,
        embeddings_cache: Any = None,
        rate_limiter: Any = None,
        num_workers: int | None = None,
        model_name: str | None = None,
    ) -> None:
        super().__init__(
            model_name=one_of("model", model, "model_name", model_name),
            embedding_dimension=embedding_dimension,
            auto_truncate=auto_truncate,
            api_key=api_key,  # type: ignore[arg-type]  # validated by pydantic, as the two below
            base_url=base_url,
            max_concurrency=one_of("max_concurrency", max_concurrency, "num_workers", num_workers),
            max_retries=max_retries,
            timeout=timeout,
            requests_per_minute=requests_per_minute,
            max_concurrent_requests=max_concurrent_requests,
            segment_store=segment_store,  # type: ignore[arg-type]
            embed_batch_size=embed_batch_size,
            callback_manager=callback_manager,  # type: ignore[arg-type]
            embeddings_cache=embeddings_cache,
            rate_limiter=rate_limiter,
            num_workers=num_workers,
        )

    @classmethod
    def class_name(cls) -> str:
        """Return the name that LlamaIndex serializes."""
        return "TwelveLabsEmbedding"

    @property
    def model(self) -> str:
        """The name of the model; the same as `model_name`."""
        return self.model_name

    def to_payload(self) -> dict[str, Any]:
        """Return the description of this model in events."""
        return {
            "class_name": self.class_name(),
            "model_name": self.model_name,
            "embed_batch_size": self.embed_batch_size,
        }

    @model_serializer(mode="wrap")
    def custom_model_dump(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:  # noqa: ARG002  # the base class's signature
        """Return the fields that change a vector, and the space: a pipeline's cache must not mix two spaces."""
        return {**handler(self), "class_name": self.class_name(), "space": self.space}

    @classmethod
    def from_dict(cls, data: dict[str, Any], **kwargs: Any) -> Self:
        """Return an embedding from the result of `to_dict`; the key comes from the environment, or from `api_key=`."""
        fields = {name: value for name, value in {**data, **kwargs}.items() if name not in ("class_name", "space")}
        return cls(**fields)

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        fields = state["__dict__"]
        for name in _PROCESS_FIELDS:
            if not _can_be_pickled(fields[name]):
                logger.warning("%s is not sent to the other process: it cannot be pickled", name)
                fields[name] = CallbackManager([]) if name == "callback_manager" else None
        return state

    def get_query_embedding(self, query: str) -> Embedding:
        """Embed one text; the text of a segment's node returns its stored vector ("more like this").

        Args:
            query: At least one character that is not white space. Part of a segment's text is embedded like any other.

        Returns:
            512 floats.

        Raises:
            InputError: The text is empty; nothing was sent.
            SegmentNotFoundError: The vector of a segment is not in the segment store; nothing was sent.
        """
        return finish(embed_one(BLOCKING, self, "_get_query_embedding", query))

    async def aget_query_embedding(self, query: str) -> Embedding:
        """Embed one text; the async variant of `get_query_embedding`."""
        return await embed_one(AWAITING, self, "_get_query_embedding", query)

    def get_text_embedding(self, text: str) -> Embedding:
        """Embed one text; as `get_query_embedding`, but a text that is provably a part of a segment's is refused."""
        return finish(embed_one(BLOCKING, self, "_get_text_embedding", text))

    async def aget_text_embedding(self, text: str) -> Embedding:
        """Embed one text; the async variant of `get_text_embedding`."""
        return await embed_one(AWAITING, self, "_get_text_embedding", text)

    def get_text_embedding_batch(
        self,
        texts: Sequence[str],
        show_progress: bool = False,  # noqa: FBT001, FBT002  # the base class's signature
        **_: Any,
    ) -> list[Embedding]:
        """Embed texts, one request each, at most `max_concurrency` at once.

        Args:
            texts: Any number of texts, as for `get_query_embedding`; equal ones are sent once per batch.
            show_progress: Whether to show a progress bar.

        Returns:
            512 floats per text, in the order of `texts`.

        Raises:
            InputError: One of them cannot be embedded; nothing was sent.
            SegmentNotFoundError: As for `get_query_embedding`.
        """
        texts = many(texts, "texts")
        return finish(self._embed_batches(BLOCKING, texts, show_progress=show_progress))

    async def aget_text_embedding_batch(
        self,
        texts: Sequence[str],
        show_progress: bool = False,  # noqa: FBT001, FBT002  # the base class's signature
        **_: Any,
    ) -> list[Embedding]:
        """Embed texts; the async variant of `get_text_embedding_batch`."""
        texts = many(texts, "texts")
        return await self._embed_batches(AWAITING, texts, show_progress=show_progress)

    def __call__(self, nodes: Sequence[BaseNode], **kwargs: Any) -> Sequence[BaseNode]:
        """Embed nodes in place, except segments that have their vectors.

        Raises:
            InputError: A segment has a vector of another space, or is a part of a segment's node.
        """
        todo = self._without_vector(nodes)
        vectors = self.get_text_embedding_batch(list(todo.values()), **kwargs)
        return with_vectors(nodes, todo, vectors)

    async def acall(self, nodes: Sequence[BaseNode], **kwargs: Any) -> Sequence[BaseNode]:
        """Embed nodes in place; the async variant of `__call__`."""
        todo = await AWAITING.blocking(lambda: self._without_vector(nodes))
        vectors = await self.aget_text_embedding_batch(list(todo.values()), **kwargs)
        return with_vectors(nodes, todo, vectors)

    def _without_vector(self, nodes: Sequence[BaseNode]) -> dict[int, str]:
        """Return the texts to embed of the nodes without a vector, by their index."""
        check_spaces(nodes, self.space)
        return {index: to_embed(node) for index, node in enumerate(nodes) if not has_vector(node)}

    def _get_query_embedding(self, query: str) -> Embedding:
        return finish(self._embed(BLOCKING, [query], as_query=True))[0]

    async def _aget_query_embedding(self, query: str) -> Embedding:
        return (await self._embed(AWAITING, [query], as_query=True))[0]

    def _get_text_embedding(self, text: str) -> Embedding:
        return finish(self._embed(BLOCKING, [text]))[0]

    async def _aget_text_embedding(self, text: str) -> Embedding:
        return (await self._embed(AWAITING, [text]))[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return finish(self._embed(BLOCKING, texts))

    async def _aget_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return await self._embed(AWAITING, texts)

    async def _embed_batches(self, mode: Mode, texts: Sequence[str], *, show_progress: bool) -> list[Embedding]:
        """Embed texts in batches; refuse what cannot be embedded of several batches before the first is sent."""
        stored = None
        if len(texts) > self.embed_batch_size:
            stored = await mode.run((await client_of(mode, self)).find_vectors_by_text, texts)
            await mode.blocking(lambda: check_no_video(texts))
        return await embed_batches(mode, self, texts, stored=stored, show_progress=show_progress)

    async def _embed(self, mode: Mode, texts: Sequence[str], *, as_query: bool = False) -> list[Embedding]:
        if not as_query:
            check_no_video(texts)
        cache = None if self.embeddings_cache is None else _KeyValueCache(mode, self.embeddings_cache, self.space)
        return await self._embed_texts(mode, texts, cache, as_query=as_query)


class _KeyValueCache:
    """The vectors of texts in a LlamaIndex key-value store, each vector space in a separate collection.

    LlamaIndex keeps the vectors of all models in one collection with the text as key, so that two models would share
    entries.
    """

    def __init__(self, mode: Mode, store: BaseKVStore, space: str) -> None:
        self._mode = mode
        self._store = store
        self._collection = "embeddings_" + space.replace("/", "_")

    async def find(self, texts: Mapping[int, str]) -> dict[int, Embedding]:
        found = {}
        for position, text in texts.items():
            entry = await self._mode.call(self._store, "get", key=text, collection=self._collection)
            if entry:
                found[position] = next(iter(entry.values()))
        return found

    async def keep(self, texts: Mapping[int, str], vectors: Mapping[int, Embedding]) -> None:
        for position, text in texts.items():
            entry = {str(uuid.uuid4()): vectors[position]}  # LlamaIndex's own format
            await self._mode.call(self._store, "put", key=text, val=entry, collection=self._collection)


def to_embed(node: BaseNode) -> str:
    """Return the text of a node that is embedded; by its id the vector of a segment is found again."""
    if is_segment(node) and "segment_id" in node.excluded_embed_metadata_keys:
        return f"segment_id: {node.metadata['segment_id']}\n\n{node.get_content(MetadataMode.NONE)}"
    return node.get_content(metadata_mode=MetadataMode.EMBED)


def with_vectors(nodes: Sequence[BaseNode], todo: Iterable[int], vectors: list[Embedding]) -> Sequence[BaseNode]:
    """Set the vectors of the nodes with these indexes, and return all nodes."""
    for index, vector in zip(todo, vectors, strict=True):
        nodes[index].embedding = vector
    return nodes


def one_of(name: str, value: Any, other_name: str, other: Any) -> Any:
    """Return the value that was passed under one of two names.

    Raises:
        ConfigurationError: Both were passed and differ.
    """
    if value is not None and other is not None and value != other:
        raise ConfigurationError(
            f"{name} and {other_name} are the same parameter, got {value!r} and {other!r}: pass only one."
        )
    return other if value is None else value


def _can_be_pickled(value: Any) -> bool:
    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001  # objects of other packages may raise any error
        return False
    return True
