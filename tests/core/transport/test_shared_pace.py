"""One pace for one account: processes that share a segment store on PostgreSQL, checked with the server's log."""

import math
import random
import re
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.core import postgres
from tests.core.pace_log import PaceLog, paced_sandbox
from twelvelabs_core import Client, RateLimitError, SegmentStore
from twelvelabs_core.store import pace
from twelvelabs_core.transport import shared_pace
from twelvelabs_core.transport.rate_limit import reset_rate_limits
from twelvelabs_core.transport.shared_pace import ALL, Report, Shared, seconds_between, share_of
from twelvelabs_sandbox import Fault, Sandbox

EMBED = "/embed-v2"
WORKER = """
    import sys
    from twelvelabs_core import Client
    from twelvelabs_core.transport import shared_pace
    key, base_url, store, name, count, most, concurrency = sys.argv[1:]
    shared_pace.FIRST_WAIT_SEC = 60.0  # the machine may be slow
    limits = {"max_concurrency": int(concurrency), "max_concurrent_requests": int(most) or None}
    client = Client(key, base_url=base_url, store=store, **limits)
    print(len(client.embed_texts([f"{name} {number}" for number in range(int(count))])))
"""


@pytest.fixture
def location(postgres_server: str) -> Iterator[str]:
    with postgres.schema(postgres_server) as url:
        yield url
        reset_rate_limits()
        wait_until(is_quiet)


@pytest.fixture
def store(location: str) -> Iterator[SegmentStore]:
    with SegmentStore(location) as store:
        yield store


@pytest.fixture
def paced() -> Iterator[tuple[Sandbox, PaceLog]]:
    with paced_sandbox() as found:
        yield found


