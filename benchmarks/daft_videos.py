"""Measures Daft against the plain loader: CPU and memory of many videos, and the rate of many texts.

Each figure is that of a fresh process, on the native runner, with a new segment store; the imports are not counted.
Both write their segments to nothing: the frame is read part by part, the loader document by document.

    DO_NOT_TRACK=1 python benchmarks/daft_videos.py [--videos 100 1000] [--texts 2000] [--repeats 3]
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Self

import daft
import numpy as np
from daft.functions import embed_text
from local_api import KEY, SEGMENTS, serve

from daft_twelvelabs import TwelveLabsProvider, embed_video
from langchain_twelvelabs import TwelveLabsEmbeddings, TwelveLabsVideoLoader

CONCURRENCY = 16
TEXT_DELAY = 0.05  # seconds of the server for one text


def rss() -> float:
    """Return the resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


class Meter:
    """CPU seconds, wall seconds and growth of the resident memory of a block, sampled every 20 ms."""

    def __enter__(self) -> Self:
        self._before, self.peak = rss(), 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        self.cpu, self.wall = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu, self.wall = time.process_time() - self.cpu, time.perf_counter() - self.wall
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(0.02):
            self.peak = max(self.peak, rss() - self._before)


def loader(address: str, urls: list[str], folder: Path) -> int:
    """Load the documents of videos with the plain loader; return their number."""
    embeddings = TwelveLabsEmbeddings(
        api_key=KEY, base_url=f"{address}/v1.3", segment_store=folder / "loader.sqlite3", max_concurrency=CONCURRENCY
    )
    return sum(1 for _ in TwelveLabsVideoLoader(urls, embeddings=embeddings, max_tasks=CONCURRENCY).lazy_load())


def in_daft(address: str, urls: list[str], folder: Path) -> int:
    """Embed videos in a data frame; return the number of segments."""
    provider = TwelveLabsProvider(
        KEY, base_url=f"{address}/v1.3", store=folder / "daft.sqlite3", max_concurrency=CONCURRENCY
    )
    column = embed_video(daft.col("url"), provider=provider, max_tasks=CONCURRENCY)
    parts = daft.from_pydict({"url": urls}).select(column.alias("video")).iter_partitions(results_buffer_size=1)
    return sum(
        part.to_arrow().column("video").combine_chunks().field("segments").value_lengths().sum().as_py()
        for part in parts
    )


def texts(address: str, ways: tuple[str, str], number: int, folder: Path) -> None:
    """Embed texts with the loader's embeddings and with Daft's `embed_text`; print both rates."""
    given = [f"a red car number {one}" for one in range(number)]
    options: dict[str, Any] = {"base_url": f"{address}/v1.3", "max_concurrency": CONCURRENCY}
    embeddings = TwelveLabsEmbeddings(api_key=KEY, segment_store=folder / "texts.sqlite3", **options)
    provider = TwelveLabsProvider(KEY, store=folder / "texts.sqlite3", **options)
    column = embed_text(daft.col("text"), provider=provider).alias("vector")
    warm = daft.from_pydict({"text": given[:CONCURRENCY]})
    warm.select(column).collect()
    embeddings.embed_documents(given[:CONCURRENCY])
    with Meter() as plain:
        expected = embeddings.embed_documents(given)
    with Meter() as ours:
        frame = daft.from_pydict({"text": given}).select(daft.col("text"), column).collect()
    found = frame.to_pydict()
    same = dict(zip(given, expected, strict=True))
    is_equal = all(np.array_equal(np.float32(same[text]), vector) for text, vector in zip(*found.values(), strict=True))
    print(f"{number} texts, {CONCURRENCY} at once (in Daft of each of two batches), {TEXT_DELAY * 1000:.0f} ms each")
    print(f"vectors equal: {is_equal}")
    for way, meter in zip(ways, (plain, ours), strict=True):
        print(f"{way:<18}{number / meter.wall:>8.0f} texts/s{meter.cpu / number * 1000:>8.2f} ms CPU a text")
    print(f"rate in Daft: {plain.wall / ours.wall:.2f} x that of embed_documents")


def one(way: str, videos: int, address: str) -> None:
    """Measure one way in this process and print its figures."""
    run = {"loader": loader, "daft": in_daft}[way]
    with tempfile.TemporaryDirectory() as folder:
        run(address, [f"{address}/v/warm.mp4"], Path(folder, "warm"))
        with Meter() as meter:
            found = run(address, [f"{address}/v/{number}.mp4" for number in range(videos)], Path(folder))
    if found != videos * SEGMENTS:
        raise SystemExit(f"{way}: {found} segments instead of {videos * SEGMENTS}")
    print(meter.cpu / videos * 1000, meter.wall / videos * 1000, meter.peak)


def main() -> None:
    """Measure and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        way, videos, address = options.one
        one(way, int(videos), address)
        return
    with serve() as address:
        for videos in options.videos:
            runs: dict[str, list[list[float]]] = {"loader": [], "daft": []}
            for _ in range(options.repeats):
                for way, found in runs.items():
                    command = [sys.executable, __file__, "--one", way, str(videos), address]
                    found.append([float(value) for value in subprocess.check_output(command, text=True).split()[-3:]])
            for way, found in runs.items():
                cpu, wall, peak = (statistics.median(run[which] for run in found) for which in range(3))
                print(
                    f"{videos:>6} videos, {way:<8}{cpu:>7.1f} ms CPU a video{wall:>8.1f} ms{peak:>8.0f} MB more memory"
                )
            pairs = zip(runs["daft"], runs["loader"], strict=True)
            print(
                f"       CPU in Daft: {statistics.median(ours[0] / plain[0] for ours, plain in pairs):.2f} x the loader"
            )
    if options.texts:
        with serve(TEXT_DELAY) as address, tempfile.TemporaryDirectory() as folder:
            texts(address, ("embed_documents", "Daft, embed_text"), options.texts, Path(folder))


if __name__ == "__main__":
    main()
