"""LangChain's rate limiters, and the settings that limit requests."""

import pickle
from pathlib import Path
from typing import Any

import pytest
from langchain_core.rate_limiters import BaseRateLimiter, InMemoryRateLimiter

from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader
from tests.langchain.fixtures import call, connected, requests_of, tasks_of
from twelvelabs_core import ConfigurationError
from twelvelabs_sandbox import Sandbox

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])
CUT: dict[str, Any] = {"segmentation": {"strategy": "fixed", "fixed": {"duration_sec": 6}}, "end_sec": 24.0}


class CountingLimiter(BaseRateLimiter):
    """Permits every request and counts sync and async calls."""

    def __init__(self) -> None:
        self.asked = {"sync": 0, "async": 0}

    def acquire(self, *, blocking: bool = True) -> bool:
        assert blocking
        self.asked["sync"] += 1
        return True

    async def aacquire(self, *, blocking: bool = True) -> bool:
        assert blocking
        self.asked["async"] += 1
        return True


@both_modes
async def test_rate_limiter_is_acquired_once_per_embedding(
    mode: str, sandbox: Sandbox, tmp_path: Path, video_path: Path, frame: Path
) -> None:
    limiter = CountingLimiter()
    embeddings = connected(sandbox, tmp_path / "store.sqlite3", rate_limiter=limiter)
    await call(mode, embeddings, "embed_documents", ["red", "blue", "red"])
    await call(mode, embeddings, "embed_query", "green")
    await call(mode, embeddings, "embed_images", [frame, frame])
    await call(mode, embeddings, "embed_text_image", "but in red", frame)
    await call(mode, embeddings, "embed_video", video_path)
    assert limiter.asked[mode] == requests_of(sandbox) == 7  # equal texts are sent once
    loader = TwelveLabsVideoLoader(video_path, embeddings=embeddings, **CUT)
    documents = await call(mode, loader, "load")
    assert (limiter.asked[mode], tasks_of(sandbox)) == (8, 1)  # uploads and polls are not counted
    await call(mode, embeddings, "embed_documents", [document.page_content for document in documents])
    await call(mode, loader, "load")
    assert limiter.asked == {mode: 8, "async" if mode == "sync" else "sync": 0}


@both_modes
async def test_in_memory_rate_limiter_of_langchain_works(mode: str, sandbox: Sandbox, tmp_path: Path) -> None:
    limiter = InMemoryRateLimiter(requests_per_second=1000, check_every_n_seconds=0.001)
    embeddings = connected(sandbox, tmp_path / "store.sqlite3", rate_limiter=limiter)
    assert len(await call(mode, embeddings, "embed_documents", [f"text {number}" for number in range(20)])) == 20


def test_limiter_is_not_serialised_and_is_shared_by_copies(tmp_path: Path) -> None:
    limiter = InMemoryRateLimiter(requests_per_second=2)  # it has a lock, which cannot be pickled
    embeddings = TwelveLabsEmbeddings(
        api_key="tlk_sandbox_x", segment_store=tmp_path / "store.sqlite3", rate_limiter=limiter
    )
    assert "rate_limiter" not in repr(embeddings)
    assert "rate_limiter" not in embeddings.model_dump()
    assert pickle.loads(pickle.dumps(embeddings)).rate_limiter is None  # noqa: S301  # made here
    assert embeddings.rate_limiter is limiter  # pickling does not change the original
    assert embeddings.model_copy(update={"max_concurrency": 2}).rate_limiter is limiter


@pytest.mark.parametrize(
    ("field", "value"),
    [("rate_limiter", 5), ("requests_per_minute", 0), ("requests_per_minute", "x"), ("max_concurrent_requests", 0)],
)
def test_invalid_request_limits_are_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=field):
        TwelveLabsEmbeddings(api_key="tlk_sandbox_x", **{field: value})


def test_request_limits_apply_to_both_clients_and_after_pickling() -> None:
    embeddings = TwelveLabsEmbeddings(api_key="tlk_sandbox_x", requests_per_minute=30, max_concurrent_requests=2)
    for one in (embeddings, pickle.loads(pickle.dumps(embeddings))):  # noqa: S301  # made here
        for settings in (one.client.settings, one.async_client.settings):
            assert (settings.requests_per_minute, settings.max_concurrent_requests) == (30, 2)
