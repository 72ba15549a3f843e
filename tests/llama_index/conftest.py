"""Fixtures of the LlamaIndex tests."""

from tests.llama_index.fixtures import (
    clip,
    embed_model,
    film,
    frame,
    loaded,
    nodes,
    shared_model,
    sound,
    watched,
)

__all__ = ["clip", "embed_model", "film", "frame", "loaded", "nodes", "shared_model", "sound", "watched"]
