"""The owner of an intent: process ids are reused and repeat in containers, and running owners keep their intents."""

import os
import socket
import time
from pathlib import Path

import pytest

from tests.core.conftest import Connect
from tests.core.surface import Surface
from twelvelabs_core import TaskEntry, TaskTimeoutError
from twelvelabs_core.store.journal import has_ended, is_own, machine, owner
from twelvelabs_sandbox import Sandbox


def test_own_process_is_recognised() -> None:
    assert is_own(owner())
    assert not has_ended(owner())
    assert not is_own(f"{machine()}/{os.getpid()}/another0")


def test_ended_process_is_recognised() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)

    assert has_ended(f"{machine()}/{child}/12345678")


def test_processes_of_other_hosts_count_as_running() -> None:
    assert not has_ended(f"{socket.gethostname()}.another-start.1/999999/12345678")
    assert not has_ended("nonsense")


async def leave_intent(
    client: Surface, video_path: Path, writer: str, age: float, monkeypatch: pytest.MonkeyPatch
) -> TaskEntry:
    """Write the intent of a video as another process would have done `age` seconds ago."""
    with monkeypatch.context() as patch:
        patch.setattr("twelvelabs_core.store.journal.owner", lambda: writer)
        moment = time.time() - age
        patch.setattr("twelvelabs_core.store.journal.time.time", lambda: moment)
        store = client.client.store
        put = type(store).put_intent
        seen: list[TaskEntry] = []

        def put_and_stop(*args: object, **kwargs: object) -> bool:
            put(*args, **kwargs)  # type: ignore[arg-type]
            entry = store.find_task(str(args[1]))
            assert entry is not None
            seen.append(entry)
            raise InterruptedError

        patch.setattr(type(store), "put_intent", put_and_stop)
        with pytest.raises(InterruptedError):
            await client.segment_video(video_path)
    return seen[0]


@pytest.mark.parametrize("age", [0.0, 200.0])
async def test_intent_of_a_running_process_is_waited_for(
    age: float, connect: Connect, video_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(timeout=60.0, max_retries=4, max_retry_wait=60.0)  # a create may take ten minutes
    await leave_intent(client, video_path, f"{machine()}/{os.getpid()}/another0", age, monkeypatch)

    with pytest.raises(TaskTimeoutError, match="another process"):
        await client.segment_video(video_path, timeout=0.2)
    assert sandbox.count("POST", "/embed-v2/tasks") == 0


async def test_old_intent_of_another_host_is_replaced(
    connect: Connect, video_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(max_retries=0, timeout=5.0)
    await leave_intent(client, video_path, "elsewhere/1/12345678", 60.0, monkeypatch)

    assert not (await client.segment_video(video_path)).reused
    assert sandbox.count("POST", "/embed-v2/tasks") == 1
