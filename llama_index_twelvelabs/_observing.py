"""The way of every public embedding call: observed; texts batch by batch, with a progress bar on request."""

from collections.abc import Sequence
from typing import Any

from llama_index.core.utils import get_tqdm_iterable

from llama_index_twelvelabs._base import ConnectedEmbedding
from llama_index_twelvelabs._events import observed
from llama_index_twelvelabs._modes import Mode
from twelvelabs_core import InputError, Media, MediaInput


async def embed_one(
    mode: Mode, embedding: ConnectedEmbedding, hook: str, item: str | Media, **options: Any
) -> list[float]:
    """Return the vector that a hook such as `_get_text_embedding` gives for one item."""
    with observed(embedding, [label(item)]) as vectors:
        vectors.append(await mode.call(embedding, hook, item, **options))
    return vectors[0]


async def embed_all(
    mode: Mode, embedding: ConnectedEmbedding, hook: str, media: Sequence[Media], **options: Any
) -> list[list[float]]:
    """Return the vectors that a hook such as `_get_image_embeddings` gives; called once, so that it can check all."""
    if not media:
        return []
    with observed(embedding, [label(item) for item in media]) as vectors:
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


def label(item: str | Media) -> str:
    """Return what observers may see of an item: a text itself, a medium's name without signature."""
    return item.source if isinstance(item, Media) else item


def as_media(values: Sequence[MediaInput], what: str) -> list[Media]:
    """Return media, before anything is observed: a `Media` shows neither bytes nor signed URLs.

    Raises:
        InputError: A single one, or something that no media can come from.
    """
    if isinstance(values, (str, bytes, bytearray)) or hasattr(values, "read") or not hasattr(values, "__iter__"):
        raise InputError(f"{what} must be a list, got a single {type(values).__name__}: pass [{what[:-1]}].")
    return [Media.of(value) for value in values]
