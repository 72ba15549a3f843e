"""What LlamaIndex's vector stores do in different ways: replacing, deleting and finding the nodes of a document."""

import logging
import re
from collections.abc import Collection, Sequence
from typing import Any

from llama_index.core import VectorStoreIndex
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores import (
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryResult,
)

from twelvelabs_core import ConfigurationError, InputError
from twelvelabs_core.integration import Mode

logger = logging.getLogger("llama_index_twelvelabs")

_KEEPS_BOTH = ("LanceDBVectorStore", "PGVectorStore")  # which store a node again beside the one with its id


async def replace_in_index(mode: Mode, index: VectorStoreIndex, ref_doc_id: str, nodes: Sequence[BaseNode]) -> None:
    """Delete the nodes of one video from an index, then insert its new nodes, if any."""
    store = index.vector_store
    if is_a(store, "LanceDBVectorStore", "FaissVectorStore"):
        # With FAISS the nodes are in the index's document store, which knows whether the video is there.
        known = not store.stores_text and await mode.call(index.docstore, "get_ref_doc_info", ref_doc_id) is not None
        await delete_from_store(mode, store, ref_doc_id, is_known=known)
    elif await has_collection(mode, store):
        try:
            await mode.call(index, "delete_ref_doc", ref_doc_id, delete_from_docstore=True)
        except KeyError:  # it was deleted before, but not from the document store
            await mode.call(index.docstore, "delete_ref_doc", ref_doc_id, raise_error=False)
    if nodes:
        await mode.call(index, "insert_nodes", list(nodes))


async def insert_nodes(mode: Mode, index: VectorStoreIndex, nodes: Sequence[BaseNode], known: Collection[str]) -> None:
    """Insert nodes of one video in an index, in place of those that have the same ids, and record their document.

    Args:
        mode: Blocking or awaiting.
        index: The index.
        nodes: The nodes, each with another id.
        known: The ids of nodes that the vector store has.
    """
    if is_a(index.vector_store, *_KEEPS_BOTH):
        await delete_nodes(mode, index, [node.node_id for node in nodes if node.node_id in known])
    await mode.call(index, "insert_nodes", list(nodes))
    document = nodes[0].source_node
    if document is not None and document.hash is not None:  # for `ingest_videos`
        await mode.call(index.docstore, "set_document_hash", document.node_id, document.hash)


async def delete_nodes(mode: Mode, index: VectorStoreIndex, node_ids: Sequence[str]) -> None:
    """Delete nodes from an index by id."""
    store: Any = index.vector_store
    if not node_ids:  # some stores would delete all nodes
        return
    if is_a(store, "LanceDBVectorStore"):  # see `delete_from_store`
        ids = ", ".join(f"'{node_id}'" for node_id in node_ids)
        await mode.blocking(lambda: store.table.delete(f"id in ({ids})"))
    else:
        for node_id in node_ids if keeps_nodes(index) else ():
            # Without its entry, which an interrupted insertion did not write, the index would raise.
            index.index_struct.nodes_dict.setdefault(node_id, node_id)
        await mode.call(index, "delete_nodes", list(node_ids), delete_from_docstore=True)


def keeps_nodes(index: VectorStoreIndex) -> bool:
    """Return whether an index lists its nodes itself and has them in its document store, beside the vector store."""
    return not index.vector_store.stores_text or index._store_nodes_override  # noqa: SLF001  # it has no public name


async def delete_from_store(mode: Mode, store: Any, ref_doc_id: str, *, is_known: bool) -> None:
    """Delete the nodes of one video from a vector store.

    Args:
        mode: Blocking or awaiting.
        store: The vector store.
        ref_doc_id: The video's document.
        is_known: Whether the caller knows that the video is in the store.

    Raises:
        ConfigurationError: The video is known, and the store cannot delete.
    """
    if is_a(store, "FaissVectorStore"):
        if is_known:
            raise ConfigurationError(
                "FAISS cannot replace a video: its LlamaIndex store does not delete by document. Build the index "
                "again from the nodes (their vectors are in the segment store), or use another vector store."
            )
    elif is_a(store, "LanceDBVectorStore"):
        # The integration uses double quotes around the id, which lancedb from 0.38 parses as a column name.
        table = getattr(store, "_table", None)  # its `table` raises while the store is empty
        if table is not None:
            await mode.blocking(lambda: table.delete(_of_document(store, ref_doc_id)))
    elif await has_collection(mode, store):
        await mode.call(store, "delete", ref_doc_id)


