"""Segments formatted for language models: with times, without the reference line."""

import pickle
from typing import Any

import pytest
from langchain_classic.chains.combine_documents import create_stuff_documents_chain
from langchain_core.documents import Document
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate, aformat_document, format_document
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import create_retriever_tool
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import SegmentPromptTemplate, TwelveLabsEmbeddings, add_segments, document_prompt
from tests.langchain.fixtures import description, visual


@pytest.fixture
def vector_store(shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]) -> InMemoryVectorStore:
    store = InMemoryVectorStore(shared_embeddings)
    add_segments(store, documents)
    store.add_documents([Document(page_content="Minutes of a meeting.\nNothing was decided.")])
    return store


async def test_segment_is_formatted_with_times_and_without_reference(documents: list[Document]) -> None:
    shown = "scenes.mkv, 0:06.0-0:12.0, visual"
    assert format_document(visual(documents)[1], document_prompt) == shown
    assert await aformat_document(visual(documents)[1], document_prompt) == shown


def test_other_documents_are_formatted_unchanged() -> None:
    assert format_document(Document(page_content="Minutes.\nOne | two"), document_prompt) == "Minutes.\nOne | two"


def test_custom_template_can_use_metadata(documents: list[Document]) -> None:
    prompt = SegmentPromptTemplate.from_template("[{start_sec}-{end_sec} s of {source}] {page_content}")
    assert format_document(visual(documents)[1], prompt) == (
        "[6.0-12.0 s of scenes.mkv] scenes.mkv, 0:06.0-0:12.0, visual"
    )
    assert "tl-segment" not in format_document(visual(documents)[1], pickle.loads(pickle.dumps(prompt)))  # noqa: S301


def test_prompt_is_not_serialised_as_a_plain_template() -> None:
    assert dumpd(document_prompt)["type"] == "not_implemented"


async def test_retriever_tool_shows_no_reference(vector_store: InMemoryVectorStore) -> None:
    retriever = vector_store.as_retriever(search_kwargs={"k": 9})
    tool = create_retriever_tool(retriever, "search_videos", "Find moments.", document_prompt=document_prompt)
    for answer in (tool.invoke({"query": description(1)}), await tool.ainvoke({"query": description(1)})):
        assert answer.startswith("scenes.mkv, 0:06.0-0:12.0, visual\n\n")
        assert "tl-segment" not in answer


def test_stuff_documents_chain_shows_no_reference(vector_store: InMemoryVectorStore) -> None:
    prompt = ChatPromptTemplate.from_template("{context}\n\nWhen? {question}")
    model: Any = RunnableLambda(lambda read: AIMessage(read.to_string()))
    chain = create_stuff_documents_chain(model, prompt, document_prompt=document_prompt)
    found = vector_store.similarity_search(description(1), k=2)
    answer = chain.invoke({"context": found, "question": description(1)})
    assert answer.startswith("Human: scenes.mkv, 0:06.0-0:12.0, visual\n\nscenes.mkv, ")
    assert "tl-segment" not in answer
