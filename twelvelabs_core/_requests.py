"""What to embed, as typed values -> the JSON body of marengo3.0. Pure: no reading, no sending."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from twelvelabs_core import _limits
from twelvelabs_core._errors import InputError
from twelvelabs_core._media import Media

Model = Literal["marengo3.0"]
InputType = Literal["text", "image", "text_image", "audio", "video", "multi_input"]
DEFAULT_MODEL = "marengo3.0"
MODELS: tuple[str, ...] = ("marengo3.0",)

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "audio": ("audio", "transcription"),
    "video": ("visual", "audio", "transcription"),
}
SCOPES = ("clip", "asset")
TYPES = ("separate_embedding", "fused_embedding")


@dataclass(frozen=True, slots=True)
class FixedSegmentation:
    """Segments of equal length; the last one may be shorter.

    Attributes:
        duration_sec: Length in whole seconds, 2 to 10 (API reference). Default 6.

    Example:
        ```python
        client.segment_video("match.mp4", segmentation=FixedSegmentation(duration_sec=5))
        ```
    """

    duration_sec: int = 6

    def __post_init__(self) -> None:
        _check_whole(self.duration_sec, _limits.FIXED_SEC, "duration_sec of fixed segmentation")

    def to_wire(self) -> dict[str, Any]:
        """Return the vendor's JSON."""
        return {"strategy": "fixed", "fixed": {"duration_sec": self.duration_sec}}


@dataclass(frozen=True, slots=True)
class DynamicSegmentation:
    """Segments that follow the shots of a video, each at least this long.

    Attributes:
        min_duration_sec: Least length in whole seconds, 2 to 5 (API reference). Default 4.

    Example:
        ```python
        client.segment_video("film.mp4", segmentation=DynamicSegmentation(min_duration_sec=3))
        ```
    """

    min_duration_sec: int = 4

    def __post_init__(self) -> None:
        _check_whole(self.min_duration_sec, _limits.DYNAMIC_MIN_SEC, "min_duration_sec of dynamic segmentation")

    def to_wire(self) -> dict[str, Any]:
        """Return the vendor's JSON."""
        return {"strategy": "dynamic", "dynamic": {"min_duration_sec": self.min_duration_sec}}


Segmentation = FixedSegmentation | DynamicSegmentation | Mapping[str, Any]
"""How to cut: one of the two classes, or the vendor's JSON, {"strategy": "fixed", "fixed": {"duration_sec": 6}}."""


def as_segmentation(value: Segmentation) -> FixedSegmentation | DynamicSegmentation:
    """Return a checked segmentation, from the vendor's JSON too.

    Raises:
        InputError: Unknown strategy or key, or a number out of range.
    """
    if isinstance(value, (FixedSegmentation, DynamicSegmentation)):
        return value
    if not isinstance(value, Mapping):
        raise InputError(f"segmentation must be FixedSegmentation, DynamicSegmentation or a dict, got {value!r}.")
    strategy = value.get("strategy")
    if strategy not in ("fixed", "dynamic"):
        raise InputError(f"segmentation strategy must be one of fixed, dynamic; got {strategy!r}.")
    name = "duration_sec" if strategy == "fixed" else "min_duration_sec"
    numbers = value.get(strategy)
    if set(value) != {"strategy", strategy} or not isinstance(numbers, Mapping) or set(numbers) != {name}:
        raise InputError(f'segmentation must look like {{"strategy": "{strategy}", "{strategy}": {{"{name}": n}}}}.')
    return FixedSegmentation(numbers[name]) if strategy == "fixed" else DynamicSegmentation(numbers[name])


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """How to embed an audio or video: every option of the contract, checked, with the API's defaults filled in.

    Everything is sent explicitly, so that a later change of a server's default changes no vector unseen.

    Example:
        ```python
        options = SegmentOptions.of("video", embedding_option=["visual"], segmentation=FixedSegmentation(5))
        print(options.to_wire())
        ```
    """

    input_type: Literal["audio", "video"]
    start_sec: float | None
    end_sec: float | None
    segmentation: FixedSegmentation | DynamicSegmentation
    embedding_option: tuple[str, ...]
    embedding_scope: tuple[str, ...]
    embedding_type: tuple[str, ...]

    @classmethod
    def of(
        cls,
        input_type: Literal["audio", "video"],
        *,
        start_sec: float | None = None,
        end_sec: float | None = None,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
    ) -> Self:
        """Return checked options.

        Raises:
            InputError: An unknown or unfit option, or a time out of range, with the allowed values.
        """
        _check_window(start_sec, end_sec)
        default: Segmentation = DynamicSegmentation() if input_type == "video" else FixedSegmentation()
        cut = as_segmentation(default if segmentation is None else segmentation)
        if input_type == "audio" and isinstance(cut, DynamicSegmentation):
            raise InputError("audio has no shots: segmentation must be fixed with marengo3.0, got dynamic.")
        allowed = OPTIONS[input_type]
        options = _chosen("embedding_option", embedding_option, allowed, default=allowed, kind=input_type)
        scopes = _chosen("embedding_scope", embedding_scope, SCOPES, default=SCOPES, kind=input_type)
        types = _chosen("embedding_type", embedding_type, TYPES, default=TYPES[:1], kind=input_type)
        if "fused_embedding" in types and len(options) < 2:  # noqa: PLR2004  # to fuse takes two
            raise InputError(
                f"embedding_type fused_embedding needs two or more embedding_option values, got {list(options)}."
            )
        return cls(input_type, start_sec, end_sec, cut, options, scopes, types)

    def to_wire(self) -> dict[str, Any]:
        """Return the vendor's JSON, without the media source."""
        times = {"start_sec": self.start_sec, "end_sec": self.end_sec}
        return {
            **{name: float(value) for name, value in times.items() if value is not None},
            "segmentation": self.segmentation.to_wire(),
            "embedding_option": list(self.embedding_option),
            "embedding_scope": list(self.embedding_scope),
            # Only with two options may the field be sent at all.
            **({"embedding_type": list(self.embedding_type)} if len(self.embedding_option) > 1 else {}),
        }

    def identity(self) -> dict[str, Any]:
        """Return every parameter that changes the vectors, for the key of the paid work."""
        return {
            "input_type": self.input_type,
            "start_sec": float(self.start_sec or 0.0),
            "end_sec": None if self.end_sec is None else float(self.end_sec),
            "segmentation": self.segmentation.to_wire(),
            "embedding_option": sorted(self.embedding_option),
            "embedding_scope": sorted(self.embedding_scope),
            "embedding_type": sorted(self.embedding_type),
        }


