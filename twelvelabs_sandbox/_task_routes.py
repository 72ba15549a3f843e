"""``/embed-v2/tasks``: create, poll and list embedding tasks."""

from collections.abc import Iterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from twelvelabs_sandbox._backend import Backend
from twelvelabs_sandbox._body import read_json
from twelvelabs_sandbox._embedding import take_for_task
from twelvelabs_sandbox._embedding_json import compact, listed_metadata, task_metadata
from twelvelabs_sandbox._faults import fate_of
from twelvelabs_sandbox._tasks import STATUSES, Task
from twelvelabs_sandbox._validation import choice_query, page_query, task_request, time_query
from twelvelabs_sandbox._wire import page_body, rfc3339

PIECE = 1024 * 1024


class TaskRoutes:
    """The asynchronous endpoints."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._tasks = backend.tasks
        self.routes = [
            Route("/embed-v2/tasks", self.create, methods=["POST"]),
            Route("/embed-v2/tasks", self.list, methods=["GET"]),
            Route("/embed-v2/tasks/{task_id}", self.retrieve, methods=["GET"]),
        ]

    async def create(self, request: Request) -> Response:
        """Begin a task once its media have been fetched and looked at."""
        model, asked = task_request(await read_json(request, self._backend.workers, too_large_status=400))
        self._tasks.check_room()
        asked, media = await take_for_task(self._backend.intake, asked)
        task = self._tasks.create(model, asked, media, fate_of(request.scope).task)
        location = f"{request.url.replace(query='')}/{task.id}"
        body: dict[str, object] = {"_id": task.id, "status": "processing", "data": None}
        if asked.shape is not None:
            body["metadata"] = {"embedding_dimension": asked.shape.dimension}
        return JSONResponse(body, 202, {"Location": location})

    async def list(self, request: Request) -> Response:
        """List tasks without their vectors."""
        page, limit = page_query(request.query_params)
        statuses = choice_query(request.query_params, "status", STATUSES)
        since = time_query(request.query_params, "started_at")
        until = time_query(request.query_params, "ended_at")
        return JSONResponse(page_body(self._tasks.look_all(since, until, statuses), page, limit, self._listed))

    async def retrieve(self, request: Request) -> Response:
        """Give a task's status and, when it is ready, its vectors."""
        task = self._tasks.look(request.path_params["task_id"])
        status = self._tasks.status(task)
        body: dict[str, object] = {"_id": task.id, "status": status, **self._times(task)}
        if status == "ready" and task.result is not None:
            body["metadata"] = task_metadata(task.request, task.media)
            if task.request.shape is not None:
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
    """Send a JSON object whose last field, ``data``, is a file; never the whole of it in memory."""
    head = compact(body)[:-1] + b',"data":'
    length = len(head) + data.stat().st_size + 1

    def pieces() -> Iterator[bytes]:
        with data.open("rb") as file:
            yield head
            while piece := file.read(PIECE):
                yield piece
        yield b"}"

    return StreamingResponse(pieces(), media_type="application/json", headers={"Content-Length": str(length)})
