"""A server that answers every request with bytes given by the test, complete or truncated."""

import socket
import ssl
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self


class RawServer:
    """Serves until it is closed, one request per connection.

    Attributes:
        answer: Pieces that are sent before the connection is closed.
        requests: The head of every request.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.answer: Iterable[bytes] = []
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self._socket.getsockname()[1]}"

    def say(self, body: bytes, *, head: str = "HTTP/1.1 200 OK", cut: int | None = None, **headers: str) -> None:
        """Answer with this body from now on; with ``cut``, send only that many of the announced bytes."""
        named = {"Content-Length": str(len(body)), "Connection": "close"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [head, *(f"{name}: {value}" for name, value in named.items()), "", ""]
        self.answer = ["\r\n".join(lines).encode(), body[:cut]]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                try:
                    self._answer(
                        connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True)
                    )
                except OSError:
                    continue  # the client closed the connection

    def _answer(self, connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = connection.recv(65536)
            if not chunk:
                return
            received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        self.requests.append(head)
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += connection.recv(65536)
        for piece in self.answer:
            connection.sendall(piece)
