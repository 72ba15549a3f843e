"""What the tools of an agent need beside a search: the moment that a model names, and what can be searched."""

from typing import Any

from twelvelabs_core.moments.conditions import Conditions
from twelvelabs_core.moments.moment import Example
from twelvelabs_core.moments.retrieval import VectorSearch, find_segments, sources_named
from twelvelabs_core.moments.text import complaint_about, titles_of_sources
from twelvelabs_core.transport.mode import Mode

HITS_MAX = 1_000  # results of one search
SOURCES_MAX = 1_000  # searches for one list of videos


async def example_named(
    mode: Mode, client: Any, store: VectorSearch, title: str, *, start_sec: float, end_sec: float
) -> Example | str:
    """Return the moment that a language model names, or a sentence that says why there is none.

    Args:
        mode: Blocking or awaiting.
        client: The client whose segment store knows the sources.
        store: The vector store.
        title: The title of its video, as results show it.
        start_sec: Its first second.
        end_sec: Its last second.
    """
    if complaint := complaint_about(title, start_sec, end_sec):
        return complaint
    sources = await sources_named(mode, client, title)
    if len(sources) > 1:
        known = await mode.blocking(lambda: client.store.find_sources(sources))
        names = ", ".join(sorted(titles_of_sources(known).values()))
        return f"The search failed: {len(sources)} files are called {title}: {names}. Pass one of these."
    window = Conditions(sources=sources, time_window=(start_sec, end_sec))
    hits = [hit for hit in await find_segments(mode, store, _probe(client), window, HITS_MAX) if hit.is_clip]
    ids = tuple(hit.segment_id for hit in hits if hit.segment_id is not None)
    if not ids:
        return f"The search failed: {title} has no moment from second {start_sec:g} to {end_sec:g}."
    return Example(sources[0], start_sec, end_sec, ids)


async def searchable_titles(mode: Mode, client: Any, store: VectorSearch) -> list[str]:
    """Return the titles of the files that can be searched, sorted, each as results show it."""
    found = await find_segments(mode, store, _probe(client), Conditions(), HITS_MAX)
    titles = {hit.source: hit.title for hit in found if hit.segment_id is not None}
    if len(found) == HITS_MAX:  # there are more: ask for each file that the segment store knows
        known: dict[str, str] = await mode.blocking(client.store.list_sources)
        for source in [source for source in known if source not in titles][:SOURCES_MAX]:
            if await find_segments(mode, store, _probe(client), Conditions(sources=(source,)), 1):
                titles[source] = known[source]
    return sorted(titles_of_sources(titles).values())


def _probe(client: Any) -> list[float]:
    """Return a vector to search by where any results are wanted."""
    dimension = client.embedding_dimension
    return [dimension**-0.5] * dimension
