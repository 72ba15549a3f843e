"""`TwelveLabsMomentRetriever`: moments of videos and audio files, from any vector store."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.vectorstores import VectorStore
from pydantic import ConfigDict, Field

from langchain_twelvelabs.embeddings import TwelveLabsEmbeddings
from langchain_twelvelabs.filters import filter_arguments
from langchain_twelvelabs.vectorstores import class_names, embeddings_of, innermost_store
from twelvelabs_core import ConfigurationError, Hit, InputError, MediaInput, Moment, MomentOptions
from twelvelabs_core.integration import (
    AWAITING,
    BLOCKING,
    CLIP_OPTIONS,
    Conditions,
    Mode,
    client_of,
    distinct_titles,
    finish,
    moment_metadata,
    moment_text,
)

logger = logging.getLogger("langchain_twelvelabs")

FETCH_MAX = 10_000  # documents of one search, where a store cannot filter
FETCH_GROWTH = 4


class TwelveLabsMomentRetriever(BaseRetriever):
    """Retrieves moments: which part of which video answers a query, from where to where, and why.

    The vector store finds candidates; their scores and bounds come from the vectors in the segment store, so that every
    vector store gives the same moments. See `twelvelabs_core.MomentOptions` for the method.

    Attributes:
        vectorstore: Any vector store with the documents of this package's loaders; others may be in it as well, and
            are returned as they are.
        embeddings: The embeddings whose segment store has the vectors. Default: those of the vector store.
        k: Most results. Default 5.
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

    vectorstore: VectorStore
    embeddings: TwelveLabsEmbeddings | None = None
    k: int = Field(default=5, ge=1)
    fetch_k: int = Field(default=50, ge=1, le=FETCH_MAX)
    options: MomentOptions = MomentOptions()
    search_kwargs: dict[str, Any] = Field(default_factory=dict)

    def search(
        self,
        text: str | None = None,
        *,
        image: MediaInput | None = None,
        audio: MediaInput | None = None,
        video: MediaInput | None = None,
        like: Document | None = None,
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
            k: Most results. Default: that of the retriever.
            source: The `source` of a file, or its title. Default: any.
            time_window: First and last second; moments that overlap them. Default: any.
            embedding_option: Search only what is seen (`visual`), heard (`audio`) or said (`transcription`).

        Returns:
            At most `k` documents, best first.

        Raises:
            InputError: No query, or an unsupported combination; nothing was sent.
            TwelveLabsError: The query could not be embedded.
        """
        query = {"text": text, "image": image, "audio": audio, "video": video, "like": like}
        conditions = Conditions(source=source, embedding_option=embedding_option, time_window=time_window)
        return _documents(finish(self.find_moments(BLOCKING, query, k or self.k, conditions)))

    async def asearch(
        self,
        text: str | None = None,
        *,
        image: MediaInput | None = None,
        audio: MediaInput | None = None,
        video: MediaInput | None = None,
        like: Document | None = None,
        k: int | None = None,
        source: str | None = None,
        time_window: tuple[float, float] | None = None,
        embedding_option: str | None = None,
    ) -> list[Document]:
        """Return moments; the async variant of `search`."""
        query = {"text": text, "image": image, "audio": audio, "video": video, "like": like}
        conditions = Conditions(source=source, embedding_option=embedding_option, time_window=time_window)
        return _documents(await self.find_moments(AWAITING, query, k or self.k, conditions))

    def moments(self, text: str, *, k: int | None = None) -> list[Moment]:
        """Return moments with their hits, `Moment.hits`, whose `item` is the vector store's document.

        Args:
            text: Words to search by.
            k: Most moments. Default: that of the retriever.
        """
        return finish(self.find_moments(BLOCKING, {"text": text}, k or self.k, Conditions()))

    async def amoments(self, text: str, *, k: int | None = None) -> list[Moment]:
        """Return moments with their hits; the async variant of `moments`."""
        return await self.find_moments(AWAITING, {"text": text}, k or self.k, Conditions())

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

    async def find_moments(self, mode: Mode, query: dict[str, Any], k: int, conditions: Conditions) -> list[Moment]:
        """Return moments; for this package's tools, others use `search` and `moments`."""
        embeddings = self.embeddings or embeddings_of(self.vectorstore)
        if embeddings is None:
            raise ConfigurationError(
                f"this {type(self.vectorstore).__name__} shows no embeddings; pass embeddings=TwelveLabsEmbeddings()."
            )
        client = await client_of(mode, embeddings)
        vector = await _vector(mode, client, embeddings, query)
        hits = [
            Hit.of(document.metadata, text=document.page_content, item=document)
            for document in await self._candidates(mode, vector.tolist(), conditions)
        ]
        options = self.options
        if conditions.embedding_option is not None:
            options = replace(options, weights={conditions.embedding_option: 1.0})
        if conditions.time_window is not None:
            options = replace(options, time_window=conditions.time_window)
        like = query.get("like")
        found: list[Moment] = await mode.run(
            client.find_moments, hits, vector, k=k if like is None else k + 1, options=options
        )
        if like is not None:
            found = [moment for moment in found if not _is_part_of(moment, like)]
        return found[:k]

    async def _candidates(self, mode: Mode, vector: list[float], conditions: Conditions) -> list[Document]:
        """Return documents of the vector store that fulfil the conditions, each once, best first."""
        found = await self._find(mode, vector, conditions)
        is_complete = len(found) < self.fetch_k
        if not is_complete and conditions.embedding_option is None:
            for option in CLIP_OPTIONS:
                narrower = replace(conditions, embedding_option=option)
                if self._arguments(narrower) is not None:
                    found += await self._find(mode, vector, narrower)
        once: dict[Any, Document] = {}
        for document in found:
            once.setdefault(document.metadata.get("segment_id") or id(document), document)
        return list(once.values())

    async def _find(self, mode: Mode, vector: list[float], conditions: Conditions) -> list[Document]:
        """Return up to `fetch_k` documents by one search; by larger ones where the store cannot filter."""
        arguments = self._arguments(conditions)
        count = self.fetch_k
        while True:
            search = {**(arguments or {}), **self._defaults(), **self.search_kwargs}
            documents = await mode.call(self.vectorstore, "similarity_search_by_vector", vector, k=count, **search)
            matching = [document for document in documents if conditions.matches(document.metadata)]
            if arguments is not None or len(matching) >= self.fetch_k or len(documents) < count:
                return matching[: self.fetch_k]
            if count == FETCH_MAX:
                logger.warning(
                    "%s cannot filter, and of its first %d documents only %d fulfil %s; others may exist.",
                    *(type(self.vectorstore).__name__, count, len(matching), conditions),
                )
                return matching
            count = min(count * FETCH_GROWTH, FETCH_MAX)

    def _arguments(self, conditions: Conditions) -> dict[str, Any] | None:
        """Return the store's search arguments for conditions; None where the results have to be filtered."""
        if conditions and {"filter", "expr"} & self.search_kwargs.keys():
            return None
        return filter_arguments(self.vectorstore, conditions)

    def _defaults(self) -> dict[str, Any]:
        """Return what a store needs to rank by cosine: LanceDB's default distance is Euclidean."""
        return {"metrics": "cosine"} if "LanceDB" in class_names(innermost_store(self.vectorstore)) else {}


async def _vector(mode: Mode, client: Any, embeddings: TwelveLabsEmbeddings, query: dict[str, Any]) -> Any:
    """Return the vector of a query, float32."""
    given = {name: value for name, value in query.items() if value is not None}
    names = tuple(given)
    if names == ("like",):
        return await mode.run(client.moment_vector, _segment_ids(given["like"]))
    if names == ("text", "image"):
        return np.asarray(await mode.call(embeddings, "embed_text_image", given["text"], given["image"]), np.float32)
    if len(names) != 1:
        raise InputError(
            f"pass one of text, image, audio, video and like, or text with image; got {' and '.join(names) or 'none'}."
        )
    (name,) = names
    value = given[name]
    if name == "image":
        return np.asarray((await mode.call(embeddings, "embed_images", [value]))[0], np.float32)
    method = "embed_query" if name == "text" else f"embed_{name}"
    return np.asarray(await mode.call(embeddings, method, value), np.float32)


def _segment_ids(document: Document) -> Sequence[str]:
    metadata = document.metadata
    ids = metadata.get("segment_ids") or [metadata.get("segment_id")]
    if not all(isinstance(one, str) for one in ids):
        raise InputError("like must be a moment or a segment, got a document without segment_ids.")
    return list(ids)


def _is_part_of(moment: Moment, document: Document) -> bool:
    metadata = document.metadata
    return (
        moment.source == metadata.get("source")
        and moment.start_sec < (metadata.get("end_sec") or 0.0)
        and moment.end_sec > (metadata.get("start_sec") or 0.0)
    )


def _documents(moments: Iterable[Moment]) -> list[Document]:
    moments = list(moments)
    titles = distinct_titles(moments)
    return [_document(moment, titles[moment.source]) for moment in moments]


def _document(moment: Moment, title: str) -> Document:
    """Return the document of a moment; a result that is none as it is, with `exact`."""
    if moment.scope == "clip":
        return Document(moment_text(moment, title), id=moment.moment_id, metadata=moment_metadata(moment, title))
    (hit,) = moment.hits
    original: Document = hit.item
    return original.model_copy(update={"metadata": {**original.metadata, "exact": False}})
