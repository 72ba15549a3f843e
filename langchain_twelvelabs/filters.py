"""`segment_filter`: search arguments by which a vector store returns only some segments."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore

from langchain_twelvelabs.listing import sql_text
from langchain_twelvelabs.vectorstores import class_names, client_of_store, innermost_store
from twelvelabs_core import ConfigurationError
from twelvelabs_core.integration import BLOCKING, Conditions, Predicate, finish, sources_named, time_window_of

Source = str | os.PathLike[str]
Clauses = Sequence[Sequence[Predicate]]


def segment_filter(
    store: VectorStore,
    *,
    source: Source | Sequence[Source] | None = None,
    start_sec: float | None = None,
    end_sec: float | None = None,
    embedding_option: str | None = None,
) -> dict[str, Any]:
    """Return search arguments by which a vector store returns only segments that fulfil all conditions.

    Args:
        store: InMemoryVectorStore, Chroma, Qdrant, FAISS, LanceDB, Milvus or PGVector, also inside of wrappers.
        source: The `source` of a file, its title, or a title with folders as results show it; or a list of these.
            Default: any.
        start_sec: Segments that end after this second. Default: any.
        end_sec: Segments that begin before this second. Default: any. With one of both, segments without times, such
            as pages, are not found.
        embedding_option: `visual`, `audio`, `transcription`, `text` or `fused`. Default: any.

    Returns:
        Keyword arguments of the store's search methods and of `as_retriever(search_kwargs=...)`; none without
        conditions.

    Raises:
        InputError: A time is not a number of at least 0, the end is not after the start, the option is unknown, or
            `source` is an empty list.
        ConfigurationError: The filters of this kind of store are not known.

    Example:
        ```python
        found = store.similarity_search("goal", k=5, **segment_filter(store, source="match.mp4", start_sec=60))
        ```
    """
    window = time_window_of(start_sec, end_sec)
    conditions = Conditions(embedding_option=embedding_option, time_window=window)
    if source is not None:
        conditions = replace(conditions, sources=_sources(store, source))
    found = filter_arguments(store, conditions)
    if found is None:
        raise ConfigurationError(
            f"the filters of {type(store).__name__} are not known; use its own, on the metadata keys source, title, "
            "embedding_option, start_sec and end_sec."
        )
    return found


def _sources(store: VectorStore, given: Source | Sequence[Source]) -> tuple[str, ...]:
    names = [os.fspath(one) for one in ([given] if isinstance(given, str | os.PathLike) else given)]
    client = finish(client_of_store(BLOCKING, store))
    if client is None:
        return tuple(names)
    return tuple(dict.fromkeys(one for name in names for one in finish(sources_named(BLOCKING, client, name))))


def filter_arguments(store: VectorStore, conditions: Conditions) -> dict[str, Any] | None:
    """Return the search arguments for conditions; None where the filters of this kind of store are not known."""
    if not conditions:
        return {}
    inner = innermost_store(store)
    build = next((_BUILDERS[name] for name in class_names(inner) if name in _BUILDERS), None)
    return None if build is None else build(inner, conditions)


def _in_memory(_: Any, conditions: Conditions) -> dict[str, Any]:
    def fulfils(document: Document) -> bool:
        return conditions.matches(document.metadata)

    return {"filter": fulfils}


def _faiss(store: Any, conditions: Conditions) -> dict[str, Any]:
    # FAISS filters after the search, so all documents have to be searched.
    return {"filter": conditions.matches, "fetch_k": max(store.index.ntotal, 1)}


def _mongo(_: Any, conditions: Conditions) -> dict[str, Any]:
    """Return the arguments of Chroma."""
    operators = {"==": "$eq", "<": "$lt", ">": "$gt"}

    def joined(word: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
        return parts[0] if len(parts) == 1 else {word: parts}

    alternatives = [
        [{one.key: {operators[one.operator]: one.value}} for one in clause] for clause in conditions.clauses
    ]
    return {"filter": joined("$and", [joined("$or", parts) for parts in alternatives])}


def _pgvector(store: Any, conditions: Conditions) -> dict[str, Any] | None:
    # The PGVector of langchain-community has fewer operators, unless use_jsonb=True.
    return _mongo(store, conditions) if getattr(store, "use_jsonb", True) else None


def _qdrant(store: Any, conditions: Conditions) -> dict[str, Any]:
    """Return the arguments of Qdrant."""
    from qdrant_client import models  # noqa: PLC0415  # of the store's own package

    def condition(one: Predicate) -> Any:
        key = f"{store.metadata_payload_key}.{one.key}"
        if one.operator == "==":
            return models.FieldCondition(key=key, match=models.MatchValue(value=str(one.value)))
        bound = {"lt" if one.operator == "<" else "gt": float(one.value)}
        return models.FieldCondition(key=key, range=models.Range(**bound))

    parts: list[Any] = [models.Filter(should=[condition(one) for one in clause]) for clause in conditions.clauses]
    return {"filter": models.Filter(must=parts)}


def _lancedb(_: Any, conditions: Conditions) -> dict[str, Any]:
    return {"filter": _expression(conditions.clauses, "metadata.{}", "=", sql_text), "prefilter": True}


def _milvus(_: Any, conditions: Conditions) -> dict[str, Any]:
    return {"expr": _expression(conditions.clauses, "{}", "==", _milvus_text)}


def _expression(clauses: Clauses, key: str, equal: str, quoted: Callable[[Any], str]) -> str:
    """Return the filter of LanceDB (SQL) or Milvus."""
    operators: Mapping[str, str] = {"==": equal, "<": "<", ">": ">"}

    def condition(one: Predicate) -> str:
        value = quoted(one.value) if isinstance(one.value, str) else repr(float(one.value))
        return f"{key.format(one.key)} {operators[one.operator]} {value}"

    return " and ".join(f"({' or '.join(condition(one) for one in clause)})" for clause in clauses)


def _milvus_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # Milvus does not know the escapes of JSON for other letters


_BUILDERS: dict[str, Callable[[Any, Conditions], dict[str, Any] | None]] = {
    "Chroma": _mongo,
    "FAISS": _faiss,
    "InMemoryVectorStore": _in_memory,
    "LanceDB": _lancedb,
    "Milvus": _milvus,
    "PGVector": _pgvector,
    "QdrantVectorStore": _qdrant,
}
