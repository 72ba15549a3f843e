"""Both adapters write the same for one video and have no duplicate logic."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document

import langchain_twelvelabs
import llama_index_twelvelabs
from langchain_twelvelabs import (
    TwelveLabsAudioLoader,
    TwelveLabsDocumentLoader,
    TwelveLabsEmbeddings,
    TwelveLabsVideoLoader,
)
from llama_index_twelvelabs import TwelveLabsDocumentReader, TwelveLabsEmbedding, TwelveLabsVideoReader
from tests.llama_index.fixtures import CUT, tasks
from tests.sandbox.pdf import write_pdf
from twelvelabs_core import ConfigurationError, SequentialSegmentation, SpatialSegmentation, readable_text
from twelvelabs_sandbox import Sandbox

OPTIONS: list[dict[str, Any]] = [
    {},
    {"embedding_scope": ["clip", "asset"], "embedding_type": ["separate_embedding", "fused_embedding"]},
    {"embedding_option": ["audio", "visual"], "id_namespace": "another", "start_sec": 6.0},
]


@pytest.fixture
def langchain(sandbox: Sandbox, tmp_path: Path) -> TwelveLabsEmbeddings:
    return TwelveLabsEmbeddings(
        api_key=sandbox.api_key, base_url=sandbox.base_url, segment_store=tmp_path / "langchain.sqlite3"
    )


def compare(documents: list[Document], nodes: list[Any], langchain: TwelveLabsEmbeddings) -> None:
    """Compare what LangChain and LlamaIndex put into a vector store."""
    assert len(documents) == len(nodes) > 0
    vectors = langchain.embed_documents([document.page_content for document in documents])
    for document, vector, node in zip(documents, vectors, nodes, strict=True):
        assert document.id == node.node_id
        assert document.metadata == node.metadata
        assert [type(value) for value in document.metadata.values()] == [type(v) for v in node.metadata.values()]
        assert vector == node.embedding
        assert readable_text(document.page_content) == node.get_content()


@pytest.mark.parametrize("options", OPTIONS, ids=["defaults", "all scopes and types", "namespace and window"])
def test_ids_metadata_vectors_and_texts_are_equal(
    options: dict[str, Any], langchain: TwelveLabsEmbeddings, embed_model: TwelveLabsEmbedding, video_path: Path
) -> None:
    """Each adapter has its own segment store, so that equality does not come from sharing."""
    documents = TwelveLabsVideoLoader(video_path, embeddings=langchain, **{**CUT, **options}).load()
    reader = TwelveLabsVideoReader(embed_model=embed_model, **{**CUT, **options})
    compare(documents, reader.load_nodes(video_path), langchain)
    compare(documents, reader.load_data(video_path), langchain)


def test_audio_is_equal(langchain: TwelveLabsEmbeddings, embed_model: TwelveLabsEmbedding, sound: Path) -> None:
    documents = TwelveLabsAudioLoader(sound, embeddings=langchain).load()
    compare(documents, TwelveLabsVideoReader(embed_model=embed_model, input_type="audio").load_nodes(sound), langchain)


def test_transcripts_are_equal(
    langchain: TwelveLabsEmbeddings, embed_model: TwelveLabsEmbedding, video_path: Path
) -> None:
    options = {**CUT, "include_transcript": True, "embedding_scope": ["clip", "asset"]}
    documents = TwelveLabsVideoLoader(video_path, embeddings=langchain, **options).load()
    assert sum("a goalkeeper dives" in document.page_content for document in documents) == 2 * 3
    compare(documents, TwelveLabsVideoReader(embed_model=embed_model, **options).load_nodes(video_path), langchain)


@pytest.mark.parametrize("dimension", [512, 128])
@pytest.mark.parametrize("cuts", [None, [SequentialSegmentation(1), SpatialSegmentation("quadrants")]])
def test_documents_and_images_are_equal(
    cuts: Any, dimension: int, sandbox: Sandbox, tmp_path: Path, frame: Path
) -> None:
    plan = write_pdf(tmp_path / "plan.pdf", [[(20, 150, "red stripes")], [(20, 40, "blue lamp")]])
    note = tmp_path / "note.txt"
    note.write_text("A red car. A blue lamp.", "utf-8")
    options: dict[str, Any] = {
        "api_key": sandbox.api_key,
        "base_url": sandbox.base_url,
        "model": "marengo3.5",
        "embedding_dimension": dimension,
    }
    embeddings = TwelveLabsEmbeddings(segment_store=tmp_path / "one.sqlite3", **options)
    embed_model = TwelveLabsEmbedding(segment_store=tmp_path / "other.sqlite3", **options)
    reader = TwelveLabsDocumentReader(embed_model=embed_model, segmentation=cuts)
    nodes = reader.load_nodes([plan, note, frame])
    loader = TwelveLabsDocumentLoader([plan, note, frame], embeddings=embeddings, segmentation=cuts)
    by_source: dict[str, list[Document]] = {node.metadata["source"]: [] for node in nodes}
    for document in loader.lazy_load():  # as the tasks end
        by_source[document.metadata["source"]].append(document)
    documents = [document for source in by_source.values() for document in source]
    assert len(documents) == (4 if cuts is None else 13)
    compare(documents, nodes, embeddings)
    compare(documents, reader.load_data([plan, note, frame]), embeddings)


def test_shared_store_pays_once_for_both_adapters(
    langchain: TwelveLabsEmbeddings, video_path: Path, sandbox: Sandbox
) -> None:
    documents = TwelveLabsVideoLoader(video_path, embeddings=langchain, **CUT).load()
    assert tasks(sandbox) == 1
    same_store = TwelveLabsEmbedding(
        api_key=sandbox.api_key, base_url=sandbox.base_url, segment_store=langchain.client.store
    )
    compare(documents, TwelveLabsVideoReader(embed_model=same_store, **CUT).load_nodes(video_path), langchain)
    assert tasks(sandbox) == 1
    # Each adapter recognises documents written by the other.
    assert same_store.get_text_embedding(documents[0].page_content) == langchain.embed_query(documents[0].page_content)


@pytest.mark.parametrize("query", ["a red car", "Füße & «quotes»"])
def test_queries_are_equal(query: str, langchain: TwelveLabsEmbeddings, embed_model: TwelveLabsEmbedding) -> None:
    assert langchain.embed_query(query) == embed_model.get_query_embedding(query)


def test_queries_by_media_are_equal(
    langchain: TwelveLabsEmbeddings, embed_model: TwelveLabsEmbedding, frame: Path, clip: Path, sound: Path
) -> None:
    assert langchain.embed_images([frame]) == embed_model.get_image_embedding_batch([frame])
    assert langchain.embed_text_image("red", frame) == embed_model.get_text_image_embedding("red", frame)
    for option in ("visual", "audio", "fused"):
        assert langchain.embed_video(clip, embedding_option=option) == embed_model.get_video_embedding(
            clip, embedding_option=option
        )
    assert langchain.embed_audio(sound) == embed_model.get_audio_embedding(sound)


@pytest.mark.parametrize("cls", [TwelveLabsEmbeddings, TwelveLabsEmbedding])
def test_whole_numbers_of_both_embeddings_may_be_floats(cls: Any) -> None:
    wanted = {"embedding_dimension": 256, "max_retries": 1, "max_concurrency": 2, "max_concurrent_requests": 3}
    given = {name: float(value) for name, value in wanted.items()}
    made = cls(api_key="tlk_sandbox_1", base_url="http://127.0.0.1:9", model="marengo3.5", **given)
    assert [(getattr(made, name), type(getattr(made, name))) for name in wanted] == [
        (one, int) for one in wanted.values()
    ]
    for wrong in (256.5, "256", True):
        with pytest.raises(ConfigurationError, match=r"embedding_dimension: Input should be a valid integer"):
            cls(api_key="tlk_sandbox_1", model="marengo3.5", embedding_dimension=wrong)


def functions(package: Any) -> Iterator[tuple[str, str]]:
    """Yield the place and the body (without docstring) of every function with at least three statements."""
    for file in Path(package.__file__).parent.rglob("*.py"):
        for item in ast.walk(ast.parse(file.read_text())):
            if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
                body = item.body[1:] if ast.get_docstring(item) else item.body
                if sum(isinstance(part, ast.stmt) for part in ast.walk(ast.Module(body, []))) >= 3:
                    yield f"{file.parent.name}/{file.name}:{item.name}", ast.dump(ast.Module(body, []))


def test_adapters_have_no_duplicate_functions() -> None:
    ours = {body: place for place, body in functions(llama_index_twelvelabs)}
    assert len(ours) > 30
    twice = [(place, ours[body]) for place, body in functions(langchain_twelvelabs) if body in ours]
    assert not twice
