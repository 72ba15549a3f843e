"""From media to records of segments: the one way that the segmenter, the reader and `ingest_videos` go."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from typing import Any

from llama_index_twelvelabs._modes import Mode
from llama_index_twelvelabs.embeddings import TwelveLabsEmbedding
from twelvelabs_core import Media, OnProgress, SegmentRecord
from twelvelabs_core.base.progress import ProgressLine


async def each_film(
    mode: Mode,
    embed_model: TwelveLabsEmbedding,
    media: Sequence[Media],
    options: Mapping[str, Any],
    *,
    id_namespace: str | None = None,
    show_progress: bool = False,
) -> AsyncGenerator[tuple[str, list[SegmentRecord]]]:
    """Yield the name and the records of each medium, as the embedding tasks end.

    Raises:
        TwelveLabsError: The only medium failed.
        IngestionError: At the end, when some of several failed; the others are stored.
    """
    client = embed_model.async_client if mode.is_async else embed_model.client
    with progress_line(len(media), show_progress=show_progress) as on_progress:
        async with aclosing(mode.each(client.segment_many(media, on_progress=on_progress, **options))) as films:
            async for film in films:
                yield film.source, await mode.ask(client.register, film, id_namespace=id_namespace)


async def all_films(
    mode: Mode,
    embed_model: TwelveLabsEmbedding,
    media: Sequence[Media],
    options: Mapping[str, Any],
    *,
    id_namespace: str | None = None,
    show_progress: bool = False,
) -> dict[str, list[SegmentRecord]]:
    """Return the records of all media by name.

    Raises:
        TwelveLabsError: As for `each_film`.
    """
    if not media:
        return {}
    films = each_film(mode, embed_model, media, options, id_namespace=id_namespace, show_progress=show_progress)
    return {source: records async for source, records in films}


def progress_line(total: int, *, show_progress: bool) -> AbstractContextManager[OnProgress | None]:
    """Return a line on stderr that tells how far it is, or nothing."""
    return ProgressLine(total) if show_progress else nullcontext()
