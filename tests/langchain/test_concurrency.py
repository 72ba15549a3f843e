"""The number of concurrent requests, recorded by the sandbox; event loops and threads."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from langchain_core.documents import Document

from langchain_twelvelabs import TwelveLabsEmbeddings
from tests.adapters import loop_iterations, slow_async_mode
from tests.langchain.fixtures import call, connected, peak_of, requests_of
from twelvelabs_core import InputError
from twelvelabs_sandbox import Fault, Sandbox


@slow_async_mode
@pytest.mark.parametrize("limit", [1, 5])
async def test_concurrency_never_exceeds_the_limit(mode: str, limit: int, watched: Sandbox, tmp_path: Path) -> None:
    embeddings = connected(watched, tmp_path / "store.sqlite3", max_concurrency=limit)
    # Long enough for other requests to arrive, if they were sent.
    watched.faults.add(Fault(path="/embed-v2", delay=0.004, times=None))
    texts = [f"text number {number}" for number in range(200)]
    vectors = await call(mode, embeddings, "embed_documents", texts)
    assert peak_of(watched) == limit
    assert requests_of(watched) == 200
    for number in (0, 57, 199):
        assert vectors[number] == embeddings.embed_query(texts[number])


def test_one_object_serves_one_loop_after_another(shared_embeddings: TwelveLabsEmbeddings) -> None:
    first = asyncio.run(shared_embeddings.aembed_query("a red car"))
    assert asyncio.run(shared_embeddings.aembed_query("a red car")) == first
    assert shared_embeddings.embed_query("a red car") == first


async def test_blocking_calls_work_inside_a_running_loop(shared_embeddings: TwelveLabsEmbeddings) -> None:
    assert shared_embeddings.embed_query("a red car") == await shared_embeddings.aembed_query("a red car")


def test_threads_share_one_object(shared_embeddings: TwelveLabsEmbeddings) -> None:
    texts = [f"text {number}" for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        vectors = list(pool.map(shared_embeddings.embed_query, texts))
    assert vectors == shared_embeddings.embed_documents(texts)


async def test_the_loop_goes_on_while_many_texts_are_checked(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]
) -> None:
    await shared_embeddings.aembed_query("a red car")
    head = documents[0].page_content.partition("\n")[0]
    texts = [*["the segment of page 12, line after line, " * 50] * 20_000, head]
    checking = asyncio.create_task(shared_embeddings.aembed_documents(texts))
    iterations = await loop_iterations(checking)
    with pytest.raises(InputError, match=r"texts\[20000\]"):
        await checking
    assert iterations > 10  # had it blocked the loop, it would be done after one iteration
