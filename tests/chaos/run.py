"""One chaos run: workers killed and restarted under injected faults, then two runs without faults, then the checks."""

import json
import random
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from tests.chaos import journals, leaks
from tests.chaos.fault_injector import ASSETS, ONE_ASSET, ONE_TASK, TASKS, CountingFaults, FaultInjector
from tests.chaos.fork_server import Child, ForkServer
from tests.chaos.gateway import Gateway
from tests.chaos.media import DOCUMENT, DOCUMENT_MODEL, VIDEO, WAYS, Signature, documents, make_videos, sources, windows
from tests.chaos.verdict import Matrix, Moment, TaskLog, Verdict, check_reports, check_stores, check_tasks
from tests.sandbox.file_server import FileServer
from twelvelabs_core import Client, SegmentedMedia
from twelvelabs_sandbox import Fault, Sandbox

# Contains characters that URLs, JSON and base64 encode differently.
API_KEY = "tlk_sandbox_Ch4os+/=Key&%~d1e0c7b2"
WRONG_KEY = "tlk_sandbox_Wr0ngKey5c1f9a40"
EIGHT_DAYS = 8 * 24 * 3600.0
MAX_CONCURRENCY = 8
POLL_SECONDS = 0.005
# A run that sends no request for this long counts as hung.
STALL_SECONDS = 60.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """Parameters of a run.

    Attributes:
        videos: Number of videos, including the bad ones.
        kills: Number of times a worker is killed.
        processes: Number of concurrent workers; each embeds all media, in one of the ways of `callers` in turn.
        store: `sqlite` or `postgresql`.
        seed: Seed of all random choices.
        names_files: Whether the sandbox's listings contain file names and URLs.
        timeout: Longest time a worker waits for one task, in seconds.
        kill_after: Range in seconds from which the longest lifetime of a worker is drawn.
        outage: How long the API is unreachable halfway, in seconds.
    """

    videos: int = 200
    kills: int = 20
    processes: int = len(WAYS)
    store: str = "sqlite"
    seed: int = 1
    names_files: bool = True
    timeout: float = 8.0
    kill_after: tuple[float, float] = (4.0, 25.0)
    outage: float = 120.0

    @property
    def bad(self) -> int:
        return max(2, self.videos // 25)


@dataclass
class Worker:
    """One worker, over all processes started for it."""

    number: int
    folder: Path
    caller: str = "langchain"
    starts: int = 0
    ended: int = 0
    process: Child | None = None
    output: Path = field(default_factory=Path)

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.is_alive

    @property
    def is_ready(self) -> bool:
        return (self.output / "ready").exists()

    def outcome(self) -> dict[str, Any]:
        path = self.output / "outcome.json"
        return json.loads(path.read_text()) if path.exists() else {"failures": [], "ended_by": "no outcome"}  # type: ignore[no-any-return]


class ChaosRun:
    """One run from an empty folder to the verdict; see ``run``."""

    def __init__(self, plan: Plan, folder: Path, video_folder: Path, say: Say) -> None:
        self._plan = plan
        self._folder = folder
        self._video_folder = video_folder
        self._say = say
        self._random = random.Random(plan.seed)  # noqa: S311  # not a secret
        self._signature = Signature.of(plan.seed)
        self._verdict = Verdict()
        self._injectors: list[FaultInjector] = []
        self._dumps = 0

    def run(self) -> Verdict:
        """Empty the folder, do the whole run and return the verdict."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        with ExitStack() as stack:
            self._set_up(stack)
            expected = self._expected_vectors()
            self._run_with_faults()
            log = self._run_without_faults()
            return self._check(expected, log)

    def _set_up(self, stack: ExitStack) -> None:
        plan = self._plan
        self._say(f"making {plan.videos - plan.bad} videos (once)")
        video_paths = make_videos(self._video_folder, plan.videos - plan.bad, seed=1)
        server = stack.enter_context(FileServer(self._video_folder))
        self._videos = sources(self._video_folder, video_paths, plan.bad, server, self._signature)
        self._windows, self._documents = windows(self._video_folder), documents(self._video_folder)
        self._good = [one for one in (*self._videos, *self._windows, *self._documents) if one.reason is None]
        self._bad = [one for one in self._videos if one.reason is not None]
        self._sandbox = Sandbox(
            api_key=API_KEY,
            task_seconds=0.2,
            task_seconds_sigma=0.5,
            asset_seconds=0.05,
            seed=plan.seed,
            echo_filenames=plan.names_files,
        )
        self._sandbox.faults = self._faults = CountingFaults()
        stack.enter_context(self._sandbox)
        port = int(self._sandbox.base_url.split(":")[2].split("/")[0])
        self._gateway = stack.enter_context(Gateway(port))
        self._base_url = self._sandbox.base_url.replace(f":{port}/", f":{self._gateway.port}/")
        self._journal = stack.enter_context(journals.opened(plan.store, self._folder / "journal"))
        callers = zip(range(plan.processes), cycle(WAYS), strict=False)
        self._workers = [Worker(number, self._folder / f"worker-{number}", caller) for number, caller in callers]
        self._fork_server = stack.enter_context(ForkServer(API_KEY))
        stack.callback(self._kill_all)

    def _expected_vectors(self) -> dict[Moment, Matrix]:
        """Return what the stores must contain, from a separate sandbox without faults."""
        self._say("embedding them without faults, for comparison")
        expected: dict[Moment, Matrix] = {}

        def add(media: SegmentedMedia, source: str) -> None:
            for record in media.records():
                expected[Moment.of({**record.metadata, "source": source})] = record.vector

        with Sandbox() as sandbox:
            settings = {"api_key": sandbox.api_key, "base_url": sandbox.base_url, "store": ":memory:"}
            by_path = {
                str(self._video_folder / Path(one.source).name): one.source
                for one in self._videos
                if one.reason is None
            }
            with Client(**settings) as client:  # type: ignore[arg-type]
                for media in client.segment_many(list(by_path), **VIDEO):
                    add(media, by_path[media.source])
                for one in self._windows:
                    window = client.segment_video(one.given, **VIDEO, start_sec=one.start, end_sec=one.end)
                    add(window, one.source)
            with Client(**settings, model=DOCUMENT_MODEL) as client:  # type: ignore[arg-type]
                for one in self._documents:
                    add(client.segment_document(one.given, **DOCUMENT), one.source)
        return expected

    def _run_with_faults(self) -> None:
        """Run the workers under injected faults, with `kills` kills, a wrong key and an outage halfway."""
        kills = self._plan.kills
        self._kill_under_faults(range(kills // 2), seed=self._plan.seed)
        self._withdraw_key()
        self._interrupt()
        self._kill_under_faults(range(kills // 2, kills), seed=self._plan.seed + 100)

    def _kill_under_faults(self, kills: range, seed: int) -> None:
        injector = FaultInjector(self._sandbox, self._gateway, self._journal, seed)
        self._injectors.append(injector)
        injector.start()
        try:
            for worker in self._workers:
                self._start(worker)
            for kill in kills:
                self._kill_one(kill)
        finally:
            self._kill_all()
            injector.stop()

    def _withdraw_key(self) -> None:
        """Let the API refuse the key while tasks are processing, and start once more with a wrong key."""
        self._say("the API refuses the key")
        revoked = [Fault(path=path, status=401, times=None) for path in (TASKS, ONE_TASK, ASSETS, ONE_ASSET)]
        outcomes = self._run_and(lambda: self._sandbox.faults.add(*revoked), timeout=self._plan.timeout)
        self._sandbox.clear_faults()
        self._say("a run with a wrong key")
        outcomes += self._run_and(lambda: None, timeout=self._plan.timeout, api_key=WRONG_KEY)
        ends = [outcome["ended_by"] for outcome in outcomes if "ended_by" in outcome]
        refused = [end for end in ends if end.startswith("AuthenticationError")]
        detail = f"{len(refused)} of {len(outcomes)} runs, the others had nothing left to send"
        problems = [f"ended with {end}" for end in ends if end not in refused]
        self._verdict.check("a refused key ends a run with its reason", detail, problems)

    def _interrupt(self) -> None:
        """Make the API unreachable for a while; tasks that are waited for must not be given up."""
        plan = self._plan
        self._say(f"the API is unreachable for {plan.outage:.0f} s")
        begun: set[str] = set()

        def interrupt() -> None:
            begun.update(task.id for task in self._processing())
            self._gateway.interrupt_for(plan.outage)

        outcomes = self._run_and(interrupt, timeout=plan.outage + 2 * plan.timeout)
        given_up = [
            f"{source}: {reason}"
            for outcome in outcomes
            for source, reason, task_id in outcome["failures"]
            if task_id in begun
        ]
        detail = f"{len(begun)} tasks, {plan.outage:.0f} s"
        self._verdict.check("an outage ends no wait for a task", detail, given_up)

    def _run_and(self, happen: Callable[[], object], *, timeout: float, api_key: str = "") -> list[dict[str, Any]]:
        """Start all workers, let something happen once a task is processing, and return their outcomes."""
        known = {task.id for task in self._sandbox.tasks()}
        for worker in self._workers:
            self._start(worker, timeout=timeout, api_key=api_key)
        last = time.monotonic() + STALL_SECONDS
        while any(worker.is_alive for worker in self._workers) and time.monotonic() < last:
            if any(task.id not in known for task in self._processing()):
                break
            time.sleep(POLL_SECONDS)
        happen()
        self._wait_for_all(timeout)
        return [worker.outcome() for worker in self._workers]

    def _processing(self) -> list[Any]:
        """Return the tasks that will end by themselves."""
        return [task for task in self._sandbox.tasks() if task.status == "processing" and task.fate is None]

    def _kill_one(self, kill: int) -> None:
        """Kill a random worker after a random share of the tasks or a random time; then restart it."""
        share = (kill + self._random.random()) / self._plan.kills
        kill_after, delay = self._random.uniform(*self._plan.kill_after), self._random.uniform(0, 0.05)
        victim = self._random.choice(self._workers)
        begin, last = None, time.monotonic() + STALL_SECONDS
        while self._created() < share * len(self._good) and time.monotonic() < last:
            for worker in self._workers:
                if not worker.is_alive:
                    worker.ended += 1
                    self._start(worker)
            if begin is None and victim.is_ready:
                begin = time.monotonic()
            if begin is not None and time.monotonic() - begin > kill_after:
                break
            time.sleep(POLL_SECONDS)
        time.sleep(delay)
        self._kill(victim)
        self._say(f"kill {kill + 1}/{self._plan.kills} of worker {victim.number}: {self._created()} tasks created")
        self._start(victim)

    def _created(self) -> int:
        return self._sandbox.count("POST", TASKS, 202)

    def _run_without_faults(self) -> TaskLog:
        """Run to completion twice: at once, and again after the stuck tasks have expired at the server."""
        self._say("without faults: all but stuck tasks end")
        self._run_all(self._plan.timeout)
        before = self._settled_tasks()
        self._say("without faults: eight days later")
        self._sandbox.clock.advance(EIGHT_DAYS)
        self._run_all(STALL_SECONDS, search=True)  # nothing is stuck any more, and each may wait for another
        known = {task.id for task in before}
        return TaskLog(before, [task for task in self._settled_tasks() if task.id not in known])

    def _settled_tasks(self) -> list[Any]:
        """Return the tasks of v2 once all have ended, except the stuck ones."""
        for _ in range(1000):
            tasks = self._sandbox.tasks()
            if not [task for task in tasks if task.status == "processing" and task.fate != "stuck"]:
                break
            time.sleep(0.05)
        return tasks

    def _run_all(self, timeout: float, *, search: bool = False) -> None:
        for worker in self._workers:
            self._start(worker, search=search, timeout=timeout)
        self._wait_for_all(timeout)

    def _wait_for_all(self, timeout: float) -> None:
        last = time.monotonic() + STALL_SECONDS + 2.0 * self._plan.videos + 3 * timeout
        for worker in self._workers:
            assert worker.process is not None
            worker.process.wait(max(1.0, last - time.monotonic()))
            self._kill(worker)  # a worker that has not ended leaves no outcome, which the checks report

    def _check(self, expected: dict[Moment, Matrix], log: TaskLog) -> Verdict:
        plan, injected, verdict = self._plan, self._faults.injected, self._verdict
        names = "names files" if plan.names_files else "names no files"
        callers = ", ".join(worker.caller for worker in self._workers)
        verdict.note(
            f"{len(self._good)} good media ({len(self._windows)} windows, {len(self._documents)} PDFs), "
            f"{len(self._bad)} bad, {plan.store}, processes: {callers}; seed {plan.seed}, the sandbox {names}"
        )
        ended = sum(worker.ended for worker in self._workers)
        verdict.note(f"        killed {plan.kills} times, {ended} other runs ended by themselves")
        verdict.note(f"        {', '.join(f'{name} x {count}' for name, count in sorted(injected.items()))}")
        interruptions, locks = (
            sum(counts) for counts in zip(*((one.interruptions, one.locks) for one in self._injectors), strict=True)
        )
        verdict.note(f"        gateway interrupted x {interruptions}, journal locked x {locks}")
        self._dump()
        stores = [worker.folder / "qdrant" for worker in self._workers]
        check_stores(verdict, stores, expected, len(self._good))
        check_reports(verdict, [worker.outcome() for worker in self._workers], self._bad)
        check_tasks(verdict, self._good, log, names_files=plan.names_files, warnings=self._warnings())
        self._check_secrets(verdict)
        return verdict

    def _warnings(self) -> str:
        logs = sorted(self._folder.glob("worker-*/output-*/log.txt"))
        return "\n".join(
            line for path in logs for line in path.read_text(errors="replace").splitlines() if " WARNING " in line
        )

    def _check_secrets(self, verdict: Verdict) -> None:
        """Check that no secret is found, and that secrets planted on purpose are found."""
        secrets = leaks.needles(API_KEY, self._signature, WRONG_KEY)
        found = leaks.search(self._channels(self._folder), secrets)
        # A signed URL is an argument of the caller, whose own frames have it among their locals, too.
        leaked = [one for one in found.leaks if one.channel != "locals" or "key" in one.secret]
        size = sum(found.channels.values())
        detail = f"{size / 1e6:.1f} MB in {', '.join(found.channels)}"
        verdict.check("no key and no signature in any output or store", detail, [" ".join(one) for one in leaked])
        empty = [f"{name} is empty" for name, count in found.channels.items() if not count]
        planted = self._planted(secrets)
        missed = [f"planted in {name}, not found" for name in found.channels if name not in planted]
        verdict.check("planted ones are found in each of them", f"{len(found.channels)} channels", empty + missed)

    def _planted(self, secrets: dict[str, bytes]) -> set[str]:
        """Let a worker leak both secrets in a separate folder; return the channels where both were found."""
        places = []
        for name, secret in (("key", API_KEY), ("signature", f"https://a.b/c?{self._signature.query}")):
            folder = self._folder.with_name(f"{self._folder.name}-planted-{name}")
            shutil.rmtree(folder, ignore_errors=True)
            (folder / "journal").mkdir(parents=True)
            worker = Worker(0, folder / "worker-0")
            self._start(worker, plant=secret, store=str(folder / "journal" / "segments.sqlite3"))
            assert worker.process is not None
            worker.process.wait(STALL_SECONDS)
            shutil.copytree(folder / "journal", folder / "journal-bytes")
            places.append(leaks.search(self._channels(folder), secrets).leaking)
            shutil.rmtree(folder)
        return places[0] & places[1]

    def _channels(self, folder: Path) -> dict[str, Path]:
        """Gather the output of all workers, by kind."""
        channels = {}
        for name in ("log.txt", "stderr.txt", "errors.txt", "locals.txt", "errors.pickle", "search.txt"):
            gathered = folder / "channels" / name
            gathered.parent.mkdir(exist_ok=True)
            outputs = [path.read_bytes() for path in sorted(folder.glob(f"worker-*/output-*/{name}"))]
            gathered.write_bytes(b"".join(outputs))
            channels[name.partition(".")[0] + (" pickled" if name.endswith("pickle") else "")] = gathered
        channels["journal"] = folder / "journal-bytes"
        channels["vector store"] = folder / "worker-0" / "qdrant"
        return channels

    def _start(
        self,
        worker: Worker,
        *,
        search: bool = False,
        plant: str = "",
        store: str = "",
        timeout: float | None = None,
        api_key: str = "",
    ) -> None:
        worker.starts += 1
        worker.output = worker.folder / f"output-{worker.starts:03}"
        worker.output.mkdir(parents=True)
        videos = [video.given for video in self._videos]
        self._random.shuffle(videos)
        config = {
            "caller": worker.caller,
            "api_key": api_key,
            "base_url": self._base_url,
            "store": store or self._journal.location,
            "qdrant": str(worker.folder / "qdrant"),
            "output": str(worker.output),
            "videos": videos,
            "windows": [(one.given, one.start, one.end) for one in self._windows],
            "documents": [one.given for one in self._documents],
            "seed": self._random.random(),
            "max_concurrency": MAX_CONCURRENCY,
            "silence": 5.0,
            "timeout": timeout or self._plan.timeout,
            "search": search,
            "plant": plant,
        }
        path = worker.folder / "config.json"
        path.write_text(json.dumps(config))
        worker.process = self._fork_server.start(path, worker.output / "stderr.txt")

    def _kill(self, worker: Worker) -> None:
        if worker.is_alive:
            assert worker.process is not None
            worker.process.kill()
            self._dump()

    def _kill_all(self) -> None:
        for worker in self._workers:
            if worker.is_alive:
                self._kill(worker)

    def _dump(self) -> None:
        self._dumps += 1
        folder = self._folder / "journal-bytes" / f"{self._dumps:03}"
        folder.mkdir(parents=True)
        self._journal.dump(folder)
