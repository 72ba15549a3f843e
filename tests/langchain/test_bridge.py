"""Texts of segments get their stored vectors; split, lost or foreign ones raise errors with advice."""

import subprocess
import sys
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_text_splitters import CharacterTextSplitter, Language, RecursiveCharacterTextSplitter, TextSplitter

from langchain_twelvelabs import TwelveLabsEmbeddings, document_prompt
from tests.langchain.fixtures import call, connected, requests_of
from twelvelabs_core import InputError, SegmentNotFoundError, SegmentPosition, Segments, SegmentStore
from twelvelabs_core.ingest.named_vectors import vectors_of_texts
from twelvelabs_core.results.references import head_line
from twelvelabs_sandbox import Sandbox

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


def _characters(size: int, overlap: int, **options: object) -> TextSplitter:
    return CharacterTextSplitter(chunk_size=size, chunk_overlap=overlap, **options)  # type: ignore[arg-type]


@both_modes
async def test_only_new_texts_are_sent_among_stored_ones(
    mode: str, documents: list[Document], sandbox: Sandbox, shared_embeddings: TwelveLabsEmbeddings
) -> None:
    embeddings = shared_embeddings
    segments = embeddings.client.find_vectors([str(document.id) for document in documents])
    texts = [documents[2].page_content, "a red car", documents[0].page_content, "rain", documents[2].page_content]
    vectors = await call(mode, embeddings, "embed_documents", texts)
    assert [vectors[0], vectors[2], vectors[4]] == [segments[row].tolist() for row in (2, 0, 2)]
    assert vectors[1] == embeddings.embed_query("a red car")
    sent = requests_of(sandbox)
    await call(mode, embeddings, "embed_documents", [document.page_content for document in documents])
    assert requests_of(sandbox) == sent


