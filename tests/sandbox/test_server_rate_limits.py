"""Faults by probability, all forms of 429, rate limits of the options, and the list of recorded tasks."""

import hashlib
import json
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest

from tests.sandbox.api import body, connect, create_task, encoded, settled, until, upload
from tests.sandbox.file_server import FileServer
from twelvelabs_sandbox import Fault, Options, Sandbox

TEXT = body("text", input_text="dog")
TASKS = "/embed-v2/tasks"
COMING = "You have exceeded the rate limit (100req/1day). Please try again later"


def pattern(api: httpx.Client, times: int, path: str = "/assets") -> str:
    return "".join("x" if api.get(path).status_code == 500 else "." for _ in range(times))


def test_probability_is_reproducible(sandbox: Sandbox, api: httpx.Client) -> None:
    seen = set()
    for seed in (1, 1, 2):
        sandbox.clear_faults()
        sandbox.faults.add(Fault(path="/assets", status=500, times=None, probability=0.4, seed=seed))
        assert pattern(api, 3, "/assets/1") == "..."  # other paths do not consume random numbers
        struck = pattern(api, 100)
        assert 20 < struck.count("x") < 60
        seen.add(struck)
    assert len(seen) == 2


def test_probability_is_limited_by_times_and_works_over_http(sandbox: Sandbox, api: httpx.Client) -> None:
    fault = {"path": "/assets", "status": 500, "times": 3, "skip": 2, "probability": 0.3, "seed": 7}
    sandbox.faults.add(Fault(**fault))  # type: ignore[arg-type]
    struck = pattern(api, 60)
    assert struck.count("x") == 3
    assert struck.startswith("..")
    assert struck[2:5] != "xxx"
    sandbox.clear_faults()
    assert api.post(sandbox.control_url + "/faults", json=fault).status_code == 201
    assert pattern(api, 60) == struck


def test_two_faults_are_independent(sandbox: Sandbox, api: httpx.Client) -> None:
    for path in ("/assets", TASKS):
        sandbox.faults.add(Fault(path=path, status=500, times=None, probability=0.5))
    assert pattern(api, 40) != pattern(api, 40, TASKS)


def limited(sandbox: Sandbox, api: httpx.Client, form: Any, wait: float = 30) -> httpx.Response:
    sandbox.faults.add(Fault(rate_limit=form, wait=wait))
    answer = api.post("/embed-v2", json=TEXT)
    assert answer.status_code == 429
    return answer


def rate_limit_headers(answer: httpx.Response) -> dict[str, str]:
    """Return the rate-limit headers."""
    return {name: value for name, value in answer.headers.items() if "ratelimit" in name or "retry" in name}


def test_retry_after_in_seconds(sandbox: Sandbox, api: httpx.Client) -> None:
    answer = limited(sandbox, api, "retry-after")
    assert rate_limit_headers(answer) == {"retry-after": "30"}
    assert answer.json() == {"code": "too_many_requests", "message": COMING + "."}


def test_retry_after_as_date(sandbox: Sandbox, api: httpx.Client) -> None:
    before = sandbox.clock.now()
    answer = limited(sandbox, api, "retry-after-date")
    assert 30 <= parsedate_to_datetime(rate_limit_headers(answer)["retry-after"]).timestamp() - before <= 32
    assert answer.json()["message"] == COMING + "."


def test_ratelimit_reset_in_epoch_seconds(sandbox: Sandbox, api: httpx.Client) -> None:
    before = sandbox.clock.now()
    answer = limited(sandbox, api, "ratelimit")
    headers = rate_limit_headers(answer)
    assert 30 <= int(headers.pop("x-ratelimit-reset")) - before <= 32
    assert headers == {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "0", "x-ratelimit-used": "100"}
    assert answer.json()["message"] == COMING + "."


@pytest.mark.parametrize(
    ("form", "used", "left"), [("request", "request", "duration"), ("duration",) * 2 + ("request",)]
)
def test_one_exhausted_counter_of_two(sandbox: Sandbox, api: httpx.Client, form: str, used: str, left: str) -> None:
    before = sandbox.clock.now()
    headers = rate_limit_headers(limited(sandbox, api, f"ratelimit-{form}"))
    assert headers[f"x-ratelimit-{used}-remaining"] == "0"
    assert 30 <= int(headers[f"x-ratelimit-{used}-reset"]) - before <= 32
    assert int(headers[f"x-ratelimit-{left}-remaining"]) > 0
    assert int(headers[f"x-ratelimit-{left}-reset"]) - before > 3000
    assert not [name for name in headers if "retry" in name]


