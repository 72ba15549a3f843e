"""Construction, copies, repr and pickles of the embeddings object; its key stays secret."""

import copy
import multiprocessing
import os
import pickle
from pathlib import Path

import pytest

import langchain_twelvelabs
from langchain_twelvelabs import TwelveLabsEmbeddings
from tests.langchain.fixtures import connected
from twelvelabs_core import ConfigurationError, SegmentStore
from twelvelabs_sandbox import Sandbox

KEY = "tlk_do_not_show_me"


def test_public_names() -> None:
    assert sorted(langchain_twelvelabs.__all__) == [
        "ListVideos",
        "MoreLikeThis",
        "SearchVideoMoments",
        "SegmentPromptTemplate",
        "TwelveLabsAudioLoader",
        "TwelveLabsDocumentLoader",
        "TwelveLabsEmbeddings",
        "TwelveLabsMomentRetriever",
        "TwelveLabsVideoLoader",
        "aadd_segments",
        "add_segments",
        "adelete_segments",
        "aindex_segments",
        "alist_sources",
        "async_videos",
        "delete_segments",
        "document_prompt",
        "index_kwargs",
        "index_segments",
        "list_sources",
        "segment_filter",
        "sync_videos",
    ]
    assert all(hasattr(langchain_twelvelabs, name) for name in langchain_twelvelabs.__all__)


def test_missing_key_raises_at_construction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWELVELABS_API_KEY", raising=False)
    monkeypatch.delenv("TWELVE_LABS_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="TWELVELABS_API_KEY"):
        TwelveLabsEmbeddings()


def test_key_is_read_from_the_second_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWELVELABS_API_KEY", raising=False)
    monkeypatch.setenv("TWELVE_LABS_API_KEY", KEY)
    key = TwelveLabsEmbeddings().api_key
    assert key is not None
    assert key.get_secret_value() == KEY


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_concurrency": 0}, "max_concurrency must be .* got 0"),
        ({"max_retries": -1}, "max_retries must be .* got -1"),
        ({"timeout": 0.0}, "timeout must be .* got 0.0"),
        ({"base_url": "http://example.com/v1.3"}, "unencrypted"),
        ({"model": "marengo2.7"}, "model must be one of marengo3.0"),
        ({"segment_store": ""}, "segment store's location is empty"),
    ],
)
def test_invalid_values_are_refused_by_name(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TwelveLabsEmbeddings(api_key=KEY, **options)  # type: ignore[arg-type]  # made wrong on purpose


def test_unknown_arguments_and_attributes_are_refused() -> None:
    with pytest.raises(TypeError, match="dimensions"):
        TwelveLabsEmbeddings(api_key=KEY, dimensions=256)  # type: ignore[call-arg]  # made wrong on purpose
    embeddings = TwelveLabsEmbeddings(api_key=KEY)
    assert not hasattr(embeddings, "embed_query_inline")  # PGVectorStore checks for it
    with pytest.raises(ConfigurationError, match="model_copy"):
        embeddings.model = "other"


def test_key_is_never_shown() -> None:
    embeddings = TwelveLabsEmbeddings(api_key=KEY)
    shown = [repr(embeddings), str(embeddings), embeddings.model_dump_json(), str(embeddings.model_dump())]
    shown += [repr(embeddings.client), repr(embeddings.async_client), repr(vars(embeddings))]
    with pytest.raises(ConfigurationError) as caught:
        TwelveLabsEmbeddings(api_key=KEY, max_concurrency=KEY)  # type: ignore[arg-type]  # made wrong on purpose
    shown.append(str(caught.value))
    assert not any(KEY in text for text in shown)


def test_pickle_contains_the_key_only_if_it_was_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEY.encode() in pickle.dumps(TwelveLabsEmbeddings(api_key=KEY))
    monkeypatch.setenv("TWELVELABS_API_KEY", KEY)
    data = pickle.dumps(TwelveLabsEmbeddings(max_concurrency=3))
    assert KEY.encode() not in data
    monkeypatch.setenv("TWELVELABS_API_KEY", "tlk_another")
    arrived = pickle.loads(data)  # noqa: S301  # made above
    assert arrived.client.settings.api_key.get_secret_value() == "tlk_another"
    assert arrived.client.settings.max_concurrency == 3
    monkeypatch.delenv("TWELVELABS_API_KEY")
    keyless = pickle.loads(data)  # noqa: S301  # made above; a worker pool would hang if this raised
    with pytest.raises(ConfigurationError, match="TWELVELABS_API_KEY"):
        keyless.embed_query("too late")


def embed_elsewhere(embeddings: TwelveLabsEmbeddings) -> tuple[int, list[float]]:
    return os.getpid(), embeddings.embed_query("a red car")


@pytest.mark.slow
@pytest.mark.parametrize("from_environment", [True, False], ids=["key in environment", "key passed"])
def test_embeddings_work_in_a_spawned_process(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, from_environment: bool
) -> None:
    if from_environment:
        monkeypatch.setenv("TWELVELABS_API_KEY", sandbox.api_key)
    key = None if from_environment else sandbox.api_key
    embeddings = TwelveLabsEmbeddings(api_key=key, base_url=sandbox.base_url, segment_store=tmp_path / "store.sqlite3")
    here = embeddings.embed_query("a red car")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        process, there = pool.apply(embed_elsewhere, (embeddings,))
    assert process != os.getpid()
    assert there == here


def test_pickling_with_an_in_memory_store_raises() -> None:
    with pytest.raises(Exception, match="memory"):
        pickle.dumps(TwelveLabsEmbeddings(api_key=KEY, segment_store=":memory:"))


def test_copies_share_the_store_and_apply_updates(tmp_path: Path) -> None:
    embeddings = TwelveLabsEmbeddings(api_key=KEY, segment_store=":memory:")
    assert copy.copy(embeddings).segment_store is embeddings.segment_store
    assert copy.deepcopy(embeddings).segment_store is embeddings.segment_store
    changed = embeddings.model_copy(update={"max_concurrency": 2, "segment_store": SegmentStore(tmp_path / "other")})
    assert changed.client.settings.max_concurrency == 2
    assert changed.client.settings.api_key == embeddings.client.settings.api_key
    assert changed.client.store.location.endswith("other")
    assert embeddings.client.settings.max_concurrency == 8


def test_both_clients_share_one_store() -> None:
    embeddings = TwelveLabsEmbeddings(api_key=KEY, segment_store=":memory:")
    assert embeddings.client.store is embeddings.async_client.store is embeddings.segment_store
    unnamed = TwelveLabsEmbeddings(api_key=KEY)
    assert unnamed.client.store is unnamed.async_client.store


def test_store_location_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TWELVELABS_STORE", str(tmp_path / "named.sqlite3"))
    assert TwelveLabsEmbeddings(api_key=KEY).client.store.location == str(tmp_path / "named.sqlite3")


def test_embedding_text_opens_no_store(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    embeddings = connected(sandbox, tmp_path / "file" / "cannot" / "be.sqlite3")
    assert len(embeddings.embed_query("a red car")) == 512
