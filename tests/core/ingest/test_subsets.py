"""A task serves every request whose vectors it contains: nothing is paid for a part of what was paid for."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.conftest import Connect
from tests.core.ingest.test_recovery import Interrupted, interrupt
from tests.core.surface import Surface
from tests.core.video_server import VideoServer
from twelvelabs_core import DynamicSegmentation, FixedSegmentation, SegmentedMedia, SegmentStore, SequentialSegmentation
from twelvelabs_core.models.options import DocumentOptions, SegmentOptions
from twelvelabs_core.models.paid_work import contains
from twelvelabs_sandbox import Sandbox

TASKS = "/embed-v2/tasks"
SEPARATE, FUSED = "separate_embedding", "fused_embedding"
NOTE = [{"start": 0.0, "end": 4.0, "text": "kick-off"}]

PARTS: list[dict[str, Any]] = [
    {"embedding_option": ["visual"]},
    {"embedding_scope": ["asset"]},
    {"embedding_scope": ["clip"]},
    {"embedding_option": ["audio"], "embedding_scope": ["clip"]},
]


def paid(sandbox: Sandbox) -> int:
    return sandbox.count("POST", TASKS)


def rows(media: SegmentedMedia) -> list[tuple[Any, ...]]:
    """Return the records without their vectors."""
    return [(record.segment_id, record.head, record.metadata) for record in media.records()]


@pytest.mark.parametrize("part", PARTS, ids=str)
async def test_a_part_of_a_paid_task_is_free_and_as_its_own_task_gives_it(
    part: dict[str, Any], connect: Connect, video_path: Path, sandbox: Sandbox
) -> None:
    alone = connect(store=":memory:")
    expected = await alone.segment_video(video_path, **part)
    client = connect()
    await client.segment_video(video_path)
    sandbox.clear_requests()
    found = await client.segment_video(video_path, **part)
    assert sandbox.count() == 0
    assert found.reused
    assert rows(found) == rows(expected)
    assert found.segments == expected.segments
    records = await client.register(found)
    vectors = await client.find_vectors([record.segment_id for record in records])
    assert np.array_equal(vectors, expected.segments.vectors)


@pytest.mark.parametrize("first", [["clip"], ["asset"]])
async def test_scopes_are_paid_for_together_whichever_comes_first(
    first: list[str], client: Surface, video_path: Path, sandbox: Sandbox
) -> None:
    found = await client.segment_video(video_path, embedding_scope=first)
    assert {segment.embedding_scope for segment in found.segments} == set(first)
    whole = await client.segment_video(video_path)
    assert {segment.embedding_scope for segment in whole.segments} == {"clip", "asset"}
    assert whole.reused
    assert paid(sandbox) == 1


async def test_what_a_task_does_not_contain_is_paid_for(client: Surface, video_path: Path, sandbox: Sandbox) -> None:
    await client.segment_video(video_path, embedding_option=["visual", "audio"])
    others: list[dict[str, Any]] = [
        {"embedding_option": ["visual", "transcription"]},
        {"embedding_option": ["visual"], "segmentation": FixedSegmentation(4)},
        {"embedding_option": ["visual"], "segmentation": DynamicSegmentation(5)},
        {"embedding_option": ["visual"], "start_sec": 1.0},
        {"embedding_option": ["visual"], "end_sec": 7.0},
        {"embedding_option": ["visual", "audio"], "embedding_type": [FUSED]},
    ]
    for number, other in enumerate(others, 2):
        assert not (await client.segment_video(video_path, **other)).reused
        assert paid(sandbox) == number


async def test_another_type_is_served_without_the_vectors_of_the_others(
    client: Surface, video_path: Path, sandbox: Sandbox
) -> None:
    both = {"embedding_option": ["visual", "audio"], "embedding_type": [SEPARATE, FUSED]}
    await client.segment_video(video_path, **both)
    separate = await client.segment_video(video_path, embedding_option=["visual", "audio"])
    fused = await client.segment_video(video_path, **{**both, "embedding_type": [FUSED]})
    assert {segment.embedding_option for segment in separate.segments} == {"visual", "audio"}
    assert {segment.embedding_option for segment in fused.segments} == {"fused"}
    assert paid(sandbox) == 1


async def test_a_whole_document_is_served_by_the_task_of_its_chunks(
    connect: Connect, tmp_path: Path, sandbox: Sandbox
) -> None:
    path = tmp_path / "report.md"
    path.write_text("One. Two. Three. Four.")
    client = connect(model="marengo3.5")
    both = {"segmentation": SequentialSegmentation(2), "embedding_scope": ["local", "asset"]}
    await client.segment_document(path, **both)
    whole = await client.segment_document(path)
    assert [segment.embedding_scope for segment in whole.segments] == ["asset"]
    chunks = await client.segment_document(path, segmentation=SequentialSegmentation(2))
    assert {segment.embedding_scope for segment in chunks.segments} == {"chunk"}
    assert paid(sandbox) == 1


async def test_a_part_waits_for_the_task_that_contains_it(
    client: Surface, server: VideoServer, sandbox: Sandbox
) -> None:
    """Concurrent calls in one process; the one that began first is the task of all."""
    whole = client.start("segment_video", server.url())
    while not paid(sandbox):  # noqa: ASYNC110  # the sandbox has no event for it
        await asyncio.sleep(0.01)
    parts = [client.start("segment_video", server.url(), **part) for part in PARTS]
    found = await asyncio.gather(whole, *parts)
    assert [one.reused for one in found] == [False, True, True, True, True]
    assert paid(sandbox) == 1


async def test_a_part_resumes_the_task_of_an_interrupted_run(
    connect: Connect, server: VideoServer, sandbox: Sandbox
) -> None:
    with pytest.raises(Interrupted):
        await connect().segment_video(server.url(), on_progress=interrupt)
    found = await connect().segment_video(server.url(), embedding_option=["visual"])
    assert {segment.embedding_option for segment in found.segments} == {"visual"}
    assert (await connect().segment_video(server.url())).reused
    assert paid(sandbox) == 1


def test_no_intent_is_written_beside_a_larger_task_that_is_under_way(tmp_path: Path) -> None:
    """Another process wrote its intent after this one had read the journal."""
    store = SegmentStore(tmp_path / "segments.sqlite3")
    values: dict[str, Any] = {"space": "s", "content": "c", "model": "m", "source": "a.mp4", "account": "me"}
    whole, part = (SegmentOptions.of("video", embedding_option=given).identity() for given in (None, ["audio"]))
    assert store.put_intent("whole", params=whole, **values)
    assert not store.put_intent("part", params=part, wanted=part, **values)
    assert store.put_intent("part", params=part, wanted=part, replacing=store.find_task("whole"), **values)
    assert store.put_intent("other", params=part, wanted=part, **{**values, "content": "d"})


WHOLE = SegmentOptions.of("video")


@pytest.mark.parametrize(
    ("paid_for", "wanted", "expected"),
    [
        (WHOLE, SegmentOptions.of("video", embedding_option=["audio"]), True),
        (SegmentOptions.of("video", embedding_option=["audio"]), WHOLE, False),
        (WHOLE, SegmentOptions.of("video", segmentation=FixedSegmentation(6)), False),
        (WHOLE, SegmentOptions.of("audio"), False),
        (
            SegmentOptions.of("video", embedding_type=[SEPARATE, FUSED]),
            SegmentOptions.of("video", embedding_option=["visual", "audio"], embedding_type=[FUSED]),
            False,  # it fused another set of options
        ),
        (
            SegmentOptions.of("video", embedding_type=[SEPARATE, FUSED], time_based_metadata=NOTE, model="marengo3.5"),
            SegmentOptions.of("video", model="marengo3.5"),
            True,
        ),
        (
            SegmentOptions.of("video", embedding_type=[FUSED], time_based_metadata=NOTE, model="marengo3.5"),
            SegmentOptions.of("video", embedding_type=[FUSED], time_based_metadata=NOTE * 2, model="marengo3.5"),
            False,
        ),
        (
            SegmentOptions.of("video", embedding_scope=["clip"], model="marengo3.5"),
            SegmentOptions.of("video", embedding_uncertainty=True, model="marengo3.5"),
            False,
        ),
        (
            DocumentOptions.of("pdf", embedding_scope=["local", "asset"]),
            DocumentOptions.of("pdf", embedding_scope=["asset"]),
            True,
        ),
    ],
)
def test_contains(paid_for: Any, wanted: Any, expected: bool) -> None:  # noqa: FBT001  # a case
    assert contains(paid_for.identity(), wanted.identity()) is expected
