"""Uploads in chunks: retries after every fault, and resumption after an error or a crash."""

import asyncio
import hashlib
import io
import logging
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.conftest import Connect
from tests.core.surface import Surface
from twelvelabs_core import (
    APIResponseError,
    APIStatusError,
    InputError,
    Media,
    Progress,
    ServerError,
    TwelveLabsError,
)
from twelvelabs_sandbox import Fault, Sandbox

SESSIONS = "/assets/multipart-uploads"
SESSION = SESSIONS + "/{upload_id}"
CHUNK_PATH = "/uploads/{upload_id}/parts/{chunk_index}"
CHUNK = 4096
HOUR = 3600.0
CONTENT = random.Random(5).randbytes(30 * CHUNK + 17)  # noqa: S311  # not a secret
CHUNKS = 31


@pytest.fixture
def storage() -> Iterator[Sandbox]:
    """A separate sandbox with small chunks and required headers, whose clock may be advanced."""
    headers = {"Content-Type": "application/octet-stream", "x-amz-server-side-encryption": "AES256"}
    with Sandbox(chunk_size=CHUNK, upload_headers=headers) as sandbox:
        yield sandbox


@pytest.fixture
def uploader(connect: Connect, storage: Sandbox) -> Surface:
    return again(connect, storage)


def again(connect: Connect, storage: Sandbox, **changes: Any) -> Surface:
    """Connect a new client with the same segment store, as a new process would."""
    return connect(api_key=storage.api_key, base_url=storage.base_url, **changes)


@pytest.fixture
def big(tmp_path: Path) -> Path:
    path = tmp_path / "big.mp4"
    path.write_bytes(CONTENT)
    return path


async def send(client: Surface, media: Any, **options: Any) -> Any:
    return await client.assets.create(media, method="multipart", asset_type="video", **options)


def is_whole(storage: Sandbox, asset_id: str, content: bytes = CONTENT) -> bool:
    return storage.asset_sha256(asset_id) == hashlib.sha256(content).hexdigest()


# Uploads without faults


@pytest.mark.parametrize("kind", ["path", "bytes", "file", "open file"])
async def test_every_kind_of_input_is_uploaded_unchanged(
    uploader: Surface, storage: Sandbox, big: Path, kind: str
) -> None:
    with big.open("rb") as opened:
        media = {"path": big, "bytes": CONTENT, "file": io.BytesIO(CONTENT), "open file": opened}
        asset = await send(uploader, media[kind], filename="match.mp4")
        assert not opened.closed
    assert (asset.method, asset.filename) == ("multipart", "match.mp4")
    assert is_whole(storage, asset.id)
    assert storage.count("PUT", CHUNK_PATH) == CHUNKS
    assert storage.count("POST", SESSION + "/presigned-urls") == 1
    assert not any(request.leaked_key for request in storage.requests)


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
async def test_sizes_close_to_a_multiple_of_the_chunk_size(uploader: Surface, storage: Sandbox, size: int) -> None:
    asset = await send(uploader, CONTENT[:size])
    assert is_whole(storage, asset.id, CONTENT[:size])
    assert storage.count("PUT", CHUNK_PATH) == -(-size // CHUNK)


async def test_progress_counts_every_byte_once(uploader: Surface, storage: Sandbox, big: Path) -> None:
    steps: list[Progress] = []
    await send(uploader, big, on_progress=steps.append)
    assert {(step.source, step.stage, step.total) for step in steps} == {(str(big), "uploading", len(CONTENT))}
    counts = [step.done for step in steps]
    assert counts == sorted(counts)
    assert counts[-1] == len(CONTENT)
    storage.faults.add(Fault(path=CHUNK_PATH, method="PUT", status=500, times=2))
    steps.clear()
    await send(uploader, CONTENT[::-1], on_progress=steps.append)
    assert max(step.done for step in steps) == steps[-1].done == len(CONTENT)


async def test_an_error_of_a_callback_ends_the_upload_which_can_be_resumed(
    connect: Connect, storage: Sandbox, big: Path
) -> None:
    def stop(step: Progress) -> None:
        if step.done > len(CONTENT) / 2:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        await send(again(connect, storage), big, on_progress=stop)
    assert is_whole(storage, (await send(again(connect, storage), big)).id)
    assert storage.count("POST", SESSIONS) == 1


async def test_at_most_max_concurrency_chunks_are_sent_at_once_over_all_uploads(
    connect: Connect, storage: Sandbox, tmp_path: Path
) -> None:
    client = again(connect, storage, max_concurrency=3)
    storage.faults.add(Fault(path=CHUNK_PATH, method="PUT", delay=0.02, times=None))
    most = 0

    def count(_: Progress) -> None:
        nonlocal most
        most = max(most, sum(1 for one in storage.requests if one.template == CHUNK_PATH and one.status is None))

    calls = []
    for number in range(3):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(CONTENT[number * CHUNK : (number + 8) * CHUNK])
        calls.append(client.start("assets.create", path, method="multipart", on_progress=count))
    assets = [await call for call in calls]
    assert len({asset.id for asset in assets}) == 3
    assert storage.count("PUT", CHUNK_PATH) == 24
    assert 2 <= most <= 3


async def test_the_session_has_the_user_metadata_of_the_caller(uploader: Surface, big: Path) -> None:
    asset = await uploader.assets.create(big, method="multipart", user_metadata={"team": "red", "year": 2026})
    assert (await uploader.assets.retrieve(asset.id)).user_metadata == {"team": "red", "year": 2026}


# Faults


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 503, "headers": {"Retry-After": "0"}},
        {"status": 403},
        {"status": 429},
        {"status": 200, "body": ""},  # no ETag
        {"drop": "before"},
        {"drop": "after"},
    ],
)
async def test_failed_chunks_are_sent_again_to_a_new_url(
    uploader: Surface, storage: Sandbox, big: Path, fault: dict[str, Any]
) -> None:
    storage.faults.add(Fault(path=CHUNK_PATH, method="PUT", skip=3, times=2, **fault))
    asset = await send(uploader, big)
    assert is_whole(storage, asset.id)
    assert storage.count("PUT", CHUNK_PATH) == CHUNKS + 2
    assert storage.count("POST", SESSION + "/presigned-urls") == 1 + 2


