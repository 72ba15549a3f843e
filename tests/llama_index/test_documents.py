"""`TwelveLabsDocumentReader`: pages, chunks and pictures as nodes, in pipelines, folders and `ingest_videos`."""

import json
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import SimpleDirectoryReader, StorageContext, VectorStoreIndex
from llama_index.core.schema import Document, MetadataMode
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.vector_stores import SimpleVectorStore

from llama_index_twelvelabs import (
    TwelveLabsDocumentReader,
    TwelveLabsEmbedding,
    TwelveLabsVideoReader,
    TwelveLabsVideoSegmenter,
    aingest_videos,
    ingest_videos,
)
from tests.llama_index.fixtures import connected, paid
from tests.llama_index.stores import make_qdrant
from tests.llama_index.videos import pipeline_of, run, stored, text_document
from tests.sandbox.pdf import write_pdf
from twelvelabs_core import ConfigurationError, IngestionError, InputError, SequentialSegmentation
from twelvelabs_sandbox import Sandbox

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])
CHUNKS = SequentialSegmentation(1)


@pytest.fixture
def document_folder(tmp_path: Path, frame: Path) -> Path:
    """A folder with a PDF of two pages, a note of two sentences, and a picture."""
    folder = tmp_path / "document_folder"
    folder.mkdir()
    write_pdf(folder / "plan.pdf", [[(20, 150, "purple stripes")], [(20, 40, "blue checkerboard")]])
    (folder / "notes.md").write_text("A red car drives fast. Green grass does not move.", "utf-8")
    (folder / "photo.png").write_bytes(frame.read_bytes())
    return folder


@pytest.fixture
def new(sandbox: Sandbox, tmp_path: Path) -> TwelveLabsEmbedding:
    return connected(sandbox, tmp_path / "new.sqlite3", model="marengo3.5")


@pytest.fixture
def reader(new: TwelveLabsEmbedding) -> TwelveLabsDocumentReader:
    return TwelveLabsDocumentReader(embed_model=new, segmentation=CHUNKS)


def files(document_folder: Path) -> list[Path]:
    return sorted(document_folder.iterdir())


def heads(nodes: list[Any]) -> set[str]:
    return {node.get_content() for node in nodes}


HEADS = {
    "plan.pdf, page 1, visual",
    "plan.pdf, page 2, visual",
    "notes.md, chunk 0, text",
    "notes.md, chunk 1, text",
    "photo.png, whole, visual asset",
}


@both_modes
async def test_pages_chunks_and_images_become_nodes_of_an_index(
    mode: str, document_folder: Path, reader: TwelveLabsDocumentReader, sandbox: Sandbox
) -> None:
    nodes = (
        await reader.aload_nodes(files(document_folder))
        if mode == "async"
        else reader.load_nodes(files(document_folder))
    )
    assert heads(nodes) == HEADS
    shown = next(node for node in nodes if "page 2" in node.get_content()).get_content(MetadataMode.LLM)
    assert "start_sec" not in shown
    assert "blue" not in shown  # no text is invented
    sandbox.clear_requests()
    index = VectorStoreIndex(nodes, embed_model=reader.segmenter.embed_model)
    assert paid(sandbox) == 0
    retriever = index.as_retriever(similarity_top_k=1)
    for query, page, chunk in (("blue checkerboard", 2, -1), ("a red car drives fast", 0, 0)):
        (best,) = await retriever.aretrieve(query) if mode == "async" else retriever.retrieve(query)
        assert (best.metadata["page_start"], best.metadata["chunk_index"]) == (page, chunk)


def test_pages_are_found_in_a_vector_database(
    document_folder: Path, reader: TwelveLabsDocumentReader, tmp_path: Path
) -> None:
    context = StorageContext.from_defaults(vector_store=make_qdrant(tmp_path))
    nodes = reader.load_nodes(files(document_folder))
    index = VectorStoreIndex(nodes, storage_context=context, embed_model=reader.segmenter.embed_model)
    (best,) = index.as_retriever(similarity_top_k=1).retrieve("blue checkerboard")
    (page,) = (node for node in nodes if node.metadata["page_start"] == 2)
    assert (best.node_id, best.metadata) == (page.node_id, page.metadata)


@both_modes
async def test_ingest_skips_unchanged_files(
    mode: str, document_folder: Path, reader: TwelveLabsDocumentReader, sandbox: Sandbox
) -> None:
    async def put() -> Any:
        if mode == "async":
            return await aingest_videos(index, files(document_folder), segmenter=reader.segmenter)
        return ingest_videos(index, files(document_folder), segmenter=reader.segmenter)

    index = VectorStoreIndex([], embed_model=reader.segmenter.embed_model)
    assert len((await put()).stored) == 3
    sandbox.clear_requests()
    assert len((await put()).unchanged) == 3
    assert sandbox.count() == 0
    (document_folder / "notes.md").write_text("Only one sentence is left.", "utf-8")
    report = await put()
    assert (report.stored, paid(sandbox)) == ((str(document_folder / "notes.md"),), 1)
    assert len(stored(index)) == 4


@both_modes
async def test_pipeline_pays_only_for_changed_documents(
    mode: str, document_folder: Path, reader: TwelveLabsDocumentReader, sandbox: Sandbox
) -> None:
    pipeline = pipeline_of(reader.segmenter)
    documents = [*reader.load_data(files(document_folder), segment=False), text_document()]
    assert paid(sandbox) == 0
    nodes = await run(mode, pipeline, documents)
    assert heads(nodes) > HEADS
    assert len(nodes) == 6
    sandbox.clear_requests()
    # As restored from a document store, without the media in this process.
    again = [*reader.load_data(files(document_folder), segment=False), text_document()]
    assert await run(mode, pipeline, again) == []
    assert sandbox.count() == 0


