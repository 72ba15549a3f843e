"""What every test may use: one sandbox for the whole run, clean for each test."""

import functools
import ssl
from collections.abc import Iterator

import pytest

from twelvelabs_core.transport.rate_limit import reset_rate_limits
from twelvelabs_sandbox import Sandbox


@pytest.fixture(scope="session", autouse=True)
def _certificates_once() -> Iterator[None]:
    """Read the certificates once: every client of httpx would, which costs more than most tests and serves none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield


@pytest.fixture(autouse=True)
def no_pace_of_other_tests() -> None:
    """Forget what was learnt of the shared sandbox: all tests ask it with the same key."""
    reset_rate_limits()


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    """The sandbox that the tests share; its assets and tasks pile up, its clock is not to be advanced."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_server: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox without faults, counting from zero."""
    sandbox_server.clear_faults()
    sandbox_server.clear_requests()
    yield sandbox_server
    sandbox_server.clear_faults()
