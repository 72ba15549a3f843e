"""`replace_video`: the nodes of a video into an index in place of those that were there before, whatever the store."""

from collections.abc import Sequence
from typing import Any

from llama_index.core import VectorStoreIndex
from llama_index.core.schema import BaseNode

from llama_index_twelvelabs._modes import AWAITING, BLOCKING, Mode, finish
from twelvelabs_core import ConfigurationError, InputError


def replace_video(index: VectorStoreIndex, nodes: Sequence[BaseNode]) -> list[str]:
    """Put the nodes of videos into an index, in place of all nodes that those videos have there.

    `index.insert_nodes` alone is not safe to repeat: Postgres, LanceDB and FAISS keep nodes twice, and the segments
    of a changed video would stand beside the old ones.

    Args:
        index: An index on any vector store but FAISS, which cannot delete: there it takes new videos only.
        nodes: All nodes of one or several videos, as `TwelveLabsVideoReader.load_nodes` or
            `TwelveLabsVideoSegmenter` returned them.

    Returns:
        The ids of the nodes in the index, each once, in their order.

    Raises:
        InputError: A node has no vector or no source; nothing was deleted.
        ConfigurationError: The video is in the index already, and its vector store cannot delete.

    Example:
        ```python
        replace_video(index, TwelveLabsVideoReader(embed_model=embed_model).load_nodes("match.mp4"))
        ```
    """
    return finish(replace_videos(BLOCKING, index, nodes))


async def areplace_video(index: VectorStoreIndex, nodes: Sequence[BaseNode]) -> list[str]:
    """Put the nodes of videos into an index; the async twin of `replace_video`."""
    return await replace_videos(AWAITING, index, nodes)


async def replace_videos(mode: Mode, index: VectorStoreIndex, nodes: Sequence[BaseNode]) -> list[str]:
    """Replace the nodes of each video that `nodes` come from."""
    if not isinstance(index, VectorStoreIndex):
        raise InputError(f"index must be a VectorStoreIndex, got {type(index).__name__}.")
    videos: dict[str, dict[str, BaseNode]] = {}
    for node in nodes:
        videos.setdefault(check_node(node), {})[node.node_id] = node
    for ref_doc_id, ours in videos.items():
        await replace_in_index(mode, index, ref_doc_id, list(ours.values()))
    return [node_id for ours in videos.values() for node_id in ours]


async def replace_in_index(mode: Mode, index: VectorStoreIndex, ref_doc_id: str, nodes: Sequence[BaseNode]) -> None:
    """Delete what an index has of one video, then insert its nodes; there may be none."""
    store = index.vector_store
    if is_a(store, "LanceDBVectorStore", "FaissVectorStore"):
        # FAISS does not keep the nodes, the index does: it knows whether the video is there.
        known = not store.stores_text and await mode.call(index.docstore, "get_ref_doc_info", ref_doc_id) is not None
        await delete_from_store(mode, store, ref_doc_id, is_known=known)
    elif await has_collection(mode, store):
        await mode.call(index, "delete_ref_doc", ref_doc_id, delete_from_docstore=True)
    if nodes:
        await mode.call(index, "insert_nodes", list(nodes))


async def delete_from_store(mode: Mode, store: Any, ref_doc_id: str, *, is_known: bool) -> None:
    """Delete the nodes of one video from a vector store.

    Args:
        mode: Blocking or awaiting.
        store: The vector store.
        ref_doc_id: The video's document.
        is_known: Whether the video is in it, as far as the caller knows.

    Raises:
        ConfigurationError: The video is known, and the store cannot delete.
    """
    if is_a(store, "FaissVectorStore"):
        if is_known:
            raise ConfigurationError(
                "FAISS cannot replace a video: its LlamaIndex store does not delete by document. Build the index anew "
                "from the nodes (the segment store gives their vectors for nothing), or use another vector store."
            )
    elif is_a(store, "LanceDBVectorStore"):
        # The integration writes the id in double quotes, which lancedb from 0.38 on takes for the name of a column.
        table = getattr(store, "_table", None)  # its `table` raises as long as nothing is in it
        if table is not None:
            where = f"{store.doc_id_key} = '{ref_doc_id.replace(chr(39), chr(39) * 2)}'"
            await mode.blocking(lambda: table.delete(where))
    elif await has_collection(mode, store):
        await mode.call(store, "delete", ref_doc_id)


async def has_collection(mode: Mode, store: Any) -> bool:
    """Return whether a store has a place to delete from; Qdrant makes its collection with the first node."""
    if not is_a(store, "QdrantVectorStore"):
        return True
    return bool(await mode.call(store, "_collection_exists", store.collection_name))


def check_node(node: BaseNode) -> str:
    """Return the id of the document that a node comes from.

    Raises:
        InputError: It has none, or no vector.
    """
    if node.embedding is None:
        raise InputError(
            f"the node {node.node_id} has no vector: pass nodes as TwelveLabsVideoReader.load_nodes or "
            "TwelveLabsVideoSegmenter returned them, not as a vector store gave them back."
        )
    if node.ref_doc_id is None:
        raise InputError(f"the node {node.node_id} has no source document, so that it could not be replaced later.")
    return node.ref_doc_id


def is_a(store: object, *names: str) -> bool:
    """Return whether a vector store is of a class of one of these names; its package may not be installed."""
    return any(cls.__name__ in names for cls in type(store).__mro__)