def test_restored_document_reads_its_file_again(document_folder: Path, reader: TwelveLabsDocumentReader) -> None:
    written = [
        Document.from_dict(document.to_dict()) for document in reader.load_data(files(document_folder), segment=False)
    ]
    assert heads(reader.segmenter(written)) == HEADS
    with pytest.raises(InputError, match="not segmented yet"):
        reader.segmenter.embed_model(written)
    # A segmenter of videos ignores these documents, and this one ignores plain texts.
    text = text_document()
    assert TwelveLabsVideoSegmenter(embed_model=reader.segmenter.embed_model)(written) == written
    assert reader.segmenter([text]) == [text]


def test_restored_document_of_bytes_is_refused(document_folder: Path, reader: TwelveLabsDocumentReader) -> None:
    (document,) = reader.load_data((document_folder / "notes.md").read_bytes(), segment=False)
    assert len(reader.segmenter([document])) == 2
    with pytest.raises(InputError, match="has no media"):
        reader.segmenter([Document.from_dict(document.to_dict())])


def test_folder_is_read_by_simple_directory_reader(
    document_folder: Path, reader: TwelveLabsDocumentReader, video_path: Path
) -> None:
    (document_folder / "scenes.mkv").write_bytes(video_path.read_bytes())
    video = TwelveLabsVideoReader(embed_model=reader.segmenter.embed_model, embedding_option=["visual"])
    kinds = dict.fromkeys((".pdf", ".md", ".png"), reader)
    folder = SimpleDirectoryReader(document_folder, file_extractor={**kinds, ".mkv": video}, raise_on_error=True)
    documents = folder.load_data()
    assert heads(documents) > HEADS
    assert {document.metadata["file_name"] for document in documents} == {
        path.name for path in document_folder.iterdir()
    }
    index = VectorStoreIndex.from_documents(documents, embed_model=reader.segmenter.embed_model)
    assert index.as_retriever(similarity_top_k=1).retrieve("blue checkerboard")[0].metadata["page_start"] == 2


def test_segmenter_can_be_serialised_and_restored(document_folder: Path, reader: TwelveLabsDocumentReader) -> None:
    text = json.dumps(reader.segmenter.to_dict())
    again = TwelveLabsVideoSegmenter.from_dict(json.loads(text), embed_model=reader.segmenter.embed_model)
    assert again.to_dict() == reader.segmenter.to_dict()
    assert again.identity() == reader.segmenter.identity()
    other = TwelveLabsDocumentReader(embed_model=reader.segmenter.embed_model)
    assert other.segmenter.identity() != again.identity()
    assert heads(TwelveLabsDocumentReader(segmenter=again).load_data(document_folder / "notes.md")) == {
        "notes.md, chunk 0, text",
        "notes.md, chunk 1, text",
    }


def test_invalid_options_are_refused_before_a_request(
    new: TwelveLabsEmbedding, embed_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    for options, message in (
        ({"embed_model": embed_model}, r"got 'document' \(needs model='marengo3\.5'\)"),
        ({"input_type": "video"}, "input_type must be document or image here"),
        ({"embedding_option": ["audio"]}, "got 'audio'"),
    ):
        with pytest.raises(InputError, match=message):
            TwelveLabsDocumentReader(**{"embed_model": new, **options})
    with pytest.raises(InputError, match="one type, or a list of document and image"):
        TwelveLabsVideoSegmenter(embed_model=new, input_type=["video", "document"])
    with pytest.raises(ConfigurationError, match="not both"):
        TwelveLabsDocumentReader(segmenter=TwelveLabsDocumentReader(embed_model=new).segmenter, segmentation=CHUNKS)
    assert sandbox.count() == 0


def test_extra_info_with_a_key_of_segments_gets_a_prefix(
    document_folder: Path, reader: TwelveLabsDocumentReader
) -> None:
    first, *_ = reader.load_nodes(document_folder / "plan.pdf", extra_info={"page_start": 7})
    assert (first.metadata["extra_page_start"], first.metadata["page_start"]) == (7, 1)


def test_failed_file_does_not_stop_others(document_folder: Path, reader: TwelveLabsDocumentReader) -> None:
    index = VectorStoreIndex([], embed_model=reader.segmenter.embed_model)
    (document_folder / "empty.txt").touch()
    with pytest.raises(IngestionError) as caught:
        ingest_videos(index, files(document_folder), segmenter=reader.segmenter)
    assert [Path(failure.source).name for failure in caught.value.failures] == ["empty.txt"]
    assert len(stored(index)) == 5


def test_docstore_returns_documents_unchanged(
    document_folder: Path, reader: TwelveLabsDocumentReader, tmp_path: Path
) -> None:
    store = SimpleDocumentStore()
    store.add_documents(reader.load_data(files(document_folder), segment=False))
    store.persist(str(tmp_path / "docstore.json"))
    back = SimpleDocumentStore.from_persist_path(str(tmp_path / "docstore.json"))
    assert heads(reader.segmenter(list(back.docs.values()))) == HEADS
    assert SimpleVectorStore().data.embedding_dict == {}
