"""Embeddings of text, images, audio and video, and refused values; sync and async."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from langchain_twelvelabs import TwelveLabsEmbeddings
from tests.langchain.fixtures import SCENES, call, description, requests_of
from twelvelabs_core import APIResponseError, AuthenticationError, InputError
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import write_picture, write_sound

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


def cosine(left: list[float], right: list[float]) -> float:
    one, other = np.array(left), np.array(right)
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def assert_plain(vector: list[float]) -> None:
    assert type(vector) is list
    assert len(vector) == 512
    assert all(type(value) is float for value in vector)


@both_modes
async def test_texts_keep_their_order_and_are_plain_lists(mode: str, shared_embeddings: TwelveLabsEmbeddings) -> None:
    texts = ["a red car", "rain", "a red car", "Ünïcode 🎬 text\nof two lines"]
    vectors = await call(mode, shared_embeddings, "embed_documents", texts)
    assert type(vectors) is list
    for text, vector in zip(texts, vectors, strict=True):
        assert_plain(vector)
        assert vector == await call(mode, shared_embeddings, "embed_query", text)


@both_modes
async def test_empty_list_returns_an_empty_list(mode: str, shared_embeddings: TwelveLabsEmbeddings) -> None:
    assert await call(mode, shared_embeddings, "embed_documents", []) == []
    assert await call(mode, shared_embeddings, "embed_images", []) == []


@both_modes
@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", "", "c"], r"texts\[1\] is empty"),
        (["a", "b", " \n\t"], r"texts\[2\] is empty"),
        ([None], r"texts\[0\] must be a str, got NoneType"),
        ("a red car", "texts must be a list, got a single str"),
    ],
)
async def test_invalid_texts_are_refused_by_index(
    mode: str, texts: Any, message: str, sandbox: Sandbox, fresh_embeddings: TwelveLabsEmbeddings
) -> None:
    with pytest.raises(InputError, match=message):
        await call(mode, fresh_embeddings, "embed_documents", texts)
    assert requests_of(sandbox) == 0


@both_modes
async def test_empty_query_is_named_as_such(mode: str, fresh_embeddings: TwelveLabsEmbeddings) -> None:
    with pytest.raises(InputError, match=r"^the query is empty"):
        await call(mode, fresh_embeddings, "embed_query", " ")


@both_modes
async def test_images_by_path_and_bytes(mode: str, shared_embeddings: TwelveLabsEmbeddings, tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / f"{number}.jpg", scene) for number, scene in enumerate(SCENES)]
    vectors = await call(mode, shared_embeddings, "embed_images", [str(paths[0]), paths[1], paths[2].read_bytes()])
    assert len(vectors) == 3
    for number, vector in enumerate(vectors):
        assert_plain(vector)
        likeness = [cosine(vector, shared_embeddings.embed_query(description(scene))) for scene in range(3)]
        assert likeness.index(max(likeness)) == number
    assert vectors[:2] == await call(mode, shared_embeddings, "embed_image", uris=[str(paths[0]), str(paths[1])])


@both_modes
async def test_texts_of_an_iterator_are_embedded(mode: str, shared_embeddings: TwelveLabsEmbeddings) -> None:
    vectors = await call(mode, shared_embeddings, "embed_documents", (text for text in ("a red car", "a blue car")))
    assert vectors == await call(mode, shared_embeddings, "embed_documents", ["a red car", "a blue car"])


@both_modes
@pytest.mark.parametrize("method", ["embed_images", "embed_image"])
async def test_single_image_is_refused_where_a_list_is_expected(
    mode: str, method: str, shared_embeddings: TwelveLabsEmbeddings, frame: Path
) -> None:
    for single in (str(frame), frame, b"the bytes of an image"):
        with pytest.raises(InputError, match="images must be a list, got a single"):
            await call(mode, shared_embeddings, method, single)


@both_modes
async def test_invalid_image_is_refused_before_a_request(
    mode: str, frame: Path, tmp_path: Path, sandbox: Sandbox, fresh_embeddings: TwelveLabsEmbeddings
) -> None:
    (tmp_path / "text.jpg").write_text("no image")
    small = write_picture(tmp_path / "small.png", SCENES[0], size=(64, 64))
    for bad, message in (
        (tmp_path / "none.png", "no such file"),
        (tmp_path / "text.jpg", "JPEG or PNG"),
        (small, "128"),
    ):
        with pytest.raises(InputError, match=message):
            await call(mode, fresh_embeddings, "embed_images", [frame, bad])
    assert requests_of(sandbox) == 0


@both_modes
async def test_text_and_image_together(mode: str, shared_embeddings: TwelveLabsEmbeddings, frame: Path) -> None:
    vector = await call(mode, shared_embeddings, "embed_text_image", "loud noise", frame)
    assert_plain(vector)
    assert cosine(vector, shared_embeddings.embed_query("loud noise")) > cosine(
        shared_embeddings.embed_images([frame])[0], shared_embeddings.embed_query("loud noise")
    )


@both_modes
async def test_video_has_one_vector_of_the_chosen_option(
    mode: str, shared_embeddings: TwelveLabsEmbeddings, video_path: Path
) -> None:
    first = await call(mode, shared_embeddings, "embed_video", video_path, end_sec=6.0)
    assert_plain(first)
    likeness = [cosine(first, shared_embeddings.embed_query(description(scene))) for scene in range(3)]
    assert likeness.index(max(likeness)) == 0

    segments = shared_embeddings.client.embed_video(video_path, end_sec=6.0, embedding_scope=["asset"])
    for option in ("visual", "audio", "transcription"):
        vector = await call(mode, shared_embeddings, "embed_video", video_path, end_sec=6.0, embedding_option=option)
        assert vector == segments.select(embedding_option=option).vectors[0].tolist()
    fused = await call(mode, shared_embeddings, "embed_video", video_path, end_sec=6.0, embedding_option="fused")
    assert_plain(fused)
    assert fused != first


@both_modes
async def test_audio_has_one_vector(mode: str, shared_embeddings: TwelveLabsEmbeddings, tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "noise.wav", SCENES[:1])
    vector = await call(mode, shared_embeddings, "embed_audio", sound)
    assert_plain(vector)
    assert cosine(vector, shared_embeddings.embed_query("loud noise")) > cosine(
        vector, shared_embeddings.embed_query("music")
    )


@both_modes
async def test_missing_speech_raises_with_advice(
    mode: str, shared_embeddings: TwelveLabsEmbeddings, video_path: Path
) -> None:
    with pytest.raises(APIResponseError, match="no vector for embedding_option 'transcription'"):
        await call(
            mode,
            shared_embeddings,
            "embed_video",
            video_path,
            start_sec=12.0,
            end_sec=18.0,
            embedding_option="transcription",
        )


@both_modes
@pytest.mark.parametrize("method", ["embed_video", "embed_audio"])
async def test_unknown_options_are_refused(
    mode: str, method: str, video_path: Path, sandbox: Sandbox, fresh_embeddings: TwelveLabsEmbeddings
) -> None:
    with pytest.raises(InputError, match=r"embedding_option for .* must be one of .*smell"):
        await call(mode, fresh_embeddings, method, video_path, embedding_option="smell")
    assert requests_of(sandbox) == 0


@both_modes
async def test_invalid_key_raises_authentication_error(mode: str, sandbox: Sandbox, tmp_path: Path) -> None:
    embeddings = TwelveLabsEmbeddings(
        api_key="tlk_sandbox_of_another_user", base_url=sandbox.base_url, segment_store=tmp_path / "s"
    )
    with pytest.raises(AuthenticationError) as caught:
        await call(mode, embeddings, "embed_query", "a red car")
    assert "another_user" not in str(caught.value)
