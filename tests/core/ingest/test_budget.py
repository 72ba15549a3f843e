"""Budgets: what is paid for within 24 hours on one store, by all its processes, and what was paid for by day."""

import multiprocessing
import struct
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tests.core import postgres, spawned
from tests.core.conftest import Connect
from tests.core.surface import Surface, content
from tests.core.video_server import VideoServer
from twelvelabs_core import (
    BadRequestError,
    BudgetError,
    Failure,
    FixedSegmentation,
    IngestionError,
    InputError,
    Media,
    SegmentStore,
    Settings,
    TaskFailedError,
)
from twelvelabs_core.ingest.budget import minutes_allowed
from twelvelabs_core.store.budget import Budget
from twelvelabs_core.store.schema import payments
from twelvelabs_sandbox import Fault, Sandbox

TASKS = "/embed-v2/tasks"
MINUTES = 8 / 60  # of each video
CUT: dict[str, Any] = {"segmentation": FixedSegmentation(8), "embedding_option": ["visual"]}


def paid(sandbox: Sandbox) -> int:
    return sandbox.count("POST", TASKS)


@pytest.fixture
def videos(video_path: Path, tmp_path: Path) -> list[Path]:
    """Six videos of 8 s with different bytes."""
    paths = [tmp_path / f"{number}.mp4" for number in range(6)]
    for number, path in enumerate(paths):
        path.write_bytes(content(video_path) + struct.pack(">I4sI", 12, b"free", number))
    return paths


async def test_what_fits_is_paid_for_and_the_rest_is_reported(
    client: Surface, videos: list[Path], sandbox: Sandbox
) -> None:
    failures: list[Failure] = []
    options = {"max_minutes": 2.5 * MINUTES, "max_tasks": 1, **CUT}
    found = [one.source async for one in client.segment_many(videos, on_error=failures.append, **options)]
    assert found == [str(path) for path in videos[:2]]
    assert [failure.source for failure in failures] == [str(path) for path in videos[2:]]
    assert all(isinstance(failure.error, BudgetError) for failure in failures)
    assert "0.13 minutes do not fit into the budget of 0.333333 minutes in 24 hours, of which 0.27 are used" in str(
        failures[0]
    )
    assert paid(sandbox) == 2
    assert sandbox.count("POST", "/assets") == 2  # what does not fit is not uploaded
    with pytest.raises(IngestionError, match="4 of 6 sources failed"):
        [one async for one in client.segment_many(videos, **options)]
    again = [one async for one in client.segment_many(videos[:2], max_minutes=0, **CUT)]
    assert all(one.reused for one in again)


async def test_a_cost_is_a_number_of_minutes_at_a_price(client: Surface, videos: list[Path], sandbox: Sandbox) -> None:
    failures: list[Failure] = []
    price = {"max_cost": 0.3, "price_per_minute": 1.0, "on_error": failures.append}
    assert len([one async for one in client.segment_many(videos[:3], **price, **CUT)]) == 2
    assert len(failures) == 1
    assert "0.13 minutes do not fit into the budget of 0.3 minutes (max_cost=0.3 at price_per_minute=1) in" in str(
        failures[0]
    )
    assert "raise max_cost, or" in str(failures[0])
    assert paid(sandbox) == 2


async def test_an_unknown_length_is_refused_unless_it_is_stated(
    client: Surface, server: VideoServer, sandbox: Sandbox
) -> None:
    with pytest.raises(BudgetError, match=r"its length is unknown, so it cannot be paid for .* duration_sec="):
        [one async for one in client.segment_many([server.url()], max_minutes=10, **CUT)]
    assert paid(sandbox) == 0
    stated = Media.of(server.url(), duration_sec=30)
    with pytest.raises(BudgetError, match=r"0\.50 minutes do not fit"):
        [one async for one in client.segment_many([stated], max_minutes=0.4, **CUT)]
    assert [one async for one in client.segment_many([stated], max_minutes=0.4, end_sec=8, **CUT)]
    assert paid(sandbox) == 1


async def test_a_refused_create_does_not_count_and_a_failed_task_does(
    client: Surface, videos: list[Path], sandbox: Sandbox
) -> None:
    budget = {"max_minutes": 1.5 * MINUTES, **CUT}
    sandbox.faults.add(Fault(path=TASKS, method="POST", status=400, times=1))
    with pytest.raises(BadRequestError):
        [one async for one in client.segment_many(videos[:1], **budget)]
    assert client.store.usage() == []
    assert [one async for one in client.segment_many(videos[:1], **budget)]
    (payment,) = client.store.usage()
    assert payment.minutes == pytest.approx(MINUTES, rel=0.05)
    assert (payment.source, payment.model, payment.tasks, payment.unknown) == (str(videos[0]), "marengo3.0", 1, 0)
    assert payment.day == datetime.now(UTC).date()


