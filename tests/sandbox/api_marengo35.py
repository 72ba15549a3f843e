"""Requests of marengo3.5 as tests write them."""

from pathlib import Path
from typing import Any

import httpx
import numpy as np

from tests.sandbox.api import encoded, settled

MODEL35 = "marengo3.5"
SHAPES = ("embedding_dimension", "embedding_uncertainty", "auto_truncate")


def body35(kind: str, **fields: Any) -> dict[str, Any]:
    """Return a request of one input type, with the top-level fields at the top level."""
    beside = {name: fields.pop(name) for name in SHAPES if name in fields}
    return {"input_type": kind, "model_name": MODEL35, **beside, kind: fields}


def source(kind: str, path: Path, **fields: str) -> dict[str, str]:
    return {"media_type": kind, **encoded(path), **fields}


def multi(api: httpx.Client, text: str | None = None, *sources: dict[str, str], **beside: Any) -> dict[str, Any]:
    """Embed synchronously; return the response."""
    fields: dict[str, Any] = {} if text is None else {"input_text": text}
    if sources:
        fields["media_sources"] = list(sources)
    answer = api.post("/embed-v2", json=body35("multi_input", **fields, **beside))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def vector(answer: dict[str, Any]) -> np.ndarray[Any, Any]:
    (row,) = answer["data"]
    return np.array(row["embedding"])


def task35(api: httpx.Client, kind: str, **fields: Any) -> dict[str, Any]:
    """Create a task, wait until it has finished, and return it."""
    made = api.post("/embed-v2/tasks", json=body35(kind, **fields))
    assert made.status_code == 202, made.text
    return settled(api, f"/embed-v2/tasks/{made.json()['_id']}")


def cosine(one: Any, other: Any) -> float:
    left, right = np.array(one), np.array(other)
    return float(left @ right / np.linalg.norm(left) / np.linalg.norm(right))
