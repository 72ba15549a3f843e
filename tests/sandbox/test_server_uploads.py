"""``/assets/multipart-uploads``: upload in chunks by presigned URL."""

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.api import connect, settled, until
from twelvelabs_sandbox import Fault, Options, Sandbox

PATH = "/assets/multipart-uploads"
PART = "/uploads/{upload_id}/parts/{chunk_index}"
CHUNK = 4096
OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def uploading() -> Iterator[tuple[Sandbox, httpx.Client]]:
    """A sandbox with small chunks, whose clock the test may advance."""
    with Sandbox(chunk_size=CHUNK) as sandbox, connect(sandbox) as api:
        yield sandbox, api


def open_media(api: httpx.Client, content: bytes, **fields: Any) -> dict[str, Any]:
    body = {"filename": "video.mp4", "type": "video", "total_size": len(content), **fields}
    made = api.post(PATH, json=body)
    assert made.status_code == 201, made.text
    session: dict[str, Any] = made.json()
    return session


def part_of(content: bytes, index: int) -> bytes:
    return content[(index - 1) * CHUNK : index * CHUNK]


def put(url: str, content: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.put(url, content=content, headers=OCTETS if headers is None else headers, trust_env=False)


def links(api: httpx.Client, session: dict[str, Any], start: int, count: int) -> list[str]:
    answer = api.post(f"{PATH}/{session['upload_id']}/presigned-urls", json={"start": start, "count": count})
    assert answer.status_code == 200, answer.text
    return [link["url"] for link in answer.json()["upload_urls"]]


def sent(api: httpx.Client, session: dict[str, Any], content: bytes, index: int) -> dict[str, Any]:
    """Upload one chunk by a new presigned URL; return its report."""
    (url,) = links(api, session, index, 1)
    answer = put(url, part_of(content, index))
    assert answer.status_code == 200, answer.text
    etag = answer.headers["etag"]
    assert re.fullmatch('"[0-9a-f]{32}"', etag)
    size = len(part_of(content, index))
    return {"chunk_index": index, "proof": etag.strip('"'), "proof_type": "etag", "chunk_size": size}


def reported(api: httpx.Client, session: dict[str, Any], chunks: list[dict[str, Any]]) -> dict[str, Any]:
    answer = api.post(f"{PATH}/{session['upload_id']}", json={"completed_chunks": chunks})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_multipart_upload_becomes_a_ready_asset(uploading: tuple[Sandbox, httpx.Client], video_file: Path) -> None:
    sandbox, api = uploading
    content = video_file.read_bytes()
    session = open_media(api, content, user_metadata={"team": "red"}, enable_hls=False)
    total = -(-len(content) // CHUNK)
    assert total > 10
    assert (session["chunk_size"], session["total_chunks"]) == (CHUNK, total)
    assert session["upload_headers"] == OCTETS
    assert [link["chunk_index"] for link in session["upload_urls"]] == list(range(1, 11))
    assert api.get(f"/assets/{session['asset_id']}").status_code == 404
    with ThreadPoolExecutor(4) as pool:
        chunks = list(pool.map(lambda index: sent(api, session, content, index), reversed(range(1, total + 1))))
    first, rest = chunks[:7], [chunks[start : start + 50] for start in range(7, total, 50)]
    assert reported(api, session, first) == {
        "asset_id": session["asset_id"],
        "processed_chunks": 7,
        "duplicate_chunks": 0,
        "total_completed": 7,
    }
    answers = [reported(api, session, batch) for batch in rest]
    assert ["url" in answer for answer in answers] == [False] * (len(rest) - 1) + [True]
    assert answers[-1]["total_completed"] == total
    ready = settled(api, f"/assets/{session['asset_id']}")
    assert (ready["status"], ready["method"], ready["size"]) == ("ready", "multipart", len(content))
    assert (ready["filename"], ready["user_metadata"]) == ("video.mp4", {"team": "red"})
    assert sandbox.asset_sha256(session["asset_id"]) == hashlib.sha256(content).hexdigest()
    assert httpx.get(answers[-1]["url"], trust_env=False).content == content
    assert api.get(f"{PATH}/{session['upload_id']}").json()["status"] == "completed"


def test_duplicate_reports_are_counted(uploading: tuple[Sandbox, httpx.Client], video_file: Path) -> None:
    _, api = uploading
    content = video_file.read_bytes()[: 2 * CHUNK]
    session = open_media(api, content)
    one, two = (sent(api, session, content, index) for index in (1, 2))
    assert reported(api, session, [one, one])["duplicate_chunks"] == 1
    complete = reported(api, session, [one, two])
    assert (complete["processed_chunks"], complete["duplicate_chunks"], complete["total_completed"]) == (1, 1, 2)
    assert "url" in complete
    again = reported(api, session, [one, two])
    assert (again["processed_chunks"], again["duplicate_chunks"], again["total_completed"]) == (0, 2, 2)
    assert "url" not in again


def test_the_status_of_chunks_is_paged(uploading: tuple[Sandbox, httpx.Client]) -> None:
    _, api = uploading
    content = bytes(12 * CHUNK - 5)
    session = open_media(api, content)
    reported(api, session, [sent(api, session, content, 12), sent(api, session, content, 2)])
    sent(api, session, content, 3)
    (url,) = links(api, session, 4, 1)
    assert put(url, b"short").status_code == 400
    status = api.get(f"{PATH}/{session['upload_id']}").json()
    assert status["page_info"] == {"limit_per_page": 10, "page": 1, "total_page": 2, "total_results": 12}
    assert [part["index"] for part in status["uploaded_chunks"]] == list(range(1, 11))
    assert [part["status"] for part in status["uploaded_chunks"][:4]] == ["pending", "completed", "pending", "failed"]
    assert status["uploaded_chunks"][0] == {"index": 1, "status": "pending", "uploaded_at": None}
    assert status["uploaded_chunks"][1]["uploaded_at"] is not None
    assert status["uploaded_chunks"][3]["error"] == f"Chunk 4 must have {CHUNK} bytes, not 5."
    assert (status["chunks_completed"], status["chunks_failed"], status["chunks_pending"]) == (2, 1, 9)
    assert (status["total_size"], status["uploaded_size"]) == (len(content), 2 * CHUNK - 5)
    last = api.get(f"{PATH}/{session['upload_id']}?page=2").json()["uploaded_chunks"]
    assert [part["status"] for part in last] == ["pending", "completed"]
    assert api.get(f"{PATH}/{session['upload_id']}?page=3").json()["uploaded_chunks"] == []
    sent(api, session, content, 4)
    assert api.get(f"{PATH}/{session['upload_id']}").json()["chunks_failed"] == 0


def test_incomplete_uploads_are_listed_newest_first(uploading: tuple[Sandbox, httpx.Client]) -> None:
    _, api = uploading
    content = b"x" * 10
    sessions = [open_media(api, content) for _ in range(3)]
    reported(api, sessions[1], [sent(api, sessions[1], content, 1)])
    listed = api.get(PATH).json()
    assert [item["upload_id"] for item in listed["data"]] == [sessions[2]["upload_id"], sessions[0]["upload_id"]]
    summary = listed["data"][0]
    assert (summary["status"], summary["total_size"], summary["total_chunks"]) == ("active", 10, 1)
    assert listed["page_info"]["total_results"] == 2


def test_a_presigned_url_is_valid_once_and_for_one_hour(uploading: tuple[Sandbox, httpx.Client]) -> None:
    sandbox, api = uploading
    content = bytes(2 * CHUNK)
    session = open_media(api, content)
    first, second = (link["url"] for link in session["upload_urls"])
    assert put(first, part_of(content, 1)).status_code == 200
    used = put(first, part_of(content, 1))
    assert (used.status_code, used.headers["content-type"]) == (403, "application/xml")
    assert "<Code>SignatureDoesNotMatch</Code>" in used.text
    sandbox.clock.advance(3599)
    (fresh,) = links(api, session, 2, 1)
    sandbox.clock.advance(2)
    late = put(second, part_of(content, 2))
    assert late.status_code == 403
    assert "Request has expired." in late.text
    assert put(fresh, part_of(content, 2)).status_code == 200


def test_an_upload_expires_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Sandbox(chunk_size=CHUNK) as sandbox, connect(sandbox) as api:
        content = bytes(CHUNK)
        session = open_media(api, content)
        chunk = sent(api, session, content, 1)
        expires, now = (datetime.fromisoformat(session["expires_at"]), datetime.now().astimezone())
        assert timedelta(hours=23) < expires - now <= timedelta(hours=24)
        sandbox.clock.advance(24 * 3600)
        path = f"{PATH}/{session['upload_id']}"
        assert api.get(path).json()["status"] == "expired"
        for answer in (
            api.post(path, json={"completed_chunks": [chunk]}),
            api.post(f"{path}/presigned-urls", json={"start": 1, "count": 1}),
        ):
            assert answer.status_code == 400
            assert "status `expired`" in answer.json()["message"]
        assert [item["status"] for item in api.get(PATH).json()["data"]] == ["expired"]
        (folder,) = tmp_path.glob("twelvelabs-sandbox-*")
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["x-api-key", "Authorization"])
def test_a_key_sent_to_the_storage_is_refused_and_recorded(sandbox: Sandbox, api: httpx.Client, name: str) -> None:
    session = open_media(api, b"content")
    url = session["upload_urls"][0]["url"]
    leak = put(url, b"content", {**OCTETS, name: sandbox.api_key})
    assert leak.status_code == 400
    assert "without the API key" in leak.text
    assert [request.leaked_key for request in sandbox.requests if request.template == PART] == [True]
    assert sandbox.count("PUT", PART, 400) == 1
    assert put(url, b"content").status_code == 200
    assert [request.leaked_key for request in sandbox.requests if request.template == PART] == [True, False]
    listed = api.get(f"{sandbox.control_url}/requests").json()["requests"]
    assert [item["leaked_key"] for item in listed if item["template"] == PART] == [True, False]
    assert "Signature" not in str(listed)


def test_upload_headers_are_required() -> None:
    demanded = {"Content-Type": "application/octet-stream", "x-amz-server-side-encryption": "AES256"}
    with Sandbox(upload_headers=demanded) as sandbox, connect(sandbox) as api:
        session = open_media(api, b"content")
        assert session["upload_headers"] == demanded
        wrong = put(session["upload_urls"][0]["url"], b"content")
        assert wrong.status_code == 403
        assert "x-amz-server-side-encryption" in wrong.text
        (fresh,) = links(api, session, 1, 1)
        assert put(fresh, b"content", demanded).status_code == 200


def test_chunks_of_wrong_or_missing_length_are_refused(sandbox: Sandbox, api: httpx.Client) -> None:
    session = open_media(api, b"content")
    url = session["upload_urls"][0]["url"]
    endless = httpx.put(url, content=iter([b"content"]), headers=OCTETS, trust_env=False)
    assert endless.status_code == 411
    for content in (b"", b"conten", b"content!", bytes(1_000_000)):
        (fresh,) = links(api, session, 1, 1)
        assert put(fresh, content).status_code == 400
    assert put(url.replace(session["upload_id"], "0" * 24), b"content").status_code == 404
    assert put(url.replace("/parts/1", "/parts/2"), b"content").status_code == 403
    assert put(f"{sandbox.base_url.removesuffix('/v1.3')}/uploads/x", b"content").status_code == 404


def test_faults_apply_to_chunks(sandbox: Sandbox, api: httpx.Client) -> None:
    session = open_media(api, b"content")

    def attempt() -> httpx.Response:
        (url,) = links(api, session, 1, 1)
        return put(url, b"content")

    sandbox.faults.add(Fault(path=PART, status=503), Fault(path="/uploads/*", method="PUT", status=403))
    slow = attempt()
    assert (slow.status_code, "<Code>SlowDown</Code>" in slow.text) == (503, True)
    assert "Request has expired." in attempt().text
    for drop in ("before", "after"):
        sandbox.faults.add(Fault(path=PART, drop=drop))
        with pytest.raises(httpx.RemoteProtocolError):
            attempt()
    assert attempt().status_code == 200


def test_an_interrupted_chunk_is_failed_until_sent_again(sandbox: Sandbox, api: httpx.Client) -> None:
    content = bytes(range(256)) * 4096
    session = open_media(api, content)

    def broken() -> Iterator[bytes]:
        yield content[:500_000]
        raise ConnectionError("the line is dead")

    headers = {**OCTETS, "Content-Length": str(len(content))}
    with pytest.raises(ConnectionError):
        httpx.put(session["upload_urls"][0]["url"], content=broken(), headers=headers, trust_env=False)
    path = f"{PATH}/{session['upload_id']}"
    until(lambda: api.get(path).json()["chunks_failed"], lambda failed: failed == 1)
    (fresh,) = links(api, session, 1, 1)
    etag = put(fresh, content).headers["etag"].strip('"')
    chunk = {"chunk_index": 1, "proof": etag, "proof_type": "etag", "chunk_size": len(content)}
    assert "url" in reported(api, session, [chunk])
    failed = settled(api, f"/assets/{session['asset_id']}")
    assert failed["status"] == "failed"  # It is not a video; its bytes can be checked all the same.
    assert sandbox.asset_sha256(session["asset_id"]) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("fate", ["failed", "stuck"])
@pytest.mark.parametrize("at", [PATH, PATH + "/{upload_id}"])
def test_faults_set_the_outcome_of_the_asset(sandbox: Sandbox, api: httpx.Client, fate: Any, at: str) -> None:
    sandbox.faults.add(Fault(path=at, method="POST", asset=fate))
    session = open_media(api, b"content")
    reported(api, session, [sent(api, session, b"content", 1)])
    if fate == "failed":
        assert settled(api, f"/assets/{session['asset_id']}")["error"]["message"]
    else:
        assert api.get(f"/assets/{session['asset_id']}").json()["status"] == "processing"


def test_a_file_of_another_type_than_declared_fails(api: httpx.Client, picture: Path) -> None:
    content = picture.read_bytes()
    session = open_media(api, content)
    answer = put(session["upload_urls"][0]["url"], content)
    chunk = {"chunk_index": 1, "proof": answer.headers["etag"].strip('"'), "proof_type": "etag"}
    reported(api, session, [chunk | {"chunk_size": len(content)}])
    failed = settled(api, f"/assets/{session['asset_id']}")
    assert "type video, but the file is image" in failed["error"]["message"]


@pytest.mark.parametrize(
    ("change", "code", "expected"),
    [
        ({"filename": ""}, "parameter_invalid", "filename"),
        ({"filename": "x" * 256}, "parameter_invalid", "1 to 255 characters, not 256"),
        ({"type": "document"}, "parameter_invalid", "`video`, `audio`, `image`, not 'document'"),
        ({"total_size": 0}, "parameter_invalid", "not 0"),
        ({"total_size": 1.5}, "parameter_invalid", "not 1.5"),
        ({"total_size": 10_000_000_001}, "parameter_invalid", "exceeds maximum limit of 10 GB"),
        ({"type": "image", "total_size": 32_000_001}, "parameter_invalid", "exceeds maximum limit of 32 MB"),
        ({"enable_hls": "true"}, "parameter_invalid", "must be true or false, not 'true'"),
        ({"user_metadata": '{"a": 1}'}, "parameter_invalid", "must be a JSON object"),
        ({"user_metadata": {"a": {}}}, "parameter_invalid", "'a'"),
        ({"chunk_size": 5}, "parameter_unknown", "chunk_size"),
    ],
)
def test_invalid_create_requests_are_refused(
    api: httpx.Client, change: dict[str, Any], code: str, expected: str
) -> None:
    answer = api.post(PATH, json={"filename": "video.mp4", "type": "video", "total_size": 10, **change})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert expected in answer.json()["message"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"chunk_index": 2}, "The upload has 1 chunks, so chunk 2 does not exist."),
        ({"chunk_index": 0}, "not 0"),
        ({"proof": "0" * 32}, "not the ETag"),
        ({"proof_type": "sha256"}, "`etag`, not 'sha256'"),
        ({"chunk_size": 6}, "has 7 bytes, not 6"),
        ({"size": 6}, "completed_chunks[0].size"),
    ],
)
def test_invalid_reports_are_refused_as_a_whole(api: httpx.Client, change: dict[str, Any], expected: str) -> None:
    session = open_media(api, b"content")
    good = sent(api, session, b"content", 1)
    answer = api.post(f"{PATH}/{session['upload_id']}", json={"completed_chunks": [{**good, **change}]})
    assert answer.status_code == 400
    assert expected in answer.json()["message"]
    assert api.get(f"{PATH}/{session['upload_id']}").json()["chunks_completed"] == 0


