"""`TwelveLabsEmbedding` passes the contract, and the contract detects embeddings that violate it."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from llama_index_twelvelabs import TwelveLabsEmbedding
from tests.llama_index.contract import TEXT_CALLS, Call, Make, MultiModalEmbeddingContract, Traffic
from tests.llama_index.fixtures import PeakLog, paid
from twelvelabs_core import TwelveLabsError
from twelvelabs_sandbox import Fault, Sandbox


class SandboxTraffic:
    """The sandbox with the interface of the contract."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def count(self) -> int:
        return paid(self._sandbox)

    def peak(self) -> int:
        log = self._sandbox._requests
        assert isinstance(log, PeakLog)
        return log.peak

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        self._sandbox.faults.add(Fault(path="/embed-v2", delay=seconds, times=None))
        try:
            yield
        finally:
            self._sandbox.clear_faults()


class TestTwelveLabsEmbedding(MultiModalEmbeddingContract):
    """The contract, with every kind of media in every accepted form."""

    @pytest.fixture
    def make(self, watched: Sandbox, tmp_path: Path) -> Make:
        return maker(TwelveLabsEmbedding, watched, tmp_path)

    @pytest.fixture
    def secrets(self, watched: Sandbox) -> Sequence[str]:
        return [watched.api_key, "s3cr3t"]

    @pytest.fixture
    def traffic(self, watched: Sandbox) -> Traffic:
        return SandboxTraffic(watched)

    @pytest.fixture
    def calls(self, clip: Path, frame: Path, sound: Path) -> Sequence[Call]:
        return media_calls(clip, frame, sound)


def maker(cls: type[TwelveLabsEmbedding], sandbox: Sandbox, folder: Path) -> Make:
    def make(**options: Any) -> TwelveLabsEmbedding:
        return cls(
            api_key=sandbox.api_key, base_url=sandbox.base_url, segment_store=folder / "segments.sqlite3", **options
        )

    return make


def media_calls(clip: Path, frame: Path, sound: Path) -> list[Call]:
    return [
        *TEXT_CALLS,
        Call("get_image_embedding", (str(frame),)),
        Call("get_image_embedding", (BytesIO(frame.read_bytes()),)),
        Call("get_image_embedding_batch", ([str(frame), frame],), requests=2, plural=True),
        Call("get_text_image_embedding", ("this, but in red", frame.read_bytes())),
        Call("get_video_embedding", (str(clip),)),
        Call("get_video_embeddings", ([clip, clip.read_bytes()],), requests=2, plural=True),
        Call("get_audio_embedding", (sound,), kwargs={"embedding_option": "audio"}),
        Call("get_audio_embeddings", ([sound, BytesIO(sound.read_bytes())],), requests=2, plural=True),
    ]


class FailingCall(Call):
    """All media methods with an unreachable URL, since errors must not contain secrets either."""

    def run(self, embedding: Any) -> None:
        for method in ("get_image_embedding", "get_video_embedding", "get_audio_embedding"):
            with pytest.raises(TwelveLabsError) as caught:
                getattr(embedding, method)(*self.args)
            assert "s3cr3t" not in f"{caught.value!r} {caught.value} {vars(caught.value)}"

    async def arun(self, embedding: Any) -> None:
        await asyncio.to_thread(self.run, embedding)


async def test_signed_url_is_never_shown_to_observers(watched: Sandbox, tmp_path: Path) -> None:
    call = FailingCall("", ("http://127.0.0.1:9/photo.png?X-Amz-Signature=s3cr3t&id=1",))
    await TestTwelveLabsEmbedding().test_observers_receive_strings_without_secrets(
        maker(TwelveLabsEmbedding, watched, tmp_path), [call], ["s3cr3t", watched.api_key]
    )


# Embeddings with typical defects that the contract must detect.


class ShowsItsKey(TwelveLabsEmbedding):
    def to_dict(self, **kwargs: Any) -> dict[str, Any]:
        assert self.api_key is not None
        return {**super().to_dict(**kwargs), "api_key": self.api_key.get_secret_value()}


class BlocksTheLoop(TwelveLabsEmbedding):
    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


class SendsAllAtOnce(TwelveLabsEmbedding):
    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return list(await asyncio.gather(*[self._aget_text_embedding(text) for text in texts]))


class ShowsBytes(TwelveLabsEmbedding):
    def get_image_embedding(self, img_file_path: Any) -> list[float]:
        return self._get_image_embedding(img_file_path.getvalue())


class LosesTheOrder(TwelveLabsEmbedding):
    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return super()._get_text_embeddings(sorted(texts))


class TakesAnything(TwelveLabsEmbedding):
    def __init__(self, **options: Any) -> None:
        options.pop("no_such_option", None)
        super().__init__(**options)


Broken = tuple[type[TwelveLabsEmbedding], str, Callable[..., dict[str, Any]]]
BROKEN: list[Broken] = [
    (ShowsItsKey, "test_key_is_never_shown", lambda secrets, **_: {"secrets": secrets}),
    (
        BlocksTheLoop,
        "test_async_calls_do_not_block_the_loop",
        lambda traffic, **_: {"calls": TEXT_CALLS[:1], "traffic": traffic},
    ),
    (
        SendsAllAtOnce,
        "test_concurrency_never_exceeds_the_limit",
        lambda traffic, **_: {"limit": 1, "traffic": traffic},
    ),
    (
        ShowsBytes,
        "test_observers_receive_strings_without_secrets",
        lambda secrets, picture, **_: {"calls": [Call("get_image_embedding", (picture,))], "secrets": secrets},
    ),
    (
        ShowsBytes,
        "test_every_call_is_reported_once_to_events_callbacks_and_spans",
        lambda picture, **_: {"calls": [Call("get_image_embedding", (picture,))]},
    ),
    (LosesTheOrder, "test_batches_keep_their_order_and_equal_single_calls", lambda **_: {}),
    (TakesAnything, "test_unknown_argument_is_refused", lambda **_: {}),
]


@pytest.fixture
def picture(frame: Path) -> BytesIO:
    """An image that is not given as a path."""
    return BytesIO(frame.read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: f"{broken[0].__name__}-{broken[1]}")
async def test_contract_detects_broken_embeddings(
    broken: Broken, watched: Sandbox, tmp_path: Path, picture: BytesIO
) -> None:
    cls, test, needs = broken
    given = needs(traffic=SandboxTraffic(watched), secrets=[watched.api_key], picture=picture)

    async def run() -> None:
        outcome = getattr(TestTwelveLabsEmbedding(), test)(make=maker(cls, watched, tmp_path), **given)
        if asyncio.iscoroutine(outcome):
            await outcome

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await run()
