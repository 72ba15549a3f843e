"""`TwelveLabsVideoReader`: nodes and documents with vectors, in `SimpleDirectoryReader`, from other file systems."""

import asyncio
import json
import pickle
from io import BytesIO
from pathlib import Path
from typing import Any

import fsspec
import pytest
from llama_index.core import SimpleDirectoryReader, VectorStoreIndex
from llama_index.core.readers.base import ReaderConfig
from llama_index.core.schema import Document, MetadataMode, TextNode

from llama_index_twelvelabs import (
    TwelveLabsEmbedding,
    TwelveLabsVideoReader,
    TwelveLabsVideoSegmenter,
    VideoDocument,
)
from tests.adapters import METADATA_TYPES
from tests.llama_index.fixtures import CUT, END_SEC, SCENE_SEC, description, paid, tasks
from tests.llama_index.videos import folder, reel, segmenter, text_document
from twelvelabs_core import ConfigurationError, IngestionError, InputError, Media
from twelvelabs_sandbox import Sandbox

__all__ = ["folder", "segmenter"]

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


async def call(mode: str, target: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    if mode == "async":
        return await getattr(target, f"a{method}")(*args, **kwargs)
    return await asyncio.to_thread(getattr(target, method), *args, **kwargs)


def shape(item: TextNode | Document) -> tuple[Any, ...]:
    return item.node_id, item.get_content(), item.metadata, item.embedding


# Nodes.


@both_modes
async def test_a_video_becomes_nodes_with_times_vectors_and_plain_metadata(
    mode: str, shared_model: TwelveLabsEmbedding, video_path: Path, loaded: list[TextNode]
) -> None:
    nodes = await call(mode, TwelveLabsVideoReader(embed_model=shared_model, **CUT), "load_nodes", video_path)
    assert [shape(node) for node in nodes] == [shape(node) for node in loaded]
    visual = [node for node in nodes if node.metadata["embedding_option"] == "visual"]
    assert [node.metadata["start_sec"] for node in visual] == [0.0, 6.0, 12.0, 18.0]
    assert len({node.node_id for node in nodes}) == len({node.get_content() for node in nodes}) == len(nodes)
    for node in nodes:
        assert {key: type(value) for key, value in node.metadata.items()} == METADATA_TYPES
        assert node.node_id == node.metadata["segment_id"]
        assert node.metadata["source"] == str(video_path)
        assert len(node.embedding or []) == 512
        assert 0 <= node.metadata["start_sec"] < node.metadata["end_sec"] <= END_SEC
        assert "tl-segment" not in node.get_content(MetadataMode.ALL)


def test_language_model_reads_source_time_and_option(loaded: list[TextNode], video_path: Path) -> None:
    text = loaded[0].get_content(MetadataMode.LLM)
    assert text == f"source: {video_path}\nstart_sec: 0.0\nend_sec: 6.0\n\nscenes.mkv, 0:00.0-0:06.0, visual"


def test_nodes_go_into_an_index_and_are_found(
    nodes: list[TextNode], shared_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    index = VectorStoreIndex(nodes, embed_model=shared_model)
    assert paid(sandbox) == 0
    retriever = index.as_retriever(similarity_top_k=1)
    for scene in range(3):
        (best,) = retriever.retrieve(description(scene))
        assert best.metadata["start_sec"] == scene * SCENE_SEC
    (best,) = retriever.retrieve("a goalkeeper dives")
    assert (best.metadata["start_sec"], best.metadata["embedding_option"]) == (0.0, "transcription")


def test_nodes_keep_the_order_of_the_given_videos(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    reader = TwelveLabsVideoReader(segmenter=segmenter)
    videos = [folder / "red.mkv", folder / "blue.mkv", Media.of(reel(2), source="green.mkv")]
    names = [node.metadata["title"] for node in reader.load_nodes(videos)]
    assert names == ["red.mkv"] * 2 + ["blue.mkv"] * 2 + ["green.mkv"] * 2
    assert tasks(sandbox) == 3
    assert [node.metadata["title"] for node in reader.load_nodes(reversed(videos))] == names[::-1]
    assert {document.metadata["title"] for document in reader.lazy_load_data(videos)} == set(names)
    assert tasks(sandbox) == 3


def test_closing_a_lazy_reader_stops_new_work(segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox) -> None:
    one_at_a_time = segmenter.embed_model.model_copy(update={"max_concurrency": 1})
    reader = TwelveLabsVideoReader(segmenter=segmenter.model_copy(update={"embed_model": one_at_a_time}))
    videos = [Media.of(reel(0) + bytes(number), source=f"{number}.mkv") for number in range(1, 7)]
    lazy = reader.lazy_load_data(videos)
    next(lazy)
    lazy.close()  # type: ignore[attr-defined]  # a generator
    assert 1 <= tasks(sandbox) <= 2


# Documents.


@both_modes
async def test_documents_of_segments_are_stored_with_their_vectors(
    mode: str, shared_model: TwelveLabsEmbedding, video_path: Path, loaded: list[TextNode], sandbox: Sandbox
) -> None:
    reader = TwelveLabsVideoReader(embed_model=shared_model, **CUT)
    documents = await call(mode, reader, "load_data", video_path, extra_info={"league": 1})
    assert all(type(document) is Document for document in documents)
    for document, node in zip(documents, loaded, strict=True):
        assert document.metadata == {"league": 1, **node.metadata}
        assert (document.node_id, document.text, document.embedding) == (node.node_id, node.text, node.embedding)
    index = VectorStoreIndex.from_documents(documents, embed_model=shared_model)
    assert paid(sandbox) == 0
    (best,) = index.as_retriever(similarity_top_k=1).retrieve(description(1))
    assert best.metadata["start_sec"] == 6.0
    assert list(await reader.alazy_load_data(video_path, {"league": 1})) == list(
        reader.lazy_load_data(video_path, {"league": 1})
    )


@both_modes
async def test_unsegmented_documents_are_free_and_identify_the_content(
    mode: str, folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    reader = TwelveLabsVideoReader(segmenter=segmenter)
    first, other = await call(mode, reader, "load_data", [folder / "red.mkv", folder / "blue.mkv"], segment=False)
    assert sandbox.count() == 0
    assert isinstance(first, VideoDocument)
    assert first.metadata["content"].startswith("sha256:")
    assert first.get_content()  # LlamaIndex drops and confuses documents without text
    (folder / "red.mkv").touch()
    (folder / "blue.mkv").write_bytes(reel(2))
    same, changed = await call(mode, reader, "load_data", [folder / "red.mkv", folder / "blue.mkv"], segment=False)
    assert (same.node_id, same.hash) == (first.node_id, first.hash)
    assert changed.node_id == other.node_id
    assert changed.hash != other.hash
    assert list(reader.lazy_load_data(folder / "red.mkv", segment=False)) == [same]


@both_modes
async def test_invalid_arguments_are_refused_before_a_request(
    mode: str, folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    reader = TwelveLabsVideoReader(segmenter=segmenter)
    video_path = folder / "red.mkv"
    for method in ("load_data", "load_nodes"):
        with pytest.raises(InputError, match="1 name stands for several media"):
            await call(mode, reader, method, [video_path, str(video_path)])
        with pytest.raises(InputError, match=r"missing\.mkv: no such file"):
            await call(mode, reader, method, folder / "missing.mkv")
        assert await call(mode, reader, method, []) == []
    assert sandbox.count() == 0
    with pytest.raises(ConfigurationError, match=r"pass segmenter, or embedding_option, segmentation, not both"):
        TwelveLabsVideoReader(segmenter=segmenter, segmentation=CUT["segmentation"], embedding_option=["visual"])
    with pytest.raises(TypeError, match="chunk_size"):
        TwelveLabsVideoReader(embed_model=segmenter.embed_model, chunk_size=1)  # type: ignore[call-arg]  # on purpose


def test_failed_video_does_not_stop_others(folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox) -> None:
    (folder / "notes.mp4").write_text("This is not a video.\n" * 40)
    reader = TwelveLabsVideoReader(segmenter=segmenter)
    video_paths = [folder / "notes.mp4", folder / "red.mkv", folder / "blue.mkv"]
    with pytest.raises(IngestionError, match=r"1 of 3 sources failed"):
        reader.load_nodes(video_paths)
    assert tasks(sandbox) == 2
    assert len(reader.load_nodes(video_paths[1:])) == 4
    assert tasks(sandbox) == 2


class Unreadable(BytesIO):
    """A file object whose storage fails, with its own class of error."""

    def read(self, size: int | None = -1) -> bytes:
        raise LookupError(f"bucket gone, {size}")


@both_modes
@pytest.mark.parametrize("method", ["load_nodes", "load_data"])
async def test_bad_items_do_not_stop_others(
    mode: str, method: str, folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    reader = TwelveLabsVideoReader(segmenter=segmenter)
    items = [Unreadable(), folder / "missing.mkv", "ftp://example.com/a.mp4", folder / "red.mkv"]
    with pytest.raises(IngestionError, match="3 of 4 sources failed") as caught:
        await call(mode, reader, method, items)
    assert (tasks(sandbox), caught.value.succeeded) == (1, (str(folder / "red.mkv"),))
    with pytest.raises(IngestionError, match="3 of 4 sources failed"):
        await call(mode, reader, "load_data", items, segment=False)
    assert tasks(sandbox) == 1


@both_modes
async def test_equal_file_names_show_their_folders(
    mode: str, folder: Path, segmenter: TwelveLabsVideoSegmenter
) -> None:
    video_paths = [folder / "a" / "intro.mkv", folder / "b" / "intro.mkv", folder / "red.mkv"]
    for path in video_paths[:2]:
        path.parent.mkdir()
        path.write_bytes(reel(0))
    nodes = await call(mode, TwelveLabsVideoReader(segmenter=segmenter), "load_nodes", video_paths)
    titles = {node.get_content().split(",")[0] for node in nodes}
    assert titles == {node.metadata["title"] for node in nodes} == {"a/intro.mkv", "b/intro.mkv", "red.mkv"}


# SimpleDirectoryReader, pipeline configurations and other file systems.


@pytest.mark.parametrize("segment", [True, False])
def test_metadata_of_a_folder_may_have_keys_that_segments_use(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox, *, segment: bool
) -> None:
    def file_metadata(path: str) -> dict[str, str]:
        return {"source": "archive", "title": f"Title of {Path(path).name}", "team": "red"}

    reader = TwelveLabsVideoReader(segmenter=segmenter, segment=segment)
    documents: Any = SimpleDirectoryReader(
        str(folder), file_extractor={".mkv": reader}, file_metadata=file_metadata, raise_on_error=True
    ).load_data()
    nodes = documents if segment else segmenter(documents)
    assert len(nodes) == 4
    for node in nodes:
        name = node.metadata["title"]
        assert (node.metadata["source"], name) == (str(folder / name), name)
        assert (node.metadata["extra_source"], node.metadata["extra_title"]) == ("archive", f"Title of {name}")
        assert node.metadata["team"] == "red"
    assert tasks(sandbox) == 2


@pytest.mark.slow
@pytest.mark.parametrize("workers", [None, 2])
def test_a_folder_of_videos_and_texts(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox, workers: int | None
) -> None:
    (folder / "blue.mkv").rename(folder / "BLUE.MKV")
    (folder / "minutes.txt").write_text(text_document().get_content())
    directory = SimpleDirectoryReader(
        str(folder), file_extractor={".mkv": TwelveLabsVideoReader(segmenter=segmenter)}, raise_on_error=True
    )
    documents = directory.load_data(num_workers=workers)
    segments = [document for document in documents if "segment_id" in document.metadata]
    assert tasks(sandbox) == 2
    assert (len(documents), len(segments)) == (5, 4)
    assert {document.metadata["file_name"] for document in segments} == {"red.mkv", "BLUE.MKV"}
    index = VectorStoreIndex.from_documents(documents, embed_model=segmenter.embed_model)
    assert sandbox.count("POST", "/embed-v2") == 1  # the text
    (best,) = index.as_retriever(similarity_top_k=1).retrieve(description(1))
    assert best.metadata["title"] == "BLUE.MKV"


async def test_a_folder_async_and_unsegmented(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    reader = TwelveLabsVideoReader(segmenter=segmenter, segment=False)
    directory = SimpleDirectoryReader(str(folder), file_extractor={".mkv": reader}, raise_on_error=True)
    documents = await directory.aload_data()
    assert [document.metadata["title"] for document in documents] == ["blue.mkv", "red.mkv"]
    assert sandbox.count() == 0
    assert len(await segmenter.acall(documents)) == 4


def test_simple_directory_reader_hides_errors_by_default(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, capsys: pytest.CaptureFixture[str]
) -> None:
    """The docstring therefore recommends `raise_on_error=True`."""
    (folder / "red.mkv").write_text("no video")
    extractor: dict[str, Any] = {".mkv": TwelveLabsVideoReader(segmenter=segmenter)}
    documents = SimpleDirectoryReader(str(folder), file_extractor=extractor).load_data()
    assert {document.metadata["title"] for document in documents} == {"blue.mkv"}
    assert "Failed to load file" in capsys.readouterr().out
    with pytest.raises(Exception, match="Error loading file"):
        SimpleDirectoryReader(str(folder), file_extractor=extractor, raise_on_error=True).load_data()


@both_modes
async def test_videos_are_read_from_another_file_system(
    mode: str, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox, tmp_path: Path
) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/videos/red.mkv", reel(0))
    reader = TwelveLabsVideoReader(segmenter=segmenter)
    nodes = await call(mode, reader, "load_nodes", "/videos/red.mkv", fs=memory)
    assert {node.metadata["source"] for node in nodes} == {"/videos/red.mkv"}
    (document,) = await call(mode, reader, "load_data", "/videos/red.mkv", fs=memory, segment=False)
    assert [shape(node) for node in segmenter([document])] == [shape(node) for node in nodes]
    directory = SimpleDirectoryReader("/videos", fs=memory, file_extractor={".mkv": reader}, raise_on_error=True)
    found = await directory.aload_data() if mode == "async" else directory.load_data()
    assert [document.metadata["title"] for document in found] == ["red.mkv", "red.mkv"]
    assert tasks(sandbox) == 1
    (tmp_path / "red.mkv").write_bytes(reel(0))
    local = reader.load_nodes(tmp_path / "red.mkv", fs=fsspec.filesystem("file"))
    assert {node.metadata["source"] for node in local} == {str(tmp_path / "red.mkv")}


def test_reader_is_serialised_without_its_key(
    folder: Path, segmenter: TwelveLabsVideoSegmenter, sandbox: Sandbox
) -> None:
    reader = TwelveLabsVideoReader(segmenter=segmenter)
    config = ReaderConfig(reader=reader, reader_args=[str(folder / "red.mkv")], reader_kwargs={"extra_info": {"a": 1}})
    text = json.dumps(config.to_dict())
    assert sandbox.api_key not in text + repr(reader)
    assert [document.metadata["a"] for document in config.read()] == [1, 1]
    arrived = pickle.loads(pickle.dumps(reader))  # noqa: S301  # made here
    assert [shape(node) for node in arrived.load_nodes(folder / "red.mkv")] == [
        shape(node) for node in reader.load_nodes(folder / "red.mkv")
    ]
    assert tasks(sandbox) == 1


def test_bytes_and_open_files_are_read(segmenter: TwelveLabsVideoSegmenter) -> None:
    reader = TwelveLabsVideoReader(segmenter=segmenter)
    first, second = reader.load_nodes(reel(0)), reader.load_nodes(BytesIO(reel(0)))
    assert [shape(node) for node in first] == [shape(node) for node in second]
    assert first[0].metadata["source"].startswith("sha256:")
