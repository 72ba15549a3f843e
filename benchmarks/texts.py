"""Measures many small requests: texts embedded by our clients and the official SDK, on the same local sandbox.

The sandbox runs in its own process and answers after a fixed delay, so that the client is measured: how close it
comes to `texts / concurrency * delay`, and its CPU time per request.
"""

import argparse
import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx
from twelvelabs import AsyncTwelveLabs, TwelveLabs
from twelvelabs.types.text_input_request import TextInputRequest

from twelvelabs_core import AsyncClient, Client

KEY = "tlk_sandbox_benchmark"
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


def serve(delay: float) -> tuple[subprocess.Popen[str], str]:
    """Start a sandbox that answers every embed call after `delay` seconds; return it and its base URL."""
    server = subprocess.Popen(
        [sys.executable, "-m", "twelvelabs_sandbox", "--port", "0", "--api-key", KEY], stdout=subprocess.PIPE, text=True
    )
    lines = iter(server.stdout or [])
    base_url = next(line.split("=", 1)[1].strip() for line in lines if "TWELVELABS_BASE_URL=" in line)
    fault = {"path": "/embed-v2", "method": "POST", "delay": delay, "times": None}
    httpx.post(
        base_url.removesuffix("/v1.3") + "/_sandbox/faults", json=fault, headers={"x-api-key": KEY}
    ).raise_for_status()
    return server, base_url


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=480)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--delay", type=float, default=0.05)
    options = parser.parse_args()
    texts = [f"a red car number {number}" for number in range(options.texts)]
    few = texts[: max(1, options.texts // 16)]  # sequential requests are slow; only the rate is compared
    server, base_url = serve(options.delay)
    try:
        report(options, texts, few, base_url)
    finally:
        server.terminate()
        server.wait(10)


def report(options: argparse.Namespace, texts: list[str], few: list[str], base_url: str) -> None:
    """Measure every client and print the ratios."""
    ideal = len(texts) / options.concurrency * options.delay
    settings: dict[str, Any] = {"base_url": base_url, "max_concurrency": options.concurrency, "store": ":memory:"}
    print(f"{len(texts)} texts, {options.concurrency} concurrent, a response takes {options.delay * 1000:.0f} ms")
    with Client(KEY, **settings) as client:
        client.embed_text("warm")
        ours = measure("ours, Client", texts, lambda work: void(client.embed_texts(work)), ideal)

    async def run_async(work: list[str]) -> None:
        async with AsyncClient(KEY, **settings) as client:
            await client.embed_texts(work)

    ours_async = measure("ours, AsyncClient", texts, lambda work: asyncio.run(run_async(work)), ideal)
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
    per_text = theirs[0] / len(few) * len(texts) / ours[0]
    cpu = theirs[1] / len(few) * len(texts) / ours[1]
    print(f"ratio to the SDK, sync: {per_text:.1f}x the rate, {cpu:.1f}x less CPU per request")
    print(
        f"ratio to the SDK, async: {theirs_async[0] / ours_async[0]:.1f}x the rate, "
        f"{theirs_async[1] / ours_async[1]:.1f}x less CPU per request"
    )


def void(_: object) -> None:
    """Drop a result."""


if __name__ == "__main__":
    main()
