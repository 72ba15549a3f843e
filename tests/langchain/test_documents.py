"""How language models get to see segments: with their times, without their reference line."""

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
from tests.langchain.fixtures import look, visual


@pytest.fixture
def vector_store(shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]) -> InMemoryVectorStore:
    store = InMemoryVectorStore(shared_embeddings)
    add_segments(store, documents)
    store.add_documents([Document(page_content="Minutes of a meeting.\nNobody came.")])
    return store


async def test_a_segment_is_shown_with_times_and_without_reference(documents: list[Document]) -> None:
    shown = "scenes.mkv, 0:06.0-0:12.0, visual"
    assert format_document(visual(documents)[1], document_prompt) == shown
    assert await aformat_document(visual(documents)[1], document_prompt) == shown


def test_other_documents_are_shown_as_they_are() -> None:
    assert format_document(Document(page_content="Minutes.\nOne | two"), document_prompt) == "Minutes.\nOne | two"


def test_a_template_of_ones_own_may_use_metadata(documents: list[Document]) -> None:
    prompt = SegmentPromptTemplate.from_template("[{start_sec}-{end_sec} s of {source}] {page_content}")
    assert format_document(visual(documents)[1], prompt) == (
        "[6.0-12.0 s of scenes.mkv] scenes.mkv, 0:06.0-0:12.0, visual"
    )
    assert "tl-segment" not in format_document(visual(documents)[1], pickle.loads(pickle.dumps(prompt)))  # noqa: S301


def test_the_prompt_is_not_saved_as_something_that_would_show_the_reference() -> None:
    assert dumpd(document_prompt)["type"] == "not_implemented"


async def test_in_a_retriever_tool(vector_store: InMemoryVectorStore) -> None:
    retriever = vector_store.as_retriever(search_kwargs={"k": 9})
    tool = create_retriever_tool(retriever, "search_videos", "Find moments.", document_prompt=document_prompt)
    for answer in (tool.invoke({"query": look(1)}), await tool.ainvoke({"query": look(1)})):
        assert answer.startswith("scenes.mkv, 0:06.0-0:12.0, visual\n\n")
        assert "tl-segment" not in answer


def test_in_a_chain_that_stuffs_documents(vector_store: InMemoryVectorStore) -> None:
    prompt = ChatPromptTemplate.from_template("{context}\n\nWhen? {question}")
    model: Any = RunnableLambda(lambda read: AIMessage(read.to_string()))
    chain = create_stuff_documents_chain(model, prompt, document_prompt=document_prompt)
    found = vector_store.similarity_search(look(1), k=2)
    answer = chain.invoke({"context": found, "question": look(1)})
    assert answer.startswith("Human: scenes.mkv, 0:06.0-0:12.0, visual\n\nscenes.mkv, ")
    assert "tl-segment" not in answer
