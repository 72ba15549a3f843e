"""Measures embedding texts at a server with a rate limit: our client, and callers that each retry on their own.

The sandbox accepts a number of requests per time window and refuses the others with `Retry-After`. The comparison is
what users of the SDK write: a semaphore of the same size, and a loop that waits after each 429. The server counts
requests and refusals; texts that were given up are lost.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from twelvelabs import AsyncTwelveLabs
from twelvelabs.core.api_error import ApiError
from twelvelabs.types.text_input_request import TextInputRequest

from twelvelabs_core import AsyncClient, Client
from twelvelabs_core.transport.rate_limit import reset_rate_limits
from twelvelabs_sandbox import Fault, Sandbox

KEY = "tlk_sandbox_benchmark"
MODEL = "marengo3.0"
TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Row:
    """The requests and time of one measurement."""

    requests: int
    refused: int
    lost: int


def measure(options: argparse.Namespace, name: str, run: Callable[[str, list[str]], int]) -> Row:
    """Run against a fresh server and print a row; `run` returns the number of texts lost."""
    reset_rate_limits()
    sandbox = Sandbox(
        api_key=KEY, requests_per_minute=round(options.most * 60 / options.window), rate_window=options.window
    )
    sandbox.faults.add(Fault(delay=options.delay, times=None))
    texts = [f"a red car number {number}" for number in range(options.texts)]
    with sandbox:
        start = time.perf_counter()
        lost = run(sandbox.base_url, texts)
        wall = time.perf_counter() - start
    row = Row(sandbox.count(), sandbox.count(status=TOO_MANY), lost)
    print(f"{name:<34}{row.requests:>9} requests{row.refused:>8} 429s{lost:>7} lost{wall:>9.1f} s", flush=True)
    return row


async def by_hand(options: argparse.Namespace, base_url: str, texts: list[str]) -> int:
    """Embed with the SDK, each text retried independently: up to our `max_retries`, after the time in the header."""
    client = AsyncTwelveLabs(api_key=KEY, base_url=base_url)
    gate = asyncio.Semaphore(options.concurrency)

    async def one(text: str) -> bool:
        async with gate:
            for _ in range(options.retries + 1):
                try:
                    await client.embed.v_2.create(
                        input_type="text", model_name=MODEL, text=TextInputRequest(input_text=text)
                    )
                except ApiError as error:
                    if error.status_code != TOO_MANY:
                        raise
                    await asyncio.sleep(float((error.headers or {})["retry-after"]))
                else:
                    return True
            return False

    return (await asyncio.gather(*map(one, texts))).count(False)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=300)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--most", type=int, default=20, help="requests that the server accepts per window")
    parser.add_argument("--window", type=float, default=1.0, help="seconds")
    parser.add_argument("--delay", type=float, default=0.05, help="seconds per response")
    parser.add_argument("--retries", type=int, default=4)
    options = parser.parse_args()
    settings: dict[str, Any] = {
        "max_concurrency": options.concurrency,
        "max_retries": options.retries,
        "store": ":memory:",
    }
    pace = f"{options.most} per {options.window:g} s"
    print(f"{options.texts} texts, {options.concurrency} concurrent; the server accepts {pace}")

    def ours(base_url: str, texts: list[str]) -> int:
        with Client(KEY, base_url=base_url, **settings) as client:
            return len(texts) - len(client.embed_texts(texts))

    def in_a_loop(base_url: str, texts: list[str]) -> int:
        async def run() -> int:
            async with AsyncClient(KEY, base_url=base_url, **settings) as client:
                return len(texts) - len(await client.embed_texts(texts))

        return run_to_end(run)

    rows = [
        measure(options, "ours, Client", ours),
        measure(options, "ours, AsyncClient", in_a_loop),
        measure(options, "SDK, own retries", lambda url, texts: run_to_end(lambda: by_hand(options, url, texts))),
    ]
    theirs = rows.pop()
    for name, row in zip(("Client", "AsyncClient"), rows, strict=True):
        print(
            f"ratio to own retries, {name}: {theirs.requests / row.requests:.2f}x fewer requests, "
            f"{theirs.refused / max(1, row.refused):.1f}x fewer 429s, "
            f"{theirs.lost} texts lost there and {row.lost} here"
        )


def run_to_end(function: Callable[[], Awaitable[int]]) -> int:
    """Run on a new event loop."""

    async def whole() -> int:
        return await function()

    return asyncio.run(whole())


if __name__ == "__main__":
    main()
