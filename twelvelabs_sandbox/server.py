"""The sandbox as a server on a thread of this process."""

import asyncio
import contextlib
import socket
import threading
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import quote

import httpx
import uvicorn

from twelvelabs_sandbox.app import create_app
from twelvelabs_sandbox.fault_injection import PREFIX
from twelvelabs_sandbox.faults import Faults
from twelvelabs_sandbox.options import Options
from twelvelabs_sandbox.request_log import RecordedRequest, RequestLog
from twelvelabs_sandbox.state.clock import Clock
from twelvelabs_sandbox.state.tasks import RecordedTask

START_SECONDS = 30.0
# Maximum time that requests in flight may delay the shutdown.
GRACE_SECONDS = 1
KEEP_ALIVE_SECONDS = 120
# Enough to hash the largest file that can be uploaded.
CHECKSUM_SECONDS = 300.0


class Sandbox:
    """An offline server of the TwelveLabs embed API on loopback.

    It is not Marengo: it measures colour, motion and sound, and does not understand what a video shows.
    A program runs without a key, a network or costs; vectors have 512 values and are the same each time.

    Args:
        host: The address to listen on (default 127.0.0.1: this machine only).
        port: The port; 0 chooses a free one (default).
        **options: The fields of Options: ``api_key``, ``task_seconds``, ``task_polls``, ``asset_seconds``,
            ``asset_polls``, ``shuffle_data``, ``nested_errors``, ``expired_as``, ``chunk_size``, ``upload_headers``,
            ``max_waiting_tasks``, ``task_seconds_sigma``, ``seed``, ``echo_filenames``, ``requests_per_minute``,
            ``rate_window``, ``max_concurrent_requests``, ``rate_limit_form``.

    Attributes:
        clock: The clock of tasks, assets and uploads; ``clock.advance(seconds)``.
        faults: The scripted faults; ``faults.add(Fault(...))``.

    Raises:
        ValueError: An option is out of its bounds.
        OSError: The address is not available.

    Example:
        >>> with Sandbox() as sandbox:
        ...     sandbox.base_url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, **options: Any) -> None:
        self.clock = Clock()
        self.faults = Faults()
        self._requests = RequestLog()
        self._options = Options(**options)
        self._host = host
        self._port = port
        self._running: _Running | None = None

    def __repr__(self) -> str:
        return f"Sandbox({self.base_url if self._running else 'stopped'})"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def api_key(self) -> str:
        """The only accepted key; starts with ``tlk_sandbox_``."""
        return self._options.api_key

    @property
    def base_url(self) -> str:
        """The ``base_url`` for a client; RuntimeError before the start."""
        if self._running is None:
            raise RuntimeError("the sandbox is not running: use it in a `with` statement, or call start()")
        return self._running.url + PREFIX

    @property
    def control_url(self) -> str:
        """The URL of ``/faults``, ``/clock``, ``/requests`` and ``/tasks``; RuntimeError before the start."""
        return self.base_url.removesuffix(PREFIX) + "/_sandbox"

    @property
    def requests(self) -> list[RecordedRequest]:
        """The received requests, in order of arrival."""
        return self._requests.all()

    def count(self, method: str | None = None, path: str | None = None, status: int | None = None) -> int:
        """Count requests.

        Args:
            method: For example ``POST``; None counts every method.
            path: A template such as ``/embed-v2/tasks/{task_id}``; None counts every path.
            status: The status of the response; None counts every status.
        """
        return self._requests.count(method, path, status)

    def asset_sha256(self, asset_id: str) -> str:
        """Return the SHA-256, in hex, of the bytes of an asset, ready or failed.

        Args:
            asset_id: The asset; that of a multipart upload exists once all chunks were reported.

        Raises:
            KeyError: The asset does not exist.
            RuntimeError: Its bytes are not available (yet), or the sandbox is not running.
        """
        response = self._get(f"/assets/{quote(asset_id, safe='')}")
        if response.status_code == HTTPStatus.NOT_FOUND:
            raise KeyError(asset_id)
        checksum = response.raise_for_status().json()["sha256"]
        if checksum is None:
            raise RuntimeError(f"the sandbox does not have the bytes of asset {asset_id}")
        return str(checksum)

    def tasks(self) -> list[RecordedTask]:
        """Return all tasks since the start, in order of creation (those of v1 last).

        Raises:
            RuntimeError: The sandbox is not running.
        """
        return [RecordedTask(**task) for task in self._get("/tasks").raise_for_status().json()["tasks"]]

    def clear_faults(self) -> None:
        """Remove all faults."""
        self.faults.clear()

    def clear_requests(self) -> None:
        """Remove the recorded requests."""
        self._requests.clear()

    def _get(self, path: str) -> httpx.Response:
        headers = {"x-api-key": self.api_key}
        return httpx.get(self.control_url + path, headers=headers, timeout=CHECKSUM_SECONDS, trust_env=False)

    def start(self) -> None:
        """Start the server, without assets and tasks. Does nothing if it is running."""
        if self._running is None:
            app = create_app(self._options, clock=self.clock, faults=self.faults, requests=self._requests)
            self._running = _Running(app, self._host, self._port)

    def stop(self) -> None:
        """Stop the server, abandon unfinished tasks, delete all files. Does nothing if it is not running."""
        if self._running is not None:
            running, self._running = self._running, None
            running.stop()


class _Running:
    """One server thread from start to stop."""

    def __init__(self, app: Any, host: str, port: int) -> None:
        self._socket = _listen(host, port)
        address, number = self._socket.getsockname()[:2]
        self.url = f"http://[{address}]:{number}" if ":" in address else f"http://{address}:{number}"
        config = uvicorn.Config(
            app,
            # Fixed, so that a sandbox behaves the same whatever else is installed.
            http="h11",
            loop="asyncio",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            # Longer than clients keep idle connections: closing one here could cross with a request.
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self._server = _Server(config)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="twelvelabs-sandbox", daemon=True)
        self._thread.start()
        if not self._server.is_up.wait(START_SECONDS) or self._error is not None:
            self.stop()
            raise RuntimeError("the sandbox did not start") from self._error

    def stop(self) -> None:
        self._server.stop()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for the start
            self._error = error
        finally:
            self._server.is_up.set()


class _Server(uvicorn.Server):
    """A uvicorn server that stops at once instead of checking every tenth of a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Stop the loop, from any thread."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # The loop has ended already.
                self._loop.call_soon_threadsafe(self._wake.set)

    async def main_loop(self) -> None:
        """Serve until stopped; uvicorn updates its Date header once per second."""
        self._loop = asyncio.get_running_loop()
        self.is_up.set()
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), 1.0)


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    # asyncio sets TCP_NODELAY only on sockets with an explicit TCP protocol; without it each response on a kept-alive
    # connection is delayed by about 40 ms.
    listener = socket.socket(family, kind, protocol)
    try:
        if hasattr(socket, "SO_REUSEPORT"):  # POSIX; on Windows SO_REUSEADDR would let two servers share a port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