def start(
    sandbox: Sandbox, location: str, name: str, count: int, most: int = 0, *, concurrency: int = 16
) -> "subprocess.Popen[str]":
    arguments = [sandbox.api_key, sandbox.base_url, location, name, str(count), str(most), str(concurrency)]
    command = [sys.executable, "-c", textwrap.dedent(WORKER), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def is_quiet() -> bool:
    """Return whether this process makes no exchanges."""
    return all(thread.name != "twelvelabs-pace" for thread in threading.enumerate())


def wait_until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def embedded(*processes: "subprocess.Popen[str]") -> int:
    return sum(int(process.communicate(timeout=120)[0]) for process in processes)


class Processes:
    """Exchanges of several processes, by name, on one store."""

    def __init__(self, store: SegmentStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self._store = store
        self._patch = monkeypatch

    def exchange(self, name: str, **reports: Report) -> dict[str, Shared]:
        self._patch.setattr(pace, "owner", lambda: name)
        return self._store.exchange_pace("me", {"text": Report(0), ALL: Report(0), **reports})

    def ask_all(self, name: str, in_flight: int, limit: float) -> float:
        self._patch.setattr(pace, "owner", lambda: name)
        return self._store.exchange_pace("me", {ALL: Report(in_flight, limit)})[ALL].permits


@pytest.fixture
def processes(store: SegmentStore, monkeypatch: pytest.MonkeyPatch) -> Processes:
    return Processes(store, monkeypatch)


# The exchange


@pytest.mark.parametrize("limit", [0.5, 1, 2, 3.7, 4, 7, 100])
@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_shares_add_up_to_the_limit(limit: float, count: int) -> None:
    assert sum(share_of(limit, rank, count) for rank in range(count)) == int(limit)
    assert share_of(math.inf, 0, count) == math.inf


def test_a_refusal_is_known_to_the_others_once(processes: Processes) -> None:
    assert processes.exchange("a")["text"].processes == 1
    processes.exchange("b")
    refused = Report(8, 16.0, pause=30.0, refused_ago=0.1, sent_ago=0.3)
    processes.exchange("a", text=refused)
    seen = processes.exchange("b")["text"]
    assert (seen.processes, seen.limit, seen.permits) == (2, 16.0, 8.0)
    assert 29.0 < seen.pause <= 30.0
    assert 0.1 <= seen.refused_ago < 5.0
    again = processes.exchange("b", text=Report(8, 4.0, pause=20.0, refused_ago=0.0, sent_ago=60.0))["text"]
    assert again.limit == 16.0  # its request was sent before the first refusal arrived
    assert again.pause > 25.0
    later = processes.exchange("b", text=Report(8, 4.0, pause=40.0, refused_ago=0.0, sent_ago=0.0))["text"]
    assert (later.limit, round(later.pause)) == (4.0, 40)
    grown = processes.exchange("a", text=Report(2, 4.0, successes=8))["text"]
    assert (grown.limit, grown.successes) == (6.0, 8)
    assert processes.exchange("a", text=Report(2))["text"].pause <= later.pause  # it does not grow by itself


def test_permits_of_all_processes_never_exceed_the_limit(processes: Processes) -> None:
    """Each has requests in flight up to its permits as of its last exchange; some end before its next one."""
    chance, limit, permits, in_flight = random.Random(7), 5, dict.fromkeys("abcd", 0.0), dict.fromkeys("abcd", 0)  # noqa: S311
    most: dict[str, float] = dict.fromkeys("abcd", 0.0)
    for _ in range(120):
        name = chance.choice("abcd")
        in_flight[name] = chance.randint(0, in_flight[name])
        permits[name] = processes.ask_all(name, in_flight[name], limit)
        in_flight[name] = max(in_flight[name], chance.randint(0, int(permits[name])))
        most[name] = max(most[name], permits[name])
        assert sum(in_flight.values()) <= limit
    assert all(count >= 1 for count in most.values())


def test_a_process_that_ended_gives_its_permits_back(
    processes: Processes, store: SegmentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert processes.ask_all("a", 0, 4) == 4
    assert processes.ask_all("b", 0, 4) == 0
    assert processes.ask_all("a", 1, 4) == 2
    assert processes.ask_all("b", 0, 4) == 2
    store.leave_pace("me")  # b
    assert processes.ask_all("a", 1, 4) == 4
    monkeypatch.setattr(pace, "lease_seconds", lambda _: 0.0)
    processes.ask_all("a", 4, 4)  # and is killed
    assert processes.ask_all("c", 0, 4) == 4


def test_fewer_permits_than_processes_go_round(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "TURN_SEC", 0.05)
    had = set[str]()
    until = time.monotonic() + 20.0
    while had < {"a", "b", "c"} and time.monotonic() < until:
        for name in "abc":
            if processes.ask_all(name, 0, 1):
                had.add(name)
    assert had == {"a", "b", "c"}


@pytest.mark.parametrize("high", [8, math.inf])
def test_the_least_limit_of_the_processes_holds_for_all(processes: Processes, high: float) -> None:
    """A process with a higher one, or without, could take every permit of the others."""
    assert processes.ask_all("a", 0, high) == high
    assert processes.ask_all("b", 0, 2) <= 2  # of `a` it is not known yet that it sends more
    for in_flight in (8, 5, 1):  # its requests end, and it sends no new ones
        assert processes.ask_all("a", in_flight, high) <= 1
        processes.ask_all("b", 0, 2)
    assert processes.ask_all("a", 1, high) == 1
    assert processes.ask_all("b", 0, 2) == 1


def test_the_limit_of_a_process_ends_with_it(processes: Processes, store: SegmentStore) -> None:
    assert processes.ask_all("a", 0, 2) == 2
    assert processes.ask_all("b", 0, 8) == 0
    processes.ask_all("a", 0, 2)
    store.leave_pace("me")
    assert processes.ask_all("b", 0, 8) == 8


def test_a_lease_of_one_of_many_processes_lasts_until_its_next_exchange(
    processes: Processes, location: str, store: SegmentStore
) -> None:
    store.info()
    postgres.execute(
        location,
        "INSERT INTO twelvelabs_leases (account, category, owner, permits, expires_at) "
        "SELECT 'me', '', 'p' || number, 0, 1e12 FROM generate_series(1, 1999) AS number",
    )
    assert processes.exchange("a")[ALL].processes == 2000
    with store._database.reading() as connection:
        lasts = "SELECT expires_at - extract(epoch FROM clock_timestamp()) FROM twelvelabs_leases WHERE owner = 'a'"
        assert min(connection.exec_driver_sql(lasts).scalars()) > seconds_between(2000)


def test_leases_of_accounts_that_are_not_used_any_more_are_deleted(
    processes: Processes, location: str, store: SegmentStore
) -> None:
    store.info()
    postgres.execute(location, "INSERT INTO twelvelabs_leases VALUES ('old key', 'text', 'killed', 2, 1.0)")
    processes.exchange("a")
    store.leave_pace("me")
    with store._database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM twelvelabs_leases").scalar_one() == 0


# Clients


def test_another_process_keeps_the_pause_of_a_refusal(paced: tuple[Sandbox, PaceLog], location: str) -> None:
    sandbox, log = paced
    sandbox.faults.add(Fault(path=EMBED, status=429, headers={"Retry-After": "5"}))
    with Client(sandbox.api_key, base_url=sandbox.base_url, store=location, max_retries=0) as client:
        with pytest.raises(RateLimitError):
            client.embed_text("refused")
        (refused, _), *_ = log.arrivals
        assert embedded(start(sandbox, location, "after", 3)) == 3
    assert sandbox.count(status=429) == 1
    assert min(moment for moment, _ in log.arrivals[1:]) - refused >= 4.9


@pytest.mark.slow
def test_two_processes_together_send_max_concurrent_requests(paced: tuple[Sandbox, PaceLog], location: str) -> None:
    sandbox, log = paced
    sandbox.faults.add(Fault(path=EMBED, delay=0.05, times=None))
    SegmentStore(location).info()
    assert embedded(start(sandbox, location, "one", 60, 4), start(sandbox, location, "other", 60, 4)) == 120
    assert max(count for _, count in log.arrivals) <= 4


@pytest.mark.slow
@pytest.mark.parametrize("high", [8, 0])
def test_a_process_with_a_lower_limit_sends_beside_one_with_a_higher_or_none(
    paced: tuple[Sandbox, PaceLog], location: str, high: int
) -> None:
    sandbox, log = paced
    sandbox.faults.add(Fault(path=EMBED, delay=0.5, times=None))
    busy = start(sandbox, location, "busy", 10_000, high)
    try:
        wait_until(lambda: len(log.arrivals) >= 8)
        assert embedded(start(sandbox, location, "other", 6, 2)) == 6
        assert busy.poll() is None
    finally:
        busy.kill()
        busy.communicate()


def test_without_its_store_a_process_keeps_its_own_pace(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWELVELABS_STORE", "postgresql+psycopg://root:hunter2@127.0.0.1:9/db")
    with Client(sandbox.api_key, base_url=sandbox.base_url, max_concurrent_requests=2) as client:
        assert len(client.embed_texts(["red", "blue", "green"])) == 3
    assert "the pace is not shared with other processes now" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_killed_process_gives_its_permits_back(paced: tuple[Sandbox, PaceLog], location: str) -> None:
    sandbox, log = paced
    sandbox.faults.add(Fault(path=EMBED, delay=30.0, times=4))
    worker = start(sandbox, location, "killed", 20, 4)
    wait_until(lambda: len(log.arrivals) >= 4)
    worker.kill()
    worker.communicate()
    settings = {"base_url": sandbox.base_url, "store": location, "max_concurrent_requests": 4}
    with Client(sandbox.api_key, **settings) as client:
        assert len(client.embed_texts([f"after {number}" for number in range(20)])) == 20


class Store:
    """A client's store, whose pace other processes share."""

    def __init__(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.account = f"{client.settings.account} {client.settings.base_url.split('/')[2]}"
        self._client, self._monkeypatch = client, monkeypatch
        exchange = SegmentStore.exchange_pace

        def count_and_exchange(*arguments: Any) -> Any:
            self.calls += 1
            return exchange(*arguments)

        monkeypatch.setattr(SegmentStore, "exchange_pace", count_and_exchange)

    def seen(self) -> Shared:
        """Return what another process sees of texts."""
        with self._monkeypatch.context() as patch:
            patch.setattr(pace, "owner", lambda: "another")
            return self._client.store.exchange_pace(self.account, {"text": Report(0), ALL: Report(0)})["text"]

    def is_shared(self) -> bool:
        return self.seen().processes > 1


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exchange often, and also after a minute without requests."""
    monkeypatch.setattr(shared_pace, "SYNC_SEC", 0.02)
    monkeypatch.setattr(shared_pace, "IDLE_SEC", 60.0)


@pytest.fixture
def client(sandbox: Sandbox, location: str) -> Iterator[Client]:
    with Client(sandbox.api_key, base_url=sandbox.base_url, store=location, max_retries=0) as client:
        yield client


def test_a_process_that_sends_nothing_has_no_share(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_pace, "IDLE_SEC", 0.1)
    monkeypatch.setattr(shared_pace, "SYNC_SEC", 0.02)
    store = Store(client, monkeypatch)
    for text in ("red", "blue"):  # and it begins again
        client.embed_text(text)
        wait_until(lambda: not store.is_shared())


@pytest.mark.usefixtures("quick")
def test_the_pace_is_shared_after_a_restart_of_the_server(
    client: Client, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_pace, "FAILED_SEC", 0.05)
    client.embed_text("red")
    store = Store(client, monkeypatch)
    for _ in range(5):
        postgres.end_sessions(location)
        calls = store.calls
        wait_until(lambda calls=calls: store.calls > calls + 2)
    client.embed_text("blue")
    wait_until(store.is_shared)


def test_after_a_restart_of_the_server_the_first_request_is_sent(
    client: Client, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_pace, "IDLE_SEC", 0.05)
    client.embed_text("red")
    wait_until(is_quiet)
    postgres.end_sessions(location)
    client.embed_text("blue")


def refuse(sandbox: Sandbox, client: Client, seconds: float) -> None:
    sandbox.faults.add(Fault(path=EMBED, status=429, headers={"Retry-After": f"{seconds:g}"}))
    with pytest.raises(RateLimitError):
        client.embed_text("refused")


@pytest.mark.usefixtures("quick")
def test_a_store_that_failed_is_not_tried_again_for_each_refusal(
    sandbox: Sandbox, client: Client, location: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client.embed_text("red")
    store = Store(client, monkeypatch)
    postgres.execute(location, "ALTER TABLE twelvelabs_leases RENAME TO away")
    wait_until(lambda: "the pace is not shared" in caplog.text)
    calls = store.calls
    for _ in range(5):
        refuse(sandbox, client, 0.0)
    client.embed_text("blue")
    assert store.calls == calls
    assert len(re.findall("the pace is not shared", caplog.text)) == 1


@pytest.mark.usefixtures("quick")
def test_what_is_learnt_while_the_store_fails_is_told_later(
    sandbox: Sandbox, client: Client, location: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shared_pace, "FAILED_SEC", 0.05)
    client.embed_text("red")
    store = Store(client, monkeypatch)
    postgres.execute(location, "ALTER TABLE twelvelabs_leases RENAME TO away")
    wait_until(lambda: "the pace is not shared" in caplog.text)
    refuse(sandbox, client, 3600.0)
    calls = store.calls
    wait_until(lambda: store.calls > calls + 2)
    postgres.execute(location, "ALTER TABLE away RENAME TO twelvelabs_leases")
    wait_until(lambda: store.seen().pause > 3000.0)
    assert len(re.findall("the pace is not shared", caplog.text)) == 1


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.usefixtures("quick")
def test_requests_do_not_wait_long_for_a_store_that_does_not_answer(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, is_known: bool
) -> None:
    """Another process keeps the account locked."""
    store = Store(client, monkeypatch)
    if is_known:
        client.embed_text("red")
    client.store.info()
    monkeypatch.setattr(shared_pace, "FIRST_WAIT_SEC", 0.2)
    monkeypatch.setattr(shared_pace, "LEASE_SEC", 0.2)
    with client.store._database.writing() as connection:
        connection.execute(pace.LOCK, {"name": f"twelvelabs pace {store.account}"})
        while "its store has not answered for 0.2 s" not in caplog.text:
            client.embed_text("blue")
    wait_until(store.is_shared)


def refusals(location: str, count: int) -> int:
    """Embed 360 texts, 30 at a time, in some processes, at a server that takes 20 a second."""
    with Sandbox(requests_per_minute=1200, rate_window=1.0) as sandbox:
        sandbox.faults.add(Fault(path=EMBED, delay=0.05, times=None))
        names = [f"worker {number}" for number in range(count)]
        workers = [start(sandbox, location, name, 360 // count, concurrency=30 // count) for name in names]
        assert embedded(*workers) == 360
        return sandbox.count(status=429)


@pytest.mark.slow
def test_six_processes_are_refused_hardly_more_often_than_one(location: str) -> None:
    """About as often; six without a shared pace 1.6 to 1.8 times. A busy machine may need a second or third try."""
    counts = [(refusals(location, 1), refusals(location, 6))]
    while counts[-1][1] > 1.3 * counts[-1][0]:
        assert len(counts) < 3, counts
        counts.append((refusals(location, 1), refusals(location, 6)))
