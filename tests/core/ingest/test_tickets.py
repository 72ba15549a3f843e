"""Tickets: submitted in one process and collected in another, each task once, whichever process is killed."""

import asyncio
import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.core.conftest import Connect
from tests.core.ingest.test_recovery import CUT, TASKS, WEEK, Interrupted, interrupt, paid, states, until
from tests.core.surface import Surface
from tests.core.video_server import VideoServer
from tests.sandbox.pdf import write_pdf
from twelvelabs_core import (
    BudgetError,
    ConfigurationError,
    InputError,
    Media,
    TaskFailedError,
    TaskTimeoutError,
    Ticket,
    TwelveLabsError,
)
from twelvelabs_core.store import owners
from twelvelabs_sandbox import Fault, Sandbox

SIGNED = "match.mp4?X-Amz-Signature=0123abcd&X-Amz-Credential=AKIA0123"


@pytest.fixture
def slow_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox whose tasks take an hour on its clock."""
    with Sandbox(task_seconds=3600.0, **getattr(request, "param", {})) as sandbox:
        yield sandbox


@pytest.fixture
def patient(connect: Connect, slow_sandbox: Sandbox) -> Surface:
    """A client of the slow sandbox."""
    return connect(api_key=SecretStr(slow_sandbox.api_key), base_url=slow_sandbox.base_url)


async def collected(client: Surface, ticket: Ticket) -> Any:
    found = await client.collect(ticket, timeout=30.0)
    assert found is not None
    return found


SCRIPT = """
    import sys
    from twelvelabs_core import Client, FixedSegmentation, Ticket
    from twelvelabs_core.store import owners
    owners.SILENT_AFTER_SEC = 0.0  # the one before was killed
    way, key, base_url, store, *given = sys.argv[1:]
    with Client(key, base_url=base_url, store=store) as client:
        for one in given:
            if way == "submit":
                ticket = client.submit(one, segmentation=FixedSegmentation(4), embedding_option=["visual"])
                print(ticket.to_json(), flush=True)
            else:
                found = client.collect(Ticket.from_json(one))
                print(None if found is None else (found.source, found.segments.vectors.shape), flush=True)
