"""What to embed, as typed values -> the JSON body for the model. Pure: no reading, no sending."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from twelvelabs_core.api.multi_input import Source
from twelvelabs_core.media.source import Media
from twelvelabs_core.models.marengo import Model
from twelvelabs_core.models.options import TaskOptions

InputType = Literal["text", "image", "text_image", "audio", "video", "multi_input", "document"]


def media_source(media: Media) -> dict[str, Any]:
    """Return the vendor's media source; local bytes go inline, streamed as base64 when the body is sent."""
    if media.url is not None:
        return {"url": media.url}
    if media.asset_id is not None:
        return {"asset_id": media.asset_id}
    return {"base64_string": media}


def text_request(model: str, text: str) -> dict[str, Any]:
    """Return the body that embeds a text, for marengo3.0."""
    return {"input_type": "text", "model_name": model, "text": {"input_text": text}}


def image_request(model: str, image: Media) -> dict[str, Any]:
    """Return the body that embeds an image, for marengo3.0."""
    return {"input_type": "image", "model_name": model, "image": {"media_source": media_source(image)}}


def text_image_request(model: str, text: str, image: Media) -> dict[str, Any]:
    """Return the body that embeds a text and an image into one vector, for marengo3.0."""
    content = {"media_source": media_source(image), "input_text": text}
    return {"input_type": "text_image", "model_name": model, "text_image": content}


def multi_input_request(model: str, sources: Sequence[Source], text: str | None) -> dict[str, Any]:
    """Return the body that embeds media, a text, or both into one vector."""
    content: dict[str, Any] = {} if text is None else {"input_text": text}
    if sources:
        content["media_sources"] = [_named_source(source) for source in sources]
    return {"input_type": "multi_input", "model_name": model, "multi_input": content}


def segments_request(model: str, media: Media, options: TaskOptions) -> dict[str, Any]:
    """Return the body that embeds a medium, at once or as a task."""
    kind = options.input_type
    content = {"media_source": media_source(media), **options.to_wire()}
    return {"input_type": kind, "model_name": model, kind: content}


def with_extras(
    body: dict[str, Any],
    model: Model,
    *,
    embedding_dimension: int,
    embedding_uncertainty: bool = False,
    auto_truncate: bool | None = None,
) -> dict[str, Any]:
    """Return the body with the fields that not every model has.

    Args:
        body: The request without them.
        model: Whose request it is.
        embedding_dimension: Sent where the model has a choice, also when it is the default.
        embedding_uncertainty: Sent where it is true.
        auto_truncate: Sent, true or false, where there is a text: the API does not say what its default is.
    """
    extras: dict[str, Any] = {}
    if auto_truncate is not None and "auto_truncate" in model.extras:
        extras["auto_truncate"] = auto_truncate
    if embedding_uncertainty:
        extras["embedding_uncertainty"] = True
    if len(model.dimensions) > 1:
        extras["embedding_dimension"] = embedding_dimension
    return {**body, **extras}


def category(body: Mapping[str, Any]) -> str:
    """Return what the API counts a body of `POST /embed-v2` as: its modality, of a mixture the weightiest.

    The published categories name no mixtures; a wrong guess here costs one refused request.
    """
    if body["input_type"] != "multi_input":
        return str(body["input_type"])
    content = body["multi_input"]
    kinds = {source["media_type"] for source in content.get("media_sources", ())}
    heavy = next((kind for kind in ("video", "audio", "document") if kind in kinds), None)
    if heavy is not None or not kinds:
        return heavy or "text"
    return "text_image" if "input_text" in content else "image"


def _named_source(source: Source) -> dict[str, Any]:
    name = {} if source.name is None else {"name": source.name}
    return {**name, "media_type": source.media_type, **media_source(source.media)}
