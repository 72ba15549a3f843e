"""The adapters with marengo3.5: the same calls with another model and space."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llama_index.core.schema import TextNode
from llama_index.core.storage.kvstore import SimpleKVStore

from langchain_twelvelabs import TwelveLabsAudioLoader, TwelveLabsEmbeddings, TwelveLabsVideoLoader
from llama_index_twelvelabs import TwelveLabsEmbedding, TwelveLabsVideoReader, TwelveLabsVideoSegmenter
from tests.langchain.fixtures import FIXED, requests_of
from twelvelabs_core import BadRequestError, InputError
from twelvelabs_sandbox import Sandbox

LONG = "word " * 3000  # above the model's limit of 2,000 tokens
TEXTS: dict[str, Any] = {
    "time_based_metadata": [{"start": 0.0, "end": 6.0, "text": "the opening scene"}],
    "embedding_type": ["fused_embedding"],
}
both = pytest.mark.parametrize("kind", [TwelveLabsEmbeddings, TwelveLabsEmbedding])


def make(kind: Any, sandbox: Sandbox, tmp_path: Path, **options: Any) -> Any:
    fields = {"model": "marengo3.5", "segment_store": tmp_path / "s.sqlite3", **options}
    return kind(api_key=sandbox.api_key, base_url=sandbox.base_url, **fields)


def query(embedding: Any, text: str) -> list[float]:
    found = embedding.embed_query(text) if hasattr(embedding, "embed_query") else embedding.get_query_embedding(text)
    assert isinstance(found, list)
    return found


def test_langchain_embeds_texts_images_clips_and_videos(
    sandbox: Sandbox, video_path: Path, frame: Path, tmp_path: Path
) -> None:
    embeddings = TwelveLabsEmbeddings(
        api_key=sandbox.api_key, base_url=sandbox.base_url, model="marengo3.5", segment_store=tmp_path / "s.sqlite3"
    )
    documents = TwelveLabsVideoLoader(video_path, embeddings=embeddings, embedding_option=["visual"]).load()
    stored = np.array(embeddings.embed_documents([document.page_content for document in documents]))
    picture = np.array(embeddings.embed_images([frame])[0])
    best = documents[int((stored @ picture).argmax())].metadata

    assert {document.metadata["model"] for document in documents} == {"marengo3.5"}
    assert best["start_sec"] < 18.0
    assert best["end_sec"] > 12.0  # the picture is of the third scene, from 12 to 18 s
    assert len(embeddings.embed_query("green")) == len(embeddings.embed_video(video_path, end_sec=None)) == 512


def test_llama_index_embeds_videos(sandbox: Sandbox, video_path: Path, tmp_path: Path) -> None:
    embed_model = TwelveLabsEmbedding(
        api_key=sandbox.api_key, base_url=sandbox.base_url, model="marengo3.5", segment_store=tmp_path / "s.sqlite3"
    )
    nodes = TwelveLabsVideoReader(embed_model=embed_model).load_nodes(video_path)

    assert {node.metadata["embedding_option"] for node in nodes} == {"visual", "audio"}
    assert {node.metadata["model"] for node in nodes} == {"marengo3.5"}
    assert len(embed_model.get_video_embedding(video_path)) == 512


@both
async def test_shorter_vectors_have_their_own_space(kind: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    embedding = make(kind, sandbox, tmp_path, embedding_dimension=128)
    assert "embedding_dimension=128" in repr(embedding)
    copies = [pickle.loads(pickle.dumps(embedding)), embedding.model_copy(), embedding]  # noqa: S301  # made here
    for one in copies:
        assert len(query(one, "a red car")) == 128
        assert (one.embedding_dimension, one.client.space) == (128, "sandbox/marengo3.5/128")
        assert one.async_client.space == one.client.space
        ask = getattr(one, "aembed_query", None) or one.aget_query_embedding
        assert await ask("a red car") == query(one, "a red car")
    assert len(query(embedding.model_copy(update={"embedding_dimension": 256}), "a red car")) == 256
    assert make(kind, sandbox, tmp_path).embedding_dimension == 512
    assert make(kind, sandbox, tmp_path, model="marengo3.0").embedding_dimension == 512


@both
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"embedding_dimension": 256}, r"embedding_dimension of marengo3\.0 .*got 256 \(needs model='marengo3\.5'\)"),
        ({"auto_truncate": True}, r"marengo3\.0 does not take auto_truncate \(needs model='marengo3\.5'\)"),
        ({"model": "marengo3.5", "embedding_dimension": 300}, "128, 256, 512; got 300"),
        ({"model": "marengo3.5", "embedding_dimension": "256"}, "embedding_dimension"),
        ({"model": "marengo3.5", "auto_truncate": "yes"}, "auto_truncate"),
    ],
)
def test_unsupported_options_are_refused_at_construction(
    kind: Any, options: dict[str, Any], message: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        make(kind, sandbox, tmp_path, **{"model": "marengo3.0", **options})


@both
def test_auto_truncate_truncates_long_texts(kind: Any, sandbox: Sandbox, tmp_path: Path, frame: Path) -> None:
    cuts = make(kind, sandbox, tmp_path, auto_truncate=True)
    assert len(query(cuts, LONG)) == 512
    text_image = getattr(cuts, "embed_text_image", None) or cuts.get_text_image_embedding
    assert len(text_image(LONG, frame)) == 512
    with pytest.raises(BadRequestError):  # only the API can count the tokens
        query(make(kind, sandbox, tmp_path), LONG)


def test_llama_index_serialises_options_that_change_vectors(sandbox: Sandbox, tmp_path: Path) -> None:
    short = make(TwelveLabsEmbedding, sandbox, tmp_path, embedding_dimension=128, auto_truncate=True)
    written = json.loads(json.dumps(short.to_dict()))
    assert (written["embedding_dimension"], written["space"]) == (128, "sandbox/marengo3.5/128")
    again = TwelveLabsEmbedding.from_dict(written, api_key=sandbox.api_key)
    assert again.to_dict() == short.to_dict()
    assert written != make(TwelveLabsEmbedding, sandbox, tmp_path).to_dict()


def test_shared_embeddings_cache_separates_dimensions(sandbox: Sandbox, tmp_path: Path) -> None:
    cache = SimpleKVStore()
    for dimension in (512, 128, 256):
        embedding = make(TwelveLabsEmbedding, sandbox, tmp_path, embedding_dimension=dimension, embeddings_cache=cache)
        for _ in range(2):
            assert len(embedding.get_text_embedding("a red car")) == dimension
    assert sandbox.count("POST", "/embed-v2") == 3


def test_segment_of_another_dimension_is_refused(sandbox: Sandbox, tmp_path: Path, video_path: Path) -> None:
    long, short = (make(TwelveLabsEmbedding, sandbox, tmp_path, embedding_dimension=d) for d in (512, 128))
    node: TextNode = TwelveLabsVideoReader(embed_model=long, embedding_option=["visual"]).load_nodes(video_path)[0]
    with pytest.raises(InputError, match=r"marengo3\.5/512, not sandbox/marengo3\.5/128"):
        short([node])
    lost = node.model_copy(update={"embedding": None})
    with pytest.raises(InputError, match="not comparable"):
        short([lost])


def test_timed_texts_are_passed_by_both_adapters(sandbox: Sandbox, tmp_path: Path, video_path: Path) -> None:
    embeddings = make(TwelveLabsEmbeddings, sandbox, tmp_path)
    documents = TwelveLabsVideoLoader(video_path, embeddings=embeddings, segmentation=FIXED, **TEXTS).load()
    assert {document.metadata["embedding_option"] for document in documents} == {"fused"}
    embed_model = make(TwelveLabsEmbedding, sandbox, tmp_path)
    reader = TwelveLabsVideoReader(embed_model=embed_model, segmentation=FIXED, **TEXTS)
    assert [node.node_id for node in reader.load_nodes(video_path)] == [document.id for document in documents]
    again = TwelveLabsVideoSegmenter.from_dict(
        json.loads(json.dumps(reader.segmenter.to_dict())), embed_model=embed_model
    )
    assert again.identity() == reader.segmenter.identity()
    assert again.identity() != TwelveLabsVideoSegmenter(embed_model=embed_model, segmentation=FIXED).identity()


def test_used_assets_are_deleted_by_both_adapters(sandbox: Sandbox, tmp_path: Path, video_path: Path) -> None:
    embeddings = make(TwelveLabsEmbeddings, sandbox, tmp_path, model="marengo3.0")
    options: dict[str, Any] = {"segmentation": FIXED, "keep_asset": False}
    TwelveLabsVideoLoader(video_path, embeddings=embeddings, embedding_option=["visual"], **options).load()
    assert sandbox.count("DELETE", "/assets/{asset_id}") == 1
    embed_model = make(TwelveLabsEmbedding, sandbox, tmp_path, model="marengo3.0")
    TwelveLabsVideoReader(embed_model=embed_model, embedding_option=["audio"], **options).load_nodes(video_path)
    assert sandbox.count("DELETE", "/assets/{asset_id}") == 2


def test_options_of_another_model_are_refused_by_loaders(sandbox: Sandbox, tmp_path: Path, video_path: Path) -> None:
    old = make(TwelveLabsEmbeddings, sandbox, tmp_path, model="marengo3.0")
    old_model = make(TwelveLabsEmbedding, sandbox, tmp_path, model="marengo3.0")
    new = make(TwelveLabsEmbeddings, sandbox, tmp_path)
    needs_new = r"time_based_metadata \(needs model='marengo3\.5'\)"
    with pytest.raises(InputError, match=needs_new):
        TwelveLabsVideoLoader(video_path, embeddings=old, **TEXTS)
    with pytest.raises(InputError, match=needs_new):
        TwelveLabsVideoSegmenter(embed_model=old_model, **TEXTS)
    with pytest.raises(InputError, match=r"'transcription' with marengo3\.5 \(needs model='marengo3\.0'\)"):
        TwelveLabsVideoLoader(video_path, embeddings=new, embedding_option=["transcription"])
    with pytest.raises(InputError, match=r"dynamic \(needs model='marengo3\.5'\)"):
        TwelveLabsAudioLoader(
            video_path, embeddings=old, segmentation={"strategy": "dynamic", "dynamic": {"min_duration_sec": 3}}
        )
    assert requests_of(sandbox) == 0
