"""A suite that any `MultiModalEmbedding` integration of LlamaIndex must pass; there is none upstream.

Subclass it in a test module and override the fixtures:

```python
class TestMyEmbedding(MultiModalEmbeddingContract):
    @pytest.fixture
    def make(self, server):  # options are your constructor's
        return lambda **options: MyEmbedding(api_key="a secret", base_url=server.url, **options)

    @pytest.fixture
    def secrets(self):
        return ["a secret"]

    @pytest.fixture
    def traffic(self, server):  # request count, peak concurrency and slow responses
        return server

    @pytest.fixture
    def calls(self, picture):  # your media methods: name, arguments, whether they take a list
        return [*TEXT_CALLS, Call("get_image_embedding", (picture,)), ...]
```

`bound` is the name of the constructor's concurrency option.
"""

import asyncio
import json
import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.callbacks import CallbackManager
from llama_index.core.embeddings import MultiModalEmbedding, resolve_embed_model
from llama_index.core.rate_limiter import TokenBucketRateLimiter
from llama_index.core.schema import QueryBundle, TextNode
from llama_index.core.storage.kvstore import SimpleKVStore

from tests.llama_index.observing import Unpicklable, observing

Make = Callable[..., Any]


class Traffic(Protocol):
    """What the suite needs to know about the server."""

    def count(self) -> int:
        """Return the number of embedding requests."""

    def peak(self) -> int:
        """Return the largest number of concurrent requests."""

    def slow(self, seconds: float) -> AbstractContextManager[None]:
        """Delay responses by that many seconds."""


@dataclass(frozen=True)
class Call:
    """A call of one public method.

    Attributes:
        method: Name of the blocking method; the async variant has the prefix `a`.
        args: Arguments.
        requests: Number of requests it makes.
        plural: Whether it takes a list and returns one vector per item.
    """

    method: str
    args: tuple[Any, ...]
    requests: int = 1
    plural: bool = False
    kwargs: dict[str, Any] = field(default_factory=dict)

    def run(self, embedding: Any) -> Any:
        return getattr(embedding, self.method)(*self.args, **self.kwargs)

    async def arun(self, embedding: Any) -> Any:
        return await getattr(embedding, f"a{self.method}")(*self.args, **self.kwargs)


TEXTS = ["a red car", "rain on a window", "people cheer"]
TEXT_CALLS = (
    Call("get_query_embedding", ("a red car",)),
    Call("get_text_embedding", ("a red car",)),
    Call("get_text_embedding_batch", (TEXTS,), requests=3, plural=True),
)


