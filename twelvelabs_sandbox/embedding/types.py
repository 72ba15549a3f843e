"""The values passed between loading, embedding and serialization: media file, vector with labels, token usage."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from twelvelabs_sandbox.engine.types import ClipVector, FloatVector, MediaInfo

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """A media file on disk, deleted by its owner.

    Attributes:
        path: The file.
        info: The properties of the file.
        url: The URL it was downloaded from, if any.
        filename: The file name of its asset or form field, if any.
        is_named: Whether responses report ``url`` and ``filename``.
    """

    path: Path
    info: MediaInfo
    url: str | None = None
    filename: str | None = None
    is_named: bool = True

    def delete(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One entry of ``data``: a vector and its labels."""

    vector: FloatVector
    labels: Json
    uncertainty: FloatVector | None = None


@dataclass(slots=True)
class Usage:
    """Usage as marengo3.5 reports it: tokens by input type, and whether a text was truncated."""

    tokens: Counter[str] = field(default_factory=Counter)
    truncated: bool = False

    def body(self) -> Json:
        """Return the ``usage`` object of the API."""
        body: Json = {"input_tokens": dict(self.tokens), "truncated": self.truncated}
        return body | {"truncation_reason": "model_context_window"} if self.truncated else body


def media_labels(option: str | None, scope: str | None, start: float | None, end: float | None) -> Json:
    """Return the labels of a vector of video, audio, an image or a text."""
    return {"embedding_option": option, "embedding_scope": scope, "start_sec": start, "end_sec": end}


def document_labels(
    option: str, scope: str, *, page: int | None = None, quadrant: str | None = None, chunk: int | None = None
) -> Json:
    """Return the labels of a vector of a document."""
    position = {"start_page_number": page, "end_page_number": page, "quadrant": quadrant, "chunk_index": chunk}
    return media_labels(option, scope, None, None) | position


def clip_rows(vectors: Iterable[ClipVector]) -> Iterator[Row]:
    """Yield the engine's vectors as entries of marengo3.0."""
    for clip in vectors:
        yield Row(clip.vector, media_labels(clip.option, clip.scope, clip.start, clip.end))
