"""The way of every public embedding call: observed, media under their names, texts batch by batch."""

from collections.abc import Sequence
from typing import Any

from llama_index.core.utils import get_tqdm_iterable

from llama_index_twelvelabs._base import ConnectedEmbedding
from llama_index_twelvelabs._events import observed
from llama_index_twelvelabs._modes import Mode
from twelvelabs_core import InputError, Media, MediaInput
from twelvelabs_core.media.source import is_one


async def embed_one(mode: Mode, embedding: ConnectedEmbedding, hook: str, item: str, **options: Any) -> list[float]:
    """Return the vector that a hook such as `_get_text_embedding` gives for one text."""
    with observed(embedding, [item]) as vectors:
        vectors.append(await mode.call(embedding, hook, item, **options))
    return vectors[0]


async def embed_medium(
    mode: Mode, embedding: ConnectedEmbedding, hook: str, item: MediaInput, **options: Any
) -> list[float]:
    """Return the vector that a hook such as `_get_image_embedding` gives for one medium."""
    media = await mode.blocking(lambda: Media.of(item))
    with observed(embedding, [media.source]) as vectors:
        vectors.append(await mode.call(embedding, hook, media, **options))
    return vectors[0]


async def embed_media(
    mode: Mode, embedding: ConnectedEmbedding, hook: str, items: Sequence[MediaInput], what: str, **options: Any
) -> list[list[float]]:
    """Return the vectors that a hook such as `_get_image_embeddings` gives; called once, so that it can check all.

    Raises:
        InputError: A single medium in place of a list, or something that no media can come from.
    """
    if is_one(items):
        raise InputError(f"{what} must be a list, got a single {type(items).__name__}: pass [{what[:-1]}].")
    media = await mode.blocking(lambda: [Media.of(item) for item in items])
    if not media:
        return []
    with observed(embedding, [item.source for item in media]) as vectors:
        vectors.extend(await mode.call(embedding, hook, media, **options))
    return vectors


async def embed_batches(
    mode: Mode, embedding: ConnectedEmbedding, hook: str, texts: Sequence[str], *, show_progress: bool
) -> list[list[float]]:
    """Return the vectors that a hook such as `_get_text_embeddings` gives, called once per `embed_batch_size` texts.

    One batch follows the other, so that the hook's own bound is the bound of the whole call.
    """
    size = embedding.embed_batch_size
    found: list[list[float]] = []
    for start in get_tqdm_iterable(range(0, len(texts), size), show_progress, "Generating embeddings"):
        batch = list(texts[start : start + size])
        with observed(embedding, batch) as vectors:
            vectors.extend(await mode.call(embedding, hook, batch))
        found += vectors
    return found
