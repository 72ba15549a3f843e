"""A create that broke off: its task is found in the server's list, if exactly one can be it, and never guessed."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.core.conftest import Connect
from tests.core.film_server import FilmServer
from tests.core.surface import Surface
from tests.core.test_recovery import CUT, TASKS, paid, start_process, states, until
from twelvelabs_core import APIConnectionError, APIResponseError, FixedSegmentation, ServerError, TwelveLabsError
from twelvelabs_sandbox import Fault, Sandbox

SOON = 1.5  # seconds of silence after which a create that has not shown up never will


@pytest.fixture
def client(connect: Connect) -> Surface:
    return connect(timeout=SOON)


@pytest.fixture
def films(film: Path) -> Iterator[FilmServer]:
    with FilmServer(film) as server:
        yield server


def listed(sandbox: Sandbox) -> int:
    return sandbox.count("GET", TASKS)


ANSWERS_LOST: dict[str, dict[str, Any]] = {
    "no answer": {"drop": "after"},
    "half an answer": {"drop": "mid"},
    "silence": {"slow": 60.0},
}


@pytest.mark.parametrize("case", ANSWERS_LOST)
async def test_a_task_whose_answer_was_lost_is_found_in_the_same_call(
    client: Surface, sandbox: Sandbox, film: Path, case: str
) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", **ANSWERS_LOST[case]))
    found = await client.segment_video(film, **CUT)
    assert found.segments.vectors.shape == (3, 512)
    assert paid(sandbox) == 1
    entry = client.store.find_task(found.task_key)
    assert (entry.state, entry.task_id, entry.attempts) == ("ready", found.task_id, 1)
    assert listed(sandbox) >= 1


NOTHING_CREATED: dict[str, tuple[dict[str, Any], type[TwelveLabsError]]] = {
    "lost on its way": ({"drop": "before"}, APIConnectionError),
    "server error": ({"status": 500}, ServerError),
    "gateway": ({"status": 504}, ServerError),
    "no id": ({"status": 202, "body": "{}"}, APIResponseError),
}


@pytest.mark.parametrize("case", NOTHING_CREATED)
async def test_where_nothing_is_found_only_another_run_pays_again_and_says_so(
    client: Surface, sandbox: Sandbox, film: Path, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    fault, kind = NOTHING_CREATED[case]
    sandbox.faults.add(Fault(path=TASKS, method="POST", **fault))
    with pytest.raises(kind):
        await client.segment_video(film, **CUT)
    assert (paid(sandbox), states(client)) == (1, {"intent": 1})
    found = await client.segment_video(film, **CUT)
    assert (paid(sandbox), found.attempts) == (2, 2)
    assert "a new task is paid for, perhaps the second" in caplog.text


async def test_what_never_left_is_not_looked_for(connect: Connect, sandbox: Sandbox, film: Path) -> None:
    client = connect(timeout=SOON, max_retries=0)
    await client.segment_video(film, segmentation=FixedSegmentation(8))  # so that the asset is there
    before = listed(sandbox)
    nowhere = connect(base_url="http://127.0.0.1:9/v1.3", max_retries=0)
    with pytest.raises(APIConnectionError, match="cannot be reached"):
        await nowhere.segment_video("asset:64f8d2c7e4a1b37f8a9c5d12", **CUT)
    assert states(client) == {"ready": 1, "failed": 1}
    assert listed(sandbox) == before


async def test_a_run_that_was_killed_while_it_created_is_gone_on_with(
    connect: Connect, sandbox: Sandbox, films: FilmServer
) -> None:
    """The server is still fetching the film when its sender is dead and the next run looks at the list."""
    client = connect(timeout=10.0)
    films.delay = 0.7
    process = start_process(sandbox, Path(client.store.location), films.url())
    try:
        await until(lambda: states(client) == {"intent": 1} and films.count("HEAD") == paid(sandbox) == 1, process)
    finally:
        process.kill()
        process.wait()
    found = await client.segment_video(films.url(), **CUT)
    assert found.segments.vectors.shape == (3, 512)
    assert (paid(sandbox), found.attempts) == (1, 1)
    assert listed(sandbox) > 1


async def test_a_lost_task_of_a_url_is_found(client: Surface, sandbox: Sandbox, films: FilmServer) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    found = await client.segment_video(films.url("film.mp4?X-Amz-Signature=abc"), **CUT)
    assert (paid(sandbox), found.attempts) == (1, 1)


async def test_two_that_could_be_it_are_not_guessed_among(
    client: Surface, connect: Connect, sandbox: Sandbox, films: FilmServer, caplog: pytest.LogCaptureFixture
) -> None:
    url = films.url("film.mp4")
    stranger = connect(store=":memory:")
    await stranger.segment_video(url, **CUT)  # the same film and options, in a journal that we do not know
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    with pytest.raises(APIConnectionError):
        await client.segment_video(url, **CUT)
    assert states(client) == {"intent": 1}
    await client.segment_video(url, **CUT)
    assert paid(sandbox) == 3
    assert "perhaps the second" in caplog.text


async def test_other_options_tell_tasks_of_one_film_apart(
    client: Surface, connect: Connect, sandbox: Sandbox, films: FilmServer
) -> None:
    url = films.url("film.mp4")
    stranger = connect(store=":memory:")
    await stranger.segment_video(url, segmentation=FixedSegmentation(8), embedding_option=["visual"])
    await stranger.segment_video(url, segmentation=FixedSegmentation(4), embedding_option=["audio"])
    await stranger.segment_video(url, segmentation=FixedSegmentation(4), embedding_scope=["clip"])
    await stranger.segment_video(url, embedding_option=["visual"])
    await stranger.segment_video(films.url("other.mp4"), **CUT)
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    found = await client.segment_video(url, **CUT)
    assert (paid(sandbox), found.attempts) == (6, 1)
    assert [locus.end_sec for locus in found.segments.select(embedding_scope="clip").loci] == [4.0, 8.0]


async def test_uploads_of_other_journals_are_never_taken_for_ours(
    client: Surface, connect: Connect, sandbox: Sandbox, film: Path
) -> None:
    await connect(store=":memory:").segment_video(film, **CUT)
    sandbox.faults.add(Fault(path=TASKS, method="POST", status=500))
    with pytest.raises(ServerError):
        await client.segment_video(film, **CUT)
    found = await client.segment_video(film, **CUT)
    assert (paid(sandbox), found.attempts) == (3, 2)


async def test_two_lost_tasks_of_one_film_that_look_alike_are_nobodys(
    client: Surface, sandbox: Sandbox, film: Path
) -> None:
    """The list does not show from which second a video was embedded."""
    parts = [{**CUT, "start_sec": 0.0, "end_sec": 4.0}, {**CUT, "start_sec": 4.0, "end_sec": 8.0}]
    sandbox.faults.add(Fault(path=TASKS, method="POST", status=500), Fault(path=TASKS, method="POST", drop="after"))
    for part in parts:
        with pytest.raises(TwelveLabsError):
            await client.segment_video(film, **part)
    assert states(client) == {"intent": 2}
    for part in parts:
        found = await client.segment_video(film, **part)
        clip = found.segments.select(embedding_scope="clip").loci[0]
        assert (clip.start_sec, clip.end_sec) == (part["start_sec"], part["end_sec"])


async def test_a_task_that_was_found_and_is_cut_in_another_way_is_not_stored(
    client: Surface, connect: Connect, sandbox: Sandbox, films: FilmServer
) -> None:
    """The list does not show the seconds that a video was embedded from."""
    url, options = films.url("film.mp4"), {**CUT, "start_sec": 4.0}
    await connect(store=":memory:").segment_video(url, **CUT)
    sandbox.faults.add(Fault(path=TASKS, method="POST", status=500))
    with pytest.raises(APIResponseError, match="turned out to be another's"):
        await client.segment_video(url, **options)
    assert states(client) == {"failed": 1}
    found = await client.segment_video(url, **options)
    assert (paid(sandbox), found.attempts, found.segments.loci[0].start_sec) == (3, 2, 4.0)


async def test_a_failed_task_in_the_list_is_no_candidate(client: Surface, sandbox: Sandbox, film: Path) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="failed"))
    with pytest.raises(TwelveLabsError, match="failed"):
        await client.segment_video(film, **CUT)
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    found = await client.segment_video(film, **CUT)
    assert (paid(sandbox), found.attempts) == (2, 2)


async def test_without_a_list_nothing_is_guessed(
    client: Surface, sandbox: Sandbox, film: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.add(
        Fault(path=TASKS, method="POST", drop="after"), Fault(path=TASKS, method="GET", status=400, times=2)
    )
    with pytest.raises(APIConnectionError):
        await client.segment_video(film, **CUT)
    found = await client.segment_video(film, **CUT)
    assert (paid(sandbox), found.attempts) == (2, 2)
    assert "the list of tasks cannot be had" in caplog.text


async def test_when_the_list_does_not_answer_nothing_is_paid_for(
    connect: Connect, sandbox: Sandbox, film: Path
) -> None:
    client = connect(timeout=SOON, max_retries=0)
    sandbox.faults.add(
        Fault(path=TASKS, method="POST", drop="after"), Fault(path=TASKS, method="GET", status=503, times=2)
    )
    for _ in range(2):
        with pytest.raises(TwelveLabsError):
            await client.segment_video(film, **CUT)
        assert (paid(sandbox), states(client)) == (1, {"intent": 1})
    assert (await client.segment_video(film, **CUT)).attempts == 1
    assert paid(sandbox) == 1


async def test_an_asset_of_the_callers_own_is_not_guessed(client: Surface, sandbox: Sandbox, film: Path) -> None:
    asset = await client.create_asset(film)
    await client.wait_for_asset(asset.id)
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    with pytest.raises(APIConnectionError):
        await client.segment_video(f"asset:{asset.id}", **CUT)
    assert (await client.segment_video(f"asset:{asset.id}", **CUT)).attempts == 2
    assert paid(sandbox) == 2


async def test_another_accounts_intent_is_not_looked_for(
    connect: Connect, sandbox: Sandbox, film: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Sandbox() as other:
        first = connect(api_key=SecretStr(other.api_key), base_url=other.base_url, timeout=SOON, max_retries=0)
        other.faults.add(Fault(path=TASKS, method="POST", drop="after"), Fault(path=TASKS, method="GET", status=503))
        with pytest.raises(TwelveLabsError):
            await first.segment_video(film, **CUT)
    second = connect(timeout=SOON)
    assert (await second.segment_video(film, **CUT)).attempts == 2
    assert listed(sandbox) == 0
    assert "perhaps the second" in caplog.text


async def test_the_name_of_an_upload_keeps_its_ending_and_its_bounds(
    client: Surface, sandbox: Sandbox, film: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(film, tmp_path / f"{'long' * 60}.mp4"))
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="after"))
    found = await client.segment_video(path, **CUT)
    assert (paid(sandbox), found.title) == (1, path.name)
    names = [asset.filename async for asset in client.list_assets(filename="longlong")]
    assert [len(name) <= 255 and name.endswith(".mp4") for name in names[:1]] == [True]


def test_intents_are_adopted_once(client: Surface) -> None:
    store = client.store
    values = {"space": "s/512", "content": "sha256:1", "model": "marengo3.0", "params": {}, "source": "a"}
    assert store.put_intent("key", account="me", **values)
    entry = store.find_task("key")
    assert store.adopt_task(entry, "task-1")
    assert not store.adopt_task(entry, "task-2")
    assert (store.find_task("key").task_id, store.intents("me")) == ("task-1", [])
    assert store.known_task_ids(["task-1", "task-2"] * 600) == {"task-1"}


def test_a_journal_keeps_its_name(client: Surface, tmp_path: Path) -> None:
    store = client.store
    names: set[str] = set()
    threads = [threading.Thread(target=lambda: names.add(type(store)(store.location).journal_name)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == {store.journal_name}
    assert type(store)(tmp_path / "other.sqlite3").journal_name not in names
