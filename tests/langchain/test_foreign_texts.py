"""Texts that only look like the document of a segment get their own vectors; one of them never stops the others."""

import json

import pytest
from langchain_classic.evaluation import load_evaluator
from langchain_classic.memory import VectorStoreRetrieverMemory
from langchain_classic.retrievers.document_compressors import EmbeddingsFilter
from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import TwelveLabsEmbeddings, document_prompt
from tests.langchain.fixtures import call
from twelvelabs_core import InputError, SegmentNotFoundError

both_modes = pytest.mark.parametrize("mode", ["sync", "async"])

UNKNOWN = "0b9a7c5e-1c2d-5e3f-8a9b-0123456789ab"
FOREIGN = (
    "Annual report 2025, page 12, continued from page 11",
    "See Miller (2019), page 44, footnote",
    "Scene 4, 1:02.0-1:10.0, wide",
    "Scene 4 | 1:02.0-1:10.0 | wide",
    "ACME handbook | page 7 | draft",
    "Keynote | 0:00.0-1:00.0 | intro",
    "photo.png | whole | visual asset",
    "see tl-segment:a",
    "tl-segment:a",
    "the prefix is tl-segment:",
    "tl-video: our protocol for video clubs",
    "Programme\ntl-video:match.mp4\nand more",
    "segment:0b9a7c5e",
    f"see tl-segment:{UNKNOWN} for more",
    f"two of them: tl-segment:{UNKNOWN} tl-segment:{UNKNOWN[::-1]}",
    "segment_id: 12\n\nScene 4, 1:02.0-1:10.0, wide",
    UNKNOWN,
)


@both_modes
async def test_texts_that_look_like_segments_are_embedded_beside_segments(
    mode: str, documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    texts = [*FOREIGN, documents[0].page_content]
    vectors = await call(mode, shared_embeddings, "embed_documents", texts)
    (stored,) = shared_embeddings.client.find_vectors([str(documents[0].id)])
    assert vectors[-1] == stored.tolist()
    assert stored.tolist() not in vectors[:-1]
    for text, vector in zip(FOREIGN, vectors, strict=False):
        assert vector == await call(mode, shared_embeddings, "embed_query", text)


@both_modes
async def test_a_text_that_names_a_known_id_gets_its_own_vector(
    mode: str, documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    head, reference = documents[0].page_content.split("\n")
    title, position, option = head.split(" | ")
    foreign = [
        f"see {reference}",
        f"{reference} shows the goal, {reference.upper()} too",
        f"Keynote | 0:00.0-1:00.0 | intro\n{reference}",
        f"Keynote | {position} | {option}\n{reference}",
        f"{title} | 0:59.0-1:01.0 | {option}\n{reference}",
        f"{title} | {position} | other\n{reference}",
        f"segment_id: {documents[0].id}\n\nKeynote, 0:00.0-1:00.0, intro",
        f"the id {documents[0].id}",
        str(documents[0].id),
    ]
    (stored,) = shared_embeddings.client.find_vectors([str(documents[0].id)])
    for method in ("embed_documents", "embed_query"):
        for text in foreign:
            vector = await call(mode, shared_embeddings, method, [text] if method == "embed_documents" else text)
            assert (vector[0] if method == "embed_documents" else vector) != stored.tolist(), text


@both_modes
async def test_evaluators_and_memories_embed_answers_and_hits(
    mode: str, documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    """As `EmbeddingDistanceEvalChain`, vector memories and LangGraph's store do: any text of a conversation."""
    contents = [document.page_content for document in documents[:3]]
    shown = [document_prompt.format(page_content=content) for content in contents]
    hit = {"page_content": contents[0], "metadata": documents[0].metadata}
    texts = [
        f"The keeper dives at {shown[0]}",
        f"{shown[0]}\nis the moment",
        shown[0],
        "\n\n".join(shown),
        "\n\n".join(contents),  # what a tool without the prompt template returns
        f"input: where?\noutput: {contents[0]}",
        json.dumps(hit),
        json.dumps({"text": contents[0]}),
        json.dumps(contents),
        repr(documents[0]),
    ]
    vectors = await call(mode, shared_embeddings, "embed_documents", texts)
    assert len(vectors) == len(texts)
    assert len(await call(mode, shared_embeddings, "embed_query", json.dumps(hit))) == len(vectors[0])


@both_modes
async def test_a_torn_segment_is_refused(
    mode: str, documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    head, reference = documents[0].page_content.split("\n")
    torn = [
        head,
        f"{head}\nsome speech",
        f"{head} some speech",
        f"some speech\n{reference}",
        reference,
        f"some speech\n{reference[:20]}",
        f"some speech\n{reference[:25]}",
        reference[5:30],
        reference[14:40],
        f"tl-segment:{UNKNOWN}",
        f"speech\ntl-segment:{UNKNOWN[:8]}",
        f"{head[3:]}\n{reference}",
    ]
    for text in torn:
        with pytest.raises((InputError, SegmentNotFoundError), match=r"split|segment store"):
            await call(mode, shared_embeddings, "embed_documents", ["a red car", text])


@both_modes
async def test_text_around_a_segment_and_lower_case_change_nothing(
    mode: str, documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    (stored,) = shared_embeddings.client.find_vectors([str(documents[0].id)])
    whole = documents[0].page_content
    for text in (
        f"passage: {whole}",
        f"Instruct: find the passage\n{whole}\nmore",
        whole.replace("\n", " "),
        whole.replace("\n", "\r\n"),
        whole.lower(),
        whole.upper(),
        f"source: x\nstart_sec: 2.0\n\n{whole}",
        whole.replace("\n", "\nspoken words | of a table\n"),
    ):
        assert (await call(mode, shared_embeddings, "embed_documents", [text]))[0] == stored.tolist(), text
        assert await call(mode, shared_embeddings, "embed_query", text) == stored.tolist(), text


def test_langchains_own_evaluator_filter_and_memory(
    documents: list[Document], shared_embeddings: TwelveLabsEmbeddings
) -> None:
    contents = [document.page_content for document in documents[:3]]
    shown = document_prompt.format(page_content=contents[0])
    evaluator = load_evaluator("embedding_distance", embeddings=shared_embeddings)
    for answer in (shown, f"{shown}\nis the moment", f"It is {contents[0]}", "\n\n".join(contents)):
        assert 0 <= evaluator.evaluate_strings(prediction=answer, reference="the first scene")["score"] <= 2  # type: ignore[attr-defined]
    kept = EmbeddingsFilter(embeddings=shared_embeddings, k=2).compress_documents(documents[:3], "a red car")
    assert {document.page_content for document in kept} <= set(contents)
    memory = VectorStoreRetrieverMemory(retriever=InMemoryVectorStore(shared_embeddings).as_retriever())
    memory.save_context({"input": "where?"}, {"output": f"at {shown}"})
    memory.save_context({"input": "show it"}, {"output": contents[0]})
    assert "where?" in memory.load_memory_variables({"prompt": contents[1]})["history"]
