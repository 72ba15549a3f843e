"""Validated requests. The types are the sandbox's own; no client shares them."""

from dataclasses import dataclass, field
from typing import Literal

from twelvelabs_sandbox.engine.types import Segmentation

SourceKind = Literal["url", "base64_string", "asset_id"]
SourceType = Literal["image", "video", "audio", "document"]


@dataclass(frozen=True, slots=True)
class MediaSource:
    """The source of one media file."""

    kind: SourceKind
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class VectorOptions:
    """The vector format that a marengo3.5 request asks for.

    Attributes:
        dimension: 128, 256 or 512.
        uncertainty: Whether to return the uncertainty of each value.
    """

    dimension: int = 512
    uncertainty: bool = False


@dataclass(frozen=True, slots=True)
class TimedText:
    """A text of the caller about a time range of the media, in seconds from its start."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class SingleVectorRequest:
    """A ``text``, ``image``, ``text_image`` or ``multi_input`` request, embedded as one marengo3.0 vector."""

    input_type: str
    text: str | None = None
    images: tuple[MediaSource, ...] = ()


@dataclass(frozen=True, slots=True)
class MediaRequest:
    """Video or audio, embedded as vectors of clips.

    Attributes:
        input_type: ``audio`` or ``video``.
        source: The source of the file.
        start_sec: Start of the window in seconds.
        end_sec: End of the window in seconds; None means the end of the file.
        segmentation: How to split the window into clips.
        options: ``visual``, ``audio``, ``transcription``.
        scopes: ``clip``, ``asset``; with marengo3.5 also ``local``, which means the same as ``clip``.
        separate: Whether to return one vector per option.
        fused: Whether to return one vector of all options.
        vector_options: The vector format (marengo3.5); None for marengo3.0.
        texts: The texts to fuse with the clips (marengo3.5).
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
    """One of several media, embedded together as one vector."""

    media_type: SourceType
    source: MediaSource


@dataclass(frozen=True, slots=True)
class MultiRequest:
    """A text, media or both, embedded as one marengo3.5 vector.

    Attributes:
        text: The text without placeholders, which may be empty; None if not given.
        sources: The media, in order.
        vector_options: The vector format.
        truncate: Whether a text that is too long is truncated instead of refused.
    """

    text: str | None
    sources: tuple[MultiSource, ...]
    vector_options: VectorOptions
    truncate: bool


@dataclass(frozen=True, slots=True)
class SentenceChunks:
    """How to split a text into chunks: the number of sentences, and how many of them the next chunk repeats."""

    max_sentences: int
    overlap: int


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """A PDF or a text; options and scopes of None have defaults that depend on the type of the file."""

    source: MediaSource
    options: tuple[str, ...] | None
    scopes: tuple[str, ...] | None
    spatial: str | None
    sequential: SentenceChunks | None
    vector_options: VectorOptions
    input_type: Literal["document"] = "document"


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """An image, embedded as one vector by a task."""

    source: MediaSource
    vector_options: VectorOptions
    input_type: Literal["image"] = "image"
    options: tuple[str, ...] = ("visual",)
    scopes: tuple[str, ...] = ("asset",)


TaskRequest = MediaRequest | DocumentRequest | ImageRequest
EmbedRequest = SingleVectorRequest | MediaRequest | MultiRequest
