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
def papers(tmp_path: Path, frame: Path) -> Path:
    """A folder with a PDF of two pages, a note of two sentences, and a picture."""
    folder = tmp_path / "papers"
    folder.mkdir()
    write_pdf(folder / "plan.pdf", [[(20, 150, "purple stripes")], [(20, 40, "blue checkerboard")]])
    (folder / "notes.md").write_text("A red car drives fast. Green grass stands still.", "utf-8")
    (folder / "photo.png").write_bytes(frame.read_bytes())
    return folder


@pytest.fixture
def new(sandbox: Sandbox, tmp_path: Path) -> TwelveLabsEmbedding:
    return connected(sandbox, tmp_path / "new.sqlite3", model="marengo3.5")


@pytest.fixture
def reader(new: TwelveLabsEmbedding) -> TwelveLabsDocumentReader:
    return TwelveLabsDocumentReader(embed_model=new, segmentation=CHUNKS)


def files(papers: Path) -> list[Path]:
    return sorted(papers.iterdir())


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
async def test_pages_chunks_and_pictures_become_nodes_of_an_index(
    mode: str, papers: Path, reader: TwelveLabsDocumentReader, sandbox: Sandbox
) -> None:
    nodes = await reader.aload_nodes(files(papers)) if mode == "async" else reader.load_nodes(files(papers))
    assert heads(nodes) == HEADS
    shown = next(node for node in nodes if "page 2" in node.get_content()).get_content(MetadataMode.LLM)
    assert "start_sec" not in shown
    assert "blue" not in shown  # no text is made up
    sandbox.clear_requests()
    index = VectorStoreIndex(nodes, embed_model=reader.segmenter.embed_model)
    assert paid(sandbox) == 0
    retriever = index.as_retriever(similarity_top_k=1)
    for query, page, chunk in (("blue checkerboard", 2, -1), ("a red car drives fast", 0, 0)):
        (best,) = await retriever.aretrieve(query) if mode == "async" else retriever.retrieve(query)
        assert (best.metadata["page_start"], best.metadata["chunk_index"]) == (page, chunk)


def test_pages_come_back_from_a_vector_database(papers: Path, reader: TwelveLabsDocumentReader, tmp_path: Path) -> None:
    context = StorageContext.from_defaults(vector_store=make_qdrant(tmp_path))
    nodes = reader.load_nodes(files(papers))
    index = VectorStoreIndex(nodes, storage_context=context, embed_model=reader.segmenter.embed_model)
    (best,) = index.as_retriever(similarity_top_k=1).retrieve("blue checkerboard")
    (page,) = (node for node in nodes if node.metadata["page_start"] == 2)
    assert (best.node_id, best.metadata) == (page.node_id, page.metadata)


@both_modes
async def test_ingest_skips_what_has_not_changed(
    mode: str, papers: Path, reader: TwelveLabsDocumentReader, sandbox: Sandbox
) -> None:
    async def put() -> Any:
        if mode == "async":
            return await aingest_videos(index, files(papers), segmenter=reader.segmenter)
        return ingest_videos(index, files(papers), segmenter=reader.segmenter)

    index = VectorStoreIndex([], embed_model=reader.segmenter.embed_model)
    assert len((await put()).stored) == 3
    sandbox.clear_requests()
    assert len((await put()).unchanged) == 3
    assert sandbox.count() == 0
    (papers / "notes.md").write_text("Only one sentence is left.", "utf-8")
    report = await put()
    assert (report.stored, paid(sandbox)) == ((str(papers / "notes.md"),), 1)
    assert len(stored(index)) == 4


@both_modes
async def test_a_pipeline_of_documents_and_texts_pays_for_changes_alone(
    mode: str, papers: Path, reader: TwelveLabsDocumentReader, sandbox: Sandbox
) -> None:
    pipeline = pipeline_of(reader.segmenter)
    documents = [*reader.load_data(files(papers), segment=False), text_document()]
    assert paid(sandbox) == 0
    nodes = await run(mode, pipeline, documents)
    assert heads(nodes) > HEADS
    assert len(nodes) == 6
    sandbox.clear_requests()
    # As a document store gives them back: written down, without the medium in this process.
    again = [*reader.load_data(files(papers), segment=False), text_document()]
    assert await run(mode, pipeline, again) == []
    assert sandbox.count() == 0


