"""Measures the upload of a large file in chunks, to a sandbox in another process, against the official SDK.

Each upload runs in a fresh interpreter, whose peak memory is measured relative to the memory after its imports. The SDK
copies the file into chunks on disk, so it gets a small file; both are measured with that one, then ours with the large
one (a sparse file: a video for the clients, nearly nothing for the disk). Last, the large one under faults: two
chunks fail, one URL is refused as expired, and the process is killed half-way; a second one sends what is missing.
"""

import argparse
import asyncio
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from twelvelabs_core import Progress

KEY = "tlk_sandbox_benchmark"
MIB = 2**20
WAYS = ("Client", "AsyncClient", "SDK")
PEAK_MAX_MIB = 150


def serve() -> tuple[subprocess.Popen[str], str]:
    """Start a sandbox; return it and its base URL."""
    server = subprocess.Popen(
        [sys.executable, "-m", "twelvelabs_sandbox", "--port", "0", "--api-key", KEY], stdout=subprocess.PIPE, text=True
    )
    lines = iter(server.stdout or [])
    return server, next(line.split("=", 1)[1].strip() for line in lines if "TWELVELABS_BASE_URL=" in line)


def write_file(path: Path, size: int) -> None:
    """Write a sparse file whose chunks differ: a few random bytes every MiB, zeros between."""
    with path.open("wb") as file:
        for start in range(0, size, MIB):
            file.seek(start)
            file.write(os.urandom(64))
        file.truncate(size)


def peak_mib() -> float:
    """Return the most memory that this process has taken so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (MIB if sys.platform == "darwin" else 1024)


def killed_at(count: int) -> "Callable[[Progress], None] | None":
    """Return a callback that kills this process after `count` bytes have been sent; None for 0."""

    def kill(step: "Progress") -> None:
        if step.done >= count:
            os.kill(os.getpid(), signal.SIGKILL)

    return kill if count else None


def upload_by(way: str, path: str, store: str, kill_at: int) -> Callable[[], str]:
    """Import a client and return a function that uploads with it and returns the asset id."""
    if way == "SDK":
        from twelvelabs import TwelveLabs  # noqa: PLC0415  # each way pays for its own imports

        sdk = TwelveLabs(api_key=KEY, base_url=os.environ["TWELVELABS_BASE_URL"])
        wrapped: Any = sdk.multipart_upload  # its own types do not know of this method
        return lambda: str(wrapped.upload_file(path, file_type="video").asset_id)

    from twelvelabs_core import AsyncClient, Client  # noqa: PLC0415

    options: dict[str, Any] = {"method": "multipart", "asset_type": "video", "on_progress": killed_at(kill_at)}
    if way == "Client":
        return lambda: Client(store=store).assets.create(path, **options).id

    async def run() -> str:
        async with AsyncClient(store=store) as client:
            return (await client.assets.create(path, **options)).id

    return lambda: asyncio.run(run())


def work(way: str, path: str, store: str, kill_at: str) -> None:
    """Upload once, and print the time and memory as JSON."""
    upload = upload_by(way, path, store, int(kill_at))
    before, started, cpu = peak_mib(), time.perf_counter(), time.process_time()
    asset_id = upload()
    figures = {"wall": time.perf_counter() - started, "cpu": time.process_time() - cpu, "peak": peak_mib() - before}
    print(json.dumps({"asset_id": asset_id, **figures}))


def start(way: str, path: Path, store: Path, base_url: str, kill_at: int = 0) -> str | None:
    """Upload in a fresh interpreter; return its output, or None if it was killed on purpose."""
    done = subprocess.run(
        [sys.executable, __file__, "--work", way, str(path), str(store), str(kill_at)],
        env={**os.environ, "TWELVELABS_API_KEY": KEY, "TWELVELABS_BASE_URL": base_url},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if kill_at and done.returncode == -signal.SIGKILL:
        return None
    done.check_returncode()
    return done.stdout.splitlines()[-1]


def measure(way: str, path: Path, store: Path, base_url: str) -> dict[str, float]:
    """Upload, verify that the sandbox has the same bytes, and print a row."""
    figures = json.loads(start(way, path, store, base_url) or "")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if control(base_url, "GET", f"/assets/{figures.pop('asset_id')}")["sha256"] != digest:
        raise SystemExit(f"{way}: the sandbox has other bytes than {path}")
    size = path.stat().st_size / MIB
    print(
        f"{way:<14}{size:>7.0f} MiB{figures['wall']:>9.2f} s{size / figures['wall']:>8.0f} MiB/s"
        f"{figures['cpu']:>8.2f} s CPU{figures['peak']:>8.1f} MiB peak above import",
        flush=True,
    )
    return dict(figures)


def under_faults(way: str, path: Path, store: Path, base_url: str) -> float:
    """Upload under faults and a kill; verify that the second process sends only missing chunks; return its peak."""
    parts = "/uploads/{upload_id}/parts/{chunk_index}"
    faults = [{"path": parts, "status": 500, "skip": 5, "times": 2}, {"path": parts, "status": 403, "skip": 9}]
    control(base_url, "POST", "/faults", faults)
    control(base_url, "DELETE", "/requests")
    if start(way, path, store, base_url, kill_at=path.stat().st_size // 2) is not None:
        raise SystemExit(f"{way}: was not killed")
    requests = control(base_url, "GET", "/requests")["requests"]
    failed = sum(request["template"] == parts and request["status"] in (403, 500) for request in requests)
    reports = [r for r in requests if r["template"].endswith("/{upload_id}") and r["method"] == "POST"]
    session = reports[-1]["path"]
    there = api(base_url, session)
    total = there["chunks_completed"] + there["chunks_pending"] + there["chunks_failed"]
    control(base_url, "DELETE", "/requests")
    figures = measure(way, path, store, base_url)
    sent = control(base_url, "GET", "/requests")["counts"].get(f"PUT {parts}", 0)
    print(
        f"{way:<14}{total} chunks: {failed} failed, {there['chunks_completed']} done before the kill, {sent} sent after"
    )
    if sent != total - there["chunks_completed"]:
        raise SystemExit(f"{way}: sent {sent} chunks where {total - there['chunks_completed']} were missing")
    return figures["peak"]


def control(base_url: str, method: str, path: str, body: Any = None) -> Any:
    """Call one of the sandbox's control endpoints."""
    url = f"{base_url.removesuffix('/v1.3')}/_sandbox{path}"
    answer = httpx.request(method, url, json=body, headers={"x-api-key": KEY}, timeout=600, trust_env=False)
    return answer.raise_for_status().json() if answer.content else None


