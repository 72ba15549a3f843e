"""The JSON bodies of embedding requests, and the media sources that `multi_input` combines into one vector."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twelvelabs_core.base import limits
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.inspect import document_kind, media_type_of
from twelvelabs_core.media.source import Media, MediaInput
from twelvelabs_core.models.marengo import EmbeddingModel, MediaType, Model
from twelvelabs_core.models.options import TaskOptions

_PLACEHOLDER = re.compile(r"<@([^<>]*)>")
_MEDIA_TYPES = ("image", "video", "audio", "document")


@dataclass(frozen=True, slots=True)
class MediaSource:
    """One item of a `multi_input` embedding.

    Attributes:
        media: Path, URL, bytes, binary file object or `asset:<id>`.
        media_type: `image`, or with marengo3.5 also `video`, `audio` or `document`. Default: derived from the name or
            the first bytes; required for an asset, and for a URL without a known file extension.
        name: The name by which the text refers to it: `<@name>`.

    Raises:
        InputError: An unknown media type, or an empty name or one with `<` or `>`.

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
        if self.media_type is not None and self.media_type not in _MEDIA_TYPES:
            raise InputError(f"media_type must be one of {', '.join(_MEDIA_TYPES)}; got {self.media_type!r}.")
        if self.name is not None and (not isinstance(self.name, str) or not self.name or set(self.name) & set("<>")):
            raise InputError(f"name of a media source must be a str without < and >, got {self.name!r}.")


@dataclass(frozen=True, slots=True)
class Source:
    """A media source whose media type is known."""

    media: Media
    media_type: MediaType
    name: str | None = None
    is_pdf: bool = False  # by its name or first bytes

    @classmethod
    def of(cls, value: MediaInput | MediaSource, model: Model, *, check: bool = True) -> "Source":
        """Return what the caller passed with its media type; reads the first bytes of local media where needed."""
        given = value if isinstance(value, MediaSource) else MediaSource(value)
        media = Media.of(given.media, check=check)
        only_type = model.source_types[0] if len(model.source_types) == 1 else None
        media_type = given.media_type or only_type or media_type_of(media)
        if media_type is None:
            raise InputError(
                f"{media.source}: cannot determine the media type; pass MediaSource(..., media_type=...), "
                f"one of {', '.join(model.source_types)}."
            )
        if media_type not in model.source_types:
            hint = model.hint(lambda other: media_type in other.source_types)
            raise InputError(
                f"{media.source}: media_type of {model.name} must be {' or '.join(model.source_types)}, "
                f"got {media_type!r}{hint}."
            )
        return cls(media, media_type, given.name, media_type == "document" and document_kind(media) == "pdf")


def check_source_count(count: int, model: Model, *, has_text: bool) -> None:
    """Refuse too few or too many media sources (API reference: at most 10)."""
    least = 0 if model.by_multi_input and has_text else 1
    most = limits.MULTI_INPUT_MAX_SOURCES
    if not least <= count <= most:
        what = "images" if model.source_types == ("image",) else "media"
        allowed = f"{least} to {most}" if least else f"at most {most}"
        raise InputError(f"media_sources must hold {allowed} {what}, got {count}.")


def check_names(sources: Sequence[Source], text: str | None) -> None:
    """Refuse duplicate names, and a text that refers to a name that no source has."""
    names = [source.name for source in sources if source.name is not None]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate is not None:
        raise InputError(f"two media sources have the name {duplicate!r}; names must differ.")
    for wanted in _PLACEHOLDER.findall(text or ""):
        if wanted not in names:
            known = f"the names are {', '.join(map(repr, names))}" if names else "no source has a name"
            raise InputError(f"text refers to <@{wanted}>, but no media source is named {wanted!r}; {known}.")


