"""The synchronous endpoint through both clients: results, their order, and the number of requests."""

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from tests.core.conftest import Connect
from tests.core.surface import Surface, content
from tests.peak_log import PeakLog
from tests.sandbox.file_server import FileServer
from twelvelabs_core import BadRequestError, FixedSegmentation, InputError, Media
from twelvelabs_sandbox import Fault, Sandbox

TEXTS = ["red stripes moving fast", "plain blue standing still", "a loud noise"]


@pytest.fixture(scope="module")
def files(media_folder: Path) -> Iterator[FileServer]:
    with FileServer(media_folder) as server:
        yield server


def is_vector(vector: Any) -> bool:
    return bool(vector.shape == (512,) and vector.dtype == np.float32 and np.isfinite(vector).all())


async def test_a_text_becomes_a_vector(client: Surface) -> None:
    embedding = await client.embed_text(TEXTS[0])
    assert repr(embedding).startswith("Embedding(dimension=512, ")
    assert is_vector(embedding.vector)
    assert not embedding.vector.flags.writeable


async def test_texts_keep_their_order_and_equal_ones_are_sent_once(client: Surface, sandbox: Sandbox) -> None:
    singles = {text: (await client.embed_text(text)).vector for text in TEXTS}
    sandbox.clear_requests()
    many = [*TEXTS, *reversed(TEXTS), TEXTS[0]]
    embeddings = await client.embed_texts(iter(many))
    assert sandbox.count("POST", "/embed-v2") == len(TEXTS)
    for text, embedding in zip(many, embeddings, strict=True):
        assert np.array_equal(embedding.vector, singles[text])


async def test_empty_lists_send_no_request(client: Surface, sandbox: Sandbox) -> None:
    assert await client.embed_texts([]) == []
    assert await client.embed_images([]) == []
    assert await client.embed_clips([]) == []
    assert sandbox.count() == 0


@pytest.mark.parametrize("name", ["picture.jpg", "picture.png"])
async def test_an_image_has_the_same_vector_from_every_kind_of_input(
    client: Surface, media_folder: Path, files: FileServer, name: str
) -> None:
    path = media_folder / name
    asset = await client.assets.wait((await client.assets.create(path)).id)
    with path.open("rb") as stream:
        given = [path, str(path), content(path), stream, files.url(name), f"asset:{asset.id}", Media.of(path)]
        vectors = [embedding.vector for embedding in await client.embed_images(given)]
    assert all(is_vector(vector) for vector in vectors)
    assert all(np.allclose(vector, vectors[0], atol=1e-5) for vector in vectors)


async def test_an_unnamed_stream_is_embedded_from_its_start(client: Surface, picture: Path) -> None:
    stream = io.BytesIO(content(picture))
    stream.seek(1000)
    from_stream, from_path = await client.embed_images([stream, picture])
    assert np.array_equal(from_stream.vector, from_path.vector)


async def test_a_text_and_images_become_one_vector(client: Surface, media_folder: Path) -> None:
    images = [media_folder / "picture.jpg", media_folder / "picture.png"]
    both = await client.embed_text_image("red", images[0])
    several = await client.embed_multi_input(images, text="red and blue")
    without_text = await client.embed_multi_input(images[:1])
    for embedding in (both, several, without_text):
        assert is_vector(embedding.vector)
    assert not np.allclose(both.vector, without_text.vector)


async def test_ten_images_are_one_vector_and_eleven_are_refused(
    client: Surface, picture: Path, sandbox: Sandbox
) -> None:
    assert is_vector((await client.embed_multi_input([picture] * 10)).vector)
    sandbox.clear_requests()
    for images in ([picture] * 11, []):
        with pytest.raises(InputError, match=f"1 to 10 images, got {len(images)}"):
            await client.embed_multi_input(images)
    assert sandbox.count() == 0