"""


def start(way: str, sandbox: Sandbox, store: str, *given: str) -> "subprocess.Popen[str]":
    """Submit or collect in another process."""
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), way, sandbox.api_key, sandbox.base_url, store, *given]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def lines_of(process: "subprocess.Popen[str]") -> list[str]:
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out.splitlines()


# The ticket


async def test_a_ticket_is_pending_until_its_task_is_ready_and_then_collected_any_number_of_times(
    patient: Surface, slow_sandbox: Sandbox, video_path: Path
) -> None:
    ticket = await patient.submit(video_path, **CUT)
    assert states(patient) == {"processing": 1}
    assert await patient.collect(ticket) is None
    assert await patient.collect(ticket, timeout=0.1) is None
    slow_sandbox.clock.advance(3601)
    found = await collected(patient, ticket)  # the server needs a moment
    requests = slow_sandbox.count()
    again = await patient.collect(ticket)
    assert slow_sandbox.count() == requests
    assert found.segments == again.segments
    assert (found.source, found.title, found.task_id) == (str(video_path), "video.mp4", ticket.task_id)
    as_video = await patient.segment_video(video_path, **CUT)
    ids = [[record.segment_id for record in one.records()] for one in (found, again, as_video)]
    assert ids[0] == ids[1] == ids[2]
    assert paid(slow_sandbox) == 1


async def test_collect_waits_as_long_as_it_is_asked_to(client: Surface, video_path: Path) -> None:
    ticket = await client.submit(video_path, **CUT)
    assert (await collected(client, ticket)).segments.vectors.shape == (3, 512)


async def test_a_repeated_submission_gives_the_same_ticket_without_a_request(
    client: Surface, sandbox: Sandbox, video_path: Path
) -> None:
    ticket = await client.submit(video_path, **CUT)
    sandbox.clear_requests()
    assert await client.submit(video_path, **CUT) == ticket
    await collected(client, ticket)
    assert await client.submit(video_path, **CUT) == ticket
    assert len({ticket, await client.submit(video_path, **CUT)}) == 1
    assert sandbox.count("POST") == 0


async def test_a_ticket_is_json_without_secrets(client: Surface, server: VideoServer) -> None:
    ticket = await client.submit(server.url(SIGNED), **CUT)
    text = ticket.to_json()
    assert Ticket.from_json(text) == Ticket.from_json(text.encode()) == ticket
    assert len(text) < 1500
    for hidden in ("0123abcd", "AKIA0123", "Signature", client.settings.api_key.get_secret_value()):
        assert hidden not in text + repr(ticket)
    assert (await collected(client, Ticket.from_json(text))).source == server.url("match.mp4")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a ticket"),
        ("[]", "not a ticket"),
        ('{"source": "a.mp4"}', "title: Field required"),
        ("source 5", "source: Input should be a valid string"),
        ("more", "more: Unexpected keyword argument"),
        ("wanted {}", "wanted.embedding_option must be a list of str"),
        ("option 5", "wanted.embedding_option must be a list of str"),
        ("scope [[]]", "params.embedding_scope must be a list of str"),
        ("type null", "wanted.embedding_type must be a list of str"),
    ],
)
def test_what_is_no_ticket_is_refused(text: str, message: str) -> None:
    options: dict[str, Any] = {"embedding_option": ["visual"], "embedding_scope": ["clip"]}
    ticket = Ticket("a.mp4", "a.mp4", "marengo3.0/512", "sha256:1", "64f8", options, options)
    assert Ticket.from_json(ticket.to_json()) == ticket  # of an image: it has no embedding_type
    changed: Any = {
        "source 5": {"source": 5},
        "more": {"more": 1},
        "wanted {}": {"wanted": {}},
        "option 5": {"wanted": {**options, "embedding_option": 5}},
        "scope [[]]": {"params": {**options, "embedding_scope": [[]]}},
        "type null": {"wanted": {**options, "embedding_type": None}},
    }.get(text)
    if changed is not None:
        text = json.dumps({**json.loads(ticket.to_json()), **changed})
    with pytest.raises(InputError, match=message):
        Ticket.from_json(text)


async def test_options_and_media_are_those_of_the_other_methods(
    connect: Connect, sandbox: Sandbox, video_path: Path, tmp_path: Path
) -> None:
    client = connect(model="marengo3.5")
    write_pdf(tmp_path / "plan.pdf", [[(50, 100, "one")]])
    tickets = [
        await client.submit(path, input_type=["video", "document"]) for path in (video_path, tmp_path / "plan.pdf")
    ]
    found = [await collected(client, Ticket.from_json(ticket.to_json())) for ticket in tickets]
    expected = [await client.segment_video(video_path), await client.segment_document(tmp_path / "plan.pdf")]
    assert [one.segments for one in found] == [one.segments for one in expected]
    assert paid(sandbox) == 2
    for wrong, kind in ({"input_type": "text"}, InputError), ({"max_minutes": 0.01}, BudgetError):
        with pytest.raises(kind):
            await client.submit(video_path, end_sec=5.0, **wrong)
    with pytest.raises(InputError, match="no such file"):
        await client.submit("absent.mp4")


async def test_a_ticket_of_a_part_of_a_paid_result_costs_nothing(
    client: Surface, sandbox: Sandbox, video_path: Path
) -> None:
    await client.segment_video(video_path)
    ticket = await client.submit(video_path, embedding_option=["visual"], embedding_scope=["clip"])
    found = await client.collect(ticket)
    assert {segment.embedding_option for segment in found.segments} == {"visual"}
    assert len(await client.register(found)) == len(found.segments)
    assert paid(sandbox) == 1


async def test_an_asset_that_is_not_kept_is_deleted_when_the_ticket_is_collected(
    client: Surface, sandbox: Sandbox, video_path: Path
) -> None:
    ticket = await client.submit(video_path, keep_asset=False, **CUT)
    assert sandbox.count("DELETE") == 0
    await collected(client, ticket)
    await collected(client, ticket)
    assert sandbox.count("DELETE", status=204) == 1


async def test_a_submission_that_searches_for_a_lost_task_keeps_to_its_time_out(
    connect: Connect, sandbox: Sandbox, video_path: Path
) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", drop="before"))
    client = connect(timeout=30.0)
    with pytest.raises(TwelveLabsError):
        await client.submit(video_path, timeout=5.0, **CUT)
    began = time.monotonic()
    with pytest.raises(TaskTimeoutError, match=r"video\.\w+: the outcome of an earlier create is unknown"):
        await client.submit(video_path, timeout=1.0, **CUT)
    assert time.monotonic() - began < 25  # without the time-out the search takes 30 s
    assert paid(sandbox) == 1  # the request that was lost


async def test_a_file_that_the_api_cannot_read_is_named(client: Surface, sandbox: Sandbox, video_path: Path) -> None:
    sandbox.faults.add(Fault(path="/assets", asset="failed"))
    with pytest.raises(
        TaskFailedError, match=rf"^{video_path}: asset \w+ failed: .*[^.]\. Upload it again\.$"
    ) as caught:
        await client.submit(video_path, **CUT)
    assert caught.value.task_id is None


# What cannot be collected


async def test_a_ticket_of_another_store_or_space_is_refused(connect: Connect, video_path: Path) -> None:
    ticket = await connect().submit(video_path, **CUT)
    with pytest.raises(InputError, match="has no task of"):
        await connect(store=":memory:").collect(ticket)
    with pytest.raises(InputError, match="of the space sandbox/marengo3"):
        await connect(model="marengo3.5").collect(ticket)
    with pytest.raises(InputError, match=r"got str; read JSON with Ticket\.from_json"):
        await connect().collect(ticket.to_json())


async def test_a_failed_task_is_reported_by_each_collect_and_replaced_by_the_next_submission(
    client: Surface, sandbox: Sandbox, video_path: Path
) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="failed"))
    failed = await client.submit(video_path, **CUT)
    messages = set()
    for _ in range(2):
        with pytest.raises(TaskFailedError, match=r"video\.\w+: task .* failed: .*\. Submit it again") as caught:
            await collected(client, failed)
        assert caught.value.task_id == failed.task_id
        messages.add(str(caught.value))
    assert len(messages) == 1
    ticket = await client.submit(video_path, **CUT)
    assert (ticket.key, ticket.task_id != failed.task_id) == (failed.key, True)
    assert (await collected(client, failed)).task_id == ticket.task_id  # of the same content and options
    assert paid(sandbox) == 2


@pytest.mark.parametrize(
    "slow_sandbox", [{"expired_as": "not_found"}, {"expired_as": "failed"}], indirect=True, ids=["not_found", "failed"]
)
async def test_an_expired_task_is_replaced_by_the_next_submission(
    patient: Surface, slow_sandbox: Sandbox, video_path: Path
) -> None:
    ticket = await patient.submit(video_path, **CUT)
    slow_sandbox.clock.advance(WEEK)
    for _ in range(2):
        with pytest.raises(TaskFailedError, match=r"expired at the server\. Submit it again"):
            await patient.collect(ticket)
    assert (await patient.submit(video_path, **CUT)).task_id != ticket.task_id
    assert paid(slow_sandbox) == 2


async def test_a_task_of_another_account_is_replaced_by_a_submission_and_cannot_be_collected(
    connect: Connect, sandbox: Sandbox, patient: Surface, video_path: Path
) -> None:
    ticket = await patient.submit(video_path, **CUT)
    other = connect()
    with pytest.raises(ConfigurationError, match="another account"):
        await other.collect(ticket)
    assert (await other.submit(video_path, **CUT)).task_id != ticket.task_id
    assert (await collected(other, ticket)).segments.vectors.shape == (3, 512)
    assert paid(sandbox) == 1


# Processes


async def test_tickets_of_one_process_are_collected_in_another(
    connect: Connect, sandbox: Sandbox, video_path: Path
) -> None:
    client = connect()
    tickets = lines_of(start("submit", sandbox, client.store.location, str(video_path), str(video_path)))
    assert tickets[0] == tickets[1]
    await collected(client, Ticket.from_json(tickets[0]))
    assert lines_of(start("collect", sandbox, client.store.location, *tickets)) == [
        f"('{video_path}', (3, 512))",
        f"('{video_path}', (3, 512))",
    ]
    assert paid(sandbox) == 1


@pytest.mark.slow
async def test_a_submission_killed_while_it_creates_the_task_is_continued_by_the_next(
    connect: Connect, sandbox: Sandbox, server: VideoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has the request, and the id that it answers is lost with the process."""
    monkeypatch.setattr(owners, "SILENT_AFTER_SEC", 0.0)
    client = connect(timeout=10.0)
    server.may_send.clear()
    process = start("submit", sandbox, client.store.location, server.url())
    try:
        await until(lambda: states(client) == {"intent": 1} and paid(sandbox) == 1, process)  # type: ignore[arg-type]
    finally:
        process.kill()
        process.wait()
    server.may_send.set()
    ticket = await client.submit(server.url(), **CUT)
    assert (await collected(client, ticket)).attempts == 1
    assert paid(sandbox) == 1


