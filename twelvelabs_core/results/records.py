"""Segmented media, and their segments as records: id, text and metadata, the same for every framework."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from twelvelabs_core.models.paid_work import is_wanted
from twelvelabs_core.results.references import head_line, readable_head, reference_line
from twelvelabs_core.results.segments import Matrix, Segment, SegmentPosition, Segments
from twelvelabs_core.results.transcript import Word, spoken

SEGMENT_NAMESPACE = uuid.UUID("0938e0e6-3859-5b3c-a0bb-9faf041c6eba")
"""The root of every segment id. It never changes: ids in users' stores depend on it."""

Metadata = dict[str, str | float | int]
METADATA_KEYS = (
    *("segment_id", "source", "title", "start_sec", "end_sec", "duration_sec", "segment_index"),
    *("embedding_option", "embedding_scope", "model", "space", "page_start", "page_end", "quadrant", "chunk_index"),
)
"""The keys of a segment's metadata. All are on every record: many stores derive their schema from the first one.

Times are seconds, 0.0 for documents and images. `page_start` and `page_end` are 1-based, 0 for none; `quadrant` is ""
for none; `chunk_index` is 0-based, -1 for none. Documents stored by early versions have neither `space` nor, for video
and audio, the last four.
"""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentRecord:
    """One segment, ready to become a document or a node.

    Attributes:
        segment_id: UUID string, the same on every run for the same work under the same name.
        head: Its head line: title, time range, option.
        metadata: Flat and of plain types, with the same keys on every record, `METADATA_KEYS`.
        vector: float32 array of shape (dimension,).
        body: The words spoken in it, in one line; "" without `include_transcript`, or without speech.

    Example:
        ```python
        for record in client.register(client.segment_video("match.mp4")):
            print(record.segment_id, record.metadata["start_sec"], record.head)
        ```
    """

    segment_id: str
    head: str
    metadata: Metadata
    vector: Matrix = field(repr=False)
    body: str = field(default="", repr=False)

    @property
    def reference(self) -> str:
        """Its reference line."""
        return reference_line(self.segment_id)

    def text(self, *, with_reference: bool, body: str | None = None) -> str:
        """Return its text: the head, then `body` (default: its own) if any, then the reference line if wanted.

        Without the reference line the head has the form in which people and language models see it.
        """
        head = self.head if with_reference else readable_head(self.head)
        body = self.body if body is None else body
        return "\n".join([head, *([body] if body else []), *([self.reference] if with_reference else [])])


