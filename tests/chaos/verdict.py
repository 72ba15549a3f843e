"""What came of a chaos run: counts, and whether each promise was kept. Nothing here forgives anything."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient

from tests.chaos.videos import Video
from tests.chaos.worker import COLLECTION
from twelvelabs_sandbox import RecordedTask

Matrix = NDArray[np.float32]
PAGE = 1000
# Qdrant keeps unit vectors where the distance is cosine; rounding moves them a little.
SAME = 1e-4


class Moment(NamedTuple):
    """Which segment of which video."""

    source: str
    start: float
    end: float
    option: str


@dataclass
class Verdict:
    """Lines to print, and what failed."""

    lines: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def tell(self, line: str) -> None:
        self.lines.append(line)

    def check(self, name: str, detail: str, problems: Sequence[str]) -> None:
        """Add one promise: kept where there are no problems."""
        self.lines.append(f"  {'FAIL' if problems else 'ok  '}  {name}: {detail}")
        if problems:
            self.failed.append(name)
            self.lines += [f"        {one}" for one in problems[:8]]
            if len(problems) > 8:  # lines that are shown
                self.lines.append(f"        ... and {len(problems) - 8} more")


def stored(folder: Path) -> dict[Moment, list[Matrix]]:
    """Return the vectors of every moment in a Qdrant folder; a moment that is there twice has two."""
    found: dict[Moment, list[Matrix]] = defaultdict(list)
    client = QdrantClient(path=str(folder))
    try:
        offset = None
        while True:
            points, offset = client.scroll(COLLECTION, limit=PAGE, offset=offset, with_vectors=True)
            for point in points:
                told = (point.payload or {})["metadata"]
                moment = Moment(told["source"], told["start_sec"], told["end_sec"], told["embedding_option"])
                found[moment].append(np.asarray(point.vector, np.float32))
            if offset is None:
                return found
    finally:
        client.close()


def check_stores(verdict: Verdict, folders: Sequence[Path], expected: Mapping[Moment, Matrix], good: int) -> None:
    """Every segment exactly once, and none with the vector of another video."""
    wrong, foreign = [], []
    for folder in folders:
        there = stored(folder)
        wrong += [f"{folder.name}: missing {moment}" for moment in expected if moment not in there]
        wrong += [f"{folder.name}: not to be there {moment}" for moment in there if moment not in expected]
        wrong += [f"{folder.name}: {len(rows)} times {moment}" for moment, rows in there.items() if len(rows) != 1]
        foreign += [
            f"{folder.name}: {moment} has a vector {np.abs(rows[0] - expected[moment]).max():.3f} off"
            for moment, rows in there.items()
            if moment in expected and not np.allclose(rows[0], expected[moment], atol=SAME)
        ]
    size = f"{good} videos, {len(expected)} segments, {len(folders)} Qdrant folder(s)"
    verdict.check("every good video has every segment exactly once in the store", size, wrong)
    verdict.check("no video has another's vectors (compared with a calm run)", size, foreign)


def check_reports(verdict: Verdict, outcomes: Sequence[Mapping[str, object]], bad: Sequence[Video]) -> None:
    """The last run of each process reports the bad videos, each with its reason, and no others."""
    problems = []
    for number, outcome in enumerate(outcomes):
        if "ended_by" in outcome:
            problems.append(f"process {number} ended with {outcome['ended_by']}")
        told = {one[0]: one[1] for one in outcome["failures"]}  # type: ignore[attr-defined]
        problems += [f"process {number}: not reported: {one.source}" for one in bad if one.source not in told]
        known = {one.source: one.reason or "" for one in bad}
        problems += [
            f"process {number}: {name}: {reason}"
            for name, reason in told.items()
            if name not in known or known[name] not in reason
        ]
    verdict.check("every bad video is reported with its reason, and no good one", f"{len(bad)} bad videos", problems)


@dataclass(frozen=True)
class TaskLog:
    """Every task of a run, in the order of creation.

    Attributes:
        before: Those from before the clock was advanced to let the stuck ones expire, as they were then.
        after: Those created since.
    """

    before: Sequence[RecordedTask]
    after: Sequence[RecordedTask]

    def is_twice(self, sha256: str) -> bool:
        """Whether a task of this content was created though an earlier one was good, or still lived."""
        early = [task for task in self.before if task.sha256 == sha256]
        healthy = sum(task.sha256 == sha256 and task.fate is None for task in (*self.before, *self.after))
        return healthy > 1 or any(task.fate == "stuck" for task in early[:-1])


def check_tasks(verdict: Verdict, good: Sequence[Video], log: TaskLog, *, is_echoing: bool, warnings: str) -> None:
    """One successful task for each good video, none created while an earlier one was of use."""
    tasks = [*log.before, *log.after]
    of = defaultdict(list)
    for task in tasks:
        of[task.sha256].append(task)
    unknown = set(of) - {video.sha256 for video in good}
    succeeded = {video: sum(task.status == "ready" for task in of[video.sha256]) for video in good}
    twice = [f"{one.source}: {', '.join(map(_state, of[one.sha256]))}" for one in good if log.is_twice(one.sha256)]
    fates = [task.fate for task in tasks if task.fate]
    verdict.tell(f"        {len(tasks)} tasks were created, {len(fates)} of them doomed by the storm")
    if not is_echoing:
        silent = [one.source for one in good if log.is_twice(one.sha256) and not _is_told(one.source, warnings)]
        verdict.check(
            "where lists name nothing: each re-creation was reported", f"{len(twice)} videos paid for again", silent
        )
        missing = [f"{video.source}: none" for video, count in succeeded.items() if not count]
        verdict.check("a successful task for each good video", f"{len(good)} videos", missing)
        return
    odd = [f"{video.source}: {count} successful" for video, count in succeeded.items() if count != 1]
    odd += [f"tasks of unknown content {sha256}" for sha256 in unknown]
    verdict.check("exactly one successful task for each good video", f"{len(good)} videos", odd)
    verdict.check("no task was created twice", f"{len(twice)} videos paid for twice", twice)


def _state(task: RecordedTask) -> str:
    return f"{task.id} {task.fate or task.status}"


def _is_told(source: str, warnings: str) -> bool:
    return any(source in line and "paid" in line for line in warnings.splitlines())
