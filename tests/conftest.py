"""Fixtures of all tests: one sandbox for the whole run, reset for each test."""

import functools
import ssl
from collections.abc import Iterator

import pytest

from tests.shared_media import embed_once, shared_folder
from twelvelabs_core.transport.rate_limit import reset_rate_limits
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.embedding import marengo35_media, vectors


@pytest.fixture(scope="session", autouse=True)
def _certificates_once() -> Iterator[None]:
    """Load the certificates once; loading them in every httpx client takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def _media_are_embedded_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Embed each content once per run in the sandboxes of tests; tests of the engine itself call it directly."""
    embed = embed_once(shared_folder(tmp_path_factory, "vectors"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, "embed_media", embed)
        patch.setattr(marengo35_media, "embed_media", embed)
        yield


@pytest.fixture(autouse=True)
def no_pace_of_other_tests() -> None:
    """Reset the rate-limit state, since all tests use the sandbox with the same key."""
    reset_rate_limits()


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    """The sandbox shared by all tests; its assets and tasks are kept, and its clock must not be advanced."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_server: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox without faults and with an empty request log."""
    sandbox_server.clear_faults()
    sandbox_server.clear_requests()
    yield sandbox_server
    sandbox_server.clear_faults()
