"""The main job on the real API, which is billed: `TWELVELABS_LIVE=1 make test TESTS=tests/live`.

The tests assert what the vendor documents; a failure shows where the service differs.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader, add_segments
from twelvelabs_core import AuthenticationError, Client, FixedSegmentation, SegmentStore
from twelvelabs_sandbox.films import Scene, describe_look, write_film, write_picture

KEY = os.environ.get("TWELVELABS_API_KEY", "")
pytestmark = [
    pytest.mark.live,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        os.environ.get("TWELVELABS_LIVE") != "1" or not KEY or KEY.startswith("tlk_sandbox_"),
        reason="live tests are billed: set TWELVELABS_LIVE=1 and a real TWELVELABS_API_KEY",
    ),
]
SCENES = [
    Scene("red", "white", "stripes", "fast", "noise", seconds=6.0),
    Scene("blue", "yellow", "plain", "still", "tone", seconds=6.0),
]


@pytest.fixture(scope="module")
def video_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("live") / "video.mp4"
    write_film(path, SCENES)
    return path


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwelveLabsEmbeddings]:
    with SegmentStore(tmp_path_factory.mktemp("store") / "segments.sqlite3") as store:
        yield TwelveLabsEmbeddings(segment_store=store)


def test_texts_and_images_share_a_space_of_512_values(embeddings: TwelveLabsEmbeddings, tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "red.png", SCENES[0])
    vectors = np.array(
        [*embeddings.embed_documents(["red and white stripes", "a cat"]), *embeddings.embed_images([picture])]
    )
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    assert vectors.shape == (3, 512)
    assert unit[0] @ unit[2] > unit[1] @ unit[2]


def test_video_is_searchable_and_paid_once(embeddings: TwelveLabsEmbeddings, video_path: Path) -> None:
    loader = TwelveLabsVideoLoader(
        video_path,
        embeddings=embeddings,
        segmentation=FixedSegmentation(6),
        embedding_option=["visual"],
        show_progress=True,
    )
    store = InMemoryVectorStore(embeddings)
    add_segments(store, loader.lazy_load())
    moment = store.similarity_search(describe_look(SCENES[1]), k=1)[0]

    assert 5.0 <= moment.metadata["start_sec"] < moment.metadata["end_sec"] <= 12.5
    assert embeddings.client.segment_video(
        video_path, segmentation=FixedSegmentation(6), embedding_option=["visual"], embedding_scope=["clip"]
    ).reused


def test_invalid_key_raises_authentication_error() -> None:
    with Client("tlk_not_a_real_key_0000000000") as client, pytest.raises(AuthenticationError):
        client.embed_text("a red car")
