"""How a retriever of any framework gets moments: candidates from its vector store, then `find_moments`."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.conditions import CLIP_OPTIONS, Conditions
from twelvelabs_core.moments.moment import Hit, Moment
from twelvelabs_core.moments.options import MomentOptions
from twelvelabs_core.transport.mode import Mode

logger = logging.getLogger("twelvelabs_core")

FETCH_MAX = 10_000  # results of one search, where a vector store cannot filter
FETCH_GROWTH = 4


class VectorSearch(Protocol):
    """A framework's vector store, as `retrieve_moments` uses it."""

    def can_filter(self, conditions: Conditions) -> bool:
        """Return whether the vector store itself can apply these conditions."""

    async def search(self, mode: Mode, vector: list[float], count: int, conditions: Conditions | None) -> list[Hit]:
        """Return the nearest `count` results, best first; with conditions, only those that fulfil them."""


@dataclass(frozen=True, slots=True)
class Example:
    """A moment or segment to search by: others like it.

    Attributes:
        source: The caller's name of its file.
        start_sec: First second.
        end_sec: Last second.
        segment_ids: Its segments, at least one.

    Example:
        ```python
        example = Example.of(document.metadata)
        ```
    """

    source: str
    start_sec: float
    end_sec: float
    segment_ids: tuple[str, ...]

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> Self:
        """Return the example with this metadata of a moment's or a segment's document or node.

        Raises:
            InputError: It has no segments.
        """
        ids = metadata.get("segment_ids") or [metadata.get("segment_id")]
        if not all(isinstance(one, str) for one in ids):
            raise InputError("like must be a moment or a segment, got a document without segment_ids.")
        start, end = (float(metadata.get(key) or 0.0) for key in ("start_sec", "end_sec"))
        return cls(str(metadata.get("source")), start, end, tuple(ids))

    def overlaps(self, moment: Moment) -> bool:
        """Return whether a moment is of the same file and has seconds in common with it."""
        return self.source == moment.source and moment.start_sec < self.end_sec and moment.end_sec > self.start_sec


async def retrieve_moments(
    mode: Mode,
    client: Any,
    store: VectorSearch,
    vector: Any,
    *,
    k: int,
    fetch_k: int,
    conditions: Conditions,
    options: MomentOptions,
    like: Example | None = None,
) -> list[Moment]:
    """Return at most `k` moments, best first.

    Args:
        mode: Blocking or awaiting.
        client: The client whose segment store has the vectors: `Client` when blocking, else `AsyncClient`.
        store: The vector store.
        vector: The query's vector, float32 of shape (dimension,).
        k: Most moments.
        fetch_k: Results of one search in the vector store.
        conditions: Which segments may be found.
        options: How hits become moments.
        like: The example that the vector is of, which is not returned.

    Raises:
        InputError: The stored vectors, or the query, are of another vector space than the client's.
    """
    if conditions.embedding_option is not None:
        options = replace(options, weights={conditions.embedding_option: 1.0})
    if conditions.time_window is not None:
        options = replace(options, time_window=conditions.time_window)
    hits = await _candidates(mode, store, vector.tolist(), conditions, fetch_k)
    count = k if like is None else k + 1
    found: list[Moment] = await mode.run(client.find_moments, hits, vector, k=count, options=options)
    return [moment for moment in found if like is None or not like.overlaps(moment)][:k]


async def _candidates(
    mode: Mode, store: VectorSearch, vector: list[float], conditions: Conditions, fetch_k: int
) -> list[Hit]:
    """Return results that fulfil the conditions, best first.

    The vector store is searched once more for each option, where it can filter and did not return all that it has:
    the cosines of options differ in level, so that one option may fill the first results of a large collection.
    """
    hits = await find_segments(mode, store, vector, conditions, fetch_k)
    if len(hits) == fetch_k and conditions.embedding_option is None:
        for option in CLIP_OPTIONS:
            narrower = replace(conditions, embedding_option=option)
            if store.can_filter(narrower):
                hits += await find_segments(mode, store, vector, narrower, fetch_k)
    return hits


async def find_segments(
    mode: Mode, store: VectorSearch, vector: list[float], conditions: Conditions, count: int
) -> list[Hit]:
    """Return up to `count` results by one search; by larger ones where the vector store cannot filter."""
    if not conditions or store.can_filter(conditions):
        found = await store.search(mode, vector, count, conditions or None)
        return [hit for hit in found if conditions.accepts(hit)]
    size = count
    while True:
        found = await store.search(mode, vector, size, None)
        matching = [hit for hit in found if conditions.accepts(hit)]
        if len(matching) >= count or len(found) < size:
            return matching[:count]
        if size >= FETCH_MAX:
            logger.warning(
                "the vector store cannot filter, and of its first %d results only %d fulfil %s; others may exist.",
                *(size, len(matching), conditions),
            )
            return matching
        size = min(size * FETCH_GROWTH, FETCH_MAX)


def check_query(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a query that are not None.

    Raises:
        InputError: They are neither one of `text`, `image`, `audio`, `video` and `like`, nor a text with an image.
    """
    found = {name: value for name, value in given.items() if value is not None}
    if len(found) != 1 and found.keys() != {"text", "image"}:
        raise InputError(
            f"pass one of text, image, audio, video and like, or text with image; got {' and '.join(found) or 'none'}."
        )
    return found
