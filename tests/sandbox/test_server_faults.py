"""Scripted faults as a client receives them, added in process and over HTTP."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.api import body, connect, create_task, encoded, settled, until
from twelvelabs_sandbox import Fault, Faults, Sandbox

TEXT = body("text", input_text="dog")
TASKS = "/embed-v2/tasks"


def statuses(api: httpx.Client, times: int, path: str = "/assets") -> list[int]:
    return [api.get(path).status_code for _ in range(times)]


def test_a_scripted_429_is_as_documented(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Fault(status=429, headers={"Retry-After": "30", "X-Ratelimit-Remaining": "0"}))
    answer = api.post("/embed-v2", json=TEXT)
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "30"
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.json()["code"] == "too_many_requests"
    assert answer.json()["message"].startswith(
        "You have exceeded the rate limit (100req/1day). Please try again later "
    )
    ordinary = api.post("/embed-v2", json=TEXT)
    assert ordinary.status_code == 200
    assert not [name for name in ordinary.headers if "ratelimit" in name or "retry" in name]


@pytest.mark.parametrize(
    ("text", "sent"), [("", b""), ("<html>", b"<html>"), ({"error": {"code": "x"}}, b'{"error": {"code": "x"}}')]
)
def test_the_body_of_a_fault_is_sent_unchanged(sandbox: Sandbox, api: httpx.Client, text: Any, sent: bytes) -> None:
    sandbox.faults.add(Fault(status=503, body=text))
    answer = api.get("/assets")
    assert (answer.status_code, answer.content) == (503, sent)


def test_times_skip_and_order(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Fault(status=500, times=2, skip=1), Fault(status=503, times=1))
    assert statuses(api, 5) == [503, 500, 500, 200, 200]
    sandbox.faults.add(Fault(status=502, times=None))
    assert statuses(api, 3) == [502, 502, 502]
    sandbox.clear_faults()
    assert statuses(api, 1) == [200]


def test_path_and_method_select_requests(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(
        Fault(path=TASKS, method="post", status=501, times=None),
        Fault(path="/embed-v2/tasks/{task_id}", status=502, times=None),
        Fault(path="/ass*", method="DELETE", status=503, times=None),
    )
    assert api.post(TASKS, json={}).status_code == 501
    assert api.get(TASKS).status_code == 200
    assert api.get(f"{TASKS}/1").status_code == 502
    assert api.delete("/assets/1").status_code == 503
    assert api.get("/assets/1").status_code == 404


def test_headers_without_status_are_added_to_the_response(sandbox: Sandbox, api: httpx.Client) -> None:
    sandbox.faults.add(Fault(headers={"X-Ratelimit-Request-Remaining": "3"}))
    answer = api.get("/assets")
    assert answer.status_code == 200
    assert answer.headers["x-ratelimit-request-remaining"] == "3"


@pytest.mark.parametrize(("drop", "status"), [("before", None), ("after", 200)])
def test_connections_are_aborted_without_response(
    sandbox: Sandbox, api: httpx.Client, drop: Any, status: int | None
) -> None:
    sandbox.faults.add(Fault(drop=drop))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        api.get("/assets")
    assert [request.status for request in sandbox.requests] == [status]


def test_a_create_aborted_afterwards_has_its_effect(sandbox: Sandbox, api: httpx.Client, video_file: Path) -> None:
    before = api.get(TASKS).json()["page_info"]["total_results"]
    for drop in ("before", "after"):
        sandbox.faults.add(Fault(path=TASKS, method="POST", drop=drop))
        with pytest.raises(httpx.RemoteProtocolError):
            api.post(TASKS, json=body("video", media_source=encoded(video_file)))
    assert api.get(TASKS).json()["page_info"]["total_results"] == before + 1
    assert sandbox.count("POST", TASKS) == 2
    assert sandbox.count("POST", TASKS, status=202) == 1


@pytest.mark.parametrize("status", [None, 500])
def test_connections_are_aborted_within_the_body(sandbox: Sandbox, api: httpx.Client, status: int | None) -> None:
    sandbox.faults.add(Fault(path="/embed-v2", drop="mid", status=status))
    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
        api.post("/embed-v2", json=TEXT)
    assert api.post("/embed-v2", json=TEXT).status_code == 200


def test_long_streamed_result_is_aborted(sandbox: Sandbox, api: httpx.Client, video_file: Path) -> None:
    task = create_task(api, "video", media_source=encoded(video_file))
    whole = settled(api, f"{TASKS}/{task}")
    sandbox.faults.add(Fault(path=f"{TASKS}/*", drop="mid"))
    with api.stream("GET", f"{TASKS}/{task}") as answer:
        assert answer.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()
    assert api.get(f"{TASKS}/{task}").json() == whole


def test_aborting_logs_nothing(sandbox: Sandbox, api: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    for drop in ("before", "after", "mid"):
        sandbox.faults.add(Fault(drop=drop))
        with pytest.raises(httpx.RemoteProtocolError):
            api.get("/assets")
    api.get("/assets")
    assert [record.message for record in caplog.records if record.name.startswith("uvicorn")] == []


def test_delays_and_slow_bodies_exceed_a_client_timeout(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(path="/assets", delay=60), Fault(path=TASKS, slow=60))
    with connect(sandbox) as api:
        api.timeout = httpx.Timeout(0.3)
        with pytest.raises(httpx.ReadTimeout):
            api.get("/assets")
        with pytest.raises(httpx.ReadTimeout):
            api.get(TASKS)


def test_a_slow_body_is_complete(sandbox: Sandbox, api: httpx.Client) -> None:
    expected = api.post("/embed-v2", json=TEXT).content
    sandbox.faults.add(Fault(slow=0.1))
    with api.stream("POST", "/embed-v2", json=TEXT) as answer:
        pieces = list(answer.iter_raw())
    assert b"".join(pieces) == expected
    assert len(pieces) > 1


def test_faults_set_the_outcome_of_a_task(video_file: Path) -> None:
    with Sandbox() as sandbox, connect(sandbox) as api:
        source = encoded(video_file)
        sandbox.faults.add(*(Fault(path=TASKS, method="POST", task=fate) for fate in ("failed", "stuck", "expired")))
        failed, stuck, expired, good = (create_task(api, "video", media_source=source) for _ in range(4))
        assert settled(api, f"{TASKS}/{good}")["status"] == "ready"
        answer = settled(api, f"{TASKS}/{failed}")
        assert answer["status"] == "failed"
        assert answer["error"] == {"message": "The embedding task failed. Please try again later."}
        assert api.get(f"{TASKS}/{expired}").status_code == 404
        assert api.get(f"{TASKS}/{stuck}").json()["status"] == "processing"
        sandbox.clock.advance(3600 * 24)
        assert api.get(f"{TASKS}/{stuck}").json()["status"] == "processing"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"status": 99},
        {"status": 600},
        {"status": 500, "times": 0},
        {"status": 500, "skip": -1},
        {"status": 500, "headers": {"X-A": "b\r\nc"}},
        {"status": 500, "headers": ["X-A"]},
        {"delay": -1},
        {"delay": float("nan")},
        {"slow": "1"},
        {"drop": "late"},
        {"task": "lost"},
        {"asset": "expired"},
        {"body": "x"},
        {"status": 500, "path": 5},
        {"status": 500, "method": 5},
    ],
)
def test_invalid_faults_are_refused(sandbox: Sandbox, api: httpx.Client, wrong: Any) -> None:
    with pytest.raises(ValueError, match="fault"):
        Fault(**wrong)
    content = json.dumps(wrong)
    answer = api.post(sandbox.control_url + "/faults", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "parameter_invalid"


def test_faults_are_controlled_over_http(sandbox: Sandbox, api: httpx.Client) -> None:
    faults = [{"path": "/assets", "status": 500}, {"path": "/assets", "drop": "before"}]
    added = api.post(sandbox.control_url + "/faults", json=faults)
    assert (added.status_code, added.json()) == (201, {"added": 2})
    assert api.get("/assets").status_code == 500
    with pytest.raises(httpx.RemoteProtocolError):
        api.get("/assets")
    api.post(sandbox.control_url + "/faults", json={"status": 503, "times": None})
    assert api.get("/assets/1").status_code == 503
    assert api.delete(sandbox.control_url + "/faults").status_code == 204
    assert api.get("/assets/1").status_code == 404
    counted = api.get(sandbox.control_url + "/requests").json()
    assert counted["counts"] == {"GET /assets": 2, "GET /assets/{asset_id}": 2}
    first = {"method": "GET", "path": "/assets", "template": "/assets", "status": 500, "leaked_key": False}
    assert counted["requests"][0] == first
    assert api.delete(sandbox.control_url + "/requests").status_code == 204
    assert api.get(sandbox.control_url + "/requests").json() == {"counts": {}, "requests": []}
    unknown = api.post(sandbox.control_url + "/faults", json={"code": 500})
    assert unknown.json()["code"] == "parameter_unknown"


def test_the_clock_can_be_advanced_over_http(video_file: Path) -> None:
    with Sandbox(task_seconds=600) as sandbox, connect(sandbox) as api:
        task = create_task(api, "video", media_source=encoded(video_file))
        clock = sandbox.control_url + "/clock"
        assert api.get(f"{TASKS}/{task}").json()["status"] == "processing"
        assert api.post(clock, json={"advance_sec": 600}).json()["now"].endswith("Z")
        assert settled(api, f"{TASKS}/{task}")["status"] == "ready"
        wrongs: list[Any] = [{"advance_sec": -1}, {}, {"advance": 1}, [], {"advance_sec": 1e300}]
        for wrong in wrongs:
            assert api.post(clock, json=wrong).status_code == 400
        assert api.get(f"{TASKS}/{task}").status_code == 200


def test_requests_are_counted_by_method_template_and_status(sandbox: Sandbox, api: httpx.Client) -> None:
    statuses(api, 2)
    statuses(api, 3, "/assets/1")
    api.post("/embed-v2", json=TEXT)
    api.get("/nowhere")
    assert sandbox.count() == 7
    assert sandbox.count("GET") == 6
    assert sandbox.count("GET", "/assets") == 2
    assert sandbox.count(path="/assets/{asset_id}", status=404) == 3
    assert sandbox.count("GET", "/nowhere") == 1
    assert [request.path for request in sandbox.requests][2] == "/assets/1"
    sandbox.clear_requests()
    assert sandbox.count() == 0


def test_a_request_in_flight_has_no_status() -> None:
    with Sandbox() as sandbox, connect(sandbox) as api:
        sandbox.faults.add(Fault(path="/assets", delay=60))
        api.timeout = httpx.Timeout(0.2)
        with pytest.raises(httpx.ReadTimeout):
            api.get("/assets")
        assert until(lambda: sandbox.requests, bool)[0].status is None


def test_a_fault_is_used_once_among_threads() -> None:
    faults = Faults()
    faults.add(Fault(status=500, times=50, skip=50))
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: faults.take("GET", "/assets", "/assets"), range(400)))
    assert sum(fault is not None for fault in taken) == 50