def check_model(model: str) -> str:
    """Return the model's name.

    Raises:
        InputError: A model that this package does not know.
    """
    if model not in MODELS:
        raise InputError(f"model must be one of {', '.join(MODELS)}; got {model!r}.")
    return model


def media_source(media: Media) -> dict[str, Any]:
    """Return the vendor's media source; local bytes go inline, streamed as base64 when the body is sent."""
    if media.url is not None:
        return {"url": media.url}
    if media.asset_id is not None:
        return {"asset_id": media.asset_id}
    return {"base64_string": media}


def text_request(model: str, text: str) -> dict[str, Any]:
    """Return the body that embeds a text."""
    return {"input_type": "text", "model_name": model, "text": {"input_text": text}}


def image_request(model: str, image: Media) -> dict[str, Any]:
    """Return the body that embeds an image."""
    return {"input_type": "image", "model_name": model, "image": {"media_source": media_source(image)}}


def text_image_request(model: str, text: str, image: Media) -> dict[str, Any]:
    """Return the body that embeds a text and an image into one vector."""
    content = {"media_source": media_source(image), "input_text": text}
    return {"input_type": "text_image", "model_name": model, "text_image": content}


def multi_input_request(model: str, images: Sequence[Media], text: str | None) -> dict[str, Any]:
    """Return the body that embeds several images, and a text if there is one, into one vector."""
    content: dict[str, Any] = {} if text is None else {"input_text": text}
    content["media_sources"] = [{"media_type": "image", **media_source(image)} for image in images]
    return {"input_type": "multi_input", "model_name": model, "multi_input": content}


def segments_request(model: str, media: Media, options: SegmentOptions) -> dict[str, Any]:
    """Return the body that embeds audio or video, at once or as a task."""
    kind = options.input_type
    content = {"media_source": media_source(media), **options.to_wire()}
    return {"input_type": kind, "model_name": model, kind: content}


def _chosen(
    name: str, given: Sequence[str] | None, allowed: tuple[str, ...], *, default: tuple[str, ...], kind: str
) -> tuple[str, ...]:
    """Return the chosen values in the API's order, each once."""
    if given is None:
        return default
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"{name} must be a list such as {list(allowed)}, got {given!r}.")
    values = list(given)
    unknown = [value for value in values if value not in allowed]
    if unknown:
        raise InputError(f"{name} for {kind} must be among {', '.join(allowed)}; got {unknown[0]!r}.")
    if not values:
        raise InputError(f"{name} is empty; choose among {', '.join(allowed)}.")
    return tuple(value for value in allowed if value in values)


def _check_window(start_sec: float | None, end_sec: float | None) -> None:
    for name, value in (("start_sec", start_sec), ("end_sec", end_sec)):
        if value is None:
            continue
        # A second more than the longest film: containers round.
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _limits.TASK_MAX_SEC + 1:
            raise InputError(f"{name} must be a number of seconds from 0 to {_limits.TASK_MAX_SEC:g}, got {value!r}.")
    if end_sec is not None and end_sec <= (start_sec or 0):
        raise InputError(f"end_sec must be after start_sec, got start_sec={start_sec or 0:g} and end_sec={end_sec:g}.")


def _check_whole(value: object, allowed: range, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        raise InputError(f"{what} must be a whole number from {allowed[0]} to {allowed[-1]} seconds, got {value!r}.")
