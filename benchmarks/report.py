"""Runs the main measurements side by side, and writes `RESULTS.md` and plots beside this file; under ten minutes.

Each way and its peer alternate, so that a busy machine slows both; ratios are of one repeat, and the median, least and
greatest are written. The other scripts of this folder measure one thing each in more detail.

    python benchmarks/report.py [--repeats 3]
"""

import argparse
import asyncio
import json
import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import decode
import growth
import references
import startup
import texts
import videos
from local_api import serve

HERE = Path(__file__).parent
TEXTS = 1_200
DELAY_SEC = 0.05
VIDEOS = 100
REFERENCES = 20_000
STORED = 1_000_000
MEGABYTES = 46


@dataclass(frozen=True)
class Row:
    """One comparison: the measure of ours and of the peer in each repeat, and the goal for their ratio."""

    what: str
    unit: str
    ours: list[float]
    peer_name: str
    peer: list[float]
    goal: str

    @property
    def ratios(self) -> list[float]:
        """Ours over the peer, in each repeat."""
        return [own / other for own, other in zip(self.ours, self.peer, strict=True)]


def measured(run: Callable[[], None]) -> tuple[float, float]:
    """Return texts a second, and milliseconds of CPU a text."""
    before, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    run()
    wall, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return TEXTS / wall, cpu / TEXTS * 1000


def text_rows(repeats: int) -> Iterator[Row]:
    """Compare texts with plain httpx, in threads and on asyncio."""
    words = [f"a red car number {number}" for number in range(TEXTS)]
    with serve(DELAY_SEC) as address:
        texts.ours(["warm"], address, 1)
        sync: dict[int, list[tuple[tuple[float, float], tuple[float, float]]]] = {}
        for size in (32, 64):
            ways: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
                "Client, httpx in threads": (
                    lambda size=size: texts.ours(words, address, size),
                    lambda size=size: texts.plain(words, address, size),
                ),
                "AsyncClient, httpx on asyncio": (
                    lambda size=size: asyncio.run(texts.ours_async(words, address, size)),
                    lambda size=size: asyncio.run(texts.plain_async(words, address, size)),
                ),
            }
            for name, (own, other) in ways.items():
                client, _, peer = name.partition(", ")
                pairs = [(measured(own), measured(other)) for _ in range(repeats)]
                if client == "Client":
                    sync[size] = pairs
                what = f"{TEXTS} texts, {size} at once, {client}"
                for which, unit, goal in ((0, "texts/s", ">= 0.97"), (1, "ms CPU a text", "<= 1.2")):
                    ours, others = ([pair[side][which] for pair in pairs] for side in (0, 1))
                    yield Row(f"{what}: {'CPU' if which else 'rate'}", unit, ours, peer, others, goal)
    best = max(statistics.median(other[0] for _, other in pairs) for pairs in sync.values())
    ours = [own[0] for own, _ in sync[64]]
    yield Row(
        f"{TEXTS} texts, 64 at once, Client: rate",
        "texts/s",
        ours,
        "httpx in threads, at 32 or 64",
        [best] * repeats,
        ">= 0.95",
    )


def video_rows(repeats: int) -> Iterator[Row]:
    """Compare videos by URL with the same by hand."""
    found = videos.measure(VIDEOS, repeats)
    hand = [cpu for cpu, _ in found["by hand"]]
    for way in videos.WAYS[1:]:
        goal = "<= 2" if way.endswith("new") else "<= 4 ms"
        ours = [cpu for cpu, _ in found[way]]
        yield Row(f"{VIDEOS} videos of 20 segments, {way}", "ms CPU a video", ours, "by hand, no journal", hand, goal)


def reference_rows(repeats: int) -> Iterator[Row]:
    """Compare references with the lists of floats that the frameworks ask for."""
    found = references.measure(REFERENCES, repeats)
    floor = found.pop("only lists of floats")
    for way, rates in found.items():
        yield Row(
            f"{REFERENCES} references, {way}", "texts/s of CPU", rates, "matrix.tolist() alone", floor, "30000 texts/s"
        )