def test_the_time_in_the_message_only(sandbox: Sandbox, api: httpx.Client) -> None:
    before = sandbox.clock.now()
    answer = limited(sandbox, api, "message")
    assert rate_limit_headers(answer) == {}
    text, at = answer.json()["message"].rstrip(".").split(" after ")
    assert text == COMING
    assert 30 <= datetime.fromisoformat(at).timestamp() - before <= 32


@pytest.mark.parametrize(
    ("form", "content"), [("empty", b""), ("bare", f'{{"code":"too_many_requests","message":"{COMING}."}}'.encode())]
)
def test_a_429_without_time(sandbox: Sandbox, api: httpx.Client, form: str, content: bytes) -> None:
    answer = limited(sandbox, api, form)
    assert (rate_limit_headers(answer), answer.content) == ({}, content)


def test_429_with_nested_errors_and_more_headers() -> None:
    with Sandbox(nested_errors=True) as sandbox, connect(sandbox) as api:
        sandbox.faults.add(Fault(rate_limit="retry-after", headers={"X-Request-Id": "r1"}))
        answer = api.post("/embed-v2", json=TEXT)
        assert answer.json()["error"]["code"] == "too_many_requests"
        assert (answer.headers["retry-after"], answer.headers["x-request-id"]) == ("1", "r1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": 500, "probability": 0},
        {"status": 500, "probability": 1.5},
        {"status": 500, "probability": "often"},
        {"status": 500, "seed": 1.5},
        {"rate_limit": "later"},
        {"rate_limit": "empty", "status": 500},
        {"rate_limit": "empty", "wait": -1},
        {"probability": 0.5},
    ],
)
def test_invalid_probabilities_and_forms_are_refused(
    sandbox: Sandbox, api: httpx.Client, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="fault"):
        Fault(**wrong)
    answer = api.post(sandbox.control_url + "/faults", content=json.dumps(wrong))
    assert (answer.status_code, answer.json()["code"]) == (400, "parameter_invalid")


def test_requests_per_minute(video_file: Path) -> None:
    with Sandbox(requests_per_minute=3) as sandbox, connect(sandbox) as api:
        sandbox.faults.add(Fault(path="/embed-v2", status=503), Fault(path="/embed-v2", drop="before"))
        assert api.post("/embed-v2", json=TEXT).status_code == 503
        with pytest.raises(httpx.RemoteProtocolError):
            api.post("/embed-v2", json=TEXT)
        task = create_task(api, "video", media_source=encoded(video_file))
        statuses = [api.post("/embed-v2", json=TEXT).status_code for _ in range(4)]
        assert statuses == [200, 200, 429, 429]  # requests failed by a fault are not counted
        answer = api.post(TASKS, json=body("video", media_source=encoded(video_file)))
        assert answer.status_code == 429
        assert 55 < int(answer.headers["retry-after"]) <= 60
        assert settled(api, f"{TASKS}/{task}")["status"] == "ready"  # polling is not limited
        sandbox.clock.advance(int(answer.headers["retry-after"]))
        assert api.post("/embed-v2", json=TEXT).status_code == 200


def test_rate_window_and_rate_limit_form() -> None:
    options = {"requests_per_minute": 600, "rate_window": 1.0, "rate_limit_form": "message"}
    with Sandbox(**options) as sandbox, connect(sandbox) as api:
        answers = [api.post("/embed-v2", json=TEXT) for _ in range(11)]
        assert [answer.status_code for answer in answers] == [200] * 10 + [429]
        assert " after " in answers[-1].json()["message"]
        assert "retry-after" not in answers[-1].headers
        sandbox.clock.advance(1)
        assert api.post("/embed-v2", json=TEXT).status_code == 200


def test_max_concurrent_requests() -> None:
    with Sandbox(max_concurrent_requests=2) as sandbox, connect(sandbox) as api:
        picture = {"image": {"media_source": {"url": "http://127.0.0.1:9/x.jpg"}}}
        assert api.post("/embed-v2", json=TEXT | picture).status_code == 400  # a refused request ends too
        sandbox.faults.add(Fault(path="/embed-v2", slow=1.0, times=2))
        with ThreadPoolExecutor(2) as pool:
            slow = [pool.submit(api.post, "/embed-v2", json=TEXT) for _ in range(2)]
            until(lambda: sandbox.count("POST", "/embed-v2"), lambda count: count == 3)
            assert until(lambda: api.post("/embed-v2", json=TEXT).status_code, lambda status: status == 429)
            assert [answer.result().status_code for answer in slow] == [200, 200]
        assert api.post("/embed-v2", json=TEXT).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_limit_form": "later"},
        {"requests_per_minute": -1},
        {"requests_per_minute": 1, "rate_window": 1.0},
        {"task_seconds_sigma": -0.5},
    ],
)
def test_invalid_limits_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong)).split("_")[0]):
        Options(**wrong)


