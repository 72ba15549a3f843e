"""Metadata of the user's own: what a loader accepts, and what of it is on a moment."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.results.records import METADATA_KEYS

MOMENT_KEYS = ("moment_id", "best_sec", "score", "scores", "ranks", "why", "exact", "url", "segment_ids")
"""The keys of a moment's metadata that a segment does not have."""
STORE_KEYS = ("pk",)  # what vector stores add to metadata; others begin with an underscore
PLAIN_TYPES = (str, int, float, bool)


def own_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the user added to the metadata of a segment."""
    return {key: value for key, value in metadata.items() if value is not None and not _is_reserved(key)}


def checked_metadata(given: object, source: str) -> dict[str, Any]:
    """Return metadata for the segments of a file, as a user gave them.

    Args:
        given: A mapping of keys to a str, int, finite float or bool, which every vector store keeps as they are.
        source: The name of the file, for messages.

    Raises:
        InputError: It is something else, or a key is one of segments, moments or vector stores.
    """
    if not isinstance(given, Mapping):
        raise InputError(f"metadata of {source} must be a dict, got {type(given).__name__}.")
    for key, value in given.items():
        if not isinstance(key, str) or not key or _is_reserved(key):
            raise InputError(
                f"metadata of {source} cannot have the key {key!r}: segments, moments or vector stores use it, or it "
                "is not a text. Choose another key."
            )
        if type(value) not in PLAIN_TYPES or (isinstance(value, float) and not isfinite(value)):
            raise InputError(
                f"metadata[{key!r}] of {source} must be a str, int, finite float or bool, which every vector store "
                f"keeps; got {value!r:.80} ({type(value).__name__})."
            )
    return dict(given)


def _is_reserved(key: str) -> bool:
    return key in METADATA_KEYS or key in MOMENT_KEYS or key in STORE_KEYS or key.startswith("_")
