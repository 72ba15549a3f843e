"""`TwelveLabsMomentRetriever`: moments of videos and audio files, from an index on any vector store."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from llama_index.core import VectorStoreIndex
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.callbacks import CallbackManager
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle, TextNode
from llama_index.core.vector_stores import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters

from llama_index_twelvelabs.contents import check_collection, place_of
from llama_index_twelvelabs.embeddings import TwelveLabsEmbedding
from llama_index_twelvelabs.queries import embed_query_media
from llama_index_twelvelabs.vector_stores import has_collection, is_a, one_of
from twelvelabs_core import ConfigurationError, Example, Hit, InputError, MediaInput, Moment, MomentOptions
from twelvelabs_core.integration import (
    AWAITING,
    BLOCKING,
    Conditions,
    Mode,
    SpaceCheck,
    check_count,
    check_query,
    client_of,
    conditions_of,
    finish,
    moment_metadata,
    moment_text,
    retrieve_moments,
)

OPERATORS = {"<": FilterOperator.LT, ">": FilterOperator.GT}
FETCH_K = 50
FILTERING = (
    *("SimpleVectorStore", "QdrantVectorStore", "ChromaVectorStore"),
    *("LanceDBVectorStore", "MilvusVectorStore", "PGVectorStore"),
)


class TwelveLabsMomentRetriever(BaseRetriever):
    """Retrieves moments: which part of which video answers a query, from where to where, and why.

    The vector store finds candidates; their scores and bounds come from the vectors in the segment store, so that every
    vector store gives the same moments. See `twelvelabs_core.MomentOptions` for the method.

    Each result is a node with a readable text (`match.mp4, 1:02.0-1:10.0, seen`) and the metadata `source`, `title`,
    `start_sec`, `end_sec`, `best_sec`, `score`, `scores` and `ranks` by embedding option, `why`, `url` (with
    `#t=start,end`), `moment_id`, `segment_ids`, and `exact`: False where the segment store does not have the vectors.

    Args:
        index: An index with the nodes of this package's readers on any vector store; other nodes may be in it as well,
            and are returned unchanged.
        embed_model: The embedding whose segment store has the vectors. Default: that of the index.
        similarity_top_k: Maximum number of results. Default 5.
        fetch_k: Nodes of one search in the vector store. Default 50. It is searched once, and where it can filter, once
            more for each of `visual`, `audio` and `transcription`, whose cosines may differ in level.
        options: How search results become moments.
        filters: Filters of your own, for each search in the vector store. Default: none.
        callback_manager: LlamaIndex's callback manager.

    Raises:
        ConfigurationError: The index has another embedding, and none was given.

    Example:
        ```python
        retriever = TwelveLabsMomentRetriever(index)
        for result in retriever.retrieve("goalkeeper dives to the left"):
            print(result.text, result.metadata["url"])
        ```
    """

    def __init__(
        self,
        index: VectorStoreIndex,
        *,
        embed_model: TwelveLabsEmbedding | None = None,
        similarity_top_k: int = 5,
        fetch_k: int = FETCH_K,
        options: MomentOptions | None = None,
        filters: MetadataFilters | None = None,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        if not isinstance(index, VectorStoreIndex):
            raise InputError(f"index must be a VectorStoreIndex, got {type(index).__name__}.")
        found = index._embed_model if embed_model is None else embed_model  # noqa: SLF001  # as LlamaIndex's retrievers
        if not isinstance(found, TwelveLabsEmbedding):
            raise ConfigurationError(f"embed_model must be a TwelveLabsEmbedding, got {type(found).__name__}.")
        self.index = index
        self.embed_model = found
        self.similarity_top_k = check_count("similarity_top_k", similarity_top_k)
        self.fetch_k = check_count("fetch_k", fetch_k)
        self.options = options or MomentOptions()
        self.filters = filters
        super().__init__(callback_manager=callback_manager)

    def search(
        self,
        text: str | None = None,
        *,
        image: MediaInput | None = None,
        audio: MediaInput | None = None,
        video: MediaInput | None = None,
        like: NodeWithScore | Moment | None = None,
        k: int | None = None,
        source: str | None = None,
        time_window: tuple[float, float] | None = None,
        embedding_option: str | None = None,
    ) -> list[NodeWithScore]:
        """Return moments by a text, an image, a text with an image, an audio or video clip, or another moment.

        Args:
            text: Words to search by; alone, or together with an image as one vector.
            image: Path, URL, bytes, binary file object or `asset:<id>`.
            audio: An audio clip, up to 10 minutes; 10 to 30 s are represented best.
            video: A video clip, up to 10 minutes; 10 to 30 s are represented best.
            like: A result of an earlier search: find moments like it. It is not among the results.
            k: Maximum number of results. Default: `similarity_top_k`.
            source: The `source` of a file, its title, or a title with folders as results show it. Default: any.
            time_window: First and last second; moments that overlap them. Default: any.
            embedding_option: Search only what is seen (`visual`), heard (`audio`) or said (`transcription`).

        Returns:
            At most `k` nodes, best first.

        Raises:
            InputError: No query, or an unsupported combination; nothing was sent.
            TwelveLabsError: The query could not be embedded.
        """
        query = {"text": text, "image": image, "audio": audio, "video": video, "like": like}
        conditions = {"source": source, "embedding_option": embedding_option, "time_window": time_window}
        return moment_nodes(finish(self.find_moments(BLOCKING, query, k, **conditions)))

    async def asearch(
        self,
        text: str | None = None,
        *,
        image: MediaInput | None = None,
        audio: MediaInput | None = None,
        video: MediaInput | None = None,
        like: NodeWithScore | Moment | None = None,
        k: int | None = None,
        source: str | None = None,
        time_window: tuple[float, float] | None = None,
        embedding_option: str | None = None,
    ) -> list[NodeWithScore]:
        """Return moments; the async variant of `search`."""
        query = {"text": text, "image": image, "audio": audio, "video": video, "like": like}
        conditions = {"source": source, "embedding_option": embedding_option, "time_window": time_window}
        return moment_nodes(await self.find_moments(AWAITING, query, k, **conditions))

    def moments(self, text: str, *, k: int | None = None, **conditions: Any) -> list[Moment]:
        """Return moments with their hits, `Moment.hits`, whose `item` is the vector store's `NodeWithScore`.

        Args:
            text: Words to search by.
            k: Maximum number of moments. Default: `similarity_top_k`.
            **conditions: `source`, `time_window` and `embedding_option` as for `search`.
        """
        return finish(self.find_moments(BLOCKING, {"text": text}, k, **conditions))

    async def amoments(self, text: str, *, k: int | None = None, **conditions: Any) -> list[Moment]:
        """Return moments with their hits; the async variant of `moments`."""
        return await self.find_moments(AWAITING, {"text": text}, k, **conditions)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return moment_nodes(finish(self.find_moments(BLOCKING, {"text": query_bundle})))

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return moment_nodes(await self.find_moments(AWAITING, {"text": query_bundle}))

    async def find_moments(
        self, mode: Mode, query: dict[str, Any], k: int | None = None, **conditions: Any
    ) -> list[Moment]:
        """Return moments; for this package's tools, others use `search` and `retrieve`."""
        given = check_query(query)
        client = await client_of(mode, self.embed_model)
        search = self.vector_search()
        stated = await conditions_of(mode, client, search, **conditions)
        like = given.get("like")
        if like is not None:
            like = Example.of(like)
            vector = await mode.run(client.moment_vector, like.segment_ids)
        else:
            vector = await query_vector(mode, self.embed_model, given)
        return await retrieve_moments(
            mode,
            client,
            search,
            vector,
            k=self.similarity_top_k if k is None else k,
            fetch_k=self.fetch_k,
            conditions=stated,
            options=self.options,
            like=like,
        )

    def vector_search(self) -> "IndexSearch":
        """Return the search in the vector store; for this package's tools."""
        return IndexSearch(self.index, self.embed_model.space, self.filters)


