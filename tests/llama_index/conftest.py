"""Fixtures of the LlamaIndex tests."""

from tests.llama_index.fixtures import (
    clip,
    embed_model,
    frame,
    loaded,
    nodes,
    shared_model,
    sound,
    video_path,
    watched,
)

__all__ = ["clip", "embed_model", "frame", "loaded", "nodes", "shared_model", "sound", "video_path", "watched"]
