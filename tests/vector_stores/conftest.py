"""Fixtures of the vector store matrix."""

from tests.langchain.fixtures import (
    documents,
    film,
    frame,
    fresh_embeddings,
    loaded,
    shared_embeddings,
    watched,
)

__all__ = [
    "documents",
    "film",
    "frame",
    "fresh_embeddings",
    "loaded",
    "shared_embeddings",
    "watched",
]