@pytest.mark.parametrize("kind", ["video", "audio"])
async def test_short_media_are_embedded_as_segments_in_one_request(
    client: Surface, kind: str, video_path: Path, sound: Path
) -> None:
    call = client.embed_video if kind == "video" else client.embed_audio
    path = video_path if kind == "video" else sound
    segments = await call(path, segmentation=FixedSegmentation(4), embedding_option=["audio"])
    assert segments.vectors.shape == (3, 512)
    assert [(s.start_sec, s.embedding_scope) for s in segments] == [(0, "clip"), (4, "clip"), (0, "asset")]
    assert segments[1].end_sec == pytest.approx(8, abs=0.2)


async def test_a_time_window_and_a_fused_vector(client: Surface, video_path: Path) -> None:
    segments = await client.embed_video(
        video_path,
        start_sec=4,
        end_sec=8,
        segmentation={"strategy": "fixed", "fixed": {"duration_sec": 4}},
        embedding_option=["visual", "audio"],
        embedding_scope=["clip"],
        embedding_type=["fused_embedding"],
    )
    assert [(s.start_sec, s.end_sec, s.embedding_option) for s in segments] == [(4, 8, "fused")]


async def test_clips_have_one_vector_each_in_their_order(client: Surface, video_path: Path) -> None:
    first, second = [await client.embed_clip(video_path, start_sec=start, end_sec=start + 4) for start in (0, 4)]
    again = await client.embed_clips([video_path, content(video_path)], start_sec=4)
    assert is_vector(first)
    assert not np.allclose(first, second)
    assert all(np.allclose(vector, second, atol=1e-4) for vector in again)


@pytest.mark.parametrize("limit", [1, 3])
async def test_at_most_max_concurrency_requests_run_at_once(connect: Connect, limit: int) -> None:
    log = PeakLog()
    watched = Sandbox()
    watched._requests = log
    with watched:
        watched.faults.add(Fault(path="/embed-v2", times=None, delay=0.05))
        client = connect(api_key=SecretStr(watched.api_key), base_url=watched.base_url, max_concurrency=limit)
        await client.embed_texts([f"text {number}" for number in range(4 * limit)])
        await client.close()
    assert log.peak == limit


async def test_the_first_error_cancels_the_remaining_requests(connect: Connect, sandbox: Sandbox) -> None:
    client = connect(max_concurrency=2)
    sandbox.faults.add(Fault(path="/embed-v2", status=400, skip=2), Fault(path="/embed-v2", delay=0.05, times=None))
    with pytest.raises(BadRequestError):
        await client.embed_texts([f"text {number}" for number in range(100)])
    assert sandbox.count() < 20
    await asyncio.sleep(0.5)  # threads end after their current request, which must not be counted in the next test


# Input that is refused before a request


@pytest.mark.parametrize("bad", ["", "  ", None, 7])
async def test_one_invalid_text_prevents_every_request(client: Surface, sandbox: Sandbox, bad: Any) -> None:
    with pytest.raises(InputError, match=r"texts\[1\]"):
        await client.embed_texts(["red", bad, "blue"])
    with pytest.raises(InputError):
        await client.embed_text(bad)
    assert sandbox.count() == 0


async def test_one_invalid_image_or_clip_prevents_every_request(
    client: Surface, picture: Path, video_path: Path, sandbox: Sandbox
) -> None:
    with pytest.raises(InputError, match="missing"):
        await client.embed_images([picture, "missing.jpg"])
    with pytest.raises(InputError, match="missing"):
        await client.embed_clips([video_path, "missing.mp4"])
    with pytest.raises(InputError, match="empty"):
        await client.embed_text_image(" ", picture)
    with pytest.raises(InputError, match="empty"):
        await client.embed_multi_input([picture], text="")
    assert sandbox.count() == 0


@pytest.mark.parametrize("single", ["red car", b"red car", Path("red.jpg"), 7, None])
@pytest.mark.parametrize("method", ["embed_texts", "embed_images", "embed_clips", "embed_multi_input", "find_vectors"])
async def test_a_single_value_is_refused_where_a_list_is_expected(
    client: Surface, sandbox: Sandbox, method: str, single: Any
) -> None:
    with pytest.raises(InputError, match="must be a list"):
        await getattr(client, method)(single)
    assert sandbox.count() == 0
