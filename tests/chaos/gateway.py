"""A TCP gateway in front of the sandbox that can be interrupted: connections break and new ones are refused."""

import contextlib
import socket
import threading
import time
from typing import Self

BUFFER_BYTES = 65536


class Gateway:
    """Passes bytes between its own port and another, until it is closed."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = _listen(0)
        self.port = int(self._listener.getsockname()[1])
        self._accepting = self._accept_on(self._listener)

    def interrupt_for(self, seconds: float) -> None:
        """Break every connection and refuse new ones for a while."""
        self._shut()
        time.sleep(seconds)
        self._listener = _listen(self.port)
        self._accepting = self._accept_on(self._listener)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._shut()

    def _shut(self) -> None:
        # Shutdown wakes the accepting thread; closing alone would leave it blocked and the port in use.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _accept_on(self, listener: socket.socket) -> threading.Thread:
        thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
        thread.start()
        return thread

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            self._join(client, server)

    def _join(self, client: socket.socket, server: socket.socket) -> None:
        ends = [2]
        with self._lock:
            self._open |= {client, server}
        for source, target in ((client, server), (server, client)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._pump, args=(source, target, ends), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, ends: list[int]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(BUFFER_BYTES):
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        with self._lock:
            ends[0] -= 1
            if not ends[0]:
                self._open -= {source, target}
                source.close()
                target.close()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for _ in range(100):
        try:
            listener.bind(("127.0.0.1", port))
            break
        except OSError:
            time.sleep(0.05)  # a broken connection still holds the port
    listener.listen(128)
    return listener
