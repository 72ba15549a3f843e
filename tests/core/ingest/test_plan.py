"""`plan`: what a run would do and pay for, without a request to the API; and that the run then does just that."""

import re
import struct
import time
from pathlib import Path
from typing import Any

import pytest

from tests.core.conftest import Connect
from tests.core.ingest.test_recovery import Interrupted, interrupt
from tests.core.surface import Surface, content
from tests.core.video_server import VideoServer
from twelvelabs_core import (
    DynamicSegmentation,
    Failure,
    FixedSegmentation,
    IngestionPlan,
    InputError,
    Media,
    PlannedMedia,
    SegmentOptions,
)
from twelvelabs_core.ingest.estimate import vectors_expected
from twelvelabs_core.transport.rate_limit import rate_limits_of
from twelvelabs_sandbox import Sandbox

TASKS = "/embed-v2/tasks"


def variants(folder: Path, data: bytes, count: int) -> list[Path]:
    """Write videos of one picture with different bytes."""
    folder.mkdir()
    paths = [folder / f"{number:03}.mp4" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(data + struct.pack(">I4sI", 12, b"free", number))
    return paths


def of(plan: IngestionPlan, path: object) -> PlannedMedia:
    return next(one for one in plan.media if one.source == str(path))


@pytest.mark.slow
async def test_a_folder_of_200_files_is_planned_in_seconds_and_the_run_does_just_that(
    connect: Connect, video_path: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    cut: dict[str, Any] = {"segmentation": FixedSegmentation(8), "embedding_option": ["visual"]}
    files = variants(tmp_path / "videos", content(video_path), 195)
    broken = [tmp_path / "videos" / f"broken {number}.mp4" for number in range(5)]
    for path in broken:
        path.write_bytes(b"not a video" * 100)
    client = connect()
    found = [one async for one in client.segment_many(files[:10], **cut)]
    sandbox.clear_requests()
    began = time.monotonic()
    plan = await client.plan([*files, *broken], price_per_minute=0.03, **cut)
    assert time.monotonic() - began < 5 * 4  # 1.5 s on an idle machine
    assert sandbox.count() == 0
    assert [one.source for one in plan.media] == [str(path) for path in [*files, *broken]]
    assert (len(plan.new), len(plan.stored), len(plan.unusable)) == (185, 10, 5)
    assert {one.source for one in plan.stored} == {one.source for one in found}
    assert plan.minutes == pytest.approx(185 * found[0].duration_sec / 60, rel=0.02)
    assert plan.price == plan.minutes * 0.03
    assert plan.upload_bytes == sum(path.stat().st_size for path in files[10:])
    some = [*files[8:14], broken[0]]
    part = await client.plan(some, **cut)
    failures: list[Failure] = []
    run = [one async for one in client.segment_many(some, on_error=failures.append, **cut)]
    assert sandbox.count("POST", TASKS) == len(part.new) == 4
    assert sandbox.count("POST", "/assets") + sandbox.count("POST", TASKS) == part.requests
    assert [failure.reason for failure in failures] == [of(part, broken[0]).reason]
    assert part.vectors is not None
    assert part.vectors[0] <= sum(len(one.segments) for one in run) <= part.vectors[1]
    assert sum(one.minutes for one in client.store.usage()) == pytest.approx(14 * 8 / 60, rel=0.02)


async def test_what_is_under_way_repeated_or_uploaded_is_not_counted_again(
    connect: Connect, server: VideoServer, video_path: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    first, other = variants(tmp_path / "videos", content(video_path), 2)
    twin = tmp_path / "twin.mp4"
    twin.write_bytes(content(first))
    with pytest.raises(Interrupted):
        await connect().segment_video(server.url(), on_progress=interrupt)
    client = connect()
    await client.segment_video(other, embedding_option=["visual"])
    sandbox.clear_requests()
    plan = await client.plan([first, twin, other, server.url()])
    assert [one.status for one in plan.media] == ["new", "repeated", "new", "under way"]
    assert [one.upload_bytes for one in plan.media] == [first.stat().st_size, 0, 0, 0]
    assert [one.requests for one in plan.media] == [2, 0, 1, 0]
    assert of(plan, twin).reason == f"same content as {first}"
    assert sandbox.count() == 0


async def test_the_length_of_a_url_is_unknown_unless_stated_or_read(
    client: Surface, server: VideoServer, sandbox: Sandbox
) -> None:
    unknown = await client.plan(server.url("a.mp4"), price_per_minute=1)
    assert [method for method, _, _ in server.requests] == ["HEAD"]
    assert (unknown.media[0].minutes, unknown.minutes, unknown.price, unknown.vectors) == (None, 0.0, 0.0, None)
    assert unknown.unknown == unknown.media
    assert "unknown" in str(unknown)
    stated = await client.plan([Media.of(server.url("a.mp4"), duration_sec=90)], price_per_minute=2, start_sec=30)
    assert (stated.minutes, stated.price) == (1.0, 2.0)
    server.head_status = 405  # a run would ask for the first byte
    await client.plan(server.url("b.mp4"))
    assert server.count("GET") == 0
    server.head_status = 200
    whole = await client.plan(server.url("a.mp4"), probe_urls=True)
    assert whole.unknown
    assert whole.media[0].reason == "its host does not answer requests for ranges (HTTP 200)"
    server.has_ranges = True
    read = await client.plan(server.url("a.mp4"), probe_urls=True)
    assert read.media[0].duration_sec == pytest.approx(8, abs=0.3)
    assert read.media[0].reason == ""
    assert sandbox.count() == 0


async def test_a_plan_says_what_is_wrong_with_a_url_and_leaves_the_decision_to_the_api(
    client: Surface, server: VideoServer, picture: Path, tmp_path: Path
) -> None:
    async def reason(url: str) -> str:
        plan = await client.plan(url, probe_urls=True)
        (one,) = plan.media
        assert (one.status, one.minutes, plan.unusable) == ("new", None, ())
        assert f"{one.reason}\n" in str(plan)
        return one.reason

    assert re.match("its host does not answer: .*refused", await reason("http://127.0.0.1:9/down.mp4?token=5ecret"))
    server.get_status = 404
    assert await reason(server.url("missing.mp4")) == "its host answers HTTP 404"
    server.has_ranges = True
    server.video_path = tmp_path / "text.mp4"
    server.video_path.write_text("Not a video. " * 50)
    assert re.fullmatch(r"not a readable audio .* or text\?", await reason(server.url("text.mp4")))
    server.video_path = picture
    assert await reason(server.url("still.png")) == "is an image, not video"


async def test_the_table_shows_every_source_and_the_totals(client: Surface, video_path: Path) -> None:
    plan = await client.plan([video_path, Media.of("asset:abc", source="<b>&\n"), "missing.mp4"], price_per_minute=3.0)
    lines = str(plan).splitlines()
    assert lines[0].split() == ["source", "status", "minutes", "vectors", "upload", "MB", "reason"]
    assert len(lines) == 5
    assert "missing.mp4" in lines[3]
    assert "no such file" in lines[3]
    assert lines[4].startswith("3 sources, 2 new, 1 unusable, 0.13 minutes to pay for, 1 of unknown length, price 0.40")
    assert repr(plan) == f"<IngestionPlan: {lines[4]}>"
    html = plan._repr_html_()  # the protocol of notebooks
    assert "&lt;b&gt;&amp; </td>" in html
    assert html.count("<tr>") == 4


async def test_the_limit_is_that_of_the_last_answer(client: Surface, video_path: Path) -> None:
    assert (await client.plan(video_path)).limit_minutes is None
    limits = rate_limits_of(client.settings)
    limits.note_media({"x-ratelimit-duration-remaining": "90", "x-ratelimit-duration-reset": "1"}, time.time())
    assert (await client.plan(video_path)).limit_minutes is None  # reset long ago
    later = str(time.time() + 60)
    limits.note_media({"x-ratelimit-duration-remaining": "90", "x-ratelimit-duration-reset": later}, time.time())
    assert (await client.plan(video_path)).limit_minutes == 1.5


async def test_bad_arguments_are_refused(client: Surface, video_path: Path) -> None:
    for wrong in ({"price_per_minute": -1}, {"probe_urls": "yes"}, {"embedding_option": ["look"]}):
        with pytest.raises(InputError, match="|".join(wrong)):
            await client.plan(video_path, **wrong)
    for duration in (0, -3, "8", float("nan"), True):
        with pytest.raises(InputError, match="duration_sec must be a number above 0"):
            Media.of(video_path, duration_sec=duration)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "seconds", "expected"),
    [
        ({"segmentation": FixedSegmentation(6), "embedding_option": ["visual"]}, 60.0, (10, 12)),
        ({"segmentation": FixedSegmentation(6), "embedding_option": ["audio"]}, 60.0, (0, 12)),
        ({"segmentation": DynamicSegmentation(4), "embedding_scope": ["clip"]}, 60.0, (1, 48)),
        ({"embedding_scope": ["asset"]}, 4.0, (1, 3)),
        ({"embedding_type": ["fused_embedding"], "embedding_scope": ["asset"]}, 4.0, (0, 1)),
        ({}, None, None),
    ],
)
def test_the_range_of_vectors(options: dict[str, Any], seconds: float | None, expected: tuple[int, int] | None) -> None:
    assert vectors_expected(SegmentOptions.of("video", **options), seconds) == expected
