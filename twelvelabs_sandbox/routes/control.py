"""``/_sandbox``: faults, clock, tasks and request counts over HTTP, for tests in another process."""

from dataclasses import asdict, fields
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twelvelabs_sandbox.errors import invalid, unknown
from twelvelabs_sandbox.faults import Fault, Faults
from twelvelabs_sandbox.formats import rfc3339
from twelvelabs_sandbox.request_log import RequestLog
from twelvelabs_sandbox.requests.body import read_json
from twelvelabs_sandbox.requests.fields import Fields
from twelvelabs_sandbox.state.backend import Backend
from twelvelabs_sandbox.state.clock import Clock
from twelvelabs_sandbox.state.tasks import recorded_tasks

FAULT_FIELDS = {field.name for field in fields(Fault)}


class ControlRoutes:
    """The sandbox's own endpoints, which the real API does not have."""

    def __init__(self, backend: Backend, faults: Faults, requests: RequestLog, clock: Clock) -> None:
        self._backend = backend
        self._faults = faults
        self._requests = requests
        self._clock = clock
        self.routes = [
            Route("/faults", self.add_faults, methods=["POST"]),
            Route("/faults", self.clear_faults, methods=["DELETE"]),
            Route("/clock", self.advance, methods=["POST"]),
            Route("/assets/{asset_id}", self.asset, methods=["GET"]),
            Route("/tasks", self.tasks, methods=["GET"]),
            Route("/requests", self.requests, methods=["GET"]),
            Route("/requests", self.clear_requests, methods=["DELETE"]),
        ]

    async def add_faults(self, request: Request) -> Response:
        """Add one fault or an array of faults; the fields are those of Fault."""
        body = await self._json(request)
        faults = [_fault(item) for item in (body if isinstance(body, list) else [body])]
        self._faults.add(*faults)
        return JSONResponse({"added": len(faults)}, 201)

    async def clear_faults(self, _: Request) -> Response:
        """Remove all faults."""
        self._faults.clear()
        return Response(status_code=204)

    async def advance(self, request: Request) -> Response:
        """Move the clock forward: ``{"advance_sec": 691200}``."""
        seconds = Fields(await self._json(request), "", ("advance_sec",)).seconds("advance_sec")
        try:
            self._clock.advance(seconds)
        except ValueError as error:
            raise invalid(str(error)) from error
        return JSONResponse({"now": rfc3339(self._clock.now())})

    async def asset(self, request: Request) -> Response:
        """Return the checksum of an asset; this does not count as a poll."""
        assets = self._backend.assets
        asset = assets.find(request.path_params["asset_id"])
        checksum = await assets.checksum(asset)
        return JSONResponse({"_id": asset.id, "status": assets.status(asset), "sha256": checksum})

    async def tasks(self, _: Request) -> Response:
        """List all tasks in order of creation; this does not count as a poll."""
        return JSONResponse(
            {"tasks": [asdict(task) for task in recorded_tasks(self._backend.tasks, self._backend.v1_tasks)]}
        )

    async def requests(self, _: Request) -> Response:
        """Return the recorded requests and their number by method and template."""
        listed = [asdict(request) for request in self._requests.all()]
        return JSONResponse({"counts": self._requests.counts(), "requests": listed})

    async def clear_requests(self, _: Request) -> Response:
        """Remove the recorded requests."""
        self._requests.clear()
        return Response(status_code=204)

    async def _json(self, request: Request) -> Any:
        return await read_json(request, self._backend.workers, too_large_status=400)


def _fault(item: Any) -> Fault:
    if not isinstance(item, dict):
        raise invalid("A fault must be a JSON object.")
    if extra := [key for key in item if key not in FAULT_FIELDS]:
        raise unknown(extra)
    try:
        return Fault(**item)
    except (TypeError, ValueError) as error:
        raise invalid(str(error)) from error
