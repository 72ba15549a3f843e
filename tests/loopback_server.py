"""A web server on loopback, the base of the servers that tests use."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Server(ThreadingHTTPServer):
    daemon_threads = True


class LoopbackServer:
    """Serves from `__enter__` to `__exit__`; subclasses define the handler and the URLs."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], server: type[Server] = Server) -> None:
        self._server = server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def origin(self) -> str:
        """The scheme, host and port of the server."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