class IndexSearch:
    """An index as the vector search of `retrieve_moments`."""

    def __init__(self, index: VectorStoreIndex, space: str, filters: MetadataFilters | None = None) -> None:
        self._index = index
        self._space = space
        self._filters = filters

    async def search(
        self, mode: Mode, vector: list[float], count: int, conditions: Conditions | None
    ) -> list[Hit] | None:
        """Return the nearest nodes as hits; None where the filters of the vector store are not known to work."""
        if conditions is not None and not is_a(self._index.vector_store, *FILTERING):
            return None
        store = self._index.vector_store
        is_empty = is_a(store, "LanceDBVectorStore") and getattr(store, "_table", None) is None  # `table` would raise
        if is_empty or not await has_collection(mode, store):
            return []
        filters = self._filters if conditions is None else self._combined(conditions)
        retriever = self._index.as_retriever(similarity_top_k=count, filters=filters)
        try:
            # Not `retrieve`, whose events hold the vector and the nodes: a trace of a tool must have neither.
            found = await mode.call(retriever, "_get_nodes_with_embeddings", QueryBundle("", embedding=vector))
        except Warning:  # LanceDB raises one where it finds nothing
            return []
        except Exception:
            # Vectors of another length than the query's: the store's own error names no space.
            await check_collection(mode, place_of(self._index), SpaceCheck(self._space))
            raise
        return [hit_of(result) for result in found]

    def _combined(self, conditions: Conditions) -> MetadataFilters:
        own: list[Any] = []
        for clause in conditions.clauses:
            key, value = clause[0].key, clause[0].value
            if isinstance(value, str):
                own.append(one_of(self._index.vector_store, key, [str(one.value) for one in clause]))
            else:
                own.append(MetadataFilter(key=key, value=value, operator=OPERATORS[clause[0].operator]))
        if self._filters is None:
            return MetadataFilters(filters=own)
        if self._filters.condition == FilterCondition.AND:
            return MetadataFilters(filters=[*self._filters.filters, *own])
        return MetadataFilters(filters=[self._filters, *own])


