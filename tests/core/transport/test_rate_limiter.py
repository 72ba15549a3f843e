"""A caller's rate limiter is acquired before each paid request, and before no other."""

from pathlib import Path
from typing import Any

import pytest

from tests.core.conftest import Connect
from twelvelabs_core import FixedSegmentation, InputError
from twelvelabs_sandbox import Fault, Sandbox


class Counting:
    """Permits every request and counts calls."""

    def __init__(self) -> None:
        self.asked = 0

    def acquire(self) -> None:
        self.asked += 1

    async def async_acquire(self) -> None:
        self.asked += 1


class Refusing(Counting):
    """Refuses every request."""

    def acquire(self) -> None:
        raise PermissionError

    async def async_acquire(self) -> None:
        raise PermissionError


async def test_rate_limiter_is_acquired_once_per_embedding(
    connect: Connect, sandbox: Sandbox, video_path: Path, picture: Path
) -> None:
    limiter = Counting()
    client = connect(rate_limiter=limiter)
    await client.embed_texts(["red", "blue", "red"])
    await client.embed_image(picture)
    await client.embed_clip(video_path)
    assert limiter.asked == 4
    sandbox.faults.add(Fault(path="/embed-v2", status=503, times=2))
    await client.embed_text("green")
    assert limiter.asked == 5  # a retry does not acquire again
    options: dict[str, Any] = {"segmentation": FixedSegmentation(4), "embedding_option": ["visual"]}
    await client.segment_video(video_path, **options)
    assert limiter.asked == 6  # uploads and GETs are not counted
    await client.segment_video(video_path, **options)
    _ = [task async for task in client.tasks.list(status="failed")]
    with pytest.raises(InputError):
        await client.embed_text("")
    assert limiter.asked == 6


async def test_rate_limiter_exception_reaches_the_caller_and_no_request_is_sent(
    connect: Connect, sandbox: Sandbox
) -> None:
    client = connect(rate_limiter=Refusing())
    for call in (client.embed_text, lambda text: client.embed_texts([text, "blue"])):
        with pytest.raises(PermissionError):
            await call("red")
    assert sandbox.count() == 0
