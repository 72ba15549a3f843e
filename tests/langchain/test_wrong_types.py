"""Values of wrong types raise our errors with the expected type, without the key and before any request."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_twelvelabs import (
    TwelveLabsEmbeddings,
    TwelveLabsVideoLoader,
    aadd_segments,
    add_segments,
)
from twelvelabs_core import ConfigurationError, InputError
from twelvelabs_sandbox import Sandbox

SECRET = "tlk_sandbox_secret_key_of_mine"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("api_key", 5),
        ("base_url", 5),
        ("model", 5),
        ("timeout", "soon"),
        ("max_concurrency", 1.5),
        ("max_retries", "x"),
        ("segment_store", 5),
        ("segment_store", {}),
    ],
)
def test_settings_of_a_wrong_type_are_refused(field: str, value: Any) -> None:
    given = {"api_key": SECRET, field: value}
    with pytest.raises(ConfigurationError, match=field) as caught:
        TwelveLabsEmbeddings(**given)
    assert SECRET not in str(caught.value)


def test_assigned_key_is_refused_without_being_shown(shared_embeddings: TwelveLabsEmbeddings) -> None:
    with pytest.raises(ConfigurationError, match="model_copy") as caught:
        shared_embeddings.api_key = SECRET  # type: ignore[misc, assignment]  # frozen, and a str
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("texts", [None, 5, "one text", b"bytes"])
def test_texts_of_a_wrong_type_are_refused(texts: Any, shared_embeddings: TwelveLabsEmbeddings) -> None:
    with pytest.raises(InputError, match="texts must be a list"):
        shared_embeddings.embed_documents(texts)


WRONG: list[Callable[[TwelveLabsEmbeddings, Document, TwelveLabsVideoLoader], tuple[Any, ...]]] = [
    lambda _embeddings, document, _loader: (None, [document]),
    lambda embeddings, _document, _loader: (InMemoryVectorStore(embeddings), None),
    lambda embeddings, _document, _loader: (InMemoryVectorStore(embeddings), ["a"]),
    lambda embeddings, document, _loader: (InMemoryVectorStore(embeddings), document),
    lambda embeddings, _document, loader: (InMemoryVectorStore(embeddings), loader),
]


@pytest.mark.parametrize("arguments", WRONG, ids=["store", "none", "texts", "one document", "loader"])
async def test_documents_and_stores_of_a_wrong_type_are_refused(
    arguments: Callable[..., tuple[Any, ...]],
    shared_embeddings: TwelveLabsEmbeddings,
    documents: list[Document],
    video_path: Path,
) -> None:
    loader = TwelveLabsVideoLoader(video_path, embeddings=shared_embeddings)
    with pytest.raises(InputError):
        add_segments(*arguments(shared_embeddings, documents[0], loader))
    with pytest.raises(InputError):
        await aadd_segments(*arguments(shared_embeddings, documents[0], loader))


async def test_add_segments_refuses_async_iterators(
    shared_embeddings: TwelveLabsEmbeddings, documents: list[Document]
) -> None:
    async def some() -> AsyncIterator[Document]:
        yield documents[0]

    with pytest.raises(InputError, match="aadd_segments"):
        add_segments(InMemoryVectorStore(shared_embeddings), some())  # type: ignore[arg-type]
    with pytest.raises(InputError, match="batch_size"):
        add_segments(InMemoryVectorStore(shared_embeddings), documents, batch_size="x")  # type: ignore[arg-type]


@pytest.mark.parametrize("media", [{}, {"a.mp4": 1}, memoryview(b"x"), None, 5])
def test_media_of_a_wrong_type_are_refused(media: Any, shared_embeddings: TwelveLabsEmbeddings) -> None:
    with pytest.raises(InputError, match="media must be"):
        TwelveLabsVideoLoader(media, embeddings=shared_embeddings).load()


def test_namespace_of_a_wrong_type_is_refused_before_a_request(
    shared_embeddings: TwelveLabsEmbeddings, video_path: Path, sandbox: Sandbox
) -> None:
    with pytest.raises(InputError, match="id_namespace"):
        TwelveLabsVideoLoader(video_path, embeddings=shared_embeddings, id_namespace=5)  # type: ignore[arg-type]
    assert sandbox.count() == 0


@pytest.mark.parametrize("media", [["rg.mp4", "./rg.mp4"], ["a/../rg.mp4", "x.mp4", Path("rg.mp4"), "./x.mp4"]])
def test_duplicate_sources_are_refused(media: list[Any], shared_embeddings: TwelveLabsEmbeddings) -> None:
    message = r"(1 name stands|2 names stand) for several media, such as 'rg\.mp4'; pass each once"
    with pytest.raises(InputError, match=message):
        TwelveLabsVideoLoader(media, embeddings=shared_embeddings)
