"""Vectors of two spaces are never mixed in one index; the key `space` of a node tells them apart."""

from pathlib import Path

import pytest
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import SimpleVectorStore
from llama_index.vector_stores.qdrant import QdrantVectorStore
from qdrant_client import QdrantClient

from llama_index_twelvelabs import (
    TwelveLabsEmbedding,
    TwelveLabsVideoSegmenter,
    aingest_videos,
    ingest_videos,
    replace_video,
)
from tests.llama_index.fixtures import connected
from tests.llama_index.stores import make_chroma
from twelvelabs_core import InputError
from twelvelabs_sandbox import Sandbox


def test_nodes_without_their_space_are_indexed_with_one_warning(
    nodes: list[TextNode], shared_model: TwelveLabsEmbedding, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    store = make_chroma(tmp_path)
    for node in nodes:
        del node.metadata["space"]
    IngestionPipeline(transformations=[shared_model], vector_store=store).run(nodes=nodes)
    assert store._collection.count() == len(nodes)
    (warning,) = [record.message for record in caplog.records if "`space`" in record.message]
    assert shared_model.space in warning


@pytest.mark.parametrize("key", ["space", "model"])
def test_nodes_of_another_space_are_refused_before_one_is_written(
    key: str, nodes: list[TextNode], shared_model: TwelveLabsEmbedding, tmp_path: Path
) -> None:
    """The model decides where an earlier version did not write the space."""
    store = make_chroma(tmp_path)
    other = {"space": "marengo3.5/512", "model": "marengo3.5"}
    for node in nodes:
        node.metadata = {**node.metadata, "space": "", key: other[key]}
    with pytest.raises(InputError, match=rf"of the space {other[key]}, not sandbox/marengo3\.0/512"):
        IngestionPipeline(transformations=[shared_model], vector_store=store).run(nodes=nodes)
    assert store._collection.count() == 0


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_collection_of_another_space_is_refused_before_anything_is_paid_for(
    mode: str, nodes: list[TextNode], shared_model: TwelveLabsEmbedding, video_path: Path, sandbox: Sandbox
) -> None:
    new = connected(sandbox, ":memory:", model="marengo3.5")
    message = r"of the space sandbox/marengo3\.0/512, not sandbox/marengo3\.5/512"
    for store in (SimpleVectorStore(), QdrantVectorStore("old", client=QdrantClient(":memory:"))):
        if mode == "async" and isinstance(store, QdrantVectorStore):
            continue  # its async methods need another client
        context = StorageContext.from_defaults(vector_store=store)
        VectorStoreIndex(nodes, storage_context=context, embed_model=shared_model)
        index = VectorStoreIndex([], storage_context=context, embed_model=new)
        with pytest.raises(InputError, match=message):
            await aingest_videos(index, video_path) if mode == "async" else ingest_videos(index, video_path)
        pipeline = IngestionPipeline(transformations=[TwelveLabsVideoSegmenter(embed_model=new)], vector_store=store)
        if store.stores_text:
            with pytest.raises(InputError, match=message):
                await aingest_videos(pipeline, video_path) if mode == "async" else ingest_videos(pipeline, video_path)
    assert sandbox.count() == 0


def test_nodes_of_another_space_than_the_indexs_embedding_do_not_replace_a_video(
    nodes: list[TextNode], sandbox: Sandbox
) -> None:
    index = VectorStoreIndex([], embed_model=connected(sandbox, ":memory:", model="marengo3.5"))
    with pytest.raises(InputError, match=r"of the space sandbox/marengo3\.0/512, not sandbox/marengo3\.5/512"):
        replace_video(index, nodes)
