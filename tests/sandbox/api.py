"""Requests to the API as tests write them: bodies, base64, and waiting for a status."""

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from twelvelabs_sandbox import Sandbox

MODEL = "marengo3.0"
WAIT_SECONDS = 60.0


def connect(sandbox: Sandbox) -> httpx.Client:
    return httpx.Client(base_url=sandbox.base_url, headers={"x-api-key": sandbox.api_key}, timeout=60, trust_env=False)


def encoded(path: Path) -> dict[str, str]:
    return {"base64_string": base64.b64encode(path.read_bytes()).decode()}


def body(kind: str, **fields: Any) -> dict[str, Any]:
    """Return a request of one input type: ``body("text", input_text="dog")``."""
    return {"input_type": kind, "model_name": MODEL, kind: fields}


def upload(api: httpx.Client, path: Path, **fields: str) -> str:
    """Upload a file and wait until it is processed; return the asset's id."""
    with path.open("rb") as file:
        made = api.post("/assets", data={"method": "direct", **fields}, files={"file": (path.name, file)})
    assert made.status_code == 201, made.text
    assert made.json()["status"] == "processing"
    return str(settled(api, f"/assets/{made.json()['_id']}")["_id"])


def create_task(api: httpx.Client, kind: str, **fields: Any) -> str:
    made = api.post("/embed-v2/tasks", json=body(kind, **fields))
    assert made.status_code == 202, made.text
    return str(made.json()["_id"])


def settled(api: httpx.Client, path: str) -> dict[str, Any]:
    """Poll until an asset or task has finished."""
    answer: dict[str, Any] = until(lambda: api.get(path).json(), lambda seen: seen["status"] != "processing")
    return answer


def until(poll: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    """Call `poll` until its result satisfies `good`; return the result."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if good(result := poll()):
            return result
        time.sleep(0.02)
    raise AssertionError(f"still {result}")


def labels(data: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return the labels of each vector."""
    return [(row["embedding_option"], row["embedding_scope"], row["start_sec"], row["end_sec"]) for row in data]
