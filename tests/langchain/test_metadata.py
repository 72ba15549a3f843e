"""`metadata=` of the loaders: on every document, checked before any request, and no part of an identity."""

import re
from pathlib import Path
from typing import Any

import pytest
from langchain_core.indexing import InMemoryRecordManager
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import (
    SearchVideoMoments,
    TwelveLabsAudioLoader,
    TwelveLabsDocumentLoader,
    TwelveLabsEmbeddings,
    TwelveLabsMomentRetriever,
    TwelveLabsVideoLoader,
    add_segments,
    index_segments,
)
from tests.langchain.fixtures import FIXED, call, connected, description, requests_of, tasks_of
from twelvelabs_core import Failure, IngestionError, InputError, Media
from twelvelabs_core.moments.metadata import MOMENT_KEYS
from twelvelabs_core.results.records import METADATA_KEYS
from twelvelabs_sandbox import Sandbox

CUT: dict[str, Any] = {"segmentation": FIXED, "end_sec": 24.0}
OWN = {"team": "red", "year": 2026, "weight": 0.5, "is_final": True}


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_metadata_is_on_every_document_and_changes_no_id_and_no_payment(
    mode: str, fresh_embeddings: TwelveLabsEmbeddings, video_path: Path, sandbox: Sandbox
) -> None:
    plain = await call(mode, TwelveLabsVideoLoader(video_path, embeddings=fresh_embeddings, **CUT), "load")
    loader = TwelveLabsVideoLoader(video_path, embeddings=fresh_embeddings, metadata=OWN, **CUT)
    documents = await call(mode, loader, "load")
    assert tasks_of(sandbox) == 1
    for one, before in zip(documents, plain, strict=True):
        assert (one.id, one.page_content, one.metadata) == (before.id, before.page_content, {**before.metadata, **OWN})