async def test_expired_urls_are_replaced(uploader: Surface, storage: Sandbox, big: Path) -> None:
    left = [storage.clock.advance]

    def age(_: Progress) -> None:
        if left:
            left.pop()(HOUR + 1)

    asset = await send(uploader, big, on_progress=age)
    assert is_whole(storage, asset.id)
    assert storage.count("PUT", CHUNK_PATH, status=403) > 0
    assert storage.count("PUT", CHUNK_PATH, status=200) == CHUNKS


async def test_a_refused_url_is_replaced_even_without_retries(connect: Connect, storage: Sandbox, big: Path) -> None:
    client = again(connect, storage, max_retries=0)
    storage.faults.add(Fault(path=CHUNK_PATH, method="PUT", status=403))
    assert is_whole(storage, (await send(client, big)).id)
    storage.faults.add(Fault(path=CHUNK_PATH, method="PUT", status=500))
    with pytest.raises(ServerError, match=r"send chunk \d+ of 31 of .*HTTP 500"):
        await send(client, CONTENT[::-1])


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": "after"}])
async def test_reports_and_requests_for_urls_are_repeated(
    uploader: Surface, storage: Sandbox, big: Path, fault: dict[str, Any]
) -> None:
    storage.faults.add(
        Fault(path=SESSION, method="POST", times=2, **fault),
        Fault(path=SESSION + "/presigned-urls", method="POST", **fault),
    )
    asset = await send(uploader, big)
    assert is_whole(storage, asset.id)
    assert storage.count("PUT", CHUNK_PATH) == CHUNKS


@pytest.mark.parametrize("status", [500, 403])
async def test_the_error_of_a_failed_chunk_names_it_without_advice_about_the_key(
    connect: Connect, storage: Sandbox, big: Path, status: int
) -> None:
    client = again(connect, storage, max_retries=2)
    storage.faults.add(Fault(path="/uploads/*/parts/7", method="PUT", status=status, times=None))
    with pytest.raises(APIStatusError, match=f"send chunk 7 of 31 of {big}: HTTP {status}") as caught:
        await send(client, big)
    assert caught.value.status_code == status
    assert "key" not in str(caught.value)
    assert caught.value.body is None
    assert storage.count("PUT", CHUNK_PATH, status=status) == 3


async def test_redirects_of_chunks_are_not_followed(uploader: Surface, storage: Sandbox, big: Path) -> None:
    elsewhere = storage.base_url + "/elsewhere"
    storage.faults.add(Fault(path=CHUNK_PATH, method="PUT", status=307, headers={"Location": elsewhere}, times=None))
    with pytest.raises(APIStatusError, match="HTTP 307"):
        await send(uploader, big)
    assert storage.count(path="/elsewhere") == 0


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": "after"}])
async def test_creating_a_session_is_repeated(
    uploader: Surface, storage: Sandbox, big: Path, fault: dict[str, Any]
) -> None:
    storage.faults.add(Fault(path=SESSIONS, method="POST", times=1, **fault))
    assert is_whole(storage, (await send(uploader, big)).id)
    assert storage.count("POST", SESSIONS) == 2


