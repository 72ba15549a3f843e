"""A small API server for benchmarks, in its own process: it answers at once, so that the client is measured.

Texts take `--delay` seconds. A task is ready when it is first retrieved, with twenty segments, or as many as the
parameter `segments` of its URL says.

    python benchmarks/local_api.py [--delay 0.05]
"""

import argparse
import asyncio
import json
import os
import random
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEY = "tlk_sandbox_benchmark"  # the prefix keeps its vectors apart from those of the real API
DIMENSION = 512
SEGMENTS = 20
DATE = "2026-01-01T12:00:00Z"
MEDIA_BYTES = 1_000_000


def run_fresh(script: str, *arguments: str, checkout: str | None = None) -> str:
    """Run a script in a fresh interpreter, with the packages of a checkout if given, and return its output."""
    command = [sys.executable, script, *arguments]
    environment = {**os.environ, "PYTHONPATH": checkout} if checkout else None
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=900, env=environment).stdout


def peak_mib() -> float:
    """Return the largest memory of this process so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: `getrusage` begins with the peak of the parent there
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024


@contextmanager
def serve(delay: float = 0.0) -> Iterator[str]:
    """Run the server for as long as the block runs; yield its address, without a path."""
    command = [sys.executable, __file__, "--delay", str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield (server.stdout or sys.stdin).readline().strip()
        finally:
            server.kill()


def vector() -> list[float]:
    """Return random values with the seven decimals of the API."""
    return [round(random.uniform(-1, 1), 7) for _ in range(DIMENSION)]  # noqa: S311  # not a secret


def position(number: int) -> dict[str, object]:
    """Return one segment as the API sends it, without its vector."""
    times = {"start_sec": number * 6.0, "end_sec": number * 6.0 + 6.0}
    return {"embedding_option": "visual", "embedding_scope": "clip", **times}


def result(size: int) -> bytes:
    """Return the rest of a ready task with so many segments, of which each hundredth is made anew."""
    vectors = [json.dumps(vector()) for _ in range(min(size, 100))]
    rows = [f'{{"embedding": {vectors[number % 100]}, {json.dumps(position(number))[1:]}' for number in range(size)]
    duration = json.dumps({"duration": size * 6.0})
    return f', "metadata": {duration}, "data": [{", ".join(rows)}]}}'.encode()


class Api:
    """The answers, most of them made once."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.text = json.dumps({"data": [{"embedding": vector()}]}).encode()
        self.results = {SEGMENTS: result(SEGMENTS)}
        self.tasks: list[str] = []

    async def answer(self, method: str, path: str, sent: bytes) -> bytes:
        """Return the body of a response."""
        if path.endswith("/embed-v2"):
            await asyncio.sleep(self.delay)
            return self.text
        if path.endswith("/embed-v2/tasks"):
            if method == "GET":
                return self.listing()
            asked = re.search(rb"[?&]segments=(\d+)", sent)
            self.tasks.append(f"{int(asked[1]) if asked else SEGMENTS:08x}{len(self.tasks):016x}")
            return json.dumps({"_id": self.tasks[-1], "status": "processing", "data": None}).encode()
        task_id = path.rpartition("/")[2]
        size = int(task_id[:8], 16)
        if size not in self.results:
            self.results[size] = result(size)
        state = json.dumps({"_id": task_id, "status": "ready", "model_name": "marengo3.0"})
        return state[:-1].encode() + self.results[size]

    def listing(self) -> bytes:
        """Return the newest tasks, all ready."""
        known = {"status": "ready", "model_name": "marengo3.0", "created_at": DATE, "updated_at": DATE}
        page = {"limit_per_page": 50, "page": 1, "total_page": 1, "total_results": len(self.tasks), "total_duration": 0}
        return json.dumps({"data": [{"_id": one, **known} for one in self.tasks[:-51:-1]], "page_info": page}).encode()

    async def serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                method, path, _ = lines[0].split(" ")
                sizes = [int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")]
                sent = await reader.readexactly(sum(sizes))
                body = b"" if method == "HEAD" else await self.answer(method, path.partition("?")[0], sent)
                length = len(body) or MEDIA_BYTES
                head = f'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\netag: "1"\r\ncontent-length: {length}'
                writer.write(f"{head}\r\n\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that a text takes")
    api = Api(parser.parse_args().delay)
    server = await asyncio.start_server(api.serve_connection, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
