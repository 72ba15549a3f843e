"""The segments that a vector store has, as it lists them: their ids, and what tells them apart."""

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Self


class StoredSegment(NamedTuple):
    """A segment that a vector store has.

    Attributes:
        id: Its id in the vector store: the segment's id, unless something else than this package wrote it.
        segment_id: Its id in the metadata.
        source: The `source` of its media.
        title: Their title.
        space: The space of its vector; "" where an earlier version did not write it.
        model: The model of its vector; "" where it is not known.
        ref_doc_id: In LlamaIndex, the id of the document of the media; else "".

    Example:
        ```python
        segment = StoredSegment.of(document.id, document.metadata)
        ```
    """

    id: Any
    segment_id: str
    source: str
    title: str
    space: str
    model: str
    ref_doc_id: str = ""

    @classmethod
    def of(cls, id_: Any, metadata: Mapping[str, Any] | None) -> Self:
        """Return the segment with this metadata, "" for what they do not have."""
        segment_id, *others = (str((metadata or {}).get(name) or "") for name in cls._fields[1:])
        return cls(id_, segment_id, *map(sys.intern, others))  # all segments of a file have the same


def segments_among(rows: Iterable[tuple[Any, Any]], sources: Collection[str] | None) -> Iterator[StoredSegment]:
    """Yield the segments among documents or nodes.

    Args:
        rows: Their ids and metadata.
        sources: The `source` of the segments; None for any.
    """
    for id_, metadata in rows:
        segment = StoredSegment.of(id_, metadata)
        if segment.segment_id and (sources is None or segment.source in sources):
            yield segment