def test_a_function_returns_the_metadata_of_each_source(
    shared_embeddings: TwelveLabsEmbeddings, video_path: Path
) -> None:
    media = [Media.of(video_path, source=f"cam-{number}/monday.mkv") for number in range(2)]
    loader = TwelveLabsVideoLoader(
        media, embeddings=shared_embeddings, metadata=lambda source: {"camera": source.split("/")[0]}, **CUT
    )
    found = {document.metadata["source"]: document.metadata["camera"] for document in loader.lazy_load()}
    assert found == {"cam-0/monday.mkv": "cam-0", "cam-1/monday.mkv": "cam-1"}


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"source": "a"}, "cannot have the key 'source'"),
        ({"space": "a"}, "cannot have the key 'space'"),
        ({"url": "a"}, "cannot have the key 'url'"),
        ({"_id": "a"}, "cannot have the key '_id'"),
        ({"pk": "a"}, "cannot have the key 'pk'"),
        ({1: "a"}, "cannot have the key 1"),
        (
            {"tags": ["a", "b"]},
            r"metadata\['tags'\] .* must be a str .*, an int .*, a finite float or a bool, .* \(list\)",
        ),
        ({"place": {"x": 1}}, r"metadata\['place'\] .* \(dict\)"),
        ({"team": None}, r"metadata\['team'\] .* \(NoneType\)"),
        ({"weight": float("nan")}, r"metadata\['weight'\] .* got nan"),
        ({"number": 2**63}, r"metadata\['number'\] .* an int from -2\*\*63 to 2\*\*63 - 1, .* got one of 64 bits"),
        ({"number": -(2**63) - 1}, r"metadata\['number'\] .* got one of 64 bits"),
        ({"number": 10**5000}, r"metadata\['number'\] .* got one of 16,610 bits"),
        ({"team": "\ud800"}, r"metadata\['team'\] .* without NUL and lone surrogates, .* got '\\ud800'"),
        ({"team": "re\0d"}, r"metadata\['team'\] .* got 're\\x00d'"),
        ({"\ud800": 1}, r"cannot have the key '\\ud800'"),
        ("red", "must be a dict, got str"),
    ],
)
def test_metadata_that_stores_cannot_keep_is_refused_before_any_request(
    own: Any, message: str, sandbox: Sandbox, video_path: Path
) -> None:
    embeddings = connected(sandbox, ":memory:", model="marengo3.5")
    for loader in (TwelveLabsVideoLoader, TwelveLabsAudioLoader, TwelveLabsDocumentLoader):
        with pytest.raises(InputError, match=message):
            loader(video_path, embeddings=embeddings, metadata=own)
        later = loader([video_path, "b.mkv"], embeddings=embeddings, metadata=lambda _: own)
        with pytest.raises(IngestionError) as raised:
            later.load()
        assert [re.search(message, failure.reason) is None for failure in raised.value.failures] == [False, False]
    assert requests_of(sandbox) == 0


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_a_file_whose_metadata_cannot_be_used_fails_alone(
    mode: str, fresh_embeddings: TwelveLabsEmbeddings, video_path: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    numbers = {"good.mkv": 2**63 - 1, "low.mkv": -(2**63), "bad.mkv": 2**63}
    media = [Media.of(video_path, source=name) for name in (*numbers, "unknown.mkv")]
    media.append(Media.of(tmp_path / "missing.mkv", source="low.mkv.part"))

    def own(source: str) -> dict[str, Any]:
        return {"number": numbers[source.removesuffix(".part")]}

    reasons = {"bad.mkv": "must be a str", "unknown.mkv": "KeyError: 'unknown.mkv'", "low.mkv.part": "file"}
    noted: list[Failure] = []
    options: dict[str, Any] = {"embeddings": fresh_embeddings, "metadata": own, **CUT}
    documents = await call(mode, TwelveLabsVideoLoader(media, on_error=noted.append, **options), "load")
    assert {document.metadata["number"] for document in documents} == {2**63 - 1, -(2**63)}
    assert len(await call(mode, TwelveLabsVideoLoader(media, on_error="skip", **options), "load")) == len(documents)
    with pytest.raises(IngestionError) as raised:
        await call(mode, TwelveLabsVideoLoader(media, **options), "load")
    assert sorted(raised.value.succeeded) == ["good.mkv", "low.mkv"]
    for failures in (noted, raised.value.failures):
        assert {failure.source for failure in failures} == reasons.keys()
        assert [failure.reason for failure in failures if reasons[failure.source] not in failure.reason] == []
    assert tasks_of(sandbox) == 1


def test_metadata_is_on_the_documents_of_moments(shared_embeddings: TwelveLabsEmbeddings, video_path: Path) -> None:
    store = InMemoryVectorStore(shared_embeddings)
    loader = TwelveLabsVideoLoader(
        video_path, embeddings=shared_embeddings, source="own.mkv", metadata=OWN, include_transcript=True, **CUT
    )
    add_segments(store, loader.lazy_load())
    retriever = TwelveLabsMomentRetriever(vectorstore=store, k=2)
    for document in retriever.invoke(description(1)):
        assert {key: document.metadata[key] for key in OWN} == OWN
        assert document.metadata.keys() - OWN.keys() <= {*METADATA_KEYS, *MOMENT_KEYS}
        assert set(MOMENT_KEYS) <= document.metadata.keys()
    message = SearchVideoMoments(retriever=retriever).invoke(
        {"type": "tool_call", "name": "search_video_moments", "id": "1", "args": {"query": description(1), "k": 1}}
    )
    assert message.artifact[0].metadata["team"] == "red"


def test_index_writes_documents_with_changed_metadata_again(
    fresh_embeddings: TwelveLabsEmbeddings, video_path: Path, sandbox: Sandbox
) -> None:
    store, records = InMemoryVectorStore(fresh_embeddings), InMemoryRecordManager("own")
    for team in ("red", "blue", "blue"):
        loader = TwelveLabsVideoLoader(video_path, embeddings=fresh_embeddings, metadata={"team": team}, **CUT)
        result = index_segments(loader, records, store)
    assert result["num_added"] == result["num_deleted"] == 0
    assert {entry["metadata"]["team"] for entry in store.store.values()} == {"blue"}
    assert tasks_of(sandbox) == 1
