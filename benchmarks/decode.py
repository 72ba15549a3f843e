"""Read the result of a long video: this package against the official SDK and two JSON parsers.

    python benchmarks/decode.py [--megabytes 46] [--digits 9] [--runs 3]

46 MB is four hours of video in clips of six seconds, three vectors of 512 values a clip. Every measurement runs in a
fresh interpreter, after its imports and one tiny answer; the methods take turns and the median counts. All must give
the same float32 matrix. The SDK runs once, it takes its time.
"""

import argparse
import hashlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHUNK_BYTES = 64 * 1024
DIMENSION = 512
OPTIONS = ("visual", "audio", "transcription")
CLIP_SEC = 6.0
OURS, SDK = "twelvelabs_core", "official SDK"
METHODS = (OURS, "orjson to lists", "json to lists", SDK)


def main() -> None:
    """Make a body, measure every method on it, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=46, help="size of the body (default: 46)")
    parser.add_argument("--digits", type=int, default=9, help="decimals of a value, 1 to 17 (default: 9)")
    parser.add_argument("--runs", type=int, default=3, help="measurements of each method but the SDK (default: 3)")
    parser.add_argument("--measure", nargs=2, metavar=("METHOD", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--make", metavar="FILE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make:
        write_body(Path(arguments.make), arguments.megabytes, arguments.digits)
    elif arguments.measure:
        method, path = arguments.measure
        print(json.dumps(measure(method, Path(path))))
    else:
        compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    """Run the methods in turn, each in its own interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "task.json"
        # Made in a process of its own too: a child inherits the peak memory of the process that starts it.
        size = ["--megabytes", str(arguments.megabytes), "--digits", str(arguments.digits)]
        run_self("--make", str(path), *size)
        print(f"A task result of {path.stat().st_size / 1e6:.1f} MB, {arguments.digits} decimals a value", flush=True)
        results: dict[str, list[dict[str, Any]]] = {method: [] for method in METHODS}
        for turn in range(max(1, arguments.runs)):
            for method in METHODS:
                if method != SDK or turn == 0:
                    results[method].append(json.loads(run_self("--measure", method, str(path))))
    if len({result["digest"] for runs in results.values() for result in runs}) != 1:
        raise SystemExit("The methods do not agree on the vectors.")
    print_table(results)


def print_table(results: dict[str, list[dict[str, Any]]]) -> None:
    """Print medians, and how many times the CPU and memory of this package the others take."""
    cpu = {method: statistics.median(run["cpu_sec"] for run in runs) for method, runs in results.items()}
    peak = {method: statistics.median(run["peak_mib"] for run in runs) for method, runs in results.items()}
    print(f"{'':18}{'CPU s':>9}{'x ours':>9}{'peak MiB':>11}{'x ours':>9}   (peak above imports)")
    for method in METHODS:
        ratios = cpu[method] / cpu[OURS], peak[method] / max(peak[OURS], 0.1)
        print(f"{method:18}{cpu[method]:9.3f}{ratios[0]:9.1f}{peak[method]:11.1f}{ratios[1]:9.1f}")
    print("Every method gave the same float32 matrix.")


def run_self(*arguments: str) -> str:
    """Run this file in a fresh interpreter and return what it prints."""
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=900).stdout


def measure(method: str, path: Path) -> dict[str, Any]:
    """Return CPU seconds and peak memory of reading the file, and a digest of the matrix."""
    read = reader(method)
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.json"
        write_body(small, 0.01, 9)
        read(small)
    before = peak_mib()
    start = time.process_time()
    vectors = read(path)
    cpu_sec = time.process_time() - start
    peak = peak_mib() - before

    import numpy as np  # noqa: PLC0415  # the process that compares stays small

    matrix = np.asarray(vectors(), dtype=np.float32)
    return {"cpu_sec": cpu_sec, "peak_mib": peak, "digest": hashlib.sha256(matrix.tobytes()).hexdigest()}


def peak_mib() -> float:
    """Return the largest memory so far, in MiB; the unit of the system's figure differs."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024


Reader = Callable[[Path], Callable[[], Any]]


def reader(method: str) -> Reader:
    """Return the function that reads a file; what that returns gives the vectors, outside of the measurement."""
    return {
        OURS: read_with_ours,
        "orjson to lists": read_with_orjson,
        "json to lists": read_with_json,
        SDK: read_with_sdk,
    }[method]


def read_with_ours(path: Path) -> Callable[[], Any]:
    """Feed the file in chunks as they would arrive."""
    from twelvelabs_core.results.decode import VectorSplitter  # noqa: PLC0415
    from twelvelabs_core.results.responses import parse_task  # noqa: PLC0415

    splitter = VectorSplitter()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            splitter.feed(chunk)
    segments = parse_task(splitter.finish()).segments
    if segments is None:
        raise SystemExit("The task has no segments.")
    return lambda: segments.vectors


def read_with_orjson(path: Path) -> Callable[[], Any]:
    """Read the body whole, into lists of Python floats."""
    import orjson  # noqa: PLC0415

    body = orjson.loads(path.read_bytes())
    return lambda: [row["embedding"] for row in body["data"]]


def read_with_json(path: Path) -> Callable[[], Any]:
    """Do the same with the standard library."""
    body = json.loads(path.read_bytes())
    return lambda: [row["embedding"] for row in body["data"]]


def read_with_sdk(path: Path) -> Callable[[], Any]:
    """Call the SDK as a user does; its transport answers with the file."""
    import httpx  # noqa: PLC0415
    from twelvelabs import TwelveLabs  # noqa: PLC0415

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=path.read_bytes()))
    with httpx.Client(transport=transport) as http:
        task = TwelveLabs(api_key="none", httpx_client=http).embed.v_2.tasks.retrieve("64f8d2c7e4a1b37f8a9c5d12")
    return lambda: [row.embedding for row in task.data or ()]


def write_body(path: Path, megabytes: float, digits: int) -> None:
    """Write a task result of about that size, of unit vectors, clip by clip in the order of `Segments`."""
    import numpy as np  # noqa: PLC0415

    random = np.random.default_rng(1)
    head = {"_id": "64f8d2c7e4a1b37f8a9c5d12", "status": "ready", "created_at": "2026-01-02T03:04:05.678Z"}
    media = {"input_type": "video", "embedding_options": OPTIONS, "embedding_scopes": ["clip"], "duration": 14400.0}
    with path.open("w") as file:
        file.write(json.dumps(head | {"metadata": media}, separators=(",", ":"))[:-1] + ',"data":[')
        clip = 0
        while file.tell() < megabytes * 1e6:
            vectors = random.standard_normal((len(OPTIONS), DIMENSION))
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            place = {"embedding_scope": "clip", "start_sec": clip * CLIP_SEC, "end_sec": (clip + 1) * CLIP_SEC}
            rows = [
                json.dumps({"embedding": vector, "embedding_option": option} | place, separators=(",", ":"))
                for vector, option in zip(np.round(vectors, digits).tolist(), OPTIONS, strict=True)
            ]
            file.write(("," if clip else "") + ",".join(rows))
            clip += 1
        file.write("]}")


if __name__ == "__main__":
    main()
