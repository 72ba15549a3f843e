"""A plain web server on loopback that serves a folder, and a few paths that fail."""

from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.loopback_server import LoopbackServer, Server

ENDLESS_PIECES = 40
PIECE = bytes(1_000_000)


class Handler(SimpleHTTPRequestHandler):
    """`/redirect/<name>` redirects to `/<name>`, `/loop` to itself, `/endless` sends 40 MB without a length, `/short`
    less than its declared length, `/status/<n>` responds with that status."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        match self.path.split("?")[0].strip("/").split("/"):
            case ["redirect", name]:
                self.answer(302, {"Location": f"/{name}"})
            case ["loop"]:
                self.answer(302, {"Location": "/loop"})
            case ["status", status]:
                self.answer(int(status), {})
            case ["short"]:
                self.answer(200, {"Content-Length": "1000"}, b"too little")
                self.close_connection = True
            case ["huge"]:
                self.answer(200, {"Content-Length": str(5 * 10**9)})
                self.close_connection = True
            case ["endless"]:
                self.answer(200, {"Connection": "close"})
                self.wfile.writelines(PIECE for _ in range(ENDLESS_PIECES))
            case _:
                super().do_GET()

    def answer(self, status: int, headers: dict[str, str], content: bytes = b"") -> None:
        self.send_response(status)
        if "Connection" not in headers:
            headers = {"Content-Length": str(len(content)), **headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


class QuietServer(Server):
    def handle_error(self, *_: Any) -> None:
        """Ignore clients that disconnect early, as some tests do."""


class FileServer(LoopbackServer):
    """Serves until it is closed; `url(name)` is the URL of a file."""

    def __init__(self, folder: Path) -> None:
        super().__init__(partial(Handler, directory=str(folder)), QuietServer)  # type: ignore[arg-type]  # a factory

    def url(self, name: str) -> str:
        return f"{self.origin}/{name}"
