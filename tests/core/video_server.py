"""A web server that serves one video at every path and counts requests; its validators can be changed."""

import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.loopback_server import LoopbackServer


class VideoServer(LoopbackServer):
    """Serves until it is closed.

    Attributes:
        video: The served file.
        etag: ETag of the responses, or None.
        may_send: Set unless responses to GET have to wait.
        head_status: Status of responses to HEAD.
        get_status: Status of responses to GET.
        redirect: Target of redirects; None serves the video.
        has_ranges: Whether GET requests for a range are answered with it.
        requests: (method, path with query, headers) of every request.
    """

    def __init__(self, video_path: Path) -> None:
        self.video_path = video_path
        self.etag: str | None = '"one"'
        self.may_send = threading.Event()
        self.may_send.set()
        self.head_status = 200
        self.get_status = 200
        self.redirect: str | None = None
        self.has_ranges = False
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        super().__init__(self._handler())

    def url(self, rest: str = "video.mp4") -> str:
        """Return a URL of the video."""
        return f"{self.origin}/{rest}"

    def count(self, method: str) -> int:
        """Return the number of requests with a method."""
        return sum(request[0] == method for request in self.requests)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.may_send.wait(60.0)
                data = server.video_path.read_bytes()
                if server.has_ranges and "Range" in self.headers:
                    self._answer(206, *part_of(data, self.headers["Range"]))
                else:
                    self._answer(server.get_status, data)

            def do_HEAD(self) -> None:
                self._answer(server.head_status, b"")

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                self._answer(200, b"{}")

            def do_DELETE(self) -> None:
                self._answer(204, b"")

            def _answer(self, status: int, body: bytes, content_range: str | None = None) -> None:
                server.requests.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
                self.send_response(status if server.redirect is None else 307)
                headers = {"Location": server.redirect, "ETag": server.etag, "Content-Range": content_range}
                for name, value in headers.items():
                    if value is not None:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


def part_of(data: bytes, wanted: str) -> tuple[bytes, str]:
    """Return the part that a Range header names, and the Content-Range of the response."""
    first, last = map(int, wanted.removeprefix("bytes=").split("-"))
    part = data[first : last + 1]
    return part, f"bytes {first}-{first + len(part) - 1}/{len(data)}"
