"""What `TwelveLabsEmbedding` does beyond the contract: segments keep their vectors, caches keep models apart."""

import asyncio
import pickle
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import MockEmbedding, Settings, VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import MetadataMode, TextNode
from llama_index.core.storage.kvstore import SimpleKVStore

from llama_index_twelvelabs import TwelveLabsEmbedding, TwelveLabsVideoReader
from tests.adapters import loop_iterations
from tests.llama_index.contract import CountingLimiter
from tests.llama_index.fixtures import CUT, PeakLog, connected, description, paid
from twelvelabs_core import ConfigurationError, InputError, SegmentNotFoundError
from twelvelabs_core.ingest.segment import SegmentMethods
from twelvelabs_sandbox import Sandbox

KEY = "tlk_do_not_show_me"
both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


async def transform(mode: str, embedding: Any, nodes: list[TextNode]) -> None:
    await embedding.acall(nodes) if mode == "async" else embedding(nodes)


# How it is made.


def test_missing_key_raises_at_construction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWELVELABS_API_KEY", raising=False)
    monkeypatch.delenv("TWELVE_LABS_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="TWELVELABS_API_KEY"):
        TwelveLabsEmbedding()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_concurrency": 0}, "max_concurrency must be a whole number from 1, got 0"),
        ({"max_retries": -1}, "max_retries must be"),
        ({"timeout": 0.0}, "timeout must be"),
        ({"requests_per_minute": 0}, "requests_per_minute must be a number above 0, got 0"),
        ({"max_concurrent_requests": 0}, "max_concurrent_requests must be a whole number from 1, got 0"),
        ({"base_url": "http://example.com/v1.3"}, "unencrypted"),
        ({"model": "marengo2.7"}, "model must be one of marengo3.0"),
        ({"model": "marengo3.0", "model_name": "marengo3.5"}, "model and model_name are the same parameter"),
        ({"max_concurrency": 2, "num_workers": 4}, "max_concurrency and num_workers are the same parameter"),
        ({"embed_batch_size": 0}, "greater than 0"),
        ({"segment_store": ""}, "segment store's location is empty"),
    ],
)
def test_invalid_values_are_refused_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        TwelveLabsEmbedding(api_key=KEY, **options)
    assert KEY not in str(caught.value)


def test_request_limits_apply_to_both_clients_and_after_pickling() -> None:
    embedding = TwelveLabsEmbedding(api_key=KEY, requests_per_minute=30, max_concurrent_requests=2)
    for one in (embedding, pickle.loads(pickle.dumps(embedding))):  # noqa: S301  # made here
        for settings in (one.client.settings, one.async_client.settings):
            assert (settings.requests_per_minute, settings.max_concurrent_requests) == (30, 2)
    assert "requests_per_minute" not in embedding.to_dict()  # it changes no vector


@both_modes
async def test_rate_limiter_is_acquired_once_per_task_and_not_for_polls(
    mode: str, sandbox: Sandbox, tmp_path: Path, video_path: Path
) -> None:
    limiter = CountingLimiter(requests_per_minute=60_000)
    embedding = connected(sandbox, tmp_path / "store.sqlite3", rate_limiter=limiter)
    reader = TwelveLabsVideoReader(embed_model=embedding, **CUT)
    for _ in range(2):  # the second time nothing is embedded
        nodes = (
            await reader.aload_nodes(video_path)
            if mode == "async"
            else await asyncio.to_thread(reader.load_nodes, video_path)
        )
        assert nodes
        assert (limiter.asked, paid(sandbox)) == (1, 1)


def test_llama_index_parameter_names_are_aliases() -> None:
    embedding = TwelveLabsEmbedding(api_key=KEY, model_name="marengo3.0", num_workers=3)
    assert (embedding.model, embedding.max_concurrency) == ("marengo3.0", 3)
    assert embedding.client.settings.max_concurrency == embedding.async_client.settings.max_concurrency == 3


def test_model_key_and_base_url_cannot_be_changed() -> None:
    embedding = TwelveLabsEmbedding(api_key=KEY)
    for name, value in (("model_name", "other"), ("api_key", "tlk_other"), ("base_url", "https://example.com")):
        with pytest.raises(ConfigurationError, match=f"{name} of a TwelveLabsEmbedding cannot be changed") as caught:
            setattr(embedding, name, value)
        assert "tlk_other" not in str(caught.value)


