"""The ASGI application: routes, API key check and error responses."""

import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from twelvelabs_sandbox.engine.types import MediaError
from twelvelabs_sandbox.errors import ApiError, bad_key
from twelvelabs_sandbox.fault_injection import PREFIX, FaultInjection
from twelvelabs_sandbox.faults import Faults
from twelvelabs_sandbox.options import Options
from twelvelabs_sandbox.request_log import RequestLog
from twelvelabs_sandbox.routes.assets import AssetDetailRoutes, AssetRoutes
from twelvelabs_sandbox.routes.control import ControlRoutes
from twelvelabs_sandbox.routes.embed import EmbedRoutes
from twelvelabs_sandbox.routes.legacy_v1 import V1Routes
from twelvelabs_sandbox.routes.storage import (
    PlaybackRoutes,
    StorageError,
    StorageRoutes,
    handle_storage_error,
    is_storage,
)
from twelvelabs_sandbox.routes.tasks import TaskRoutes
from twelvelabs_sandbox.routes.uploads import UploadRoutes
from twelvelabs_sandbox.state.backend import Backend
from twelvelabs_sandbox.state.clock import Clock

HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}


def create_app(options: Options, *, clock: Clock, faults: Faults, requests: RequestLog) -> ASGIApp:
    """Return the sandbox as an ASGI application for one startup and shutdown.

    Args:
        options: The behaviour of the sandbox.
        clock: The clock of tasks, assets and uploads.
        faults: The scripted faults.
        requests: The log of received requests.

    Example:
        >>> from twelvelabs_sandbox import Clock, Faults, Options, RequestLog
        >>> app = create_app(Options(), clock=Clock(), faults=Faults(), requests=RequestLog())
    """
    backend = Backend(options, clock)
    routes: list[Route] = [
        *EmbedRoutes(backend).routes,
        *TaskRoutes(backend).routes,
        *V1Routes(backend).routes,
        *UploadRoutes(backend).routes,
        *AssetRoutes(backend).routes,
        *AssetDetailRoutes(backend).routes,
    ]
    control = ControlRoutes(backend, faults, requests, clock).routes
    storage = [*StorageRoutes(backend, clock).routes, *PlaybackRoutes(backend).routes]
    app = Starlette(
        routes=[Mount(PREFIX, routes=routes), *storage, Mount("/_sandbox", routes=control)],
        middleware=[Middleware(ApiKeyMiddleware, options=options)],
        exception_handlers={
            **dict.fromkeys((ApiError, MediaError, HTTPException, Exception), ErrorHandler(options)),
            StorageError: handle_storage_error,
        },
        lifespan=_lifespan(backend),
    )
    app.router.redirect_slashes = False
    return FaultInjection(app, [*routes, *storage], faults=faults, requests=requests, clock=clock, options=options)


def _lifespan(backend: Backend) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await backend.aclose()

    return lifespan


class ApiKeyMiddleware:
    """Middleware that rejects requests without the sandbox's API key."""

    def __init__(self, app: ASGIApp, options: Options) -> None:
        self._app = app
        self._key = options.api_key.encode()
        self._nested = options.nested_errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond with 401, or pass the request on."""
        if scope["type"] != "http" or is_storage(scope["path"]):
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-api-key"), b"")
        app = self._app if hmac.compare_digest(given, self._key) else bad_key().response(nested=self._nested)
        await app(scope, receive, send)


class ErrorHandler:
    """Converts exceptions to the error responses of the API."""

    def __init__(self, options: Options) -> None:
        self._nested = options.nested_errors

    async def __call__(self, _: Request, error: Exception) -> Response:
        """Return the response for an exception of a route."""
        match error:
            case ApiError():
                refusal = error
            case MediaError():
                refusal = ApiError(400, error.code, str(error))
            case HTTPException():
                code = HTTP_CODES.get(error.status_code, "generic_error")
                refusal = ApiError(error.status_code, code, f"{error.detail}.", dict(error.headers or {}))
            case _:
                refusal = ApiError(500, "internal_server_error", "Internal error of the sandbox; see its log.")
        return refusal.response(nested=self._nested)
