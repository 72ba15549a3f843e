"""``/embed-v2/tasks``: create, retrieve and list embedding tasks."""

from collections.abc import Iterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from twelvelabs_sandbox.embedding.response_json import compact, listed_metadata, task_metadata
from twelvelabs_sandbox.faults import fate_of
from twelvelabs_sandbox.formats import page_body, rfc3339
from twelvelabs_sandbox.requests.body import read_json
from twelvelabs_sandbox.requests.embed import task_request
from twelvelabs_sandbox.requests.query import choice_query, page_query, time_query
from twelvelabs_sandbox.state.backend import Backend
from twelvelabs_sandbox.state.media_loader import load_for_task
from twelvelabs_sandbox.state.tasks import STATUSES, Task

BLOCK_BYTES = 1024 * 1024


class TaskRoutes:
    """``/embed-v2/tasks`` and ``/embed-v2/tasks/{task_id}``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._tasks = backend.tasks
        self.routes = [
            Route("/embed-v2/tasks", self.create, methods=["POST"]),
            Route("/embed-v2/tasks", self.list, methods=["GET"]),
            Route("/embed-v2/tasks/{task_id}", self.retrieve, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        """Load and check the media, then create a task."""
        model, parsed = task_request(await read_json(request, self._backend.workers, too_large_status=400))
        self._tasks.check_capacity()
        parsed, media = await load_for_task(self._backend.media_loader, parsed)
        task = self._tasks.create(model, parsed, media, fate_of(request.scope).task)
        location = f"{request.url.replace(query='')}/{task.id}"
        body: dict[str, object] = {"_id": task.id, "status": "processing", "data": None}
        if parsed.vector_options is not None:
            body["metadata"] = {"embedding_dimension": parsed.vector_options.dimension}
        return JSONResponse(body, 202, {"Location": location})

    async def list(self, request: Request) -> Response:
        """List tasks without their vectors."""
        page, limit = page_query(request.query_params)
        statuses = choice_query(request.query_params, "status", STATUSES)
        since = time_query(request.query_params, "started_at")
        until = time_query(request.query_params, "ended_at")
        return JSONResponse(page_body(self._tasks.poll_all(since, until, statuses), page, limit, self._listed))

    async def retrieve(self, request: Request) -> Response:
        """Return the status of a task and, when it is ready, its vectors."""
        task = self._tasks.poll(request.path_params["task_id"])
        status = self._tasks.status(task)
        body: dict[str, object] = {"_id": task.id, "status": status, **self._times(task)}
        if status == "ready" and task.result is not None:
            body["metadata"] = task_metadata(task.request, task.media)
            if task.request.vector_options is not None:
                body["usage"] = task.usage.body()
            return _stream(body, task.result)
        if status == "failed":
            body["error"] = {"message": self._tasks.error(task)}
        return JSONResponse({**body, "data": None})

    def _listed(self, task: Task) -> dict[str, object]:
        return {
            "_id": task.id,
            "model_name": task.model,
            "status": self._tasks.status(task),
            **self._times(task),
            f"{task.request.input_type}_embedding": {"metadata": listed_metadata(task.request, task.media)},
        }

    def _times(self, task: Task) -> dict[str, object]:
        return {"created_at": rfc3339(task.created_at), "updated_at": rfc3339(self._tasks.updated_at(task))}


def _stream(body: dict[str, object], data: Path) -> Response:
    """Stream a JSON object whose last field, ``data``, is the content of a file."""
    head = compact(body)[:-1] + b',"data":'
    length = len(head) + data.stat().st_size + 1

    def blocks() -> Iterator[bytes]:
        with data.open("rb") as file:
            yield head
            while block := file.read(BLOCK_BYTES):
                yield block
        yield b"}"

    return StreamingResponse(blocks(), media_type="application/json", headers={"Content-Length": str(length)})