async def test_a_submission_interrupted_after_the_create_is_repeated_without_another(
    patient: Surface, slow_sandbox: Sandbox, video_path: Path
) -> None:
    with pytest.raises(Interrupted) as caught:
        await patient.submit(video_path, on_progress=interrupt, **CUT)
    assert (await patient.submit(video_path, **CUT)).task_id == str(caught.value)
    assert paid(slow_sandbox) == 1


async def test_a_ticket_whose_task_is_being_created_again_is_pending(
    client: Surface, sandbox: Sandbox, video_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="failed"))
    ticket = await client.submit(video_path, **CUT)
    with pytest.raises(TaskFailedError):
        await collected(client, ticket)
    store, entry = client.store, client.store.find_task(ticket.key)
    with monkeypatch.context() as patch:
        patch.setattr("twelvelabs_core.store.owners.owner", lambda: "elsewhere/1/0")
        patch.setattr("twelvelabs_core.store.journal.owner", lambda: "elsewhere/1/0")
        store.beat()
        values = {name: getattr(entry, name) for name in ("space", "content", "model", "params", "source", "account")}
        assert store.put_intent(ticket.key, **values)
    assert await client.collect(ticket) is None
    assert await client.collect(ticket, timeout=0.1) is None
    monkeypatch.setattr(owners, "SILENT_AFTER_SEC", 0.0)
    with pytest.raises(TaskFailedError, match="its create was interrupted"):
        await client.collect(ticket)


