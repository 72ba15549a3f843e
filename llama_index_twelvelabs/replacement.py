"""`replace_video`: replace the nodes of a video in an index, with any vector store."""

from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core import VectorStoreIndex
from llama_index.core.schema import BaseNode

from llama_index_twelvelabs.contents import Place, check_collection, place_of
from llama_index_twelvelabs.vector_stores import check_node, replace_in_index
from twelvelabs_core import InputError
from twelvelabs_core.integration import AWAITING, BLOCKING, Mode, SpaceCheck, finish


def replace_video(index: VectorStoreIndex, nodes: Sequence[BaseNode]) -> list[str]:
    """Add the nodes of videos to an index, replacing all nodes of the same videos.

    `index.insert_nodes` alone is not safe to repeat: Postgres, LanceDB and FAISS keep nodes twice, and the old
    segments of a changed video would remain.

    Args:
        index: An index on any vector store; FAISS cannot delete, so that only new videos can be added.
        nodes: All nodes of one or several videos, as `TwelveLabsVideoReader.load_nodes` or
            `TwelveLabsVideoSegmenter` returned them.

    Returns:
        The ids of the nodes in the index, each once, in the order of `nodes`.

    Raises:
        InputError: A node has no vector or no source, or the index has segments of another space; nothing was deleted.
        ConfigurationError: The index already has the video, and its vector store cannot delete.

    Example:
        ```python
        replace_video(index, TwelveLabsVideoReader(embed_model=embed_model).load_nodes("match.mp4"))
        ```
    """
    return finish(replace_videos(BLOCKING, index, nodes))


async def areplace_video(index: VectorStoreIndex, nodes: Sequence[BaseNode]) -> list[str]:
    """Add the nodes of videos to an index; the async variant of `replace_video`."""
    return await replace_videos(AWAITING, index, nodes)


async def replace_videos(mode: Mode, index: VectorStoreIndex, nodes: Sequence[BaseNode]) -> list[str]:
    """Replace the nodes of each video in `nodes`."""
    if not isinstance(index, VectorStoreIndex):
        raise InputError(f"index must be a VectorStoreIndex, got {type(index).__name__}.")
    videos: dict[str, dict[str, BaseNode]] = {}
    for node in nodes:
        videos.setdefault(check_node(node), {})[node.node_id] = node
    await _check_spaces(mode, place_of(index), [node.metadata for node in nodes if "segment_id" in node.metadata])
    for ref_doc_id, ours in videos.items():
        await replace_in_index(mode, index, ref_doc_id, list(ours.values()))
    return [node_id for ours in videos.values() for node_id in ours]


async def _check_spaces(mode: Mode, place: Place, segments: Sequence[Mapping[str, Any]]) -> None:
    """Refuse segments of another space than the index's embedding, or than the segments that the index has."""
    spaces = [metadata["space"] for metadata in segments if metadata.get("space")]
    if place.embed_model is not None:
        spaces = [place.embed_model.space]
    if spaces:
        check = SpaceCheck(spaces[0])
        check(segments)
        await check_collection(mode, place, check)