@both_modes
async def test_text_of_a_segment_as_query_finds_similar_segments(
    mode: str, documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    (stored,) = shared_embeddings.client.find_vectors([str(documents[0].id)])
    assert await call(mode, shared_embeddings, "embed_query", documents[0].page_content) == stored.tolist()


@both_modes
async def test_text_between_head_and_reference_is_accepted(
    mode: str, documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    head, reference = documents[0].page_content.split("\n")
    annotated = f"{head}\r\nThe goalkeeper dives, see https://example.com/v.mp4#t=12,18\n\n  {reference}  \n"
    (stored,) = shared_embeddings.client.find_vectors([str(documents[0].id)])
    assert await call(mode, shared_embeddings, "embed_query", annotated) == stored.tolist()


@both_modes
@pytest.mark.parametrize("size", [20, 30, 40, 45, 60, 100, 150])
async def test_documents_split_by_the_recursive_splitter_are_refused(
    mode: str, size: int, documents: list[Document], sandbox: Sandbox, shared_embeddings: TwelveLabsEmbeddings
) -> None:
    splitter = RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=0)
    pieces = splitter.split_documents([described(document) for document in documents])
    assert len(pieces) > len(documents)
    with pytest.raises(InputError, match="text splitter"):
        await call(mode, shared_embeddings, "embed_documents", [piece.page_content for piece in pieces])
    assert requests_of(sandbox) == 0


@both_modes
@pytest.mark.parametrize(
    "separator",
    ["\n", " ", "-"],
)
async def test_documents_split_by_the_character_splitter_are_refused(
    mode: str, separator: str, documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    splitter = CharacterTextSplitter(separator=separator, chunk_size=50, chunk_overlap=0)
    pieces = splitter.split_documents([described(document) for document in documents])
    with pytest.raises(InputError, match="Do not split segment documents"):
        await call(mode, shared_embeddings, "embed_documents", [piece.page_content for piece in pieces])


@both_modes
async def test_query_that_quotes_a_moment_is_embedded_as_text(
    mode: str, documents: list[Document], sandbox: Sandbox, shared_embeddings: TwelveLabsEmbeddings
) -> None:
    head, reference = documents[0].page_content.split("\n")
    for query in (head, reference, f"{head}\nwhat comes next?", f"{reference} {reference}", f"like {reference[:20]}"):
        sent = requests_of(sandbox)
        vector = await call(mode, shared_embeddings, "embed_query", query)
        assert requests_of(sandbox) == sent + 1
        assert vector != await call(mode, shared_embeddings, "embed_query", documents[0].page_content)


@both_modes
async def test_text_that_quotes_a_formatted_segment_is_embedded_as_text(
    mode: str, documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    shown = document_prompt.format(page_content=documents[0].page_content)
    head = documents[0].page_content.split("\n")[0]
    answers = [shown, f"In {shown} the keeper dives.", f"The moment is\n{head}\nas you can see."]
    assert len(await call(mode, shared_embeddings, "embed_documents", answers)) == len(answers)


SPLITTERS: list[Callable[[int, int], TextSplitter]] = [
    lambda size, overlap: RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=overlap),
    lambda size, overlap: RecursiveCharacterTextSplitter.from_language(
        Language.MARKDOWN, chunk_size=size, chunk_overlap=overlap
    ),
    *(
        partial(_characters, separator=separator, keep_separator=keep)
        for separator in ("", " ", "-", "\n", ".", ":", "|")
        for keep in (False, True)
    ),
]


WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=300)


@pytest.mark.slow
@given(
    splitter=st.sampled_from(SPLITTERS),
    size=st.tuples(st.integers(24, 250), st.integers(0, 20)),
    words=st.tuples(WORDS, WORDS),
    times=st.tuples(st.floats(0, 9000), st.floats(0, 9000)),
    segment_id=st.uuids(version=4),
)
@settings(max_examples=100, deadline=None)
def test_every_split_of_a_segment_is_refused(
    splitter: Callable[[int, int], TextSplitter],
    size: tuple[int, int],
    words: tuple[str, str],
    times: tuple[float, float],
    segment_id: uuid.UUID,
) -> None:
    title, body = words
    position = SegmentPosition(times[0], times[0] + times[1], "visual", "clip")
    whole = "\n".join([head_line(title, position), *([body] if body.strip() else []), f"tl-segment:{segment_id}"])
    pieces = splitter(*size).split_text(whole)
    assume(len(pieces) > 1)
    with SegmentStore(":memory:") as store:
        store.put_intent("key", space="s", content="c", model="m", params={}, source="a", account="me")
        store.put_result("key", Segments(np.ones((1, 4), np.float32), [position]), duration_sec=times[1])
        store.add_aliases("key", [(str(segment_id), 0)], source="a", title=title)
        with pytest.raises(InputError, match="split"):
            vectors_of_texts([piece for piece in pieces if piece.strip()], lambda: store, "s", as_query=False)


@both_modes
async def test_unsplit_documents_of_a_splitter_are_accepted(
    mode: str, documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    pieces = RecursiveCharacterTextSplitter(chunk_size=1000).split_documents(documents)
    assert [piece.page_content for piece in pieces] == [document.page_content for document in documents]
    assert len(await call(mode, shared_embeddings, "embed_documents", [piece.page_content for piece in pieces])) == len(
        documents
    )


@both_modes
async def test_documents_of_another_space_are_refused(
    mode: str, documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    live = TwelveLabsEmbeddings(api_key="tlk_made_up", segment_store=shared_embeddings.segment_store)
    with pytest.raises(InputError, match="not comparable") as caught:
        await call(mode, live, "embed_documents", [documents[0].page_content])
    assert "sandbox/marengo3.0/512" in str(caught.value)
    assert "load the video again" in str(caught.value)


@both_modes
async def test_missing_vectors_raise_with_advice_before_a_request(
    mode: str, documents: list[Document], sandbox: Sandbox, tmp_path: Path
) -> None:
    embeddings = connected(sandbox, tmp_path / "empty.sqlite3")
    with pytest.raises(SegmentNotFoundError) as caught:
        await call(mode, embeddings, "embed_documents", ["a red car", documents[0].page_content])
    assert "Load its video again" in str(caught.value)
    assert str(tmp_path / "empty.sqlite3") in str(caught.value)
    assert requests_of(sandbox) == 0


@pytest.mark.slow
def test_store_is_readable_in_another_process(
    documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    code = (
        "import sys; from langchain_twelvelabs import TwelveLabsEmbeddings; "
        "print(sum(TwelveLabsEmbeddings(api_key='tlk_sandbox_made_up', base_url='http://127.0.0.1:9/v1.3', "
        "segment_store=sys.argv[1]).embed_query(sys.argv[2])))"
    )
    place, text = shared_embeddings.client.store.location, documents[0].page_content
    done = subprocess.run([sys.executable, "-c", code, place, text], capture_output=True, text=True, check=True)
    assert float(done.stdout) == sum(shared_embeddings.embed_query(text))


def test_paths_and_urls_as_texts_are_embedded_as_text(
    video_path: Path, sandbox: Sandbox, fresh_embeddings: TwelveLabsEmbeddings
) -> None:
    texts = [str(video_path), f"file://{video_path}", "https://example.com/match.mp4#t=12.5,18", "asset:6917"]
    assert len(fresh_embeddings.embed_documents(texts)) == len(texts)
    assert requests_of(sandbox) == sandbox.count("POST", "/embed-v2") == len(texts)


def described(document: Document) -> Document:
    """Return the document of a segment with an added description."""
    head, reference = document.page_content.split("\n")
    body = "The keeper dives to the left and the ball goes over the bar. " * 2
    return document.model_copy(update={"page_content": f"{head}\n{body}\n{reference}"})