@pytest.mark.slow
async def test_a_hundred_tickets_are_a_hundred_tasks(connect: Connect, sandbox: Sandbox, server: VideoServer) -> None:
    """Two submitters of the same hundred media, at the same time."""
    client, other = connect(), connect()
    media = [Media.of(server.url(f"{number}.mp4"), version="1") for number in range(100)]

    async def submit_all(by: Surface) -> list[Ticket]:
        running = [by.start("submit", one, **CUT) for one in media]
        return list(await asyncio.gather(*running))

    first, second = await asyncio.gather(submit_all(client), submit_all(other))
    assert first == second
    assert len({ticket.task_id for ticket in first}) == paid(sandbox) == 100
    found = await asyncio.gather(*(client.start("collect", ticket, timeout=60.0) for ticket in first))
    assert [one.source for one in found] == [one.source for one in media]
    assert states(client) == {"ready": 100}


@pytest.mark.slow
@pytest.mark.parametrize("connect", ["blocking"], indirect=True)
async def test_a_hundred_tickets_survive_kills_of_both_sides(
    connect: Connect, sandbox: Sandbox, server: VideoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Submitters and collectors are killed again and again; each medium has one task in the end."""
    monkeypatch.setattr(owners, "SILENT_AFTER_SEC", 0.0)
    client = connect()
    urls = [server.url(f"{number}.mp4") for number in range(100)]
    store = client.store.location
    for _ in range(6):
        before = paid(sandbox)
        process = start("submit", sandbox, store, *urls)
        await until(lambda since=before: paid(sandbox) >= since + 7, process)  # type: ignore[misc, arg-type]
        process.kill()
        process.wait()
    tickets = [await client.submit(url, **CUT) for url in urls]
    assert len({ticket.task_id for ticket in tickets}) == paid(sandbox) == 100
    lines = [ticket.to_json() for ticket in tickets]
    for count in (5, 30, 60):
        process = start("collect", sandbox, store, *lines)
        await until(lambda most=count: states(client).get("ready", 0) >= most, process)  # type: ignore[misc, arg-type]
        process.kill()
        process.wait()
    for ticket in tickets:
        await collected(client, ticket)
    assert states(client) == {"ready": 100}
    assert paid(sandbox) == 100