def api(base_url: str, path: str) -> Any:
    """Call the API."""
    return httpx.get(base_url + path, headers={"x-api-key": KEY}, trust_env=False).raise_for_status().json()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=0.5, help="size of the large file (default 0.5)")
    parser.add_argument("--small-megabytes", type=int, default=100, help="size of the file for the SDK (default 100)")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(*options.work)
        return
    server, base_url = serve()
    try:
        with tempfile.TemporaryDirectory() as folder:
            report(options, Path(folder), base_url)
    finally:
        server.terminate()
        server.wait(30)


def report(options: argparse.Namespace, folder: Path, base_url: str) -> None:
    """Measure every way with the small file, ours with the large one; print the ratios."""
    small, large = folder / "small.mp4", folder / "large.mp4"
    write_file(small, options.small_megabytes * MIB)
    write_file(large, int(options.gigabytes * 1024) * MIB)
    by_way = {way: measure(way, small, folder / f"{way}-small.sqlite3", base_url) for way in WAYS}
    ratio = by_way["SDK"]["wall"] / by_way["Client"]["wall"]
    print(f"ratio to the SDK, the same {options.small_megabytes} MiB: {ratio:.1f}x the speed, no copy on the disk")
    peaks = [measure(way, large, folder / f"{way}-large.sqlite3", base_url)["peak"] for way in WAYS[:2]]
    peaks += [under_faults(way, large, folder / f"{way}-faults.sqlite3", base_url) for way in WAYS[:2]]
    print(f"highest peak above import: {max(peaks):.1f} MiB (limit {PEAK_MAX_MIB})")
    if max(peaks) > PEAK_MAX_MIB:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
