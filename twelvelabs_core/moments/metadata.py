"""Metadata of the user's own: what a loader accepts, and what of it is on a moment."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.source import storable_text
from twelvelabs_core.results.records import METADATA_KEYS

MOMENT_KEYS = ("moment_id", "best_sec", "score", "scores", "ranks", "why", "exact", "url", "segment_ids")
"""The keys of a moment's metadata that a segment does not have."""
STORE_KEYS = ("pk",)  # what vector stores add to metadata; others begin with an underscore
INT_END = 2**63  # of the signed 64-bit integers of Chroma, LanceDB, Milvus, PostgreSQL and Qdrant


def own_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the user added to the metadata of a segment."""
    return {key: value for key, value in metadata.items() if value is not None and not _is_reserved(key)}


def checked_metadata(given: object, source: str) -> dict[str, Any]:
    """Return metadata for the segments of a file, as a user gave them.

    Args:
        given: A mapping of keys to a str without NUL and lone surrogates, an int of 64 bits, a finite float or a bool,
            which every vector store keeps as they are.
        source: The name of the file, for messages.

    Raises:
        InputError: It is something else, or a key is one of segments, moments or vector stores.
    """
    if not isinstance(given, Mapping):
        raise InputError(f"metadata of {source} must be a dict, got {type(given).__name__}.")
    for key, value in given.items():
        if not isinstance(key, str) or not key or not _is_storable(key) or _is_reserved(key):
            raise InputError(
                f"metadata of {source} cannot have the key {key!r}: segments, moments or vector stores use it, or it "
                "is not a text. Choose another key."
            )
        if not _is_kept(value):
            raise InputError(
                f"metadata[{key!r}] of {source} must be a str without NUL and lone surrogates, an int from -2**63 to "
                f"2**63 - 1, a finite float or a bool, which every vector store keeps; got {_shown(value)} "
                f"({type(value).__name__})."
            )
    return dict(given)


def _is_kept(value: object) -> bool:
    if type(value) is str:
        return _is_storable(value)
    if type(value) is int:
        return -INT_END <= value < INT_END
    return isfinite(value) if type(value) is float else type(value) is bool


def _is_storable(text: str) -> bool:
    return storable_text(text) == text


def _shown(value: object) -> str:
    # Python does not convert integers of thousands of digits to text.
    return f"one of {value.bit_length():,} bits" if isinstance(value, int) else f"{value!r:.80}"


def _is_reserved(key: str) -> bool:
    return key in METADATA_KEYS or key in MOMENT_KEYS or key in STORE_KEYS or key.startswith("_")
