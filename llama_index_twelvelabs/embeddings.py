"""`TwelveLabsEmbedding`: Marengo vectors of text, images, audio and video as a LlamaIndex `MultiModalEmbedding`."""

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.embeddings.base import Embedding
from llama_index.core.schema import BaseNode, MetadataMode

from llama_index_twelvelabs._clips import ClipEmbedding
from llama_index_twelvelabs._images import ImageEmbedding
from llama_index_twelvelabs._modes import AWAITING, BLOCKING, Mode, finish
from llama_index_twelvelabs._nodes import holds_vector, node_reference, query_reference
from llama_index_twelvelabs._observing import embed_batches, embed_one
from llama_index_twelvelabs._text_cache import TextCache
from twelvelabs_core.results.references import TextPlan


class TwelveLabsEmbedding(ImageEmbedding, ClipEmbedding):
    """Embeddings of text, images, audio and video in one vector space, by TwelveLabs' Marengo models.

    Every text is one request, at most `max_concurrency` at once; async methods never block the loop. As a
    transformation it embeds text nodes and leaves alone the segments of videos, whose vectors are on them; a segment
    that a store gave back without its vector gets the stored one again, and nothing is sent.

    Setup:
        Install `twelvelabs-rag[llama-index]` and set the environment variable `TWELVELABS_API_KEY`.

    Args:
        model: Name of the model. Default `marengo3.0`: vectors of 512 floats, whose length is not promised to be 1,
            so set cosine as the distance of the vector store. The model reads about 500 tokens of a text (API
            reference); LlamaIndex's default chunks have 1024: use `SentenceSplitter(chunk_size=400)`.
        embedding_dimension: Floats in a vector: 512 (default), with marengo3.5 also 256 or 128. Each length is a space
            of its own; never mix two in one vector store.
        auto_truncate: Whether the API cuts texts that are too long for the model, in place of an error. marengo3.5.
        api_key: The key. Default: `TWELVELABS_API_KEY`, else `TWELVE_LABS_API_KEY`. Pickled only if passed.
        base_url: Root of the API. Default: `TWELVELABS_BASE_URL`, else the live service.
        max_concurrency: Most requests at once in one call. Default 8.
        max_retries: How often a request is repeated. Default 4.
        timeout: Longest silence of the server within one request, in seconds. Default 60.
        requests_per_minute: Most requests in any minute over all objects of this process with this key and host,
            looks (GETs) not counted. Default: as the API lets them through.
        max_concurrent_requests: Most requests under way at once over all objects of this process with this key and
            host; one that takes longer than 30 s is not counted any more. Default: fewer only after the API has
            refused some.
        segment_store: Where the vectors of videos are kept: a `SegmentStore`, a path, a SQLAlchemy URL, or
            ":memory:". Default: `TWELVELABS_STORE`, else one file in the user's data folder.
        embed_batch_size: How many texts observers and progress bars are told of at a time, 1 to 2048. Default 100.
        callback_manager: LlamaIndex's.
        embeddings_cache: A LlamaIndex key-value store for the vectors of texts; each model and length of vectors has
            its own part of it.
        rate_limiter: A LlamaIndex rate limiter; asked once per text, image, clip and embedding task.
        num_workers: Another name of `max_concurrency`, LlamaIndex's.
        model_name: Another name of `model`, LlamaIndex's.

    Raises:
        ConfigurationError: No key anywhere, or a value that cannot be.
        InputError: An unknown model, or what it does not take; the message names the model that does.

    Example:
        ```python
        embed_model = TwelveLabsEmbedding()
        vector = embed_model.get_query_embedding("goalkeeper dives to the left")  # 512 floats
        vector = embed_model.get_image_embedding("frame.jpg")
        vector = await embed_model.aget_video_embedding("ten_seconds.mp4")
        ```
    """

    def get_query_embedding(self, query: str) -> Embedding:
        """Embed one text; that of a segment's node gives its stored vector ("more like this moment").

        Args:
            query: At least one character that is not white space. A part of a segment's text is a text like any other.

        Returns:
            512 floats.

        Raises:
            InputError: The text is empty; nothing was sent.
            SegmentNotFoundError: The vector of a segment is not in the segment store; nothing was sent.
        """
        return finish(embed_one(BLOCKING, self, "_get_query_embedding", query))

    async def aget_query_embedding(self, query: str) -> Embedding:
        """Embed one text; the async twin of `get_query_embedding`."""
        return await embed_one(AWAITING, self, "_get_query_embedding", query)

    def get_text_embedding(self, text: str) -> Embedding:
        """Embed one text; as `get_query_embedding`, but the text of a segment without its id is refused."""
        return finish(embed_one(BLOCKING, self, "_get_text_embedding", text))

    async def aget_text_embedding(self, text: str) -> Embedding:
        """Embed one text; the async twin of `get_text_embedding`."""
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
            512 floats per text, in their order.

        Raises:
            InputError: One of them cannot be embedded; nothing was sent.
            SegmentNotFoundError: As for `get_query_embedding`.
        """
        self._plan(texts)
        return finish(embed_batches(BLOCKING, self, "_get_text_embeddings", texts, show_progress=show_progress))

    async def aget_text_embedding_batch(
        self,
        texts: Sequence[str],
        show_progress: bool = False,  # noqa: FBT001, FBT002  # the base class's signature
        **_: Any,
    ) -> list[Embedding]:
        """Embed texts; the async twin of `get_text_embedding_batch`."""
        self._plan(texts)
        return await embed_batches(AWAITING, self, "_get_text_embeddings", texts, show_progress=show_progress)

    def __call__(self, nodes: Sequence[BaseNode], **kwargs: Any) -> Sequence[BaseNode]:
        """Embed nodes in place, but for segments, which keep their vectors.

        Raises:
            InputError: A segment holds a vector of another model or length.
        """
        todo = [node for node in nodes if not holds_vector(node, self.model_name, self.client.embedding_dimension)]
        vectors = self.get_text_embedding_batch([to_embed(node) for node in todo], **kwargs)
        return with_vectors(nodes, todo, vectors)

    async def acall(self, nodes: Sequence[BaseNode], **kwargs: Any) -> Sequence[BaseNode]:
        """Embed nodes in place; the async twin of `__call__`."""
        todo = [node for node in nodes if not holds_vector(node, self.model_name, self.client.embedding_dimension)]
        vectors = await self.aget_text_embedding_batch([to_embed(node) for node in todo], **kwargs)
        return with_vectors(nodes, todo, vectors)

    def _get_query_embedding(self, query: str) -> Embedding:
        return finish(self._embed(BLOCKING, TextPlan.of([query], query_reference)))[0]

    async def _aget_query_embedding(self, query: str) -> Embedding:
        return (await self._embed(AWAITING, TextPlan.of([query], query_reference)))[0]

    def _get_text_embedding(self, text: str) -> Embedding:
        return finish(self._embed(BLOCKING, self._plan([text])))[0]

    async def _aget_text_embedding(self, text: str) -> Embedding:
        return (await self._embed(AWAITING, self._plan([text])))[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return finish(self._embed(BLOCKING, self._plan(texts)))

    async def _aget_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return await self._embed(AWAITING, self._plan(texts))

    def _plan(self, texts: Sequence[str]) -> TextPlan:
        return TextPlan.of(texts, node_reference)

    async def _embed(self, mode: Mode, plan: TextPlan) -> list[Embedding]:
        """Return one vector per text: of segments the stored one, of other texts the cached or a new one."""
        client = self.async_client if mode.is_async else self.client
        vectors: dict[int, Embedding] = {}
        if plan.references:
            stored = await mode.ask(client.find_vectors, list(plan.references.values()))
            vectors = {place: vector.tolist() for place, vector in zip(plan.references, stored, strict=True)}
        cache = TextCache(mode, self.embeddings_cache, self.space)
        vectors |= await cache.find(plan.plain)
        new = {place: text for place, text in plan.plain.items() if place not in vectors}
        if new:
            embedded = await mode.ask(client.embed_texts, new.values(), auto_truncate=self.auto_truncate)
            fresh = {place: found.vector.tolist() for place, found in zip(new, embedded, strict=True)}
            await cache.keep(new, fresh)
            vectors |= fresh
        return [vectors[place] for place in range(len(vectors))]


def to_embed(node: BaseNode) -> str:
    """Return what of a node is embedded."""
    return node.get_content(metadata_mode=MetadataMode.EMBED)


def with_vectors(nodes: Sequence[BaseNode], todo: Sequence[BaseNode], vectors: list[Embedding]) -> Sequence[BaseNode]:
    """Return all nodes, the new vectors on theirs."""
    for node, vector in zip(todo, vectors, strict=True):
        node.embedding = vector
    return nodes
