"""Measures the CPU time of importing `TwelveLabsEmbeddings`, against its dependencies and the official SDK.

Each import runs in a fresh interpreter, several times; the medians are compared.
"""

import resource
import statistics
import subprocess
import sys

RUNS = 7
RATIO_MAX = 1.3
BASE = (
    "import httpx, pydantic; from langchain_core.embeddings import Embeddings; "
    "from langchain_core.documents import Document"
)
WAYS = {
    "base (httpx, pydantic, langchain_core)": BASE,
    "TwelveLabsEmbeddings": "from langchain_twelvelabs import TwelveLabsEmbeddings",
    "TwelveLabsEmbeddings, constructed": (
        "from langchain_twelvelabs import TwelveLabsEmbeddings; "
        "TwelveLabsEmbeddings(api_key='tlk_sandbox_x', base_url='http://127.0.0.1:9/v1.3')"
    ),
    "official SDK": "from twelvelabs import TwelveLabs",
}


def cpu_seconds(code: str) -> float:
    """Return the CPU seconds of a fresh interpreter that runs the code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    seconds = {name: [cpu_seconds(code) for _ in range(RUNS)] for name, code in WAYS.items()}
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    base = next(iter(medians.values()))
    for name, median in medians.items():
        print(f"{name:<42}{median:>7.2f} s CPU{median / base:>7.2f} x base")
    if medians["TwelveLabsEmbeddings"] > RATIO_MAX * base:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
