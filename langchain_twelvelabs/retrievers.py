"""`TwelveLabsMomentRetriever`: moments of videos and audio files, from any vector store."""

from typing import Any

import numpy as np
from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.vectorstores import VectorStore
from pydantic import ConfigDict, Field, field_validator
from pydantic.json_schema import SkipJsonSchema

from langchain_twelvelabs.embeddings import TwelveLabsEmbeddings
from langchain_twelvelabs.filters import filter_arguments
from langchain_twelvelabs.vectorstores import class_names, embeddings_of, innermost_store, some_segments
from twelvelabs_core import ConfigurationError, Example, Hit, MediaInput, Moment, MomentOptions
from twelvelabs_core.integration import (
    AWAITING,
    BLOCKING,
    Conditions,
    Mode,
    SpaceCheck,
    check_query,
    client_of,
    conditions_of,
    finish,
    moment_metadata,
    moment_text,
    retrieve_moments,
)


class TwelveLabsMomentRetriever(BaseRetriever):
    """Retrieves moments: which part of which video answers a query, from where to where, and why.

    The vector store finds candidates; their scores and bounds come from the vectors in the segment store, so that every
    vector store gives the same moments. See `twelvelabs_core.MomentOptions` for the method.

    Attributes:
        vectorstore: Any vector store with the documents of this package's loaders; others may be in it as well, and
            are returned unchanged.
        embeddings: The embeddings whose segment store has the vectors. Default: those of the vector store.
        k: Maximum number of results. Default 5.
        fetch_k: Documents of one search in the vector store. Default 50. It is searched once, and where it can filter,
            once more for each of `visual`, `audio` and `transcription`, whose cosines may differ in level.
        options: How search results become moments.
        search_kwargs: Further arguments of each search in the vector store, such as a filter of your own; then the
            conditions of a search are applied to its results instead of by the store. Default: none.

    Each result is a document with a readable text (`match.mp4, 1:02.0-1:10.0, seen`) and the metadata `source`,
    `title`, `start_sec`, `end_sec`, `best_sec`, `score`, `scores` and `ranks` by embedding option, `why`, `url` (with
    `#t=start,end`), `moment_id`, `segment_ids`, and `exact`: False where the segment store does not have the vectors.

    Raises:
        ConfigurationError: The vector store has other embeddings, or none and none were given.

    Example:
        ```python
        retriever = TwelveLabsMomentRetriever(vectorstore=store)
        for document in retriever.invoke("goalkeeper dives to the left"):
            print(document.page_content, document.metadata["url"])
        ```
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    vectorstore: SkipJsonSchema[VectorStore]
    embeddings: TwelveLabsEmbeddings | None = None
    k: int = Field(default=5, ge=1)
    fetch_k: int = Field(default=50, ge=1, le=10_000)
    options: MomentOptions = MomentOptions()
    search_kwargs: dict[str, Any] = Field(default_factory=dict)

    def search(
        self,
        text: str | None = None,
        *,
        image: MediaInput | None = None,
        audio: MediaInput | None = None,
        video: MediaInput | None = None,
        like: Document | Moment | None = None,
        k: int | None = None,
        source: str | None = None,
        time_window: tuple[float, float] | None = None,
        embedding_option: str | None = None,
    ) -> list[Document]:
        """Return moments by a text, an image, a text with an image, an audio or video clip, or another moment.

        Args:
            text: Words to search by; alone, or together with an image as one vector.
            image: Path, URL, bytes, binary file object or `asset:<id>`.
            audio: An audio clip, up to 10 minutes; 10 to 30 s are represented best.
            video: A video clip, up to 10 minutes; 10 to 30 s are represented best.
            like: A result of an earlier search: find moments like it. It is not among the results.
            k: Maximum number of results. Default: that of the retriever.
            source: The `source` of a file, its title, or a title with folders as results show it. Default: any.
            time_window: First and last second; moments that overlap them. Default: any.
            embedding_option: Search only what is seen (`visual`), heard (`audio`) or said (`transcription`).

        Returns:
            At most `k` documents, best first.

        Raises:
            InputError: No query, or an unsupported combination; nothing was sent.
            TwelveLabsError: The query could not be embedded.
        """
        query = {"text": text, "image": image, "audio": audio, "video": video, "like": like}
        conditions = {"source": source, "embedding_option": embedding_option, "time_window": time_window}
        return [_document(moment) for moment in finish(self.find_moments(BLOCKING, query, k, **conditions))]

    async def asearch(
        self,
        text: str | None = None,
        *,
        image: MediaInput | None = None,
        audio: MediaInput | None = None,
        video: MediaInput | None = None,
        like: Document | Moment | None = None,
        k: int | None = None,
        source: str | None = None,
        time_window: tuple[float, float] | None = None,
        embedding_option: str | None = None,
    ) -> list[Document]:
        """Return moments; the async variant of `search`."""
        query = {"text": text, "image": image, "audio": audio, "video": video, "like": like}
        conditions = {"source": source, "embedding_option": embedding_option, "time_window": time_window}
        return [_document(moment) for moment in await self.find_moments(AWAITING, query, k, **conditions)]

    def moments(self, text: str, *, k: int | None = None, **conditions: Any) -> list[Moment]:
        """Return moments with their hits, `Moment.hits`, whose `item` is the vector store's document.

        Args:
            text: Words to search by.
            k: Maximum number of moments. Default: that of the retriever.
            **conditions: `source`, `time_window` and `embedding_option` as for `search`.
        """
        return finish(self.find_moments(BLOCKING, {"text": text}, k, **conditions))

    async def amoments(self, text: str, *, k: int | None = None, **conditions: Any) -> list[Moment]:
        """Return moments with their hits; the async variant of `moments`."""
        return await self.find_moments(AWAITING, {"text": text}, k, **conditions)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002  # the interface's
        k: int | None = None,
        source: str | None = None,
        time_window: tuple[float, float] | None = None,
        embedding_option: str | None = None,
    ) -> list[Document]:
        return self.search(query, k=k, source=source, time_window=time_window, embedding_option=embedding_option)

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002  # the interface's
        k: int | None = None,
        source: str | None = None,
        time_window: tuple[float, float] | None = None,
        embedding_option: str | None = None,
    ) -> list[Document]:
        return await self.asearch(query, k=k, source=source, time_window=time_window, embedding_option=embedding_option)

    async def find_moments(
        self, mode: Mode, query: dict[str, Any], k: int | None = None, **conditions: Any
    ) -> list[Moment]:
        """Return moments; for this package's tools, others use `search` and `moments`."""
        given = check_query(query)
        embeddings = self.used_embeddings()
        client = await client_of(mode, embeddings)
        search = self.vector_search()
        stated = await conditions_of(mode, client, search, **conditions)
        like = Example.of(given["like"]) if "like" in given else None
        return await retrieve_moments(
            mode,
            client,
            search,
            await _vector(mode, client, embeddings, given, like),
            k=self.k if k is None else k,
            fetch_k=self.fetch_k,
            conditions=stated,
            options=self.options,
            like=like,
        )

    def used_embeddings(self) -> TwelveLabsEmbeddings:
        """Return the embeddings of the retriever or of its vector store; for this package's tools."""
        embeddings = self.embeddings or embeddings_of(self.vectorstore)
        if embeddings is None:
            raise ConfigurationError(
                f"{type(self.vectorstore).__name__} has no embeddings; pass embeddings=TwelveLabsEmbeddings()."
            )
        return embeddings

    def vector_search(self) -> "_Search":
        """Return the search in the vector store; for this package's tools."""
        return _Search(self.vectorstore, self.search_kwargs, self.used_embeddings().space)

    @field_validator("search_kwargs")
    @classmethod
    def _check_search_kwargs(cls, value: dict[str, Any]) -> dict[str, Any]:
        if "k" in value:
            raise ValueError("k of the retriever is the number of moments; fetch_k that of a search")
        return value


