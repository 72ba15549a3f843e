"""Measures many small requests: texts embedded by our clients, plain `httpx` and the official SDK, on one local server.

The server runs in its own process and answers after a fixed delay, so that the client is measured: how close it
comes to `texts / concurrency * delay`, and its CPU time per request.
"""

import argparse
import asyncio
import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from local_api import KEY, serve
from twelvelabs import AsyncTwelveLabs, TwelveLabs
from twelvelabs.types.text_input_request import TextInputRequest

from twelvelabs_core import AsyncClient, Client

MODEL = "marengo3.0"


def measure(name: str, texts: list[str], run: Callable[[list[str]], None], ideal: float) -> tuple[float, float]:
    """Run once, print a row, return (wall seconds, CPU seconds)."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    run(texts)
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    rate, per_request = len(texts) / wall, cpu / len(texts) * 1000
    print(
        f"{name:<28}{wall:>8.2f} s{rate:>9.0f}/s{per_request:>10.2f} ms CPU{ideal / wall:>10.0%} of ideal", flush=True
    )
    return wall, cpu


def cpu_seconds() -> float:
    """Return this process's CPU time."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def plain(texts: list[str], address: str, threads: int) -> None:
    """Embed texts with `httpx` in threads."""
    limits = httpx.Limits(max_connections=threads, max_keepalive_connections=threads)
    with httpx.Client(limits=limits, headers={"x-api-key": KEY}) as client, ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda text: client.post(f"{address}/v1.3/embed-v2", json=request(text)).json(), texts))


async def plain_async(texts: list[str], address: str, concurrency: int) -> None:
    """Embed texts with `httpx` on asyncio."""
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    gate = asyncio.Semaphore(concurrency)
    async with httpx.AsyncClient(limits=limits, headers={"x-api-key": KEY}) as client:

        async def one(text: str) -> None:
            async with gate:
                (await client.post(f"{address}/v1.3/embed-v2", json=request(text))).json()

        await asyncio.gather(*map(one, texts))


def request(text: str) -> dict[str, Any]:
    """Return the body of a request."""
    return {"input_type": "text", "text": {"input_text": text}, "model_name": MODEL}


def ours(texts: list[str], address: str, concurrency: int) -> None:
    """Embed texts with `Client`."""
    with Client(KEY, base_url=f"{address}/v1.3", max_concurrency=concurrency, store=":memory:") as client:
        client.embed_texts(texts)


async def ours_async(texts: list[str], address: str, concurrency: int) -> None:
    """Embed texts with `AsyncClient`."""
    async with AsyncClient(KEY, base_url=f"{address}/v1.3", max_concurrency=concurrency, store=":memory:") as client:
        await client.embed_texts(texts)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=480)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--delay", type=float, default=0.05)
    options = parser.parse_args()
    texts = [f"a red car number {number}" for number in range(options.texts)]
    few = texts[: max(1, options.texts // 16)]  # sequential requests are slow; only the rate is compared
    with serve(options.delay) as address:
        report(options, texts, few, address)


def report(options: argparse.Namespace, texts: list[str], few: list[str], address: str) -> None:
    """Measure every client and print the ratios."""
    ideal = len(texts) / options.concurrency * options.delay
    print(f"{len(texts)} texts, {options.concurrency} concurrent, a response takes {options.delay * 1000:.0f} ms")
    ours(["warm"], address, 1)
    size = options.concurrency
    measure("httpx in threads", texts, lambda work: plain(work, address, size), ideal)
    own = measure("ours, Client", texts, lambda work: ours(work, address, size), ideal)
    measure("httpx on asyncio", texts, lambda work: asyncio.run(plain_async(work, address, size)), ideal)
    own_async = measure("ours, AsyncClient", texts, lambda work: asyncio.run(ours_async(work, address, size)), ideal)
    base_url = f"{address}/v1.3"
    sdk = TwelveLabs(api_key=KEY, base_url=base_url)

    def run_sdk(work: list[str]) -> None:
        for text in work:
            sdk.embed.v_2.create(input_type="text", model_name=MODEL, text=TextInputRequest(input_text=text))

    theirs = measure("SDK, one by one", few, run_sdk, len(few) * options.delay)

    async def run_sdk_async(work: list[str]) -> None:
        client = AsyncTwelveLabs(api_key=KEY, base_url=base_url)
        gate = asyncio.Semaphore(options.concurrency)

        async def one(text: str) -> None:
            async with gate:
                await client.embed.v_2.create(
                    input_type="text", model_name=MODEL, text=TextInputRequest(input_text=text)
                )

        await asyncio.gather(*map(one, work))

    theirs_async = measure("SDK, gather by hand", texts, lambda work: asyncio.run(run_sdk_async(work)), ideal)
    per_text = theirs[0] / len(few) * len(texts) / own[0]
    cpu = theirs[1] / len(few) * len(texts) / own[1]
    print(f"ratio to the SDK, sync: {per_text:.1f}x the rate, {cpu:.1f}x less CPU per request")
    print(
        f"ratio to the SDK, async: {theirs_async[0] / own_async[0]:.1f}x the rate, "
        f"{theirs_async[1] / own_async[1]:.1f}x less CPU per request"
    )


if __name__ == "__main__":
    main()
