"""The verdict of a chaos run: counts, and a strict check of each guarantee."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient

from tests.chaos.media import DOCUMENTS, VIDEOS, Item, Work
from twelvelabs_sandbox import RecordedTask

Matrix = NDArray[np.float32]
LIMIT = 100_000
# Qdrant normalises vectors where the distance is cosine, which changes them by rounding.
SAME = 1e-4


class Moment(NamedTuple):
    """Which segment of which item."""

    source: str
    start: float
    end: float
    option: str
    page: int = 0
    quadrant: str = ""

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> "Moment":
        keys = ("source", "start_sec", "end_sec", "embedding_option", "page_start", "quadrant")
        return cls(*(metadata[key] for key in keys))


@dataclass
class Verdict:
    """Lines to print, and the names of the failed checks."""

    lines: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def note(self, line: str) -> None:
        self.lines.append(line)

    def check(self, name: str, detail: str, problems: Sequence[str]) -> None:
        """Add one check; it fails if there are problems."""
        self.lines.append(f"  {'FAIL' if problems else 'ok  '}  {name}: {detail}")
        if problems:
            self.failed.append(name)
            self.lines += [f"        {one}" for one in problems[:8]]
            if len(problems) > 8:  # lines that are shown
                self.lines.append(f"        ... and {len(problems) - 8} more")


def stored(folder: Path) -> dict[Moment, list[Matrix]]:
    """Return the vectors of every moment in a Qdrant folder; a duplicate moment has two."""
    found: dict[Moment, list[Matrix]] = defaultdict(list)
    client = QdrantClient(path=str(folder))
    try:
        for collection in (VIDEOS, DOCUMENTS):
            if client.collection_exists(collection):
                points, _ = client.scroll(collection, limit=LIMIT, with_vectors=True)
                for point in points:
                    payload = point.payload or {}
                    # LangChain nests the metadata, LlamaIndex does not, and names the vector.
                    vector = next(iter(point.vector.values())) if isinstance(point.vector, dict) else point.vector
                    found[Moment.of(payload.get("metadata", payload))].append(np.asarray(vector, np.float32))
        return found
    finally:
        client.close()


def check_stores(verdict: Verdict, folders: Sequence[Path], expected: Mapping[Moment, Matrix], good: int) -> None:
    """Check that every segment is stored exactly once, and none with the vector of another item."""
    wrong, foreign = [], []
    for folder in folders:
        there = stored(folder)
        wrong += [f"{folder.name}: missing {moment}" for moment in expected if moment not in there]
        wrong += [f"{folder.name}: unexpected {moment}" for moment in there if moment not in expected]
        wrong += [f"{folder.name}: {len(rows)} times {moment}" for moment, rows in there.items() if len(rows) != 1]
        foreign += [
            f"{folder.name}: {moment} has a vector {np.abs(rows[0] - expected[moment]).max():.3f} off"
            for moment, rows in there.items()
            if moment in expected and not np.allclose(rows[0], expected[moment], atol=SAME)
        ]
    size = f"{good} media, {len(expected)} segments, {len(folders)} Qdrant folder(s)"
    verdict.check("every good item has every segment exactly once in the store", size, wrong)
    verdict.check("no item has another's vectors (compared with a run without faults)", size, foreign)


def check_reports(verdict: Verdict, outcomes: Sequence[Mapping[str, object]], bad: Sequence[Item]) -> None:
    """Check that the last run of each process reports exactly the bad media, each with its reason."""
    problems = []
    for number, outcome in enumerate(outcomes):
        if "ended_by" in outcome:
            problems.append(f"process {number} ended with {outcome['ended_by']}")
        reported = {one[0]: one[1] for one in outcome["failures"]}  # type: ignore[attr-defined]
        problems += [f"process {number}: not reported: {one.source}" for one in bad if one.source not in reported]
        known = {one.source: one.reason or "" for one in bad}
        problems += [
            f"process {number}: {name}: {reason}"
            for name, reason in reported.items()
            if name not in known or known[name] not in reason
        ]
    verdict.check("every bad item is reported with its reason, and no good one", f"{len(bad)} bad media", problems)


@dataclass(frozen=True)
class TaskLog:
    """Every task of a run, in the order of creation.

    Attributes:
        before: Tasks created before the clock was advanced to expire the stuck ones, in their state at that time.
        after: Tasks created afterwards.
    """

    before: Sequence[RecordedTask]
    after: Sequence[RecordedTask]

    def is_twice(self, work: Work) -> bool:
        """Whether a task for this was created although an earlier one succeeded or was still processing."""
        early = [task for task in self.before if work_of(task) == work]
        healthy = sum(work_of(task) == work and task.fate is None for task in (*self.before, *self.after))
        return healthy > 1 or any(task.fate == "stuck" for task in early[:-1])


def work_of(task: RecordedTask) -> Work:
    """Return what a task was created for."""
    return task.sha256, task.start_sec, task.end_sec


def check_tasks(verdict: Verdict, good: Sequence[Item], log: TaskLog, *, names_files: bool, warnings: str) -> None:
    """Check that each good item has one successful task, and that no task was created while another was usable."""
    tasks = [*log.before, *log.after]
    of = defaultdict(list)
    for task in tasks:
        of[work_of(task)].append(task)
    unknown = set(of) - {item.work for item in good}
    succeeded = {item: sum(task.status == "ready" for task in of[item.work]) for item in good}
    twice = [f"{one.label}: {', '.join(map(_state, of[one.work]))}" for one in good if log.is_twice(one.work)]
    fates = [task.fate for task in tasks if task.fate]
    verdict.note(f"        {len(tasks)} tasks were created, {len(fates)} of them with an injected fate")
    if not names_files:
        silent = [one.source for one in good if log.is_twice(one.work) and not _is_logged(one.source, warnings)]
        verdict.check(
            "listings without names: each second payment was logged", f"{len(twice)} media paid for again", silent
        )
        missing = [f"{item.label}: none" for item, count in succeeded.items() if not count]
        verdict.check("a successful task for each good item", f"{len(good)} media", missing)
        return
    odd = [f"{item.label}: {count} successful" for item, count in succeeded.items() if count != 1]
    odd += [f"tasks of unknown content {work}" for work in unknown]
    verdict.check("exactly one successful task for each good item", f"{len(good)} media", odd)
    verdict.check("no task was created twice", f"{len(twice)} media paid for twice", twice)


def _state(task: RecordedTask) -> str:
    return f"{task.id} {task.fate or task.status}"


def _is_logged(source: str, warnings: str) -> bool:
    return any(source in line and "paid" in line for line in warnings.splitlines())