def test_to_dict_contains_exactly_what_changes_a_vector() -> None:
    slow = TwelveLabsEmbedding(api_key=KEY, timeout=1, max_retries=0, max_concurrency=1, segment_store=":memory:")
    fast = TwelveLabsEmbedding(api_key="tlk_other")
    assert slow.to_dict() == fast.to_dict()
    fake = TwelveLabsEmbedding(api_key="tlk_sandbox_1", base_url="http://127.0.0.1:9/v1.3")
    assert (slow.to_dict()["space"], fake.to_dict()["space"]) == ("marengo3.0/512", "sandbox/marengo3.0/512")


def test_pickle_contains_the_key_only_if_it_was_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEY.encode() in pickle.dumps(TwelveLabsEmbedding(api_key=KEY))
    monkeypatch.setenv("TWELVELABS_API_KEY", KEY)
    data = pickle.dumps(TwelveLabsEmbedding(max_concurrency=3))
    assert KEY.encode() not in data
    monkeypatch.setenv("TWELVELABS_API_KEY", "tlk_another")
    arrived = pickle.loads(data)  # noqa: S301  # made above
    assert arrived.client.settings.api_key.get_secret_value() == "tlk_another"
    assert arrived.client.settings.max_concurrency == 3
    monkeypatch.delenv("TWELVELABS_API_KEY")
    keyless = pickle.loads(data)  # noqa: S301  # made above; a worker pool would hang if this raised
    with pytest.raises(ConfigurationError, match="TWELVELABS_API_KEY"):
        keyless.get_query_embedding("too late")


def test_pickling_with_an_in_memory_store_raises() -> None:
    embedding = TwelveLabsEmbedding(api_key=KEY, segment_store=":memory:")
    with pytest.raises(Exception, match="memory"):
        pickle.dumps(embedding)
    assert embedding.segment_store is not None


def test_copies_have_their_own_clients() -> None:
    embedding = TwelveLabsEmbedding(api_key=KEY, segment_store=":memory:")
    assert embedding.model_copy(deep=True).segment_store is embedding.segment_store
    changed = embedding.model_copy(update={"max_concurrency": 2})
    assert (changed.client.settings.max_concurrency, embedding.client.settings.max_concurrency) == (2, 8)
    assert changed.client.settings.api_key == embedding.client.settings.api_key


def test_embedding_works_as_global_embed_model(embed_model: TwelveLabsEmbedding) -> None:
    kept = Settings._embed_model
    try:
        Settings.embed_model = embed_model
        index = VectorStoreIndex([TextNode(text="a red car"), TextNode(text="rain")])
        (found,) = index.as_retriever(similarity_top_k=1).retrieve("rain")
        assert found.node.get_content() == "rain"
    finally:
        Settings._embed_model = kept


@both_modes
@pytest.mark.parametrize("limit", [1, 5])
async def test_image_batches_use_the_full_concurrency(mode: str, limit: int, watched: Sandbox, frame: Path) -> None:
    embedding = connected(watched, ":memory:", max_concurrency=limit)
    if mode == "async":
        await embedding.aget_image_embedding_batch([frame] * 40)
    else:
        await asyncio.to_thread(embedding.get_image_embedding_batch, [frame] * 40)
    log = watched._requests
    assert isinstance(log, PeakLog)
    assert log.peak == limit


# Segments keep their paid vectors.


