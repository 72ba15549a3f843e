"""What every test may use: one sandbox for the whole run, clean for each test."""

from collections.abc import Iterator

import pytest

from twelvelabs_core._governor import forget_pace
from twelvelabs_sandbox import Sandbox


@pytest.fixture(autouse=True)
def no_pace_of_other_tests() -> None:
    """Forget what was learnt of the shared sandbox: all tests ask it with the same key."""
    forget_pace()


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