async def test_usage_counts_what_has_no_result_yet(client: Surface) -> None:
    store = client.store
    values: dict[str, Any] = {"space": "s", "content": "c", "model": "m", "params": {"input_type": "video"}}
    store.put_intent("k", source="a.mp4", account="me", **values)
    assert [(one.minutes, one.tasks, one.unknown) for one in store.usage()] == [(0.0, 1, 1)]
    store.put_task_id("k", "t")
    store.put_failure("k", "broken", task_id="t")
    assert [one.tasks for one in store.usage()] == [1]
    store.put_intent("k", source="a.mp4", account="me", minutes=2.0, **values)
    assert [(one.minutes, one.tasks, one.unknown) for one in store.usage()] == [(2.0, 2, 1)]
    store.delete_task("k")
    assert [one.tasks for one in store.usage()] == [2]
    assert store.usage(since=datetime.now(UTC) + timedelta(seconds=1)) == []
    today = store.usage()[0].day
    assert store.usage(since=today) == store.usage()
    assert store.usage(since=today + timedelta(days=1)) == []
    for wrong in ("2026-01-01", 5):
        with pytest.raises(InputError, match="since must be a date or a datetime, got"):
            store.usage(since=wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="since needs a time zone"):
        store.usage(since=datetime.now())  # noqa: DTZ005  # the mistake


def test_a_day_later_and_in_another_service_the_budget_is_free(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path / "segments.sqlite3")
    values: dict[str, Any] = {"content": "c", "model": "m", "params": {}, "account": "me", "source": "a.mp4"}
    budget: dict[str, Any] = {"minutes": 6.0, "budget": Budget(10.0)}
    live, sandbox = "marengo3.0/512", "sandbox/marengo3.0/512"
    assert store.put_intent("1", space=sandbox, **budget, **values)
    assert store.put_intent("2", space=live, **budget, **values)
    with pytest.raises(BudgetError):
        store.put_intent("3", space=live, **budget, **values)
    assert store.find_task("3") is None
    with store._database.writing() as connection:  # no other way to a day ago
        connection.execute(update(payments).values(created_at=payments.c.created_at - 24 * 3600 - 1))
    assert store.put_intent("3", space=live, **budget, **values)


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The location of an empty store that processes can share."""
    if request.param == "sqlite":
        yield str(tmp_path / "segments.sqlite3")
        return
    with postgres.schema(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.mark.slow
def test_two_processes_never_exceed_one_budget_together(
    location: str, videos: list[Path], settings: Settings, sandbox: Sandbox
) -> None:
    given = [[str(path) for path in videos[:3]], [str(path) for path in videos[3:]]]
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        runs = [pool.submit(spawned.segment_within, settings, location, paths, 3.5 * MINUTES) for paths in given]
        assert sum(run.result() for run in runs) == paid(sandbox) == 3


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((None, None, None), None),
        ((None, None, 0.5), None),
        ((10, None, None), 10.0),
        ((None, 3, 0.5), 6.0),
        ((5, 3, 0.5), 5.0),
        ((0, None, None), 0.0),
    ],
)
def test_minutes_allowed(arguments: tuple[Any, ...], expected: float | None) -> None:
    assert minutes_allowed(*arguments) == expected


@pytest.mark.parametrize(
    ("minutes", "used", "message"),
    [
        (0.1049, 0.0, "0.105 minutes do not fit into the budget of 0.104 minutes in 24 hours, of which 0.000 are used"),
        (0.104001, 0.0, "0.104001 minutes do not"),
        (0.11, 0.2, "0.11 minutes do not fit into the budget of 0.104 minutes in 24 hours, of which 0.20 are used"),
        (0.0, 0.2, ""),  # a document costs nothing
        (0.104, 0.0, ""),
    ],
)
def test_the_message_of_a_budget_shows_that_it_is_exceeded(minutes: float, used: float, message: str) -> None:
    assert message in str(Budget(0.104).refusal("a.mp4", minutes, used) or "")
    assert bool(message) == (Budget(0.104).refusal("a.mp4", minutes, used) is not None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, None, None), "max_minutes must be a number from 0, got -1"),
        ((True, None, None), "max_minutes must be a number"),
        ((None, float("nan"), 1), "max_cost must be a number"),
        ((None, 3, None), "max_cost needs price_per_minute"),
        ((None, 3, 0), "price_per_minute must be a number above 0"),
    ],
)
def test_bad_budgets_are_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        minutes_allowed(*arguments)


async def test_a_failed_task_counts(connect: Connect, videos: list[Path], sandbox: Sandbox) -> None:
    client = connect()
    sandbox.faults.add(Fault(path=TASKS, method="POST", task="failed", times=1))
    with pytest.raises(TaskFailedError):
        await client.segment_video(videos[0], **CUT)
    (payment,) = client.store.usage()
    assert (payment.minutes, payment.tasks, payment.unknown) == (pytest.approx(MINUTES, rel=0.05), 1, 0)
