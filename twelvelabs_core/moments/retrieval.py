"""How a retriever of any framework gets moments: candidates from its vector store, then `find_moments`."""

import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.conditions import CLIP_OPTIONS, Conditions
from twelvelabs_core.moments.moment import Example, Hit, Moment
from twelvelabs_core.moments.options import MomentOptions
from twelvelabs_core.moments.text import ends_with, titles_of_sources
from twelvelabs_core.transport.mode import Mode

logger = logging.getLogger("twelvelabs_core")

FETCH_MAX = 10_000  # results of one search, where a vector store cannot filter
FETCH_GROWTH = 4
NAMED_COUNT = 100  # results of a search for which sources there are
OTHERS_MAX = 100  # sources with equal titles that are searched for


class VectorSearch(Protocol):
    """A framework's vector store, as `retrieve_moments` uses it."""

    async def search(
        self, mode: Mode, vector: list[float], count: int, conditions: Conditions | None
    ) -> list[Hit] | None:
        """Return the nearest `count` results, best first; with conditions, only those that fulfil them.

        None where the vector store itself cannot apply these conditions; then nothing was searched.
        """


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
        k: Maximum number of moments.
        fetch_k: Results of one search in the vector store.
        conditions: Which segments may be found.
        options: How hits become moments; its `time_window` counts where the conditions have none.
        like: The example that the vector is of, which is not returned.

    Raises:
        InputError: The stored vectors, or the query, are of another vector space than the client's.
    """
    if conditions.embedding_option is not None:
        options = replace(options, weights={conditions.embedding_option: 1.0})
    conditions = replace(conditions, time_window=conditions.time_window or options.time_window)
    options = replace(options, time_window=conditions.time_window)
    hits = await _candidates(mode, store, vector.tolist(), conditions, fetch_k)
    found: list[Moment] = await mode.run(client.find_moments, hits, vector, k=k, options=options, like=like)
    titles = await _titles(mode, client, store, hits, found)
    return [replace(moment, title=titles[moment.source]) for moment in found]


async def conditions_of(
    mode: Mode,
    client: Any,
    store: VectorSearch,
    *,
    source: object = None,
    embedding_option: str | None = None,
    time_window: tuple[float, float] | None = None,
) -> Conditions:
    """Return the conditions that a caller states; `source` is a name as for `sources_in`.

    Raises:
        InputError: One of them is invalid.
    """
    conditions = Conditions(embedding_option=embedding_option, time_window=time_window)
    if source is None:
        return conditions
    if not isinstance(source, str | os.PathLike):
        raise InputError(f"source must be the name of one file, a str or a path, got {source!r:.80}.")
    return replace(conditions, sources=await sources_in(mode, client, store, os.fspath(source)))


async def sources_named(mode: Mode, client: Any, name: str) -> tuple[str, ...]:
    """Return the sources that a user or a model means by a name; the name itself where none is known.

    Args:
        mode: Blocking or awaiting.
        client: The client whose segment store knows the sources.
        name: A source; else a title, or a title with folders as results show it: `cup/match.mp4`.
    """
    found = await _possible_sources(mode, client, name)
    return (name,) if name in found else found or (name,)


async def sources_in(mode: Mode, client: Any, store: VectorSearch, name: str) -> tuple[str, ...]:
    """Return the sources of a vector store by a name as for `sources_named`; the name itself where it has none.

    The segment store also knows files of other collections and deleted ones, which must not count.
    """
    possible = await _possible_sources(mode, client, name)
    found = set(possible)
    if len(possible) > 1:
        rest, found = found, set()
        # The segments of one long video may fill a search.
        while rest and (hits := await find_segments(mode, store, probe(client), _among(rest), NAMED_COUNT)):
            found |= {hit.source for hit in hits}
            rest -= found
    return (name,) if name in found else tuple(sorted(found)) or (name,)


async def _possible_sources(mode: Mode, client: Any, name: str) -> tuple[str, ...]:
    """Return the sources in the segment store that a name may mean."""
    last = name.rpartition("/")[2]
    known: dict[str, str] = await mode.blocking(lambda: client.store.find_sources({name, last}))
    return tuple(source for source, title in known.items() if name in (source, title) or ends_with(source, name))


async def segments_named(
    mode: Mode,
    client: Any,
    names: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    find: Callable[[tuple[str, ...]], Awaitable[Sequence[Any]]],
) -> list[Any]:
    """Return the segments in a vector store of the files that a user means, each by a name as for `sources_named`.

    Args:
        mode: Blocking or awaiting.
        client: The client whose segment store knows the sources; None where there is none, and a name is a source.
        names: One name or several.
        find: Returns the segments of some sources in the vector store, each with the attribute `source`.

    Raises:
        InputError: A name means several files that are in the vector store.
    """
    given = [names] if isinstance(names, str | os.PathLike) else names
    found: dict[Any, None] = {}
    for name in dict.fromkeys(os.fspath(one) for one in given):
        sources = (name,) if client is None else await sources_named(mode, client, name)
        segments = await find(sources)
        if len(several := sorted({segment.source for segment in segments})) > 1:
            raise InputError(f"{name!r} names {len(several)} files: {', '.join(several)}. Pass one of these.")
        found |= dict.fromkeys(segments)
    return list(found)


async def _titles(
    mode: Mode, client: Any, store: VectorSearch, hits: Sequence[Hit], moments: Sequence[Moment]
) -> dict[str, str]:
    """Return the title of each source, with the folders that tell it from others in the vector store.

    Others in the segment store must not count: they may be of other collections, or of other tenants.
    """
    titles = {hit.source: hit.title for hit in hits if hit.segment_id is not None}
    titles |= {moment.source: moment.title for moment in moments}
    wanted = {moment.title for moment in moments if moment.title}
    known: dict[str, str] = await mode.blocking(lambda: client.store.find_sources(wanted)) if wanted else {}
    if others := sorted(known.keys() - titles.keys())[:OTHERS_MAX]:
        found = await store.search(mode, probe(client), NAMED_COUNT, _among(others))
        titles |= {hit.source: hit.title for hit in found or []}
    return titles_of_sources(titles)


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
            found = await store.search(mode, vector, fetch_k, narrower)
            if found is None:
                break
            hits += [hit for hit in found if narrower.accepts(hit)]
    return hits


async def find_segments(
    mode: Mode, store: VectorSearch, vector: list[float], conditions: Conditions, count: int
) -> list[Hit]:
    """Return up to `count` results by one search; by larger ones where the vector store cannot filter."""
    filtered = await store.search(mode, vector, count, conditions or None)
    if filtered is not None:
        return [hit for hit in filtered if conditions.accepts(hit)]
    size = count
    while True:
        found = await store.search(mode, vector, size, None) or []
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


def probe(client: Any) -> list[float]:
    """Return a vector to search by where any results are wanted."""
    dimension = client.embedding_dimension
    return [dimension**-0.5] * dimension


def _among(sources: Iterable[str]) -> Conditions:
    return Conditions(sources=tuple(sources))


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