def check_combination(sources: Sequence[Source], text: str | None, model: Model) -> None:
    """Refuse a combination that the API refuses (API reference of multi_input, marengo3.5)."""
    if not model.by_multi_input:
        return
    pdf = next((source for source in sources if source.is_pdf), None)
    if pdf is not None and (len(sources) > 1 or text is not None):
        raise InputError(f"{pdf.media.source}: a PDF must be the only source, without text; embed it alone.")
    media_types = {source.media_type for source in sources}
    if media_types == {"document"} and (len(sources) > 1 or text is not None):
        raise InputError(
            "all inputs are text: a text document cannot be combined with another one or with text=; "
            "embed one alone, or add an image, video or audio source."
        )
    if len(media_types) > 1 and text is None:
        raise InputError(
            f"media of different types ({', '.join(sorted(media_types))}) need a text that combines them; pass text=."
        )


def check_uncertainty(sources: Sequence[Source], text: str | None) -> None:
    """Refuse to request the uncertainty of a combination or a document (API reference of embedding_uncertainty)."""
    if sources and text is not None:
        raise InputError("embedding_uncertainty is for text alone or media alone, not for both together.")
    document = next((source for source in sources if source.media_type == "document"), None)
    if document is not None:
        raise InputError(f"{document.media.source}: documents have no embedding_uncertainty.")


def text_image_request(model: Model, text: str | None = None, image: Media | None = None) -> dict[str, Any]:
    """Return the body that embeds a text, an image, or both into one vector."""
    if model.by_multi_input:
        return multi_input_request(model.name, [] if image is None else [Source(image, "image")], text)
    content: dict[str, Any] = {} if image is None else {"media_source": media_source(image)}
    input_type = "image"
    if text is not None:
        content["input_text"] = text
        input_type = "text" if image is None else "text_image"
    return {"input_type": input_type, "model_name": model.name, input_type: content}


def multi_input_request(model: str, sources: Sequence[Source], text: str | None) -> dict[str, Any]:
    """Return the body that embeds media, a text, or both into one vector."""
    content: dict[str, Any] = {} if text is None else {"input_text": text}
    if sources:
        content["media_sources"] = [
            {
                **({} if source.name is None else {"name": source.name}),
                "media_type": source.media_type,
                **media_source(source.media),
            }
            for source in sources
        ]
    return {"input_type": "multi_input", "model_name": model, "multi_input": content}


def segments_request(model: str, media: Media, options: TaskOptions) -> dict[str, Any]:
    """Return the body that embeds media as segments, synchronously or by a task."""
    input_type = options.input_type
    content = {"media_source": media_source(media), **options.to_wire()}
    return {"input_type": input_type, "model_name": model, input_type: content}


def media_source(media: Media) -> dict[str, Any]:
    """Return the `media_source` of an item; local bytes are encoded as base64 while the body is sent."""
    if media.url is not None:
        return {"url": media.url}
    if media.asset_id is not None:
        return {"asset_id": media.asset_id}
    return {"base64_string": media}


def with_model_fields(
    body: dict[str, Any],
    model: EmbeddingModel,
    *,
    embedding_uncertainty: bool = False,
    auto_truncate: bool | None = None,
) -> dict[str, Any]:
    """Return the body with the fields that only some models accept; the dimension also where it is the default one."""
    fields: dict[str, Any] = {}
    if auto_truncate is not None and "auto_truncate" in model.rules.extras:
        fields["auto_truncate"] = auto_truncate  # also false: the API reference does not name the default
    if embedding_uncertainty:
        fields["embedding_uncertainty"] = True
    if len(model.rules.dimensions) > 1:
        fields["embedding_dimension"] = model.dimension
    return {**body, **fields}


def category(body: Mapping[str, Any]) -> str:
    """Return the rate-limit category of a body of `POST /embed-v2`: its modality, of a combination the largest one.

    The published categories do not name combinations; a wrong guess costs one refused request.
    """
    if body["input_type"] != "multi_input":
        return str(body["input_type"])
    content = body["multi_input"]
    media_types = {source["media_type"] for source in content.get("media_sources", ())}
    largest = next((media_type for media_type in ("video", "audio", "document") if media_type in media_types), None)
    if largest is not None or not media_types:
        return largest or "text"
    return "text_image" if "input_text" in content else "image"
