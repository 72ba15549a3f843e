"""What was asked for, as typed values: the sandbox's own, shared with no client."""

from dataclasses import dataclass, field
from typing import Literal

from twelvelabs_sandbox._engine import Cut

SourceKind = Literal["url", "base64_string", "asset_id"]


@dataclass(frozen=True, slots=True)
class MediaSource:
    """Where the bytes of one medium come from."""

    kind: SourceKind
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StillRequest:
    """A text, images or both that become one vector (``text``, ``image``, ``text_image``, ``multi_input``)."""

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
        scopes: ``clip``, ``asset``.
        separate: One vector for each option.
        fused: One vector of all options.
    """

    input_type: Literal["audio", "video"]
    source: MediaSource
    start_sec: float
    end_sec: float | None
    cut: Cut
    options: tuple[str, ...]
    scopes: tuple[str, ...]
    separate: bool
    fused: bool


EmbedRequest = StillRequest | MediaRequest
