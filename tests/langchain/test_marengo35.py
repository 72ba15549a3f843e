"""The adapters with marengo3.5: the same calls, another model and space."""

from pathlib import Path

import numpy as np

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader
from llama_index_twelvelabs import TwelveLabsEmbedding, TwelveLabsVideoReader
from twelvelabs_sandbox import Sandbox


def test_langchain_embeds_texts_pictures_clips_and_films(
    sandbox: Sandbox, film: Path, frame: Path, tmp_path: Path
) -> None:
    embeddings = TwelveLabsEmbeddings(
        api_key=sandbox.api_key, base_url=sandbox.base_url, model="marengo3.5", segment_store=tmp_path / "s.sqlite3"
    )
    documents = TwelveLabsVideoLoader(film, embeddings=embeddings, embedding_option=["visual"]).load()
    stored = np.array(embeddings.embed_documents([document.page_content for document in documents]))
    picture = np.array(embeddings.embed_images([frame])[0])
    best = documents[int((stored @ picture).argmax())].metadata

    assert {document.metadata["model"] for document in documents} == {"marengo3.5"}
    assert best["start_sec"] < 18.0
    assert best["end_sec"] > 12.0  # the picture is of the third scene, from 12 to 18 s
    assert len(embeddings.embed_query("green")) == len(embeddings.embed_video(film, end_sec=None)) == 512


def test_llama_index_writes_the_same(sandbox: Sandbox, film: Path, tmp_path: Path) -> None:
    embed_model = TwelveLabsEmbedding(
        api_key=sandbox.api_key, base_url=sandbox.base_url, model="marengo3.5", segment_store=tmp_path / "s.sqlite3"
    )
    nodes = TwelveLabsVideoReader(embed_model=embed_model).load_nodes(film)

    assert {node.metadata["embedding_option"] for node in nodes} == {"visual", "audio"}
    assert {node.metadata["model"] for node in nodes} == {"marengo3.5"}
    assert len(embed_model.get_video_embedding(film)) == 512