def test_a_document_that_was_written_down_finds_its_file_again(papers: Path, reader: TwelveLabsDocumentReader) -> None:
    written = [Document.from_dict(document.to_dict()) for document in reader.load_data(files(papers), segment=False)]
    assert heads(reader.segmenter(written)) == HEADS
    with pytest.raises(InputError, match="not segmented yet"):
        reader.segmenter.embed_model(written)
    # A segmenter of videos leaves them alone, and this one a plain text.
    text = text_document()
    assert TwelveLabsVideoSegmenter(embed_model=reader.segmenter.embed_model)(written) == written
    assert reader.segmenter([text]) == [text]


def test_bytes_stay_in_their_process(papers: Path, reader: TwelveLabsDocumentReader) -> None:
    (document,) = reader.load_data((papers / "notes.md").read_bytes(), segment=False)
    assert len(reader.segmenter([document])) == 2
    with pytest.raises(InputError, match="has no medium"):
        reader.segmenter([Document.from_dict(document.to_dict())])


def test_a_folder_by_simple_directory_reader(papers: Path, reader: TwelveLabsDocumentReader, video_path: Path) -> None:
    (papers / "scenes.mkv").write_bytes(video_path.read_bytes())
    video = TwelveLabsVideoReader(embed_model=reader.segmenter.embed_model, embedding_option=["visual"])
    kinds = dict.fromkeys((".pdf", ".md", ".png"), reader)
    folder = SimpleDirectoryReader(papers, file_extractor={**kinds, ".mkv": video}, raise_on_error=True)
    documents = folder.load_data()
    assert heads(documents) > HEADS
    assert {document.metadata["file_name"] for document in documents} == {path.name for path in papers.iterdir()}
    index = VectorStoreIndex.from_documents(documents, embed_model=reader.segmenter.embed_model)
    assert index.as_retriever(similarity_top_k=1).retrieve("blue checkerboard")[0].metadata["page_start"] == 2


def test_it_is_written_down_and_made_again(papers: Path, reader: TwelveLabsDocumentReader) -> None:
    text = json.dumps(reader.segmenter.to_dict())
    again = TwelveLabsVideoSegmenter.from_dict(json.loads(text), embed_model=reader.segmenter.embed_model)
    assert again.to_dict() == reader.segmenter.to_dict()
    assert again.identity() == reader.segmenter.identity()
    other = TwelveLabsDocumentReader(embed_model=reader.segmenter.embed_model)
    assert other.segmenter.identity() != again.identity()
    assert heads(TwelveLabsDocumentReader(segmenter=again).load_data(papers / "notes.md")) == {
        "notes.md, chunk 0, text",
        "notes.md, chunk 1, text",
    }


def test_what_cannot_be_is_refused_before_anything_is_sent(
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


def test_extra_info_may_not_take_the_keys_of_pages(papers: Path, reader: TwelveLabsDocumentReader) -> None:
    with pytest.raises(InputError, match="'page_start'"):
        reader.load_nodes(papers / "plan.pdf", extra_info={"page_start": 7})


def test_one_bad_file_stops_no_other(papers: Path, reader: TwelveLabsDocumentReader) -> None:
    index = VectorStoreIndex([], embed_model=reader.segmenter.embed_model)
    (papers / "empty.txt").touch()
    with pytest.raises(IngestionError) as caught:
        ingest_videos(index, files(papers), segmenter=reader.segmenter)
    assert [Path(failure.source).name for failure in caught.value.failures] == ["empty.txt"]
    assert len(stored(index)) == 5


def test_a_docstore_gives_documents_back_whole(papers: Path, reader: TwelveLabsDocumentReader, tmp_path: Path) -> None:
    store = SimpleDocumentStore()
    store.add_documents(reader.load_data(files(papers), segment=False))
    store.persist(str(tmp_path / "docstore.json"))
    back = SimpleDocumentStore.from_persist_path(str(tmp_path / "docstore.json"))
    assert heads(reader.segmenter(list(back.docs.values()))) == HEADS
    assert SimpleVectorStore().data.embedding_dict == {}
