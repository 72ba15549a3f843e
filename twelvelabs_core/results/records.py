"""A medium cut into segments, and its segments as records: id, text and metadata, the same for every framework."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from twelvelabs_core.results.references import head_line, readable_head, reference_line
from twelvelabs_core.results.segments import Locus, Matrix, Segment, Segments
from twelvelabs_core.results.transcript import Word, spoken

SEGMENT_NAMESPACE = uuid.UUID("0938e0e6-3859-5b3c-a0bb-9faf041c6eba")
"""The root of every segment id. It never changes: ids in users' stores depend on it."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentRecord:
    """One segment, ready to become a document or a node.

    Attributes:
        segment_id: UUID string, the same on every run for the same work under the same name.
        head: Its head line: title, time range, option.
        metadata: Flat and of plain types, the same keys on every record; times are 0.0 where they do not apply,
            `page_start` and `page_end` (1-based) 0, `quadrant` "" and `chunk_index` (0-based) -1.
        vector: float32 array of shape (dimension,).
        body: The words spoken in it, in one line; "" without `include_transcript`, or where nobody speaks.

    Example:
        ```python
        for record in client.register(client.segment_video("match.mp4")):
            print(record.segment_id, record.metadata["start_sec"], record.head)
        ```
    """

    segment_id: str
    head: str
    metadata: dict[str, str | float | int]
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
    """One medium, embedded segment by segment.

    Attributes:
        source: The name under which the caller knows it; the same on all its segments.
        title: A short name to show.
        model: Which model made the vectors.
        space: The vector space, such as `marengo3.0/512` or `sandbox/marengo3.0/512`.
        content: The identity of its bytes.
        duration_sec: Length of the whole medium in seconds.
        segments: The vectors with their times.
        task_id: The embedding task that made them.
        reused: Whether they came from the segment store without a new task.
        attempts: How often its embedding was begun; above 1, earlier tasks failed, expired, or were lost with an
            answer and may have been paid for too.
        words: The words spoken in it, each with `start` and `end` in seconds; empty without `include_transcript`.

    Example:
        ```python
        film = client.segment_video("match.mp4")
        print(film.title, film.duration_sec, film.segments.vectors.shape)
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

    def records(self, id_namespace: str | None = None) -> list[SegmentRecord]:
        """Return one record per segment, in the order of `segments`.

        Args:
            id_namespace: Makes other ids for the same segments, for vector stores whose ids are shared by several
                collections.
        """
        is_whole = not self.options.get("start_sec") and self.options.get("end_sec") is None
        bodies = spoken(self.segments.loci, self.words, is_whole=is_whole)
        return [self._record(segment, id_namespace, body) for segment, body in zip(self.segments, bodies, strict=True)]

    def _record(self, segment: Segment, id_namespace: str | None, body: str) -> SegmentRecord:
        identity = self._segment_id(segment, id_namespace)
        metadata: dict[str, str | float | int] = {
            "segment_id": identity,
            "source": self.source,
            "title": self.title,
            "start_sec": float(segment.start_sec),
            "end_sec": float(segment.end_sec),
            "duration_sec": float(self.duration_sec),
            "segment_index": segment.index,
            "embedding_option": segment.embedding_option,
            "embedding_scope": segment.embedding_scope,
            "model": self.model,
            "space": self.space,
            **_position(segment.locus),
        }
        return SegmentRecord(identity, head_line(self.title, segment.locus), metadata, segment.vector, body)

    def _segment_id(self, segment: Segment, id_namespace: str | None) -> str:
        root = SEGMENT_NAMESPACE if id_namespace is None else uuid.uuid5(SEGMENT_NAMESPACE, id_namespace)
        parts = (
            self.space,
            self.source,
            self.content,
            segment.embedding_option,
            segment.embedding_scope,
            _locus_name(segment.locus),
            self._variant(segment.locus),
        )
        # JSON, not a joining character: no name can then imitate another field.
        return str(uuid.uuid5(root, json.dumps(parts, ensure_ascii=True)))

    def _variant(self, locus: Locus) -> str:
        """Return what, beside place and option, changes a vector: what was fused, and how a text was cut."""
        if locus.embedding_option == "fused":
            names = "+".join(self.options["embedding_option"])
            texts = self.options.get("time_based_metadata")
            return f"{names}+{_digest(texts)}" if texts else names
        if locus.chunk_index is not None:
            return _digest(self.options.get("segmentation"))
        return ""


def _position(locus: Locus) -> dict[str, str | int]:
    """Return where a segment of a document is; media with times have neutral values, as vector stores need them."""
    return {
        "page_start": locus.page_start or 0,
        "page_end": locus.page_end or locus.page_start or 0,
        "quadrant": locus.quadrant or "",
        "chunk_index": -1 if locus.chunk_index is None else locus.chunk_index,
    }


def _locus_name(locus: Locus) -> str:
    """Return the place of a segment as its id has it."""
    if locus.chunk_index is not None:
        return f"chunk {locus.chunk_index}"
    if locus.page_start is not None:
        return f"page {locus.page_start}-{locus.page_end or locus.page_start} {locus.quadrant or ''}".rstrip()
    return f"{locus.start_sec:.3f}-{locus.end_sec:.3f}"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def task_key(space: str, content: str, options: Mapping[str, Any]) -> str:
    """Return the identity of paid work: space, content and every parameter that changes the vectors."""
    text = json.dumps({"space": space, "content": content, "options": options}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
