"""Transcripts in documents, for keyword search and language models."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.prompts import ChatPromptTemplate, format_document
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import (
    TwelveLabsAudioLoader,
    TwelveLabsEmbeddings,
    TwelveLabsVideoLoader,
    add_segments,
    document_prompt,
)
from tests.langchain.fixtures import FIXED, call, connected, description, requests_of, tasks_of
from twelvelabs_core import InputError
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, write_sound

WANTED: dict[str, Any] = {"segmentation": FIXED, "end_sec": 24.0, "include_transcript": True}
both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


def with_words(documents: list[Document]) -> list[Document]:
    return [document for document in documents if len(document.page_content.splitlines()) == 3]


@both_modes
async def test_transcript_is_between_head_and_reference_and_costs_one_request(
    mode: str, video_path: Path, fresh_embeddings: TwelveLabsEmbeddings, sandbox: Sandbox
) -> None:
    plain = TwelveLabsVideoLoader(video_path, embeddings=fresh_embeddings, segmentation=FIXED, end_sec=24.0).load()
    loader = TwelveLabsVideoLoader(video_path, embeddings=fresh_embeddings, **WANTED)
    documents = await call(mode, loader, "load")
    assert (tasks_of(sandbox), sandbox.count("GET", "/assets/{asset_id}/transcription")) == (1, 1)
    spoken = with_words(documents)
    assert {document.metadata["start_sec"] for document in spoken} == {0.0}
    assert {document.metadata["embedding_option"] for document in spoken} == {"visual", "audio", "transcription"}
    assert {document.page_content.splitlines()[1] for document in spoken} == {"a goalkeeper dives"}
    # Ids, metadata and vectors do not depend on the transcript.
    assert [(d.id, d.metadata) for d in documents] == [(d.id, d.metadata) for d in plain]
    assert fresh_embeddings.embed_documents([d.page_content for d in documents]) == fresh_embeddings.embed_documents(
        [d.page_content for d in plain]
    )
    sandbox.clear_requests()
    assert [d.page_content for d in await call(mode, loader, "load")] == [d.page_content for d in documents]
    assert requests_of(sandbox) == 0


def test_language_model_reads_the_transcript_without_reference(
    video_path: Path, fresh_embeddings: TwelveLabsEmbeddings
) -> None:
    store = InMemoryVectorStore(fresh_embeddings)
    add_segments(store, TwelveLabsVideoLoader(video_path, embeddings=fresh_embeddings, **WANTED).lazy_load())
    shown = "\n".join(format_document(found, document_prompt) for found in store.similarity_search(description(0), k=2))
    prompt = ChatPromptTemplate.from_template("{context}").invoke({"context": shown}).to_string()
    assert "a goalkeeper dives" in prompt
    assert "tl-segment:" not in prompt
    assert FakeListChatModel(responses=["ok"]).invoke(prompt).content == "ok"


def test_transcript_of_an_audio_file_is_requested(
    fresh_embeddings: TwelveLabsEmbeddings, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Its asset is deleted as soon as the transcript is read."""
    sound = tmp_path / "talk.wav"
    write_sound(sound, [Scene(sound="noise", seconds=6.0)])
    loader = TwelveLabsAudioLoader(sound, embeddings=fresh_embeddings, include_transcript=True, keep_asset=False)
    assert loader.load()
    assert (
        sandbox.count("GET", "/assets/{asset_id}/transcription") == sandbox.count("DELETE", "/assets/{asset_id}") == 1
    )


def test_transcripts_with_marengo35(video_path: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    new = connected(sandbox, tmp_path / "s.sqlite3", model="marengo3.5")
    documents = TwelveLabsVideoLoader(video_path, embeddings=new, **WANTED).load()
    assert {document.metadata["embedding_option"] for document in with_words(documents)} == {"visual", "audio"}


def test_split_document_with_a_transcript_is_refused(video_path: Path, fresh_embeddings: TwelveLabsEmbeddings) -> None:
    document = with_words(TwelveLabsVideoLoader(video_path, embeddings=fresh_embeddings, **WANTED).load())[0]
    head, words, reference = document.page_content.splitlines()
    for pieces in ([f"{head}\n{words}", reference], [head, f"{words}\n{reference}"], [head, words, reference]):
        with pytest.raises(InputError, match="splitter"):
            fresh_embeddings.embed_documents(pieces)
