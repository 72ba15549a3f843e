"""One vector as an answer gives it, and what a request has used."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from twelvelabs_sandbox.engine.types import ClipVector
from twelvelabs_sandbox.engine.types import FloatVector
from twelvelabs_sandbox.engine.types import MediaInfo

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """One medium on our disk; who holds it deletes it.

    Attributes:
        path: Where it lies.
        info: What it is.
        url: The address it came from, if any.
        filename: The name of the asset it came from, if any.
        is_named: Whether answers say url and filename.
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
    """One entry of ``data``: the vector, and what it is said to be of."""

    vector: FloatVector
    labels: Json
    uncertainty: FloatVector | None = None


@dataclass(slots=True)
class Usage:
    """What marengo3.5 counts: tokens by kind of content, and whether a text was cut."""

    tokens: Counter[str] = field(default_factory=Counter)
    truncated: bool = False

    def body(self) -> Json:
        """Return it in the API's words."""
        body: Json = {"input_tokens": dict(self.tokens), "truncated": self.truncated}
        return body | {"truncation_reason": "model_context_window"} if self.truncated else body


def media_labels(option: str | None, scope: str | None, start: float | None, end: float | None) -> Json:
    """Return what is said of a vector of a film, a sound, an image or a text."""
    return {"embedding_option": option, "embedding_scope": scope, "start_sec": start, "end_sec": end}


def document_labels(
    option: str, scope: str, *, page: int | None = None, quadrant: str | None = None, chunk: int | None = None
) -> Json:
    """Return what is said of a vector of a document."""
    place = {"start_page_number": page, "end_page_number": page, "quadrant": quadrant, "chunk_index": chunk}
    return media_labels(option, scope, None, None) | place


def clip_rows(vectors: Iterable[ClipVector]) -> Iterator[Row]:
    """Return the engine's vectors as marengo3.0 gives them."""
    for clip in vectors:
        yield Row(clip.vector, media_labels(clip.option, clip.scope, clip.start, clip.end))
