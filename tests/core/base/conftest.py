"""A signed URL, and servers that serve its video or are the target of redirects."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.video_server import VideoServer
from twelvelabs_core import FixedSegmentation

CUT: dict[str, Any] = {"segmentation": FixedSegmentation(4), "embedding_option": ["visual"]}
SIGNATURE = "5ecre7516na7ure"
SIGNED = f"video.mp4?id=1&X-Amz-Credential={SIGNATURE}&X-Amz-Signature={SIGNATURE}"


@pytest.fixture
def server(video_path: Path) -> Iterator[VideoServer]:
    with VideoServer(video_path) as server:
        yield server


@pytest.fixture
def elsewhere(video_path: Path) -> Iterator[VideoServer]:
    """A server that is the target of redirects."""
    with VideoServer(video_path) as server:
        yield server
