"""Clients, results and errors in forked and spawned processes and pickles, and Ctrl-C in this process."""

import asyncio
import multiprocessing
import pickle
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core import spawned
from twelvelabs_core import (
    APIStatusError,
    AsyncClient,
    Client,
    ConfigurationError,
    Failure,
    FixedSegmentation,
    IngestionError,
    SegmentStore,
    Settings,
    TaskError,
    TwelveLabsError,
)
from twelvelabs_sandbox import Fault, Sandbox


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """One spawned worker, as on Windows and macOS, with another key in its environment."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=spawned.with_key, initargs=("tlk_sandbox_of_the_worker",)) as pool:
        yield pool


# Spawn and pickle


def test_clients_work_in_a_spawned_process(pool: ProcessPoolExecutor, settings: Settings, tmp_path: Path) -> None:
    with Client(settings=settings, store=tmp_path / "s.sqlite3") as client:
        expected = client.embed_text("red").vector.tolist()
        assert pool.submit(spawned.embed, client, "red").result() == expected
    other = AsyncClient(settings=settings)
    assert pool.submit(spawned.embed_async, other, "red").result() == expected


def test_a_client_keeps_its_settings_model_and_store_through_pickle(settings: Settings, tmp_path: Path) -> None:
    for kind in (Client, AsyncClient):
        client = kind(settings=settings, store=tmp_path / "s.sqlite3")
        twin = pickle.loads(pickle.dumps(client))  # noqa: S301
        assert (twin.settings, twin.model, twin.space) == (client.settings, client.model, client.space)
        assert twin.store.location == str(tmp_path / "s.sqlite3")


def test_key_from_the_environment_is_not_pickled(
    pool: ProcessPoolExecutor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWELVELABS_API_KEY", sandbox.api_key)
    found = Settings.resolve(base_url=sandbox.base_url)
    given = Settings.resolve(api_key=sandbox.api_key, base_url=sandbox.base_url)
    assert pool.submit(spawned.key_of, found).result() == "tlk_sandbox_of_the_worker"
    assert pool.submit(spawned.key_of, given).result() == sandbox.api_key
    for kind in (Client, AsyncClient):
        assert sandbox.api_key.encode() not in pickle.dumps(kind(settings=found))


@pytest.mark.parametrize("store", [":memory:", SegmentStore(":memory:")])
def test_pickling_a_client_with_an_in_memory_store_raises(settings: Settings, store: Any) -> None:
    with pytest.raises(ConfigurationError, match="memory"):
        pickle.dumps(Client(settings=settings, store=store))


def test_results_survive_pickling(
    pool: ProcessPoolExecutor, settings: Settings, tmp_path: Path, video_path: Path
) -> None:
    with Client(settings=settings, store=tmp_path / "s.sqlite3") as client:
        embedding = client.embed_text("red")
        media = client.segment_video(video_path, segmentation=FixedSegmentation(4), embedding_option=["visual"])
        task = client.tasks.retrieve(str(media.task_id))
        assert pool.submit(spawned.send_back, embedding).result() == embedding
        assert pool.submit(spawned.send_back, task).result() == task
        back = pool.submit(spawned.send_back, media).result()
        assert back.segments == media.segments
        assert [one.segment_id for one in back.records()] == [one.segment_id for one in media.records()]
        assert np.array_equal(
            pool.submit(spawned.send_back, media.records()[0]).result().vector, media.segments[0].vector
        )
        assert len(client.register(back)) == 3


def kinds(root: type[TwelveLabsError]) -> list[type[TwelveLabsError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in kinds(child))]


def make(kind: type[TwelveLabsError]) -> TwelveLabsError:
    if kind is IngestionError:
        failed = make(TaskError)
        return IngestionError(
            [Failure("a.mp4", "it failed", "64f8", failed), Failure("b.mp4", "no", None, failed)], ["c.mp4"]
        )
    if issubclass(kind, APIStatusError):
        return kind("it failed", status_code=429, code="c", request_id="r", retry_at=1.5, body={"a": [1]})
    return kind("it failed", task_id="64f8") if issubclass(kind, TaskError) else kind("it failed")


@pytest.mark.parametrize("kind", kinds(TwelveLabsError))
def test_every_error_survives_pickling_unchanged(pool: ProcessPoolExecutor, kind: type[TwelveLabsError]) -> None:
    error = make(kind)
    with pytest.raises(kind) as caught:
        pool.submit(spawned.raise_it, error).result(timeout=60)
    back = caught.value
    assert type(back) is kind
    assert (str(back), back.args) == (str(error), error.args)
    assert plain(back) == plain(error)


def plain(error: TwelveLabsError) -> dict[str, Any]:
    """Return the attributes of an error; nested errors are compared by their text."""
    held = dict(vars(error))
    if "failures" in held:
        held["failures"] = [(one.source, one.reason, one.task_id, str(one.error)) for one in held["failures"]]
    return held


# Fork

FORK = """
    import asyncio, os, sys
    from twelvelabs_core import AsyncClient, Client
    key, base_url, store, video = sys.argv[1:]
    client = Client(key, base_url=base_url, store=store)
    other = AsyncClient(key, base_url=base_url, store=store)
    texts = [f"a car number {number}" for number in range(40)]
    expected = [one.vector.tolist() for one in client.embed_texts(texts)]
    asyncio.run(other.embed_texts(texts[:3]))
    first = client.segment_video(video)

    def work():
        for _ in range(3):
            assert [one.vector.tolist() for one in client.embed_texts(texts)] == expected
        for text, vector in zip(texts, expected):
            assert client.embed_text(text).vector.tolist() == vector
        assert [one.vector.tolist() for one in asyncio.run(other.embed_texts(texts))] == expected
        assert client.segment_video(video).segments == first.segments
        records = client.register(first)
        assert len(client.find_vectors([record.segment_id for record in records])) == len(first.segments)
        client.register(first, id_namespace=f"sync {os.getpid()}")
        asyncio.run(other.register(first, id_namespace=f"async {os.getpid()}"))

    asyncio.run(other.register(first))  # both clients have an idle connection to the store now
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                work()
                status = 0
            finally:
                sys.stdout.flush()
                os._exit(status)
        children.append(child)
    work()
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    assert client.store.info().segments == 7 * len(first.segments)
    print("all good")
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs fork")
def test_forked_children_and_parent_share_one_client(sandbox: Sandbox, tmp_path: Path, video_path: Path) -> None:
    arguments = [sandbox.api_key, sandbox.base_url, str(tmp_path / "s.sqlite3"), str(video_path)]
    command = [sys.executable, "-c", textwrap.dedent(FORK), *arguments]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "all good\n"), done.stderr
    assert sandbox.count("POST", "/embed-v2/tasks") == 1


