"""Where `ingest_videos` puts videos: an index, or the stores of a pipeline."""

from typing import Any, Protocol

from llama_index.core import VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline, arun_transformations, run_transformations
from llama_index.core.schema import BaseNode, Document

from llama_index_twelvelabs._modes import Mode
from llama_index_twelvelabs._replace import check_node, delete_from_store, replace_in_index
from llama_index_twelvelabs._segmenter import TwelveLabsVideoSegmenter
from llama_index_twelvelabs.embeddings import TwelveLabsEmbedding
from twelvelabs_core import ConfigurationError


class Target(Protocol):
    """Takes videos whose vectors are in the segment store."""

    segmenter: TwelveLabsVideoSegmenter

    async def hash_of(self, mode: Mode, doc_id: str) -> str | None:
        """Return the hash of the document as which a video was put here last, or None."""

    async def put(self, mode: Mode, document: Document, nodes: list[BaseNode]) -> None:
        """Replace a video's nodes, and note its document's hash."""


class IndexTarget:
    """A `VectorStoreIndex` with its document store."""

    def __init__(self, index: VectorStoreIndex, segmenter: TwelveLabsVideoSegmenter | None) -> None:
        model = index._embed_model  # noqa: SLF001  # LlamaIndex's own retrievers have no other way to it
        if not isinstance(model, TwelveLabsEmbedding):
            raise ConfigurationError(
                f"the index embeds queries with {type(model).__name__}, whose vectors are not comparable with those of "
                "videos: make it with VectorStoreIndex(..., embed_model=TwelveLabsEmbedding())."
            )
        self.segmenter = TwelveLabsVideoSegmenter(embed_model=model) if segmenter is None else segmenter
        if self.segmenter.embed_model.space != model.space:
            raise ConfigurationError(
                f"the index embeds queries in the space {model.space}, but the segmenter works in "
                f"{self.segmenter.embed_model.space}: their vectors are not comparable."
            )
        self._index = index

    async def hash_of(self, mode: Mode, doc_id: str) -> str | None:
        """Return what the index's document store says."""
        found: str | None = await mode.call(self._index.docstore, "get_document_hash", doc_id)
        return found

    async def put(self, mode: Mode, document: Document, nodes: list[BaseNode]) -> None:
        """Replace the nodes in the index."""
        await replace_in_index(mode, self._index, document.node_id, nodes)
        await mode.call(self._index.docstore, "set_document_hash", document.node_id, document.hash)


class PipelineTarget:
    """The vector store and the document store of an `IngestionPipeline`, behind all its transformations."""

    def __init__(self, pipeline: IngestionPipeline, segmenter: TwelveLabsVideoSegmenter | None) -> None:
        if segmenter is not None:
            raise ConfigurationError("a pipeline has its own segmenter, among its transformations; pass no other.")
        if pipeline.vector_store is None:
            raise ConfigurationError("the pipeline has no vector_store to put videos into.")
        own = [step for step in pipeline.transformations if isinstance(step, TwelveLabsVideoSegmenter)]
        if len(own) != 1:
            raise ConfigurationError(
                f"the pipeline must have one TwelveLabsVideoSegmenter among its transformations, it has {len(own)}."
            )
        (self.segmenter,) = own
        self._pipeline = pipeline
        self._vector_store = pipeline.vector_store

    async def hash_of(self, mode: Mode, doc_id: str) -> str | None:
        """Return what the pipeline's document store says."""
        if self._pipeline.docstore is None:
            return None
        found: str | None = await mode.call(self._pipeline.docstore, "get_document_hash", doc_id)
        return found

    async def put(self, mode: Mode, document: Document, nodes: list[BaseNode]) -> None:  # noqa: ARG002  # made anew, by all transformations
        """Run the pipeline's transformations, which get the vectors from the segment store, and replace.

        Not by `pipeline.run`: with one document it would delete all others under `upserts_and_delete`, and the old
        nodes before the new ones are there.
        """
        made = await self._transform(mode, document)
        for node in made:
            check_node(node)
        known = await self.hash_of(mode, document.node_id) is not None
        await delete_from_store(mode, self._vector_store, document.node_id, is_known=known)
        if made:
            await mode.call(self._vector_store, "add", made, async_name="async_add")
        docstore = self._pipeline.docstore
        if docstore is not None:
            await mode.call(docstore, "set_document_hash", document.node_id, document.hash)
            await mode.call(docstore, "add_documents", [document], async_name="async_add_documents")

    async def _transform(self, mode: Mode, document: Document) -> list[BaseNode]:
        options: dict[str, Any] = {"cache": None if self._pipeline.disable_cache else self._pipeline.cache}
        run = arun_transformations if mode.is_async else run_transformations
        return list(await mode.ask(run, [document], self._pipeline.transformations, **options))


def target_of(
    index_or_pipeline: VectorStoreIndex | IngestionPipeline, segmenter: TwelveLabsVideoSegmenter | None
) -> Target:
    """Return where to put videos.

    Raises:
        ConfigurationError: Neither an index nor a pipeline, or one that is not made for videos.
    """
    if isinstance(index_or_pipeline, VectorStoreIndex):
        return IndexTarget(index_or_pipeline, segmenter)
    if isinstance(index_or_pipeline, IngestionPipeline):
        return PipelineTarget(index_or_pipeline, segmenter)
    raise ConfigurationError(
        f"videos go into a VectorStoreIndex or an IngestionPipeline, got {type(index_or_pipeline).__name__}."
    )
