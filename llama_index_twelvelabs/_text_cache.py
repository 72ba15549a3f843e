"""The vectors of texts in a LlamaIndex key-value store, each vector space in a collection of its own."""

import uuid
from collections.abc import Mapping

from llama_index.core.base.embeddings.base import Embedding
from llama_index.core.storage.kvstore.types import BaseKVStore

from llama_index_twelvelabs._modes import Mode


class TextCache:
    """Looks texts up and keeps new ones; does nothing without a store.

    LlamaIndex itself keeps the vectors of all models in one collection under the bare text, so that two models would
    silently get each other's.
    """

    def __init__(self, mode: Mode, store: BaseKVStore | None, space: str) -> None:
        self._mode = mode
        self._store = store
        self._collection = "embeddings_" + space.replace("/", "_")

    async def find(self, texts: Mapping[int, str]) -> dict[int, Embedding]:
        """Return the vectors of those texts that were kept, by their position."""
        if self._store is None:
            return {}
        found = {}
        for place, text in texts.items():
            entry = await self._mode.call(self._store, "get", key=text, collection=self._collection)
            if entry:
                found[place] = next(iter(entry.values()))
        return found

    async def keep(self, texts: Mapping[int, str], vectors: Mapping[int, Embedding]) -> None:
        """Keep new vectors, in the form that LlamaIndex itself uses."""
        if self._store is None:
            return
        for place, text in texts.items():
            entry = {str(uuid.uuid4()): vectors[place]}
            await self._mode.call(self._store, "put", key=text, val=entry, collection=self._collection)