# Ctrl-C

INTERRUPT = """
    import asyncio, signal, sys
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background of a shell ignores it
    from twelvelabs_core import AsyncClient, Client
    key, base_url, store, video, way = sys.argv[1:]
    client = Client(key, base_url=base_url, store=store)
    other = AsyncClient(key, base_url=base_url, store=store)
    texts = [f"text {number}" for number in range(100)]

    if way == "one text":
        client.embed_text("red")
    elif way == "texts":
        client.embed_texts(texts)
    elif way == "texts in a loop":
        asyncio.run(other.embed_texts(texts))
    elif way == "video":
        client.segment_video(video)
    elif way == "videos":
        list(client.segment_many([video, video]))
    elif way == "video in a loop":
        asyncio.run(other.segment_video(video))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize(
    "way",
    [
        "texts",
        pytest.param("videos", marks=pytest.mark.slow),
        pytest.param("one text", marks=pytest.mark.slow),
        pytest.param("texts in a loop", marks=pytest.mark.slow),
        pytest.param("video", marks=pytest.mark.slow),
        pytest.param("video in a loop", marks=pytest.mark.slow),
    ],
)
async def test_ctrl_c_ends_running_calls(tmp_path: Path, video_path: Path, way: str) -> None:
    """Each of these calls would take an hour."""
    with Sandbox(task_seconds=3600.0) as slow:
        slow.faults.add(Fault(path="/embed-v2", delay=3600.0, times=None))
        arguments = [slow.api_key, slow.base_url, str(tmp_path / "s.sqlite3"), str(video_path), way]
        command = [sys.executable, "-c", textwrap.dedent(INTERRUPT), *arguments]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)  # noqa: ASYNC220
        try:
            await until_busy(slow, process, way)
            process.send_signal(signal.SIGINT)
            _, errors = await asyncio.to_thread(process.communicate, timeout=20)
        finally:
            process.kill()
    assert process.returncode in (-signal.SIGINT, 130, 1)
    assert b"KeyboardInterrupt" in errors
    assert b"Fatal" not in errors


async def until_busy(slow: Sandbox, process: "subprocess.Popen[bytes]", way: str) -> None:
    def is_busy() -> bool:
        if "video" in way:
            return slow.count("GET", "/embed-v2/tasks/{task_id}") >= 2
        return slow.count("POST", "/embed-v2") >= (1 if way == "one text" else 8)

    for _ in range(1500):
        if is_busy():
            return
        assert process.poll() is None, "the process ended by itself"
        await asyncio.sleep(0.02)
    raise AssertionError("it did not begin within 30 s")