async def query_vector(mode: Mode, embed_model: TwelveLabsEmbedding, given: dict[str, Any]) -> Any:
    """Return the vector of a query, float32; that of a `QueryBundle` if it has one."""
    bundle = given.get("text")
    if isinstance(bundle, QueryBundle):
        if bundle.embedding is not None:
            return np.asarray(bundle.embedding, np.float32)
        given = {**given, "text": bundle.query_str}
    if given.keys() == {"text"}:  # without the events of a call, whose trace would show the vector
        return np.asarray(await mode.call(embed_model, "_get_query_embedding", given["text"]), np.float32)
    return np.asarray(await embed_query_media(mode, embed_model, given, {}), np.float32)


def hit_of(result: NodeWithScore) -> Hit:
    """Return the hit of a node."""
    return Hit.of(result.node.metadata, text=result.node.get_content(MetadataMode.NONE), item=result)


def moment_nodes(moments: Iterable[Moment]) -> list[NodeWithScore]:
    """Return the nodes of moments; results that are none as they are, with `exact` in their metadata."""
    return [_node(moment) for moment in moments]


def _node(moment: Moment) -> NodeWithScore:
    if moment.scope != "clip":
        original: NodeWithScore = moment.hits[0].item
        node = original.node.model_copy(update={"metadata": {"exact": False, **original.node.metadata}})
        return NodeWithScore(node=node, score=original.score)
    metadata = moment_metadata(moment)
    node = TextNode(
        id_=moment.moment_id,
        text=moment_text(moment),
        metadata=metadata,
        # Its text says all that a language model needs.
        excluded_llm_metadata_keys=list(metadata),
        excluded_embed_metadata_keys=list(metadata),
    )
    return NodeWithScore(node=node, score=moment.score)