@both_modes
async def test_transformation_keeps_the_vectors_of_segments(
    mode: str, nodes: list[TextNode], shared_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    kept = [node.embedding for node in nodes]
    text = TextNode(text="minutes of a meeting")
    await transform(mode, shared_model, [*nodes, text])
    assert [node.embedding for node in nodes] == kept
    assert text.embedding == shared_model.get_text_embedding("minutes of a meeting")
    assert paid(sandbox) == 2


@both_modes
async def test_missing_vector_of_a_segment_is_restored_from_the_store(
    mode: str, nodes: list[TextNode], shared_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    """Nodes from a document store or a retriever have no vectors."""
    kept = [node.embedding for node in nodes]
    for node in nodes:
        node.embedding = None
    await transform(mode, shared_model, nodes)
    assert [node.embedding for node in nodes] == kept
    index = VectorStoreIndex([node.model_copy(update={"embedding": None}) for node in nodes], embed_model=shared_model)
    assert paid(sandbox) == 0
    (best,) = index.as_retriever(similarity_top_k=1).retrieve(description(2))
    assert best.metadata["start_sec"] == 12.0


def test_text_of_a_segment_as_query_finds_similar_segments(
    nodes: list[TextNode], shared_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    (found,) = (
        VectorStoreIndex(nodes, embed_model=shared_model)
        .as_retriever(similarity_top_k=1)
        .retrieve(nodes[2].get_content(MetadataMode.EMBED))
    )
    assert found.node.node_id == nodes[2].node_id
    assert paid(sandbox) == 0


def test_segment_that_lost_its_vector_gets_it_again_also_without_its_id_in_the_text(
    nodes: list[TextNode], shared_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    vector, nodes[0].embedding = nodes[0].embedding, None
    nodes[0].excluded_embed_metadata_keys.append("segment_id")
    shared_model([nodes[0]])
    assert nodes[0].embedding == vector
    assert paid(sandbox) == 0


async def test_text_that_quotes_a_moment_is_embedded_unchanged(
    nodes: list[TextNode], shared_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    shown = nodes[1].get_content(MetadataMode.LLM)
    assert "|" not in shown
    for query in (nodes[1].get_content(), "video.mp4 | 0:00.0-0:04.0 | visual", "see tl-segment:0b9a", "tl-video:x"):
        vector = shared_model.get_query_embedding(query)
        assert vector == await shared_model.aget_query_embedding(query)
        assert vector not in [node.embedding for node in nodes]
    for text in (
        f"It happens here:\n{nodes[1].get_content()}",
        f"In {nodes[1].get_content()} it is.",
        "a\nvideo.mp4 | 0:00.0-0:04.0 | visual",
    ):
        assert shared_model.get_text_embedding(text) not in [node.embedding for node in nodes]
    assert paid(sandbox) == 11  # each was embedded as a text


def test_unknown_segment_raises_with_advice(
    nodes: list[TextNode], embed_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    nodes[0].embedding = None
    with pytest.raises(SegmentNotFoundError, match="Load its video again"):
        embed_model([nodes[0]])
    assert paid(sandbox) == 0


def test_segments_of_another_space_are_refused(nodes: list[TextNode], shared_model: TwelveLabsEmbedding) -> None:
    assert shared_model.segment_store is not None
    live = TwelveLabsEmbedding(api_key=KEY, segment_store=shared_model.segment_store.location)
    lost = nodes[0].model_copy(update={"embedding": None})
    with pytest.raises(InputError, match="not comparable"):
        live([lost])
    nodes[1].metadata |= {"model": "marengo2.7", "space": "marengo2.7/512"}
    with pytest.raises(InputError, match=r"its vector is of the space marengo2\.7/512, not sandbox/marengo3\.0/512"):
        shared_model([nodes[1]])


def test_foreign_segment_id_is_embedded_as_text(embed_model: TwelveLabsEmbedding, sandbox: Sandbox) -> None:
    node = TextNode(text="a customer segment", metadata={"segment_id": "b2945d4a-4ac9-5ea1-978b-d911cc3a5cb6"})
    embed_model([node])
    assert node.embedding == embed_model.get_text_embedding(node.get_content(MetadataMode.EMBED))
    assert paid(sandbox) == 2


# Texts.


@both_modes
async def test_all_texts_are_checked_before_the_first_request(
    mode: str, embed_model: TwelveLabsEmbedding, sandbox: Sandbox
) -> None:
    texts = [f"text {number}" for number in range(150)] + [" "]
    with pytest.raises(InputError, match=r"texts\[150\] is empty"):
        await embed_model.aget_text_embedding_batch(texts) if mode == "async" else (
            embed_model.get_text_embedding_batch(texts)
        )
    assert sandbox.count() == 0


@both_modes
@pytest.mark.parametrize(("count", "lookups"), [(100, 1), (101, 3)])
async def test_texts_of_one_batch_are_looked_up_once(
    mode: str, embed_model: TwelveLabsEmbedding, count: int, lookups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    find, found = SegmentMethods.find_vectors_by_text, []
    monkeypatch.setattr(
        SegmentMethods, "find_vectors_by_text", lambda *args, **kwargs: found.append(1) or find(*args, **kwargs)
    )
    texts = ["a red car"] * count
    await embed_model.aget_text_embedding_batch(texts) if mode == "async" else (
        embed_model.get_text_embedding_batch(texts)
    )
    assert len(found) == lookups


@both_modes
async def test_all_images_are_checked_before_the_first_request(
    mode: str, embed_model: TwelveLabsEmbedding, sandbox: Sandbox, frame: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "notes.png"
    bad.write_text("not an image")
    pictures = [frame] * 120 + [bad]
    with pytest.raises(InputError, match=r"notes\.png"):
        await embed_model.aget_image_embedding_batch(pictures) if mode == "async" else (
            embed_model.get_image_embedding_batch(pictures)
        )
    assert sandbox.count() == 0


@pytest.mark.parametrize("text", [5, None, b"red"])
def test_a_value_that_is_no_text_is_refused(embed_model: TwelveLabsEmbedding, text: Any) -> None:
    for call in (embed_model.get_text_embedding, lambda value: embed_model.get_text_embedding_batch([value])):
        with pytest.raises(InputError, match=r"texts\[0\] must be a str"):
            call(text)


def test_empty_query_is_named_as_such(embed_model: TwelveLabsEmbedding) -> None:
    with pytest.raises(InputError, match=r"^the query is empty"):
        embed_model.get_query_embedding(" ")


def test_single_value_is_refused_where_a_list_is_expected(embed_model: TwelveLabsEmbedding, frame: Path) -> None:
    with pytest.raises(InputError, match=r"texts must be a list, got a single str"):
        embed_model.get_text_embedding_batch("a red car")  # type: ignore[arg-type]  # made wrong on purpose
    with pytest.raises(InputError, match=r"img_file_paths must be a list, got a single str"):
        embed_model.get_image_embedding_batch(str(frame))
    with pytest.raises(InputError, match=r"video_paths must be a list, got a single PosixPath"):
        embed_model.get_video_embeddings(frame)  # type: ignore[arg-type]  # made wrong on purpose


def test_shared_embeddings_cache_separates_models(sandbox: Sandbox, tmp_path: Path) -> None:
    """LlamaIndex's cache key is the text alone; here another model has filled the same cache."""
    cache = SimpleKVStore()
    MockEmbedding(embed_dim=3, embeddings_cache=cache).get_text_embedding("a red car")
    ours = connected(sandbox, tmp_path / "store.sqlite3", embeddings_cache=cache)
    assert len(ours.get_text_embedding("a red car")) == 512
    live = TwelveLabsEmbedding(
        api_key=KEY, base_url="http://127.0.0.1:9/v1.3", embeddings_cache=cache, max_retries=0, segment_store=":memory:"
    )
    with pytest.raises(Exception, match="cannot connect to"):
        live.get_text_embedding("a red car")
    assert len(MockEmbedding(embed_dim=3, embeddings_cache=cache).get_text_embedding("a red car")) == 3


def test_shared_pipeline_cache_separates_vector_spaces(sandbox: Sandbox, tmp_path: Path) -> None:
    first = IngestionPipeline(transformations=[connected(sandbox, tmp_path / "store.sqlite3")])
    first.run(nodes=[TextNode(text="a red car")])
    live = TwelveLabsEmbedding(api_key=KEY, base_url=sandbox.base_url, max_retries=0, segment_store=":memory:")
    with pytest.raises(Exception, match="HTTP 401"):  # it sends a request, and the sandbox refuses the key
        IngestionPipeline(transformations=[live], cache=first.cache).run(nodes=[TextNode(text="a red car")])


# One vector per clip.


def test_a_clip_has_one_vector_per_option(embed_model: TwelveLabsEmbedding, video_path: Path, sound: Path) -> None:
    options = ["visual", "audio", "transcription", "fused"]
    vectors = [embed_model.get_video_embedding(video_path, embedding_option=option) for option in options]
    assert len({tuple(vector) for vector in vectors}) == 4
    assert vectors[0] == embed_model.get_video_embedding(video_path)
    window = embed_model.get_video_embedding(video_path, start_sec=6, end_sec=12)
    assert window not in vectors
    with pytest.raises(InputError, match="embedding_option for audio must be one of audio, transcription, fused"):
        embed_model.get_audio_embedding(sound, embedding_option="visual")
    with pytest.raises(InputError, match="end_sec must be after start_sec"):
        embed_model.get_video_embedding(video_path, start_sec=12, end_sec=6)


async def test_the_loop_goes_on_while_many_nodes_are_checked(
    shared_model: TwelveLabsEmbedding, nodes: list[TextNode]
) -> None:
    await shared_model.aget_query_embedding("a red car")
    texts = [TextNode(text="the segment of page 12, line after line, " * 50) for _ in range(20_000)]
    head = TextNode(text=nodes[0].get_content().partition("\n")[0].replace(", ", " | "))
    checking = asyncio.create_task(shared_model.acall([*texts, head]))
    iterations = await loop_iterations(checking)
    with pytest.raises(InputError, match=r"texts\[20000\]"):
        await checking
    assert iterations > 10  # had it blocked the loop, it would be done after one iteration
