"""Fixtures of the vector store tests."""

from tests.langchain.fixtures import (
    documents,
    frame,
    fresh_embeddings,
    loaded,
    shared_embeddings,
    video_path,
    watched,
)

__all__ = [
    "documents",
    "frame",
    "fresh_embeddings",
    "loaded",
    "shared_embeddings",
    "video_path",
    "watched",
]
