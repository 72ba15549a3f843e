"""What was asked for, as typed values: the sandbox's own, shared with no client."""

from dataclasses import dataclass, field
from typing import Literal

from twelvelabs_sandbox.engine.types import Segmentation

SourceKind = Literal["url", "base64_string", "asset_id"]
SourceType = Literal["image", "video", "audio", "document"]


@dataclass(frozen=True, slots=True)
class MediaSource:
    """Where the bytes of one medium come from."""

    kind: SourceKind
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class VectorOptions:
    """How Marengo 3.5 is to give its vectors.

    Attributes:
        dimension: Their length: 128, 256 or 512.
        uncertainty: Whether each comes with one of uncertainty.
    """

    dimension: int = 512
    uncertainty: bool = False


@dataclass(frozen=True, slots=True)
class TimedText:
    """A text of the caller about a stretch of the media, in seconds from its beginning."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class SingleVectorRequest:
    """A text, images or both that become one vector of 3.0 (``text``, ``image``, ``text_image``, ``multi_input``)."""

    input_type: str
    text: str | None = None
    images: tuple[MediaSource, ...] = ()


@dataclass(frozen=True, slots=True)
class MediaRequest:
    """A film or a sound that becomes vectors with times.

    Attributes:
        input_type: ``audio`` or ``video``.
        source: Where its bytes come from.
        start_sec: Begin of the asked window in seconds.
        end_sec: End of it; None is the end of the file.
        cut: How to cut it into clips.
        options: ``visual``, ``audio``, ``transcription``.
        scopes: ``clip``, ``asset``; with 3.5 also ``local``, which is the same as ``clip``.
        separate: One vector for each option.
        fused: One vector of all options.
        vector_options: How 3.5 is to give the vectors; None with 3.0.
        texts: What is to be fused with the clips (3.5).
    """

    input_type: Literal["audio", "video"]
    source: MediaSource
    start_sec: float
    end_sec: float | None
    segmentation: Segmentation
    options: tuple[str, ...]
    scopes: tuple[str, ...]
    separate: bool
    fused: bool
    vector_options: VectorOptions | None = None
    texts: tuple[TimedText, ...] = ()


@dataclass(frozen=True, slots=True)
class MultiSource:
    """One of several media that become one vector."""

    media_type: SourceType
    source: MediaSource


@dataclass(frozen=True, slots=True)
class MultiRequest:
    """A text, media or both that become one vector of 3.5.

    Attributes:
        text: The text without placeholders, which may be empty; None where none was given.
        sources: The media, in order.
        vector_options: How to give the vector.
        truncate: Whether a text that is too long is cut instead of refused.
    """

    text: str | None
    sources: tuple[MultiSource, ...]
    vector_options: VectorOptions
    truncate: bool


@dataclass(frozen=True, slots=True)
class SentenceChunks:
    """How a text is cut: so many sentences a chunk, so many of them repeated in the next."""

    max_sentences: int
    overlap: int


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """A PDF or a text that becomes vectors; what None stands for depends on the file."""

    source: MediaSource
    options: tuple[str, ...] | None
    scopes: tuple[str, ...] | None
    spatial: str | None
    sequential: SentenceChunks | None
    vector_options: VectorOptions
    input_type: Literal["document"] = "document"


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """An image that becomes one vector in a task."""

    source: MediaSource
    vector_options: VectorOptions
    input_type: Literal["image"] = "image"
    options: tuple[str, ...] = ("visual",)
    scopes: tuple[str, ...] = ("asset",)


TaskRequest = MediaRequest | DocumentRequest | ImageRequest
EmbedRequest = SingleVectorRequest | MediaRequest | MultiRequest