class _Search:
    """A LangChain vector store as a `VectorSearch`."""

    def __init__(self, store: VectorStore, search_kwargs: dict[str, Any], space: str) -> None:
        self._store = store
        self._space = space
        self._search_kwargs = search_kwargs
        # LanceDB's default distance is Euclidean.
        self._defaults = {"metrics": "cosine"} if "LanceDB" in class_names(innermost_store(store)) else {}

    async def search(
        self, mode: Mode, vector: list[float], count: int, conditions: Conditions | None
    ) -> list[Hit] | None:
        has_own = {"filter", "expr"} & self._search_kwargs.keys()
        condition = {} if conditions is None else None if has_own else filter_arguments(self._store, conditions)
        if condition is None:
            return None
        if self._is_empty_table():
            return []
        options = {**self._defaults, **condition, **self._search_kwargs}
        try:
            found = await mode.call(self._store, "similarity_search_by_vector", vector, k=count, **options)
        except NotImplementedError:
            raise ConfigurationError(
                f"{type(self._store).__name__} has no search by vector, with which moments are retrieved."
            ) from None
        except Exception:
            # Vectors of another length than the query's: the store's own error names no space.
            check = SpaceCheck(self._space)
            check(await some_segments(mode, self._store, check.dimension))
            raise
        return [Hit.of(document.metadata, text=document.page_content, item=document) for document in found]

    def _is_empty_table(self) -> bool:
        store: Any = innermost_store(self._store)
        return bool(self._defaults) and store.get_table() is None  # LanceDB creates it with the first document


async def _vector(
    mode: Mode, client: Any, embeddings: TwelveLabsEmbeddings, given: dict[str, Any], like: Example | None
) -> Any:
    """Return the vector of a query, float32."""
    if like is not None:
        return await mode.run(client.moment_vector, like.segment_ids)
    if len(given) > 1:
        vector = await mode.call(embeddings, "embed_text_image", given["text"], given["image"])
    elif "image" in given:
        (vector,) = await mode.call(embeddings, "embed_images", [given["image"]])
    else:
        ((name, value),) = given.items()
        vector = await mode.call(embeddings, "embed_query" if name == "text" else f"embed_{name}", value)
    return np.asarray(vector, np.float32)


def _document(moment: Moment) -> Document:
    """Return the document of a moment; a result that is none as it is, with `exact`."""
    if moment.scope == "clip":
        return Document(moment_text(moment), id=moment.moment_id, metadata=moment_metadata(moment))
    (hit,) = moment.hits
    original: Document = hit.item
    return original.model_copy(update={"metadata": {"exact": False, **original.metadata}})
