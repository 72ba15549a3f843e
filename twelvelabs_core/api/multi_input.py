"""What `multi_input` combines into one vector: media with kinds and names, and the rules that hold between them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.inspect import document_kind, media_type_of
from twelvelabs_core.media.source import Media, MediaInput
from twelvelabs_core.models.marengo import MediaType, Model

_PLACEHOLDER = re.compile(r"<@([^<>]*)>")
_KINDS = ("image", "video", "audio", "document")


@dataclass(frozen=True, slots=True)
class MediaSource:
    """One medium of a `multi_input` embedding.

    Attributes:
        media: Path, URL, bytes, binary file object or `asset:<id>`.
        media_type: `image`, or with marengo3.5 `video`, `audio`, `document`. Default: by its name or first bytes; an
            asset, or a URL without a known ending, does not tell.
        name: What the text calls it: `<@name>`.

    Example:
        ```python
        shirt = MediaSource("shirt.jpg", name="shirt")
        client.embed_multi_input([shirt, "player.jpg"], text="a player who wears <@shirt>")
        ```
    """

    media: MediaInput
    media_type: MediaType | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if self.media_type is not None and self.media_type not in _KINDS:
            raise InputError(f"media_type must be one of {', '.join(_KINDS)}; got {self.media_type!r}.")
        if self.name is not None and (not isinstance(self.name, str) or not self.name or set(self.name) & set("<>")):
            raise InputError(f"name of a media source must be a str without < and >, got {self.name!r}.")


@dataclass(frozen=True, slots=True)
class Source:
    """A media source whose kind is known.

    Attributes:
        media: The medium.
        media_type: Its kind.
        name: What the text calls it, or None.
        is_pdf: Whether it is a PDF, as far as can be seen.
    """

    media: Media
    media_type: MediaType
    name: str | None = None
    is_pdf: bool = False

    @classmethod
    def of(cls, value: "MediaInput | MediaSource", model: Model) -> "Source":
        """Return what a caller passed, its kind found out.

        Raises:
            InputError: No medium, or of no kind that the model takes, or of a kind that cannot be seen.
        """
        given = value if isinstance(value, MediaSource) else MediaSource(value)
        media = Media.of(given.media)
        kind = given.media_type or (model.source_types[0] if len(model.source_types) == 1 else media_type_of(media))
        if kind is None:
            raise InputError(
                f"{media.source}: its kind cannot be seen; pass MediaSource(..., media_type=...), "
                f"one of {', '.join(model.source_types)}."
            )
        if kind not in model.source_types:
            hint = model.hint(lambda other: kind in other.source_types)
            raise InputError(
                f"{media.source}: media_type of {model.name} must be {' or '.join(model.source_types)}, "
                f"got {kind!r}{hint}."
            )
        return cls(media, kind, given.name, kind == "document" and document_kind(media) == "pdf")


def check_count(count: int, model: Model, *, has_text: bool) -> None:
    """Refuse too few or too many sources.

    Raises:
        InputError: None where the model needs one, or more than ten.
    """
    least = 0 if model.by_multi_input and has_text else 1
    most = limits.MULTI_INPUT_MAX_SOURCES
    if not least <= count <= most:
        what = "images" if model.source_types == ("image",) else "media"
        raise InputError(f"media_sources must hold {least or 'up'} to {most} {what}, got {count}.")


def check_names(sources: Sequence[Source], text: str | None) -> None:
    """Refuse a text that refers to a source that is not there, and names that are there twice.

    Raises:
        InputError: One of these.
    """
    names = [source.name for source in sources if source.name is not None]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two media sources have the name {twice!r}; names must differ.")
    for wanted in _PLACEHOLDER.findall(text or ""):
        if wanted not in names:
            there = f"there are {', '.join(map(repr, names))}" if names else "none has a name"
            raise InputError(f"text refers to <@{wanted}>, but no media source is named {wanted!r}; {there}.")


def check_together(sources: Sequence[Source], text: str | None, model: Model) -> None:
    """Refuse a combination that the API refuses (reference of multi_input, marengo3.5).

    Raises:
        InputError: A PDF beside anything else, nothing but text in several parts, or kinds mixed without a text.
    """
    if not model.by_multi_input:
        return
    pdf = next((source for source in sources if source.is_pdf), None)
    if pdf is not None and (len(sources) > 1 or text is not None):
        raise InputError(f"{pdf.media.source}: a PDF must be the only source, without text; embed it alone.")
    kinds = {source.media_type for source in sources}
    if kinds == {"document"} and (len(sources) > 1 or text is not None):
        raise InputError(
            "all of this is text: a text document with another, or with text=, cannot be combined; "
            "embed one alone, or add an image, video or audio source."
        )
    if len(kinds) > 1 and text is None:
        raise InputError(f"media of different kinds ({', '.join(sorted(kinds))}) need a text that combines them.")


def check_uncertainty(sources: Sequence[Source], text: str | None) -> None:
    """Refuse to ask for the uncertainty of a mixture or document (reference of embedding_uncertainty).

    Raises:
        InputError: Text and media together, or a document.
    """
    if sources and text is not None:
        raise InputError("embedding_uncertainty is for text alone or media alone, not for both together.")
    document = next((source for source in sources if source.media_type == "document"), None)
    if document is not None:
        raise InputError(f"{document.media.source}: documents have no embedding_uncertainty.")
