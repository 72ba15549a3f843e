"""Small videos in a folder, documents and pipelines for them, and a server that serves them."""

import functools
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import Document
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.vector_stores import SimpleVectorStore

from llama_index_twelvelabs import (
    TwelveLabsEmbedding,
    TwelveLabsVideoReader,
    TwelveLabsVideoSegmenter,
    keep_segment_ids,
)
from tests.llama_index.fixtures import FIXED, SCENES
from twelvelabs_sandbox.films import write_film

STRATEGIES = ["upserts", "upserts_and_delete", "duplicates_only"]


@functools.cache
def reel(scene: int) -> bytes:
    """Return a video of one scene; cached, since writing it takes longer than embedding it."""
    with tempfile.TemporaryDirectory() as place:
        write_film(Path(place) / "scene.mkv", SCENES[scene : scene + 1], fps=5)
        return (Path(place) / "scene.mkv").read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two videos of one scene each: red.mkv and blue.mkv."""
    path = tmp_path / "videos"
    path.mkdir()
    (path / "red.mkv").write_bytes(reel(0))
    (path / "blue.mkv").write_bytes(reel(1))
    return path


@pytest.fixture
def segmenter(embed_model: TwelveLabsEmbedding) -> TwelveLabsVideoSegmenter:
    """A segmenter that makes one segment per option of each video."""
    return TwelveLabsVideoSegmenter(
        embed_model=embed_model, segmentation=FIXED, end_sec=6.0, embedding_option=["visual", "audio"]
    )


def change(video_path: Path) -> None:
    """Replace the content of a video file."""
    video_path.write_bytes(reel(2))


def text_document() -> Document:
    return Document(id_="minutes", text="Minutes of a meeting about videos.")


def documents(segmenter: TwelveLabsVideoSegmenter, *video_paths: Path) -> list[Document]:
    """Return one document per video, as given to a pipeline on every run."""
    return TwelveLabsVideoReader(segmenter=segmenter).load_data(video_paths, segment=False)


def pipeline_of(segmenter: TwelveLabsVideoSegmenter, strategy: str = "upserts", **options: Any) -> IngestionPipeline:
    """Return a pipeline for videos and texts together."""
    fields: dict[str, Any] = {
        "transformations": [segmenter, SentenceSplitter(id_func=keep_segment_ids), segmenter.embed_model],
        "docstore": SimpleDocumentStore(),
        "docstore_strategy": strategy,
        "vector_store": SimpleVectorStore(),
    }
    return IngestionPipeline(**{**fields, **options})


async def run(mode: str, pipeline: IngestionPipeline, documents: list[Document]) -> list[Any]:
    return list(await pipeline.arun(documents=documents) if mode == "async" else pipeline.run(documents=documents))


def stored(target: Any) -> dict[str, str]:
    """Return the ids of all nodes in a simple vector store, each with the id of its source."""
    store = getattr(target, "vector_store", target)
    assert isinstance(store, SimpleVectorStore)
    sources = store.data.text_id_to_ref_doc_id
    return {node_id: sources[node_id] for node_id in store.data.embedding_dict}


def stored_of(target: Any, document: Document) -> set[str]:
    """Return the ids of the nodes of one document."""
    return {node_id for node_id, source in stored(target).items() if source == document.node_id}


class QuietHandler(SimpleHTTPRequestHandler):
    """A file server that does not write its requests to stderr."""

    def log_message(self, *_: object) -> None: ...


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; yield its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