async def has_nodes(mode: Mode, store: Any, ref_doc_id: str, dimension: int) -> bool:
    """Return whether a vector store has a node of a document; True for a store that cannot be asked, such as FAISS."""
    if is_a(store, "LanceDBVectorStore"):  # its query fails while it is empty
        table = getattr(store, "_table", None)
        return table is not None and await mode.blocking(lambda: table.count_rows(_of_document(store, ref_doc_id))) > 0
    filters = MetadataFilters(filters=[MetadataFilter(key="ref_doc_id", value=ref_doc_id)])
    try:
        found = await search_nodes(mode, store, dimension, similarity_top_k=1, filters=filters)
    except Exception as error:  # noqa: BLE001  # each store raises errors of its own
        logger.info("%s cannot be asked for the nodes of a document: %s", type(store).__name__, type(error).__name__)
        return True
    return bool(found.ids or found.nodes)


async def search_nodes(mode: Mode, store: Any, dimension: int, **options: Any) -> VectorStoreQueryResult:
    """Return any nodes of a vector store.

    Raises:
        ValueError: It has no collection, or does not support filters.
    """
    if not await has_collection(mode, store):
        return VectorStoreQueryResult()
    query = VectorStoreQuery(query_embedding=[dimension**-0.5] * dimension, **options)
    result: VectorStoreQueryResult = await mode.call(store, "query", query)
    return result


def _of_document(store: Any, ref_doc_id: str) -> str:
    """Return LanceDB's condition for the nodes of a document."""
    return f"{store.doc_id_key} = '{ref_doc_id.replace(chr(39), chr(39) * 2)}'"


def one_of(store: Any, key: str, values: Sequence[str]) -> MetadataFilter:
    """Return the filter for nodes whose metadata has one of some texts.

    Also for one text: the adapters of LanceDB, Milvus and PostgreSQL do not quote the text of `==`. That of PostgreSQL
    does not quote those of a list either, and its query is SQL of SQLAlchemy, where `:name` is a parameter.
    """
    if is_a(store, "PGVectorStore"):
        values = [re.sub(r":(?=\w)", r"\:", value.replace("'", "''")) for value in values]
    return MetadataFilter(key=key, value=list(values), operator=FilterOperator.IN)


async def has_collection(mode: Mode, store: Any) -> bool:
    """Return whether a store has its collection; Qdrant creates it with the first node."""
    if not is_a(store, "QdrantVectorStore"):
        return True
    return bool(await mode.call(store, "_collection_exists", store.collection_name))


def check_keys(store: Any) -> None:
    """Refuse a LanceDB table that has no place for the metadata of segments.

    Raises:
        ConfigurationError: Its first node had other metadata.
    """
    table = getattr(store, "_table", None) if is_a(store, "LanceDBVectorStore") else None
    if table is None or "metadata" not in table.schema.names:
        return
    kind = table.schema.field("metadata").type
    if "segment_id" not in [kind.field(number).name for number in range(kind.num_fields)]:
        raise ConfigurationError(
            f"the LanceDB table {table.name!r} has nodes without the metadata key segment_id: LanceDB takes the keys "
            "of its first node, and would not store segments. Use another table, or fill a new one with segments "
            "before nodes of your own."
        )


def check_node(node: BaseNode) -> str:
    """Return the id of a node's source document.

    Raises:
        InputError: It has none, or no vector.
    """
    if node.embedding is None:
        raise InputError(
            f"the node {node.node_id} has no vector: pass nodes as TwelveLabsVideoReader.load_nodes or "
            "TwelveLabsVideoSegmenter returned them, not as a vector store returned them."
        )
    if node.ref_doc_id is None:
        raise InputError(f"the node {node.node_id} has no source document, so it could not be replaced later.")
    return node.ref_doc_id


def is_a(store: object, *names: str) -> bool:
    """Return whether a vector store is of a class with one of these names; its package may not be installed."""
    return any(cls.__name__ in names for cls in type(store).__mro__)