class MultiModalEmbeddingContract:
    """The suite."""

    bound: ClassVar[str] = "max_concurrency"

    @pytest.fixture
    def make(self) -> Make:
        raise NotImplementedError

    @pytest.fixture
    def secrets(self) -> Sequence[str]:
        raise NotImplementedError

    @pytest.fixture
    def traffic(self) -> Traffic:
        raise NotImplementedError

    @pytest.fixture
    def calls(self) -> Sequence[Call]:
        raise NotImplementedError

    # Interface.

    def test_class_is_a_concrete_multi_modal_embedding(self, make: Make) -> None:
        embedding = make()
        assert isinstance(embedding, MultiModalEmbedding)
        assert BaseEmbedding.__name__ in [cls.__name__ for cls in type(embedding).__mro__]
        assert not type(embedding).__abstractmethods__
        assert type(embedding).class_name() not in ("base_component", "BaseEmbedding", "")

    @pytest.mark.parametrize(
        "hook",
        [
            "_get_text_embeddings",
            "_aget_text_embedding",
            "_aget_text_embeddings",
            "_get_image_embeddings",
            "_aget_image_embeddings",
        ],
    )
    def test_slow_default_hooks_are_overridden(self, make: Make, hook: str) -> None:
        """The defaults call one by one, gather without a limit, or block the event loop."""
        assert getattr(type(make()), hook) is not getattr(MultiModalEmbedding, hook)

    def test_unknown_argument_is_refused(self, make: Make) -> None:
        with pytest.raises((TypeError, ValueError), match="no_such_option"):
            make(no_such_option=1)

    # Results.

    async def test_blocking_and_async_methods_return_the_same(self, make: Make, calls: Sequence[Call]) -> None:
        embedding = make()
        for call in calls:
            answer = await asyncio.to_thread(call.run, embedding)
            assert answer == await call.arun(embedding), call.method
            for vector in answer if call.plural else [answer]:
                assert type(vector) is list
                assert all(type(value) is float for value in vector)

    async def test_batches_keep_their_order_and_equal_single_calls(self, make: Make) -> None:
        embedding = make(embed_batch_size=2)
        texts = [*TEXTS, *reversed(TEXTS)]
        singles = [embedding.get_text_embedding(text) for text in texts]
        assert embedding.get_text_embedding_batch(texts) == singles
        assert await embedding.aget_text_embedding_batch(texts) == singles
        assert await embedding.aget_text_embedding_batch(texts, show_progress=True) == singles

    async def test_empty_list_returns_an_empty_list_without_a_request(
        self, make: Make, calls: Sequence[Call], traffic: Traffic
    ) -> None:
        embedding = make()
        for call in calls:
            if call.plural:
                empty = Call(call.method, ([],), kwargs=call.kwargs)
                assert empty.run(embedding) == []
                assert await empty.arun(embedding) == []
        assert traffic.count() == 0

    # Observers.

    async def test_every_call_is_reported_once_to_events_callbacks_and_spans(
        self, make: Make, calls: Sequence[Call]
    ) -> None:
        for call in calls:
            for is_async in (False, True):
                with observing() as seen:
                    embedding = make(callback_manager=seen.callback_manager)
                    answer = await call.arun(embedding) if is_async else call.run(embedding)
                vectors = answer if call.plural else [answer]
                assert [type(event).__name__ for event in seen.events] == [
                    "EmbeddingStartEvent", "EmbeddingEndEvent",
                ], call.method  # fmt: skip
                assert seen.events[1].embeddings == vectors, call.method
                assert len(seen.events[1].chunks) == len(vectors), call.method
                assert [kind for kind, _ in seen.callbacks] == ["start", "end"], call.method
                assert seen.spans, call.method

    async def test_observers_receive_strings_without_secrets(
        self, make: Make, calls: Sequence[Call], secrets: Sequence[str]
    ) -> None:
        for call in calls:
            with observing() as seen:
                embedding = make(callback_manager=seen.callback_manager)
                call.run(embedding)
                await call.arun(embedding)
            for chunk in seen.chunks():
                assert type(chunk) is str, call.method
            for text in seen.shown():
                assert not [secret for secret in secrets if secret in text], (call.method, text)
                assert "\\x" not in text, (call.method, "bytes", text[:200])

    def test_an_error_reaches_observers_and_the_caller(self, make: Make) -> None:
        with observing() as seen:
            embedding = make(callback_manager=seen.callback_manager)
            with pytest.raises(Exception):  # noqa: B017, PT011  # the type depends on the integration
                embedding.get_text_embedding("   ")
        assert [type(event).__name__ for event in seen.events].count("EmbeddingEndEvent") == 0
        assert len([kind for kind, _ in seen.callbacks if kind == "start"]) == len(
            [kind for kind, _ in seen.callbacks if kind == "end"]
        )

    # Serialisation, copies and other processes.

    def test_key_is_never_shown(self, make: Make, secrets: Sequence[str]) -> None:
        embedding = make()
        shown = [repr(embedding), str(embedding), str(embedding.to_dict()), json.dumps(embedding.to_payload())]
        shown += [embedding.to_json(), str(embedding.model_dump()), repr(vars(embedding)), repr(list(embedding))]
        for text in shown:
            assert not [secret for secret in secrets if secret in text], text

    def test_serialised_embedding_can_be_restored(self, make: Make, secrets: Sequence[str]) -> None:
        embedding = make()
        again = type(embedding).from_dict(json.loads(embedding.to_json()), api_key=secrets[0])
        assert again.to_dict() == embedding.to_dict()
        assert again.get_query_embedding("a red car") == embedding.get_query_embedding("a red car")

    def test_pickling_keeps_the_behaviour_and_the_original(self, make: Make) -> None:
        embedding = make(
            callback_manager=CallbackManager([Unpicklable()]),
            rate_limiter=TokenBucketRateLimiter(requests_per_minute=6000),
        )
        here = embedding.get_query_embedding("a red car")
        fields = dict(embedding)
        again = pickle.loads(pickle.dumps(embedding))  # noqa: S301  # made here
        assert dict(embedding).keys() == fields.keys()
        assert embedding.rate_limiter is fields["rate_limiter"]
        assert again.get_query_embedding("a red car") == here
        assert again.to_dict() == embedding.to_dict()

    @pytest.mark.slow
    def test_embedding_works_in_a_spawned_process(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        embedding = make()
        here = embedding.get_query_embedding("a red car")
        for name in list(os.environ):
            if name.endswith("_API_KEY"):
                monkeypatch.delenv(name)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            process, there = pool.apply(embed_elsewhere, (embedding,))
        assert process != os.getpid()
        assert there == here

    def test_callback_manager_can_be_set_by_settings(self, make: Make) -> None:
        with observing() as seen:
            embedding = make()
            assert resolve_embed_model(embedding, callback_manager=seen.callback_manager) is embedding
            embedding.get_query_embedding("a red car")
        assert [kind for kind, _ in seen.callbacks] == ["start", "end"]

    # Concurrency.

    @pytest.mark.parametrize("limit", [pytest.param(1, marks=pytest.mark.slow), 5])
    async def test_concurrency_never_exceeds_the_limit(self, make: Make, traffic: Traffic, limit: int) -> None:
        embedding = make(**{self.bound: limit}, embed_batch_size=20)
        texts = [f"text number {number}" for number in range(200)]
        vectors = await embedding.aget_text_embedding_batch(texts)
        assert 1 <= traffic.peak() <= limit
        assert traffic.count() == 200
        assert await asyncio.to_thread(embedding.get_text_embedding_batch, texts) == vectors
        assert 1 <= traffic.peak() <= limit

    async def test_async_calls_do_not_block_the_loop(self, make: Make, calls: Sequence[Call], traffic: Traffic) -> None:
        embedding = make()
        for call in calls:
            await call.arun(embedding)  # with an open connection, only the response takes time
            with traffic.slow(0.3):
                waiting = asyncio.create_task(call.arun(embedding))
                iterations = 0
                while not waiting.done():
                    await asyncio.sleep(0.01)
                    iterations += 1
                await waiting
            assert iterations > 2, call.method  # a call that blocks the loop would end after one iteration

    async def test_rate_limiter_is_acquired_once_per_request(
        self, make: Make, calls: Sequence[Call], traffic: Traffic
    ) -> None:
        for call in calls:
            limiter = CountingLimiter(requests_per_minute=60_000)
            embedding = make(rate_limiter=limiter)
            before = traffic.count()
            await asyncio.to_thread(call.run, embedding)
            assert limiter.asked == traffic.count() - before == call.requests, call.method
            await call.arun(embedding)
            assert limiter.asked == traffic.count() - before == 2 * call.requests, call.method

    async def test_cache_saves_requests_and_rate_limiter_calls(self, make: Make, traffic: Traffic) -> None:
        limiter = CountingLimiter(requests_per_minute=60_000)
        embedding = make(embeddings_cache=SimpleKVStore(), rate_limiter=limiter)
        vectors = embedding.get_text_embedding_batch(TEXTS)
        asked = traffic.count(), limiter.asked
        assert embedding.get_text_embedding_batch(TEXTS) == vectors
        assert await embedding.aget_text_embedding_batch(TEXTS[::-1]) == vectors[::-1]
        assert embedding.get_query_embedding(TEXTS[0]) == await embedding.aget_text_embedding(TEXTS[0]) == vectors[0]
        assert (traffic.count(), limiter.asked) == asked

    # Loops and threads.

    def test_one_object_serves_one_loop_after_another(self, make: Make, calls: Sequence[Call]) -> None:
        embedding = make()
        for call in calls:
            assert asyncio.run(call.arun(embedding)) == asyncio.run(call.arun(embedding)), call.method

    def test_two_threads_with_loops_share_one_object(self, make: Make) -> None:
        embedding = make()
        answers: dict[int, Any] = {}
        texts = [f"text {number}" for number in range(20)]

        def work(number: int) -> None:
            answers[number] = asyncio.run(embedding.aget_text_embedding_batch(texts))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert answers[0] == answers[1] == embedding.get_text_embedding_batch(texts)

    async def test_index_can_be_built_with_use_async_in_a_running_loop(self, make: Make) -> None:
        embedding = make()
        await embedding.aget_query_embedding("first in this loop")
        for _ in range(2):
            index = VectorStoreIndex([TextNode(text=text) for text in TEXTS], embed_model=embedding, use_async=True)
            retriever = index.as_retriever(similarity_top_k=1)
            (found,) = await retriever.aretrieve(TEXTS[1])
            assert found.node.get_content() == TEXTS[1]
            (found,) = retriever.retrieve(TEXTS[2])
            assert found.node.get_content() == TEXTS[2]

    async def test_preset_vectors_and_vector_queries_send_no_request(self, make: Make, traffic: Traffic) -> None:
        nodes = [TextNode(text=text, embedding=[float(place), 1.0]) for place, text in enumerate(TEXTS)]
        index = VectorStoreIndex(nodes, embed_model=make())
        await index.ainsert_nodes([TextNode(text="more", embedding=[-9.0, 1.0])])
        query = QueryBundle("", embedding=[-9.0, 1.0])
        for found in (
            index.as_retriever(similarity_top_k=1).retrieve(query),
            await index.as_retriever(similarity_top_k=1).aretrieve(query),
        ):
            assert [hit.node.get_content() for hit in found] == ["more"]
        assert traffic.count() == 0


class CountingLimiter(TokenBucketRateLimiter):
    """Counts how often it was acquired."""

    asked: int = 0

    def acquire(self, num_tokens: int = 0) -> None:
        self.asked += 1
        super().acquire(num_tokens)

    async def async_acquire(self, num_tokens: int = 0) -> None:
        self.asked += 1
        await super().async_acquire(num_tokens)


def embed_elsewhere(embedding: Any) -> tuple[int, list[float]]:
    return os.getpid(), embedding.get_query_embedding("a red car")
