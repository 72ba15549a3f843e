"""Fixtures of the Daft tests: short videos, and a provider connected to the sandbox."""

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from tests.adapters import watched
from tests.core import postgres
from tests.core.video_server import VideoServer
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_film

__all__ = ["watched"]

os.environ["DO_NOT_TRACK"] = "1"  # before Daft is imported

if importlib.util.find_spec("daft") is None:
    collect_ignore_glob = ["test_*.py"]

COLORS = ("red", "blue", "green")

MakeProvider = Callable[..., Any]


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three videos of 4 s with sound, by their colour."""
    folder = tmp_path_factory.mktemp("videos")
    paths = {color: folder / f"{color}.mp4" for color in COLORS}
    for color, path in paths.items():
        write_film(path, [Scene(color=color, sound="noise", seconds=4.0)], fps=5)
    return paths


@pytest.fixture
def server(videos: dict[str, Path]) -> Iterator[VideoServer]:
    """A host that serves a video at every path."""
    with VideoServer(videos["red"]) as server:
        yield server


@pytest.fixture
def make_provider(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeProvider:
    """Make a provider of the sandbox with the test's own segment store."""
    from daft_twelvelabs import TwelveLabsProvider  # noqa: PLC0415  # Daft may not be installed

    monkeypatch.setattr("twelvelabs_core.transport.polling.FIRST_DELAY", 0.02)  # the tasks of the tests are ready soon

    def make(**options: Any) -> TwelveLabsProvider:
        given = {"base_url": sandbox.base_url, "store": tmp_path / "segments.sqlite3", **options}
        return TwelveLabsProvider(sandbox.api_key, **given)

    return make


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server."""
    with postgres.server(tmp_path_factory.mktemp("pg")) as url:
        yield url


@pytest.fixture
def database(postgres_server: str) -> Iterator[str]:
    """The URL of an empty schema of it."""
    engine = create_engine(postgres_server)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS vector")  # in the schema `public`
    engine.dispose()
    with postgres.schema(postgres_server, also="public") as url:
        yield url