def decode_rows(repeats: int) -> Iterator[Row]:
    """Compare the result of a long video with whole-body parsers."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "task.json"))
        decode.run_self("--make", path, "--megabytes", str(MEGABYTES))
        peers = {"orjson + numpy": "<= 1", decode.SDK: "<= 0.03"}
        found: dict[str, list[dict[str, float]]] = {}
        for _ in range(repeats):
            for method in (decode.OURS, *peers):
                if method != decode.SDK or method not in found:  # it takes half a minute
                    found.setdefault(method, []).append(json.loads(decode.run_self("--measure", method, path)))
        for peer, goal in peers.items():
            theirs = (found[peer] * repeats)[:repeats]
            ours, others = ([run["cpu_sec"] for run in runs] for runs in (found[decode.OURS], theirs))
            yield Row(f"result of {MEGABYTES} MB", "s CPU", ours, peer, others, goal)


def growth_rows(_: int) -> Iterator[Row]:
    """Compare the cost of large work with that of little; and the pauses of the event loop with their limit."""
    seen: set[str] = set()
    for what, unit, size, cost, first in growth.rows(STORED):
        if what in seen:  # the first is the smallest size itself
            yield Row(f"{what}: {size:,}", unit, [cost], "the smallest size", [first], "<= 1.15")
        seen.add(what)
    pauses = growth.loop_pauses()
    yield Row("pause of the event loop, 138 MB arrive, p99", "ms", [pauses["p99"]], "limit", [50.0], "<= 1")


def startup_rows(repeats: int) -> Iterator[Row]:
    """Compare the import of an adapter with that of what it stands on."""
    base, adapter = list(startup.WAYS.values())[:2]
    pairs = [(startup.cpu_seconds(adapter), startup.cpu_seconds(base)) for _ in range(repeats + 2)]
    ours, others = ([pair[side] for pair in pairs] for side in (0, 1))
    yield Row("import langchain_twelvelabs", "s CPU", ours, "its base", others, "<= 1.3")


SECTIONS = {
    "texts": text_rows,
    "videos": video_rows,
    "references": reference_rows,
    "results": decode_rows,
    "startup": startup_rows,
    "growth": growth_rows,
}


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | ours | peer | ratio (least to greatest) | goal |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        own, other, ratio = (statistics.median(values) for values in (row.ours, row.peer, row.ratios))
        spread, peer = f"{min(row.ratios):.2f} to {max(row.ratios):.2f}", f"{row.peer_name}: {other:.4g}"
        lines.append(f"| {row.what} | {own:.4g} {row.unit} | {peer} | {ratio:.2f} ({spread}) | {row.goal} |")
    return "\n".join(lines)


def plot(name: str, rows: list[Row]) -> bool:
    """Draw the ratios of a section, if matplotlib is installed; return whether it is."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  # optional
    except ImportError:
        return False
    figure = Figure(figsize=(9, 1.2 + 0.45 * len(rows)), layout="constrained")
    axes = figure.subplots()
    labels = [f"{row.what} ({row.unit})\nvs {row.peer_name}" for row in rows]
    medians = [statistics.median(row.ratios) for row in rows]
    errors = [
        [median - min(row.ratios) for median, row in zip(medians, rows, strict=True)],
        [max(row.ratios) - median for median, row in zip(medians, rows, strict=True)],
    ]
    axes.barh(labels, medians, xerr=errors, color="#4c72b0")
    axes.axvline(1.0, color="black", linewidth=1)
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=7)
    axes.set_xlabel("ours / peer, median with least and greatest")
    figure.savefig(HERE / f"RESULTS-{name}.png", dpi=110)
    return True


def main() -> None:
    """Measure every section, print it, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    began = time.perf_counter()
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start"
    head = "Written by `benchmarks/report.py`. A ratio is ours over the peer, both measured in the same repeat."
    parts = [f"# Results of `make bench`\n\n{head} {machine}.\n"]
    for name, measure in SECTIONS.items():
        rows = list(measure(repeats))
        print(f"== {name}\n{table(rows)}", flush=True)
        picture = f"\n![{name}](RESULTS-{name}.png)\n" if plot(name, rows) else ""
        parts.append(f"## {name.capitalize()}\n\n{table(rows)}\n{picture}")
    (HERE / "RESULTS.md").write_text("\n".join(parts))
    print(f"{time.perf_counter() - began:.0f} s; written to {HERE / 'RESULTS.md'}")


if __name__ == "__main__":
    main()
