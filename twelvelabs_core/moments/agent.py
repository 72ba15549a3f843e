"""What the tools of an agent need beside a search: the moment that a model names, and what can be searched."""

from typing import Any

from twelvelabs_core.moments.conditions import Conditions, time_window_of
from twelvelabs_core.moments.moment import Example
from twelvelabs_core.moments.retrieval import NAMED_COUNT, VectorSearch, find_segments, probe, sources_in
from twelvelabs_core.moments.text import complaint_about, titles_of_sources
from twelvelabs_core.transport.mode import Mode

HITS_MAX = 1_000  # results of one search
SOURCES_MAX = 1_000  # searches for one list of videos


async def example_named(
    mode: Mode, client: Any, store: VectorSearch, title: str, *, start_sec: float | None, end_sec: float | None
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
    if complaint := complaint_about(title, start_sec, end_sec, name="source"):
        return complaint
    if start_sec is None or end_sec is None:
        return "The search failed: start_sec and end_sec must be those of an earlier result."
    sources = await sources_in(mode, client, store, title)
    window = Conditions(sources=sources, time_window=time_window_of(start_sec, end_sec))
    hits = [hit for hit in await find_segments(mode, store, probe(client), window, HITS_MAX) if hit.is_clip]
    found = {hit.source: hit.title for hit in hits}
    if len(found) > 1:
        names = ", ".join(sorted(titles_of_sources(found).values()))
        return f"The search failed: {title} names {len(found)} files: {names}. Pass one of these."
    if not found:
        return f"The search failed: {title} has no moment from second {start_sec:g} to {end_sec:g}."
    ids = tuple(hit.segment_id for hit in hits if hit.segment_id is not None)
    return Example(hits[0].source, start_sec, end_sec, ids)


async def complaint_about_source(mode: Mode, client: Any, store: VectorSearch, title: str) -> str | None:
    """Return a sentence for a language model where no file has the title that it passed."""
    named = Conditions(sources=await sources_in(mode, client, store, title))
    found = await find_segments(mode, store, probe(client), named, NAMED_COUNT)
    return None if found else f"The search failed: no video is called {title}."


async def searchable_titles(mode: Mode, client: Any, store: VectorSearch) -> list[str]:
    """Return the titles of the files that can be searched, sorted, each as results show it."""
    found = await find_segments(mode, store, probe(client), Conditions(), HITS_MAX)
    titles = {hit.source: hit.title for hit in found if hit.segment_id is not None}
    if len(found) == HITS_MAX:  # there are more: ask for each file that the segment store knows
        known: dict[str, str] = await mode.blocking(client.store.list_sources)
        for source in [source for source in known if source not in titles][:SOURCES_MAX]:
            if await find_segments(mode, store, probe(client), Conditions(sources=(source,)), 1):
                titles[source] = known[source]
    return sorted(titles_of_sources(titles).values())
