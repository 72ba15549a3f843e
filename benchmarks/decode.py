"""Measures reading the result of a long video: this package against whole-body JSON parsers and the official SDK.

    python benchmarks/decode.py [--megabytes 46 138] [--digits 9] [--runs 3] [--base FOLDER]

46 MB are four hours of video in clips of six seconds, three vectors of 512 values per clip; 138 MB are three options in
clips of two seconds. Every measurement runs in a fresh interpreter, after its imports and one small response; the
methods alternate, and medians are shown. All must give the same float32 matrix. The SDK runs once, since it is slow.
`--base` also measures another checkout of this package, for a comparison of two versions.
"""

import argparse
import hashlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_api import peak_mib, run_fresh

CHUNK_BYTES = 64 * 1024
DIMENSION = 512
OPTIONS = ("visual", "audio", "transcription")
CLIP_SEC = 6.0
OURS, OURS_WITHOUT, BASE, SDK = "twelvelabs_core", "  without orjson", "  other checkout", "official SDK"
METHODS = (OURS, OURS_WITHOUT, BASE, "orjson + numpy", "orjson to lists", "json to lists", SDK)


def main() -> None:
    """Make the bodies, measure every method on each, print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, nargs="+", default=[46, 138], help="sizes (default: 46 138)")
    parser.add_argument("--digits", type=int, default=9, help="decimals of a value, 1 to 17 (default: 9)")
    parser.add_argument("--runs", type=int, default=3, help="measurements of each method but the SDK (default: 3)")
    parser.add_argument("--base", metavar="FOLDER", help="another checkout to measure (default: none)")
    parser.add_argument("--measure", nargs=2, metavar=("METHOD", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--make", metavar="FILE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make:
        write_body(Path(arguments.make), arguments.megabytes[0], arguments.digits)
    elif arguments.measure:
        method, path = arguments.measure
        print(json.dumps(measure(method, Path(path))))
    else:
        for megabytes in arguments.megabytes:
            compare(megabytes, arguments)


def compare(megabytes: float, arguments: argparse.Namespace) -> None:
    """Alternate the methods, each run in its own interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "task.json"
        # In another process: a child process inherits the peak memory of its parent.
        run_self("--make", str(path), "--megabytes", str(megabytes), "--digits", str(arguments.digits))
        print(f"A task result of {path.stat().st_size / 1e6:.1f} MB, {arguments.digits} decimals a value", flush=True)
        results: dict[str, list[dict[str, Any]]] = {}
        for number in range(max(1, arguments.runs)):
            for method in METHODS:
                if (method != SDK or number == 0) and (method != BASE or arguments.base):
                    checkout = arguments.base if method == BASE else None
                    measured = json.loads(run_self("--measure", method, str(path), checkout=checkout))
                    results.setdefault(method, []).append(measured)
    if len({result["digest"] for runs in results.values() for result in runs}) != 1:
        raise SystemExit("The methods do not agree on the vectors.")
    print_table(results)


def print_table(results: dict[str, list[dict[str, Any]]]) -> None:
    """Print medians, and the CPU time and memory of each method as multiples of this package's."""
    cpu = {method: statistics.median(run["cpu_sec"] for run in runs) for method, runs in results.items()}
    peak = {method: statistics.median(run["peak_mib"] for run in runs) for method, runs in results.items()}
    print(f"{'':18}{'CPU s':>9}{'x ours':>9}{'peak MiB':>11}{'x ours':>9}{'x matrix':>10}   (peak above imports)")
    for method, runs in results.items():
        ratios = cpu[method] / cpu[OURS], peak[method] / max(peak[OURS], 0.1), peak[method] / runs[0]["matrix_mib"]
        print(f"{method:18}{cpu[method]:9.3f}{ratios[0]:9.2f}{peak[method]:11.1f}{ratios[1]:9.2f}{ratios[2]:10.2f}")
    print("Every method gave the same float32 matrix.")


def run_self(*arguments: str, checkout: str | None = None) -> str:
    """Run this file in a fresh interpreter, with the packages of a checkout if given, and return its output."""
    return run_fresh(__file__, *arguments, checkout=checkout)


def measure(method: str, path: Path) -> dict[str, Any]:
    """Return CPU seconds and peak memory of reading the file, and a digest of the matrix."""
    if method == OURS_WITHOUT:
        sys.modules["orjson"] = None  # type: ignore[assignment]  # importing it fails, as if it were not installed
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

    import numpy as np  # noqa: PLC0415  # the parent process stays small

    matrix = np.asarray(vectors(), dtype=np.float32)
    digest = hashlib.sha256(matrix.tobytes()).hexdigest()
    return {"cpu_sec": cpu_sec, "peak_mib": peak, "matrix_mib": matrix.nbytes / 1024**2, "digest": digest}


Reader = Callable[[Path], Callable[[], Any]]


def reader(method: str) -> Reader:
    """Return the function that reads a file; its result returns the vectors, outside of the measurement."""
    return {
        OURS: read_with_ours,
        OURS_WITHOUT: read_with_ours,
        BASE: read_with_ours,
        "orjson + numpy": read_into_numpy,
        "orjson to lists": read_with_orjson,
        "json to lists": read_with_json,
        SDK: read_with_sdk,
    }[method]


def read_with_ours(path: Path) -> Callable[[], Any]:
    """Feed the file in chunks, as from a socket."""
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


def read_into_numpy(path: Path) -> Callable[[], Any]:
    """Read the body whole, and convert its lists to a matrix."""
    import numpy as np  # noqa: PLC0415
    import orjson  # noqa: PLC0415

    body = orjson.loads(path.read_bytes())
    matrix = np.array([row["embedding"] for row in body["data"]], dtype=np.float32)
    return lambda: matrix


def read_with_orjson(path: Path) -> Callable[[], Any]:
    """Read the body whole, into lists of Python floats, without a matrix."""
    import orjson  # noqa: PLC0415

    body = orjson.loads(path.read_bytes())
    return lambda: [row["embedding"] for row in body["data"]]


def read_with_json(path: Path) -> Callable[[], Any]:
    """Do the same with the standard library."""
    body = json.loads(path.read_bytes())
    return lambda: [row["embedding"] for row in body["data"]]


def read_with_sdk(path: Path) -> Callable[[], Any]:
    """Call the SDK as a user does; its transport responds with the file."""
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
            position = {"embedding_scope": "clip", "start_sec": clip * CLIP_SEC, "end_sec": (clip + 1) * CLIP_SEC}
            rows = [
                json.dumps({"embedding": vector, "embedding_option": option} | position, separators=(",", ":"))
                for vector, option in zip(np.round(vectors, digits).tolist(), OPTIONS, strict=True)
            ]
            file.write(("," if clip else "") + ",".join(rows))
            clip += 1
        file.write("]}")


if __name__ == "__main__":
    main()
