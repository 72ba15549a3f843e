"""Measures videos by URL, from create to documents: this package against the same by hand, without a journal.

By hand is asyncio, httpx and orjson, as a user would write it: create each task, poll it, fetch the result into a
matrix, make a text and metadata for each segment. The second run of this package finds everything stored; by hand
there is no second run, so it is compared with the first.

    python benchmarks/videos.py [--videos 100] [--repeats 3]
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
from local_api import KEY, SEGMENTS, serve

from twelvelabs_core import AsyncClient, Client

CONCURRENCY = 16
WAYS = ("by hand", "Client, new", "Client, stored", "AsyncClient, new", "AsyncClient, stored")


async def by_hand(address: str, urls: list[str]) -> int:
    """Embed the videos as a script would; return the number of documents."""
    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    gate = asyncio.Semaphore(CONCURRENCY)
    async with httpx.AsyncClient(base_url=f"{address}/v1.3", headers={"x-api-key": KEY}, limits=limits) as client:

        async def one(url: str) -> list[tuple[str, dict[str, Any], Any]]:
            async with gate:
                video = {"media_source": {"url": url}}
                request = {"input_type": "video", "model_name": "marengo3.0", "video": video}
                task = orjson.loads((await client.post("/embed-v2/tasks", json=request)).content)
                while True:
                    found = orjson.loads((await client.get(f"/embed-v2/tasks/{task['_id']}")).content)
                    if found["status"] == "ready":
                        break
                    await asyncio.sleep(1)
            segments = found["data"]
            matrix = np.array([segment.pop("embedding") for segment in segments], dtype=np.float32)
            return [
                (f"{url} {segment['start_sec']}-{segment['end_sec']}", {"source": url, **segment}, row)
                for segment, row in zip(segments, matrix, strict=True)
            ]

        return sum(len(documents) for documents in await asyncio.gather(*map(one, urls)))


def with_client(address: str, urls: list[str], store: Path) -> int:
    """Embed the videos with the sync client; return the number of documents."""
    settings: dict[str, Any] = {"base_url": f"{address}/v1.3", "store": store, "max_concurrency": CONCURRENCY}
    with Client(KEY, **settings) as client:
        return sum(len(client.register(video)) for video in client.segment_many(urls))


async def with_async_client(address: str, urls: list[str], store: Path) -> int:
    """Embed the videos with the async client; return the number of documents."""
    settings: dict[str, Any] = {"base_url": f"{address}/v1.3", "store": store, "max_concurrency": CONCURRENCY}
    async with AsyncClient(KEY, **settings) as client:
        return sum([len(await client.register(video)) async for video in client.segment_many(urls)])


def measure(videos: int, repeats: int) -> dict[str, list[tuple[float, float]]]:
    """Return (milliseconds of CPU, milliseconds) a video of each way in each repeat."""
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    with serve() as address, tempfile.TemporaryDirectory() as folder:
        with_client(address, [f"{address}/v/warm.mp4"], Path(folder, "warm.sqlite3"))
        for repeat in range(repeats):
            urls = [f"{address}/v/{repeat}/{number}.mp4" for number in range(videos)]
            for way in WAYS:
                store = Path(folder, f"{way.partition(',')[0]} {repeat}.sqlite3")
                cpu, wall = time.process_time(), time.perf_counter()
                if way == "by hand":
                    documents = asyncio.run(by_hand(address, urls))
                elif way.startswith("Client"):
                    documents = with_client(address, urls, store)
                else:
                    documents = asyncio.run(with_async_client(address, urls, store))
                cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
                if documents != videos * SEGMENTS:
                    raise SystemExit(f"{way}: {documents} documents instead of {videos * SEGMENTS}")
                found[way].append((cpu / videos * 1000, wall / videos * 1000))
    return found


def main() -> None:
    """Measure and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    found = measure(options.videos, options.repeats)
    for way, runs in found.items():
        cpu, wall = (statistics.median(run[which] for run in runs) for which in (0, 1))
        ratio = statistics.median(run[0] / hand[0] for run, hand in zip(runs, found["by hand"], strict=True))
        print(f"{way:<22}{cpu:>8.1f} ms CPU a video{ratio:>7.2f} x by hand{wall:>8.1f} ms")


if __name__ == "__main__":
    main()
