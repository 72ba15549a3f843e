"""The checks of a chaos run detect every problem that they promise to detect."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient
from qdrant_client.models import Distance, PointStruct, VectorParams

from tests.chaos.media import VIDEOS, Item
from tests.chaos.verdict import Moment, TaskLog, Verdict, check_reports, check_stores, check_tasks
from twelvelabs_sandbox import RecordedTask

KEYS = ("source", "start_sec", "end_sec", "embedding_option", "page_start", "quadrant")
GOOD, BAD = Item("a.mp4", "a.mp4", "aa"), Item("b.mp4", "b.mp4", "", "too short")
EXPECTED = {
    Moment("a.mp4", 0.0, 3.0, "visual"): np.array([1, 0], np.float32),
    Moment("a.mp4", 3.0, 5.0, "visual"): np.array([0, 1], np.float32),
}


def fill(folder: Path, rows: Sequence[tuple[Moment, list[float]]]) -> Path:
    client = QdrantClient(path=str(folder))
    client.create_collection(VIDEOS, VectorParams(size=2, distance=Distance.COSINE))
    points = []
    for number, (moment, vector) in enumerate(rows):
        metadata = dict(zip(KEYS, moment, strict=True))
        points.append(PointStruct(id=number, vector=vector, payload={"metadata": metadata}))
    client.upsert(VIDEOS, points)
    client.close()
    return folder


FIRST, SECOND = EXPECTED
RIGHT = [(FIRST, [1.0, 0.0]), (SECOND, [0.0, 1.0])]
ONCE, OWN = "every good item has every segment exactly once in the store", "no item has another's vectors"


@pytest.mark.parametrize(
    ("rows", "failed"),
    [
        (RIGHT, set()),
        (RIGHT[:1], {ONCE}),
        ([*RIGHT, RIGHT[0]], {ONCE}),
        ([*RIGHT, (Moment("c.mp4", 0.0, 3.0, "visual"), [1.0, 0.0])], {ONCE}),
        ([(FIRST, [0.0, 1.0]), RIGHT[1]], {OWN}),
    ],
)
def test_check_stores_detects_missing_duplicate_and_foreign_vectors(
    tmp_path: Path, rows: list[tuple[Moment, list[float]]], failed: set[str]
) -> None:
    verdict = Verdict()
    check_stores(verdict, [fill(tmp_path / "qdrant", rows)], EXPECTED, 1)
    assert {name.partition(" (")[0] for name in verdict.failed} == failed


@pytest.mark.parametrize(
    ("outcome", "is_right"),
    [
        ({"failures": [["b.mp4", "it is too short", None]]}, True),
        ({"failures": []}, False),
        ({"failures": [["b.mp4", "HTTP 503", None]]}, False),
        ({"failures": [["b.mp4", "too short", None], ["a.mp4", "HTTP 503", "65"]]}, False),
        ({"failures": [["b.mp4", "too short", None]], "ended_by": "ConfigurationError: locked"}, False),
    ],
)
def test_check_reports_requires_exactly_the_bad_videos(outcome: Mapping[str, Any], is_right: bool) -> None:  # noqa: FBT001
    verdict = Verdict()
    check_reports(verdict, [outcome], [BAD])
    assert bool(verdict.failed) != is_right


def tasks(*kinds: str) -> list[RecordedTask]:
    """Return tasks of one video, each ready or with a fate."""
    states = {"ready": "ready", "stuck": "processing"}
    return [
        RecordedTask(
            str(number),
            "v2",
            "marengo3.0",
            "video",
            "aa",
            None,
            None,
            states.get(kind, "failed"),  # type: ignore[arg-type]
            None if kind in ("ready", "processed") else kind,  # type: ignore[arg-type]
            kind != "stuck",
            "2026-01-01T00:00:00.000Z",
            0.0,
        )
        for number, kind in enumerate(kinds)
    ]


@pytest.mark.parametrize(
    ("before", "after", "failed"),
    [
        (["ready"], [], 0),
        (["failed", "expired", "ready"], [], 0),
        (["failed", "stuck"], ["ready"], 0),
        ([], [], 1),
        (["stuck"], [], 1),
        (["ready", "ready"], [], 2),
        (["ready"], ["ready"], 2),
        (["processed", "ready"], [], 1),  # one failed without an injected fault: still a double payment
        (["stuck", "ready"], [], 1),  # created while the first was processing
    ],
)
def test_check_tasks_detects_missing_tasks_and_double_payments(
    before: list[str], after: list[str], failed: int
) -> None:
    verdict = Verdict()
    log = TaskLog(tasks(*before), tasks(*after))
    check_tasks(verdict, [GOOD], log, names_files=True, warnings="")
    assert len(verdict.failed) == failed, verdict.lines


@pytest.mark.parametrize(
    ("warnings", "failed"),
    [
        ("", 1),
        ("WARNING b.mp4 is paid for again", 1),
        ("WARNING a.mp4 was begun", 1),
        ("WARNING a.mp4 is paid for again", 0),
    ],
)
def test_check_tasks_requires_a_warning_per_second_payment_without_names(warnings: str, failed: int) -> None:
    verdict = Verdict()
    check_tasks(verdict, [GOOD], TaskLog(tasks("ready", "ready"), []), names_files=False, warnings=warnings)
    assert len(verdict.failed) == failed, verdict.lines
