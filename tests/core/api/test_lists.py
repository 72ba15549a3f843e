"""Every list method is an iterator that requests pages on demand and ends by `page_info`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.core.conftest import Connect
from tests.core.recorder import Recorder
from tests.core.surface import Surface
from twelvelabs_core import BadRequestError
from twelvelabs_sandbox import Fault, Sandbox

pytestmark = pytest.mark.filterwarnings("ignore:legacy_v1:DeprecationWarning")

ID = "64f8d2c7e4a1b37f8a9c5d12"
TASK = {"_id": ID, "status": "ready"}
UPLOAD = {"upload_id": ID, "status": "active", "total_size": 1, "chunk_size": 1, "total_chunks": 1}
List = Callable[..., Any]
LISTS: dict[str, tuple[str, dict[str, Any], List]] = {
    "tasks": ("/embed-v2/tasks", TASK, lambda client, **filters: client.tasks.list(**filters)),
    "old tasks": ("/embed/tasks", TASK, lambda client, **filters: client.legacy_v1.list_tasks(**filters)),
    "assets": ("/assets", {"_id": ID, "status": "ready"}, lambda client: client.assets.list()),
    "uploads": ("/assets/multipart-uploads", UPLOAD, lambda client: client.uploads.list()),
}
every_list = pytest.mark.parametrize(("path", "item", "of"), LISTS.values(), ids=list(LISTS))


def page(item: dict[str, Any], count: int, **page_info: int) -> dict[str, Any]:
    return {"data": [item] * count, "page_info": page_info}


def answer(sandbox: Sandbox, path: str, *pages: dict[str, Any]) -> None:
    for body in pages:
        sandbox.faults.add(Fault(path=path, method="GET", status=200, body=body))


@every_list
async def test_a_list_ends_with_the_last_page_of_page_info(
    client: Surface, sandbox: Sandbox, path: str, item: dict[str, Any], of: List
) -> None:
    pages = [page(item, 50, page=1, total_page=2), page(item, 7, page=2, total_page=2)]
    answer(sandbox, path, *pages, page(item, 1, page=3, total_page=2))
    assert len([one async for one in of(client)]) == 57
    assert sandbox.count("GET", path) == sandbox.count() == 2


@every_list
async def test_a_list_without_page_info_ends_with_an_empty_page(
    client: Surface, sandbox: Sandbox, path: str, item: dict[str, Any], of: List
) -> None:
    answer(sandbox, path, {"data": [item] * 50}, {"data": [item]}, {"data": []}, {"data": [item]})
    assert len([one async for one in of(client)]) == 51
    assert sandbox.count() == 3


@every_list
async def test_closing_the_iterator_requests_no_further_page(
    client: Surface, sandbox: Sandbox, path: str, item: dict[str, Any], of: List
) -> None:
    answer(sandbox, path, page(item, 50, total_page=9))
    items = of(client)
    assert sandbox.count() == 0
    await anext(aiter(items))
    await items.aclose()
    assert sandbox.count() == 1


async def test_uploads_are_listed_over_pages(connect: Connect) -> None:
    with Sandbox() as sandbox:
        client = connect(api_key=sandbox.api_key, base_url=sandbox.base_url)
        made = [(await client.uploads.create("a.mp4", asset_type="video", total_size=9)).upload_id for _ in range(50)]
        sandbox.clear_requests()
        assert [one.upload_id async for one in client.uploads.list()] == made[::-1]
        assert sandbox.count() == 1
        made.append((await client.uploads.create("a.mp4", asset_type="video", total_size=9)).upload_id)
        assert [one.upload_id async for one in client.uploads.list()] == made[::-1]
        assert sandbox.count("GET") == 3
        await client.close()


async def test_assets_are_listed_over_pages(connect: Connect) -> None:
    with Sandbox() as sandbox:
        client = connect(api_key=sandbox.api_key, base_url=sandbox.base_url)
        made = [(await client.assets.create(b"%d" % number, filename="a.txt")).id for number in range(51)]
        for asset_id in made:
            await client.assets.wait(asset_id)  # the filter by type needs ready assets
        sandbox.clear_requests()
        assert [one.id async for one in client.assets.list(asset_types=["document"])] == made[::-1]
        assert sandbox.count() == 2
        await client.close()


@pytest.mark.parametrize("name", ["tasks", "old tasks"])
async def test_dates_are_rounded_outwards_to_whole_seconds(connect: Connect, name: str) -> None:
    path, _, of = LISTS[name]
    zone = timezone(timedelta(hours=2))
    started, ended = datetime(2026, 11, 1, 10, 0, 0, 900_000, zone), datetime(2026, 11, 1, 8, 59, 59, 1, UTC)
    with Recorder() as recorder:
        client = connect(base_url=recorder.base_url)
        with pytest.raises(BadRequestError, match="noted"):
            await anext(aiter(of(client, status="ready", started_at=started, ended_at=ended)))
        await client.close()
    sent = recorder.take()
    assert (sent.method, sent.path) == ("GET", f"/v1.3{path}")
    assert sent.query == {
        "status": ["ready"],
        "started_at": ["2026-11-01T08:00:00Z"],
        "ended_at": ["2026-11-01T09:00:00Z"],
        "page": ["1"],
        "page_limit": ["50"],
    }