# Resumption


async def received(client: Surface) -> int:
    """Return the number of chunks that the server has received of the one incomplete upload."""
    (session,) = [upload async for upload in client.uploads.list()]
    return len((await client.uploads.retrieve(session.upload_id)).completed)


async def test_after_an_error_only_missing_chunks_are_sent(connect: Connect, storage: Sandbox, big: Path) -> None:
    storage.faults.add(Fault(path=CHUNK_PATH, method="PUT", status=500, skip=17, times=None))
    with pytest.raises(ServerError):
        await send(again(connect, storage, max_retries=0), big)
    client = again(connect, storage)
    done = await received(client)
    assert done >= 17 - 8  # only chunks in flight at the first failure may be lost
    storage.clear_faults()
    storage.clear_requests()
    steps: list[Progress] = []
    asset = await send(client, big, on_progress=steps.append)
    assert is_whole(storage, asset.id)
    assert storage.count("PUT", CHUNK_PATH) == CHUNKS - done
    assert storage.count("POST", SESSIONS) == 0
    assert steps[0].done >= done * CHUNK
    assert steps[-1].done == len(CONTENT)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_after_a_killed_process_only_missing_chunks_are_sent(storage: Sandbox, big: Path, tmp_path: Path) -> None:
    def run(kill_after: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tests.core.uploading", str(big), str(tmp_path / "s.sqlite3")]
        key = {"TWELVELABS_API_KEY": storage.api_key, "TWELVELABS_BASE_URL": storage.base_url}
        root = Path(__file__).parents[3]
        return subprocess.run(
            [*command, str(kill_after)],
            env={**os.environ, **key},
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    storage.faults.add(
        Fault(path=CHUNK_PATH, method="PUT", status=500, skip=4, times=2),
        Fault(path=CHUNK_PATH, method="PUT", status=403, skip=9),
    )
    assert run(24 * CHUNK).returncode == -signal.SIGKILL
    assert [storage.count("PUT", CHUNK_PATH, status=status) for status in (500, 403)] == [2, 1]
    reported = storage.count("POST", SESSION, status=200)
    assert reported == 2
    storage.clear_requests()
    second = run(0)
    assert second.returncode == 0, second.stderr
    assert storage.count("PUT", CHUNK_PATH) == CHUNKS - 10 * reported
    assert storage.count("POST", SESSIONS) == 0
    assert is_whole(storage, second.stdout.strip())


async def test_a_session_that_expired_between_two_calls_is_replaced(
    connect: Connect, storage: Sandbox, big: Path
) -> None:
    storage.faults.add(Fault(path=CHUNK_PATH, method="PUT", status=500, skip=17, times=None))
    with pytest.raises(ServerError):
        await send(again(connect, storage, max_retries=0), big)
    await asyncio.sleep(0.5)  # threads end after their present request, which must not be counted below
    storage.clear_faults()
    storage.clock.advance(24 * HOUR + 1)
    storage.clear_requests()
    asset = await send(again(connect, storage), big)
    assert is_whole(storage, asset.id)
    assert (storage.count("POST", SESSIONS), storage.count("PUT", CHUNK_PATH)) == (1, CHUNKS)


async def test_a_session_that_expires_during_an_upload_is_replaced(
    uploader: Surface, storage: Sandbox, big: Path
) -> None:
    def age(step: Progress) -> None:
        if step.done > 20 * CHUNK and storage.count("POST", SESSIONS) == 1:
            storage.clock.advance(24 * HOUR + 1)

    asset = await send(uploader, big, on_progress=age)
    assert is_whole(storage, asset.id)
    assert storage.count("POST", SESSIONS) == 2


async def test_a_second_expired_session_is_an_error(uploader: Surface, storage: Sandbox, big: Path) -> None:
    def age(step: Progress) -> None:
        if step.done > 20 * CHUNK:
            storage.clock.advance(24 * HOUR + 1)

    with pytest.raises(TwelveLabsError, match="2 upload sessions of it were lost"):
        await send(uploader, big, on_progress=age)
    assert storage.count("POST", SESSIONS) == 2


async def test_a_session_with_other_options_is_not_resumed(connect: Connect, storage: Sandbox, big: Path) -> None:
    storage.faults.add(Fault(path=CHUNK_PATH, method="PUT", status=500, skip=17, times=None))
    with pytest.raises(ServerError):
        await send(again(connect, storage, max_retries=0), big)
    storage.clear_faults()
    asset = await send(again(connect, storage), big, filename="other.mp4")
    assert asset.filename == "other.mp4"
    assert storage.count("POST", SESSIONS) == 2


async def test_each_complete_upload_is_a_new_asset(uploader: Surface, storage: Sandbox, big: Path) -> None:
    first, second = await send(uploader, big), await send(uploader, big)
    assert first.id != second.id
    assert is_whole(storage, second.id)


class Changing:
    """Rewrites a file during its upload."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_done = False

    def __call__(self, step: Progress) -> None:
        if step.done > len(CONTENT) / 2 and not self._is_done:
            self._is_done = True
            self._path.write_bytes(CONTENT[::-1])


async def test_a_file_that_changes_during_its_upload_is_an_error_without_asset(
    connect: Connect, storage: Sandbox, big: Path
) -> None:
    os.utime(big, ns=(1, 1))
    with pytest.raises(InputError, match=r"big\.mp4: the file changed during its upload"):
        await send(again(connect, storage), big, on_progress=Changing(big))
    client = again(connect, storage)
    assert [asset async for asset in client.assets.list(filename="big")] == []
    assert is_whole(storage, (await send(client, big)).id, CONTENT[::-1])


class Shrinking(io.BytesIO):
    """A file that becomes shorter after its content was identified."""

    name = "shrinking.mp4"
    is_digested = False

    def read(self, size: int | None = -1, /) -> bytes:
        if self.is_digested:
            self.truncate(CHUNK + 5)
        data = super().read(size)
        self.is_digested = self.is_digested or self.tell() == len(CONTENT)
        return data


async def test_a_file_object_that_shrinks_during_its_upload_is_an_error(uploader: Surface) -> None:
    with pytest.raises(InputError, match=r"shrinking\.mp4: the file changed during its upload"):
        await send(uploader, Media.of(Shrinking(CONTENT), source="shrinking.mp4"))


# Secrets


def contents_of(folder: Path, pattern: str) -> str:
    return b"".join(path.read_bytes() for path in folder.glob(pattern)).decode("latin-1")


async def test_logs_errors_and_the_store_hold_no_signature(
    connect: Connect, storage: Sandbox, big: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    storage.faults.add(Fault(path=CHUNK_PATH, method="PUT", status=403, skip=12, times=None))
    client = again(connect, storage, max_retries=1)
    with pytest.raises(APIStatusError) as caught:
        await send(client, big)
    session = (await client.uploads.create("a.mp4", asset_type="video", total_size=9)).upload_urls[0]
    signature = session.url.get_secret_value().partition("X-Amz-Signature=")[2]
    assert len(signature) > 20
    stored = contents_of(tmp_path, "segments.sqlite3*")
    # The sandbox runs in this process too; the logs of a server are not checked.
    logged = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn"))
    for text in (logged, repr(caught.value), str(caught.value.__dict__), repr(session), stored):
        assert "Signature=" not in text
        assert signature not in text
        assert storage.api_key not in text
    assert "HTTP Request: PUT" in logged


async def test_chunks_are_sent_to_https_urls_only(uploader: Surface, storage: Sandbox, big: Path) -> None:
    body = {
        "upload_id": "64f8d2c7e4a1b37f8a9c5d12",
        "asset_id": "64f8d2c7e4a1b37f8a9c5d13",
        "chunk_size": len(CONTENT),
        "upload_urls": [{"chunk_index": 1, "url": "ftp://example.com/x"}],
    }
    storage.faults.add(Fault(path=SESSIONS, method="POST", status=201, body=body))
    with pytest.raises(APIResponseError, match="not https"):
        await send(uploader, big)


async def test_a_session_with_a_wrong_number_of_chunks_is_refused(
    uploader: Surface, storage: Sandbox, big: Path
) -> None:
    body = {"upload_id": "a", "asset_id": "b", "chunk_size": CHUNK, "total_chunks": 30, "upload_urls": []}
    storage.faults.add(Fault(path=SESSIONS, method="POST", status=201, body=body))
    with pytest.raises(APIResponseError, match=r"expects 30 chunks of 4,096 bytes.*make 31"):
        await send(uploader, big)
    assert storage.count() == 1