def test_echo_filenames_off(video_file: Path, media: Path) -> None:
    with (
        FileServer(media) as files,
        Sandbox(echo_filenames=False) as sandbox,
        connect(sandbox) as api,
    ):
        named = create_task(api, "video", media_source={"asset_id": upload(api, video_file)})
        fetched = create_task(api, "video", media_source={"url": files.url("video.mp4")})
        for task in (named, fetched):
            assert not _names(settled(api, f"{TASKS}/{task}")["metadata"])
        listed = api.get(TASKS).json()["data"]
        assert [item["_id"] for item in listed] == [fetched, named]
        assert not any(_names(item["video_embedding"]["metadata"]) for item in listed)
        recorded = [(task.filename, task.url) for task in sandbox.tasks()]
        assert recorded == [("video.mp4", None), (None, files.url("video.mp4"))]


def _names(metadata: dict[str, Any]) -> set[str]:
    assert metadata["duration"] > 0
    return {"input_url", "input_filename"} & set(metadata)


def test_tasks_are_recorded_with_checksum_and_fate(sandbox: Sandbox, api: httpx.Client, video_file: Path) -> None:
    before = sum(task.api == "v2" for task in sandbox.tasks())
    source = encoded(video_file)
    sandbox.faults.add(*(Fault(path=TASKS, method="POST", task=fate) for fate in ("failed", "stuck", "expired")))
    made = [create_task(api, "video", media_source=source) for _ in range(4)]
    settled(api, f"{TASKS}/{made[3]}")
    tasks = until(lambda: sandbox.tasks()[before : before + 4], lambda seen: all(task.sha256 for task in seen))
    assert [task.id for task in tasks] == made
    assert [task.fate for task in tasks] == ["failed", "stuck", "expired", None]
    assert [task.status for task in tasks] == ["failed", "processing", "failed", "ready"]
    assert {task.sha256 for task in tasks} == {hashlib.sha256(video_file.read_bytes()).hexdigest()}
    assert {(task.api, task.model, task.input_type) for task in tasks} == {("v2", "marengo3.0", "video")}
    over_http = api.get(sandbox.control_url + "/tasks").json()["tasks"]
    assert [task["id"] for task in over_http if task["api"] == "v2"][before:] == made
    assert httpx.get(sandbox.control_url + "/tasks", trust_env=False).status_code == 401


def test_v1_tasks_are_recorded(sandbox: Sandbox, api: httpx.Client, video_file: Path) -> None:
    with video_file.open("rb") as file:
        made = api.post("/embed/tasks", data={"model_name": "marengo3.0"}, files={"video_file": ("old.mp4", file)})
    task = sandbox.tasks()[-1]
    assert (task.id, task.api, task.filename) == (made.json()["_id"], "v1", "old.mp4")


def spread(video_file: Path, seed: int) -> list[float]:
    """Return the durations of 40 tasks with a median of 1000 s."""
    with Sandbox(task_seconds=1000, task_seconds_sigma=0.5, seed=seed) as sandbox, connect(sandbox) as api:
        sandbox.faults.add(Fault(path=TASKS, method="POST", task="failed", times=None))  # no real work
        asset = upload(api, video_file)
        made = [create_task(api, "video", media_source={"asset_id": asset}) for _ in range(40)]
        until(sandbox.tasks, lambda tasks: all(task.sha256 for task in tasks))
        assert not [task for task in sandbox.tasks() if task.status != "processing"]
        sandbox.clock.advance(100_000)
        api.get(TASKS)
        listed = api.get(TASKS, params={"status": "failed", "page_limit": 50}).json()["data"]
        took = {item["_id"]: _took(item) for item in listed}
        return [took[task] for task in made]


def _took(item: dict[str, Any]) -> float:
    begin, end = (datetime.fromisoformat(item[name]) for name in ("created_at", "updated_at"))
    return (end - begin).total_seconds()


def test_task_durations_vary(video_file: Path) -> None:
    times = spread(video_file, seed=3)
    assert 700 < median(times) < 1400
    logs = [math.log(seconds / 1000) for seconds in times]
    assert 0.35 < math.sqrt(sum(value * value for value in logs) / len(logs)) < 0.65
    assert spread(video_file, seed=3) == pytest.approx(times, abs=0.01)
    assert spread(video_file, seed=4) != pytest.approx(times, abs=100)
