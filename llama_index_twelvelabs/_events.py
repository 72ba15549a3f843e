"""What LlamaIndex's observers are told of an embedding call: dispatcher events and the callback pair."""

from collections.abc import Iterator
from contextlib import contextmanager

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.callbacks.schema import CBEventType, EventPayload
from llama_index.core.instrumentation.events.embedding import EmbeddingEndEvent, EmbeddingStartEvent
from llama_index_instrumentation import get_dispatcher

dispatcher = get_dispatcher(__name__)


@contextmanager
def observed(embedding: BaseEmbedding, chunks: list[str]) -> Iterator[list[list[float]]]:
    """Tell observers of one call, of text or of media alike.

    Args:
        embedding: The model that embeds.
        chunks: What is embedded, as strings: texts themselves, names of media; never bytes or a signed URL.

    Yields:
        An empty list, to be filled with the vectors.
    """
    payload = embedding.to_payload()
    vectors: list[list[float]] = []
    dispatcher.event(EmbeddingStartEvent(model_dict=payload))
    with embedding.callback_manager.event(CBEventType.EMBEDDING, payload={EventPayload.SERIALIZED: payload}) as event:
        yield vectors
        event.on_end(payload={EventPayload.CHUNKS: chunks, EventPayload.EMBEDDINGS: vectors})
    dispatcher.event(EmbeddingEndEvent(chunks=chunks, embeddings=vectors))