@dataclass(frozen=True, slots=True, eq=False)
class SegmentedMedia:
    """A video, audio file, document or image, embedded segment by segment.

    Attributes:
        source: The name by which the caller identifies it; the same on all its segments.
        title: A short name to display.
        model: The model of the vectors.
        space: The vector space, such as `marengo3.0/512` or `sandbox/marengo3.0/512`.
        content: The identity of its bytes.
        duration_sec: Length of the whole media in seconds; 0.0 where times do not apply.
        segments: The vectors with their times.
        task_id: The embedding task that made them.
        reused: Whether they came from the segment store without a new task.
        attempts: How many tasks were started for it; above 1, earlier tasks failed, expired, or were lost with the
            response and may also have been charged.
        words: The words spoken in it, each with `start` and `end` in seconds; empty without `include_transcript`.
        rows: The row of each segment in the result of its task, where that has more than was asked for; else None.

    Example:
        ```python
        video = client.segment_video("match.mp4")
        print(video.title, video.duration_sec, video.segments.vectors.shape)
        ```
    """

    source: str
    title: str
    model: str
    space: str
    content: str
    duration_sec: float
    segments: Segments
    task_id: str | None
    reused: bool
    attempts: int
    task_key: str = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)
    words: tuple[Word, ...] = field(default=(), repr=False)
    rows: tuple[int, ...] | None = field(default=None, repr=False)

    def records(self, id_namespace: str | None = None) -> list[SegmentRecord]:
        """Return one record per segment, in the order of `segments`.

        Args:
            id_namespace: Gives the same segments other ids, for vector stores whose collections share their ids.
                Default: none.
        """
        is_whole = not self.options.get("start_sec") and self.options.get("end_sec") is None
        bodies = spoken(self.segments.positions, self.words, is_whole=is_whole)
        records = []
        for segment, body in zip(self.segments, bodies, strict=True):
            segment_id = self._segment_id(segment, id_namespace)
            head, metadata = head_line(self.title, segment.position), segment_metadata(self, segment, segment_id)
            records.append(SegmentRecord(segment_id, head, metadata, segment.vector, body))
        return records

    def _segment_id(self, segment: Segment, id_namespace: str | None) -> str:
        root = SEGMENT_NAMESPACE if id_namespace is None else uuid.uuid5(SEGMENT_NAMESPACE, id_namespace)
        parts = (
            self.space,
            self.source,
            self.content,
            segment.embedding_option,
            segment.embedding_scope,
            _position_name(segment.position),
            self._variant(segment.position),
        )
        # JSON instead of a joining character, so that no name can imitate another field.
        return str(uuid.uuid5(root, json.dumps(parts, ensure_ascii=True)))

    def _variant(self, position: SegmentPosition) -> str:
        """Return what changes a vector beside position and option: what was fused, and how a text was segmented."""
        if position.embedding_option == "fused":
            names = "+".join(self.options["embedding_option"])
            texts = self.options.get("time_based_metadata")
            return f"{names}+{_digest(texts)}" if texts else names
        if position.chunk_index is not None:
            return _digest(self.options.get("segmentation"))
        return ""


def wanted_part(segments: Segments, wanted: Mapping[str, Any]) -> tuple[Segments, tuple[int, ...]]:
    """Return the part of a result that is wanted, as its own task would give it, and the row of each segment."""
    places = enumerate(segments.positions)
    rows = [row for row, at in places if is_wanted(at.embedding_option, at.embedding_scope, wanted)]
    uncertainty = None if segments.uncertainty is None else segments.uncertainty[rows]
    return Segments(segments.vectors[rows], [segments.positions[row] for row in rows], uncertainty), tuple(rows)


def segment_metadata(media: SegmentedMedia, segment: Segment, segment_id: str) -> Metadata:
    """Return the metadata of a segment, with all of `METADATA_KEYS`."""
    position = segment.position
    values = (
        segment_id,
        media.source,
        media.title,
        float(position.start_sec),
        float(position.end_sec),
        float(media.duration_sec),
        segment.index,
        position.embedding_option,
        position.embedding_scope,
        media.model,
        media.space,
        position.page_start or 0,
        position.page_end or position.page_start or 0,
        position.quadrant or "",
        -1 if position.chunk_index is None else position.chunk_index,
    )
    return dict(zip(METADATA_KEYS, values, strict=True))


def readable_head_of(metadata: Mapping[str, Any]) -> str:
    """Return the head line of a segment, by its metadata, as people and language models see it."""
    chunk, page = metadata.get("chunk_index", -1), metadata.get("page_start") or None
    position = SegmentPosition(
        metadata["start_sec"],
        metadata["end_sec"],
        metadata["embedding_option"],
        metadata["embedding_scope"],
        page,
        metadata.get("page_end") or None,
        metadata.get("quadrant") or None,
        None if chunk == -1 else chunk,
    )
    return readable_head(head_line(metadata["title"], position))


def _position_name(position: SegmentPosition) -> str:
    """Return a position as it is in a segment's id; its form never changes."""
    if position.chunk_index is not None:
        return f"chunk {position.chunk_index}"
    if position.page_start is not None:
        last = position.page_end or position.page_start
        return f"page {position.page_start}-{last} {position.quadrant or ''}".rstrip()
    return f"{position.start_sec:.3f}-{position.end_sec:.3f}"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def task_key(space: str, content: str, options: Mapping[str, Any]) -> str:
    """Return the identity of paid work: space, content and every parameter that changes the vectors."""
    text = json.dumps({"space": space, "content": content, "options": options}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
