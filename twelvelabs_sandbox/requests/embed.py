"""Reads and validates the JSON bodies of ``/embed-v2`` by the rules of the named model."""

from collections.abc import Callable
from typing import Any

from twelvelabs_sandbox.errors import invalid, missing
from twelvelabs_sandbox.requests import marengo30, marengo35
from twelvelabs_sandbox.requests.fields import short_repr
from twelvelabs_sandbox.requests.types import EmbedRequest, TaskRequest

SYNC_REQUESTS: dict[str, Callable[[object], EmbedRequest]] = {
    marengo30.MODEL: marengo30.sync_request,
    marengo35.MODEL: marengo35.sync_request,
}
TASK_REQUESTS: dict[str, Callable[[object], TaskRequest]] = {
    marengo30.MODEL: marengo30.task_request,
    marengo35.MODEL: marengo35.task_request,
}


def sync_request(body: object) -> tuple[str, EmbedRequest]:
    """Read ``POST /embed-v2``; return the model and the request."""
    model = _model(body, SYNC_REQUESTS)
    return model, SYNC_REQUESTS[model](body)


def task_request(body: object) -> tuple[str, TaskRequest]:
    """Read ``POST /embed-v2/tasks``; return the model and the request."""
    model = _model(body, TASK_REQUESTS)
    return model, TASK_REQUESTS[model](body)


def _model(body: object, known: dict[str, Any]) -> str:
    if not isinstance(body, dict):
        raise invalid(f"The request body must be a JSON object, not {short_repr(body)}.")
    if "model_name" not in body:
        raise missing("model_name")
    model = body["model_name"]
    if not isinstance(model, str) or model not in known:
        raise invalid(f"The model_name parameter must be one of {', '.join(known)}, not {short_repr(model)}.")
    return model
