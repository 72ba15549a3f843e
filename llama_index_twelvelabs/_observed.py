"""Embedding calls with LlamaIndex's events and callbacks: media by name, texts batch by batch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.callbacks.schema import CBEventType, EventPayload
from llama_index.core.instrumentation.events.embedding import EmbeddingEndEvent, EmbeddingStartEvent
from llama_index.core.utils import get_tqdm_iterable
from llama_index_instrumentation import get_dispatcher

from twelvelabs_core import Media, MediaInput
from twelvelabs_core.integration import Mode, many

dispatcher = get_dispatcher(__name__)


@contextmanager
def observed(embedding: BaseEmbedding, chunks: list[str]) -> Iterator[list[list[float]]]:
    """Emit the events and callbacks of one embedding call.

    Args:
        embedding: The model that embeds.
        chunks: What is embedded, as strings: texts, or names of media; never bytes or a signed URL.

    Yields:
        An empty list, which the caller fills with the vectors.
    """
    payload = embedding.to_payload()
    vectors: list[list[float]] = []
    dispatcher.event(EmbeddingStartEvent(model_dict=payload))
    with embedding.callback_manager.event(CBEventType.EMBEDDING, payload={EventPayload.SERIALIZED: payload}) as event:
        yield vectors
        event.on_end(payload={EventPayload.CHUNKS: chunks, EventPayload.EMBEDDINGS: vectors})
    dispatcher.event(EmbeddingEndEvent(chunks=chunks, embeddings=vectors))


async def embed_one(mode: Mode, embedding: BaseEmbedding, hook: str, item: str, **options: Any) -> list[float]:
    """Return the vector that a hook such as `_get_text_embedding` gives for one text."""
    with observed(embedding, [item]) as vectors:
        vectors.append(await mode.call(embedding, hook, item, **options))
    return vectors[0]


async def embed_medium(
    mode: Mode, embedding: BaseEmbedding, hook: str, item: MediaInput, **options: Any
) -> list[float]:
    """Return the vector that a hook such as `_get_image_embeddings` returns for one item."""
    return (await embed_media(mode, embedding, hook, [item], "media", **options))[0]


async def embed_media(
    mode: Mode, embedding: BaseEmbedding, hook: str, items: Sequence[MediaInput], what: str, **options: Any
) -> list[list[float]]:
    """Return the vectors of a hook such as `_get_image_embeddings`; one call, so that all are checked before a request.

    Raises:
        InputError: A single item instead of a list, or an item of a wrong type.
    """
    given = many(items, what)
    media = await mode.blocking(lambda: [Media.of(item) for item in given])
    if not media:
        return []
    with observed(embedding, [item.source for item in media]) as vectors:
        vectors.extend(await mode.call(embedding, hook, media, **options))
    return vectors


async def embed_batches(
    mode: Mode,
    embedding: BaseEmbedding,
    texts: Sequence[str],
    *,
    stored: Sequence[Any] | None,
    show_progress: bool,
) -> list[list[float]]:
    """Return the vectors that the hook `_get_text_embeddings` gives, called once per `embed_batch_size` texts.

    Batches run one after another, so that the limit of the hook is the limit of the whole call. Where `stored` has an
    array for a text, the hook does not get that text.
    """
    size = embedding.embed_batch_size
    found: list[list[float]] = []
    for start in get_tqdm_iterable(range(0, len(texts), size), show_progress, "Generating embeddings"):
        batch = list(texts[start : start + size])
        known = [None] * len(batch) if stored is None else stored[start : start + size]
        rest = [text for text, vector in zip(batch, known, strict=True) if vector is None]
        with observed(embedding, batch) as vectors:
            embedded = iter(await mode.call(embedding, "_get_text_embeddings", rest) if rest else ())
            vectors.extend(next(embedded) if vector is None else vector.tolist() for vector in known)
        found += vectors
    return found