def test_reports_and_presigned_urls_have_maximum_counts(uploading: tuple[Sandbox, httpx.Client]) -> None:
    _, api = uploading
    session = open_media(api, bytes(60 * CHUNK))
    path = f"{PATH}/{session['upload_id']}"
    chunk = {"chunk_index": 1, "proof": "x", "proof_type": "etag", "chunk_size": CHUNK}
    for chunks, expected in (
        ([], "not 0"),
        ([chunk] * 51, "1 to 50 items, not 51"),
        ([chunk], "has not been uploaded"),
    ):
        answer = api.post(path, json={"completed_chunks": chunks})
        assert (answer.status_code, expected in answer.json()["message"]) == (400, True)
    for start, count, expected in ((0, 1, "not 0"), (1, 51, "from 1 to 50, not 51"), (60, 2, "goes beyond")):
        answer = api.post(f"{path}/presigned-urls", json={"start": start, "count": count})
        assert (answer.status_code, expected in answer.json()["message"]) == (400, True)
    assert len(links(api, session, 11, 50)) == 50


@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("POST", ""), ("POST", "/presigned-urls")])
def test_unknown_uploads_are_not_found(api: httpx.Client, method: str, suffix: str) -> None:
    answer = api.request(method, f"{PATH}/6298d673f1090f1100476d4c{suffix}", json={} if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (404, "resource_not_exist")


def test_checksums_of_assets(sandbox: Sandbox, api: httpx.Client, video_file: Path) -> None:
    with video_file.open("rb") as file:
        made = api.post("/assets", data={"method": "direct"}, files={"file": file}).json()
    checksum = hashlib.sha256(video_file.read_bytes()).hexdigest()
    assert sandbox.asset_sha256(made["_id"]) == checksum
    assert api.get(f"{sandbox.control_url}/assets/{made['_id']}").json()["sha256"] == checksum
    with pytest.raises(KeyError):
        sandbox.asset_sha256("6298d673f1090f1100476d4c")
    sandbox.faults.add(Fault(path="/assets", asset="stuck"))
    stuck = api.post("/assets", files={"method": (None, "url"), "url": (None, "http://127.0.0.1:9/")}).json()
    with pytest.raises(RuntimeError, match="does not have the bytes"):
        sandbox.asset_sha256(stuck["_id"])


@pytest.mark.parametrize("size", [0, -1, 1.5, float("nan")])
def test_the_chunk_size_is_validated(size: Any) -> None:
    with pytest.raises(ValueError, match="chunk_size"):
        Options(chunk_size=size)


def test_more_chunks_than_s3_allows_are_refused() -> None:
    with Sandbox(chunk_size=1) as sandbox, connect(sandbox) as api:
        body = {"filename": "video.mp4", "type": "video", "total_size": 10_001}
        answer = api.post(PATH, json=body)
        assert answer.status_code == 400
        assert "10001 chunks of 1 bytes; at most 10000" in answer.json()["message"]


def test_faults_omit_the_etag_and_interrupt_a_chunk(sandbox: Sandbox, api: httpx.Client) -> None:
    content = bytes(4_000_000)
    session = open_media(api, content)
    sandbox.faults.add(Fault(path=PART, omit_headers=["ETag"]), Fault(path=PART, drop="during"))
    bare = put(session["upload_urls"][0]["url"], content)
    assert (bare.status_code, "etag" in bare.headers) == (200, False)
    (fresh,) = links(api, session, 1, 1)
    with pytest.raises(httpx.TransportError):
        put(fresh, content)
    path = f"{PATH}/{session['upload_id']}"
    status = until(lambda: api.get(path).json(), lambda seen: seen["chunks_failed"] == 1)
    assert status["uploaded_chunks"][0]["error"] == "The upload of the chunk was interrupted."
    (fresh,) = links(api, session, 1, 1)
    assert put(fresh, content).headers["etag"]
