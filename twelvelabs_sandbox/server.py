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

from twelvelabs_sandbox.state.tasks import RecordedTask
from twelvelabs_sandbox.state.clock import Clock
from twelvelabs_sandbox.request_log import RecordedRequest
from twelvelabs_sandbox.request_log import RequestLog
from twelvelabs_sandbox.options import Options
from twelvelabs_sandbox.faults import Faults
from twelvelabs_sandbox.fault_injection import PREFIX
from twelvelabs_sandbox.app import create_app

START_SECONDS = 30.0
# How long requests that are still being answered may hold up the end.
GRACE_SECONDS = 1
KEEP_ALIVE_SECONDS = 120
# Enough to read the largest file that may be uploaded.
CHECKSUM_SECONDS = 300.0


class Sandbox:
    """An offline twin of the TwelveLabs embed API on loopback. NOT Marengo: its vectors know no meaning.

    It decodes the media it is given and answers with deterministic 512-d unit vectors by colour, light, motion, sound
    and the words of captions, so that the whole job runs without a key, a network or a bill.

    Args:
        host: The address to listen on (default 127.0.0.1: this machine only).
        port: The port; 0 takes a free one (default).
        **options: The fields of Options: ``api_key``, ``task_seconds``, ``task_polls``, ``asset_seconds``,
            ``asset_polls``, ``shuffle_data``, ``nested_errors``, ``expired_as``, ``chunk_size``, ``upload_headers``,
            ``max_waiting_tasks``, ``task_seconds_sigma``, ``seed``, ``echo_filenames``, ``requests_per_minute``,
            ``rate_window``, ``max_concurrent_requests``, ``rate_limit_form``.

    Attributes:
        clock: The clock by which its tasks and assets live; ``clock.advance(seconds)``.
        faults: What is to go wrong; ``faults.add(Fault(...))``.

    Raises:
        ValueError: If an option is out of its bounds.
        OSError: If the address cannot be listened on.

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
        """The only key that it accepts; begins with ``tlk_sandbox_``."""
        return self._options.api_key

    @property
    def base_url(self) -> str:
        """The address for a client's ``base_url``; RuntimeError before the start."""
        if self._running is None:
            raise RuntimeError("the sandbox is not running: use it in a `with` statement, or call start()")
        return self._running.url + PREFIX

    @property
    def control_url(self) -> str:
        """The address of ``/faults``, ``/clock``, ``/requests`` and ``/tasks``; RuntimeError before the start."""
        return self.base_url.removesuffix(PREFIX) + "/_sandbox"

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests so far, in order of arrival."""
        return self._requests.all()

    def count(self, method: str | None = None, path: str | None = None, status: int | None = None) -> int:
        """Count requests.

        Args:
            method: Such as ``POST``; None counts every method.
            path: A template such as ``/embed-v2/tasks/{task_id}``; None counts every path.
            status: The status they were answered with; None counts every status.
        """
        return self._requests.count(method, path, status)

    def asset_sha256(self, asset_id: str) -> str:
        """Return the SHA-256, in hex, of the bytes that an asset was made of, ready or failed.

        Args:
            asset_id: The asset, which for a multipart upload is there when all parts were reported.

        Raises:
            KeyError: If there is no such asset.
            RuntimeError: If its bytes are not there (yet), or the sandbox is not running.
        """
        answer = self._ask(f"/assets/{quote(asset_id, safe='')}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise KeyError(asset_id)
        checksum = answer.raise_for_status().json()["sha256"]
        if checksum is None:
            raise RuntimeError(f"the sandbox does not have the bytes of asset {asset_id}")
        return str(checksum)

    def tasks(self) -> list[RecordedTask]:
        """Return every task that was created since the start, in the order of creation (those of v1 behind the others).

        Raises:
            RuntimeError: If the sandbox is not running.
        """
        return [RecordedTask(**task) for task in self._ask("/tasks").raise_for_status().json()["tasks"]]

    def clear_faults(self) -> None:
        """Forget all faults."""
        self.faults.clear()

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self._requests.clear()

    def _ask(self, path: str) -> httpx.Response:
        headers = {"x-api-key": self.api_key}
        return httpx.get(self.control_url + path, headers=headers, timeout=CHECKSUM_SECONDS, trust_env=False)

    def start(self) -> None:
        """Begin to answer; with no assets and no tasks. Does nothing while it is running."""
        if self._running is None:
            app = create_app(self._options, clock=self.clock, faults=self.faults, requests=self._requests)
            self._running = _Running(app, self._host, self._port)

    def stop(self) -> None:
        """Stop answering, drop unfinished tasks, delete all files. Does nothing while it is not running."""
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
            # One implementation everywhere, so that a sandbox behaves the same whatever else is installed.
            http="h11",
            loop="asyncio",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            # Longer than clients keep idle connections: a close from this side could cross with a request.
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
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the start
            self._error = error
        finally:
            self._server.is_up.set()


class _Server(uvicorn.Server):
    """A uvicorn server that wakes up to stop at once instead of looking every tenth of a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """End the loop, from any thread."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # Its loop has ended by itself.
                self._loop.call_soon_threadsafe(self._wake.set)

    async def main_loop(self) -> None:
        """Serve until stopped; once a second uvicorn brings its Date header up to date."""
        self._loop = asyncio.get_running_loop()
        self.is_up.set()
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), 1.0)


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    # The explicit protocol matters: asyncio sets TCP_NODELAY only on sockets that name TCP; without it each answer on a
    # kept connection waits some 40 ms.
    listener = socket.socket(family, kind, protocol)
    try:
        if hasattr(socket, "SO_REUSEPORT"):  # POSIX; on Windows SO_REUSEADDR would let two servers share a port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
