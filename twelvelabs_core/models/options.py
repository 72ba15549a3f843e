"""The options of audio and video tasks, validated against the rules of the model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, Self

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.models.marengo import ASSET, CLIP, DEFAULT_MODEL, FUSED, LOCAL, Model, model_of
from twelvelabs_core.models.segmentation import DynamicSegmentation, FixedSegmentation, Segmentation, as_segmentation

_SECONDS_MAX = 1e9  # far above any duration; keeps times in milliseconds exact

TimeBasedMetadata = Mapping[str, Any]
"""The caller's own text for a time range, as the vendor writes it: {"start": 0.0, "end": 4.5, "text": "Kick-off"}."""


class TaskOptions(Protocol):
    """How to embed one medium by a task."""

    @property
    def input_type(self) -> str:
        """`audio`, `video`, `document` or `image`."""

    @property
    def embedding_uncertainty(self) -> bool:
        """Whether each vector comes with one of its uncertainty."""

    def to_wire(self) -> dict[str, Any]:
        """Return the vendor's JSON, without the media source."""

    def identity(self) -> dict[str, Any]:
        """Return every parameter that changes the result, for the key of the paid work."""


class TimedText(NamedTuple):
    """One entry of `time_based_metadata`, in seconds from the start of the video."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """How to embed an audio or video: every option of the contract, checked, with the API's defaults filled in.

    Everything is sent explicitly, so that a later change of a default at the server changes no vector.

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
    time_based_metadata: tuple[TimedText, ...] = ()
    embedding_uncertainty: bool = False
    model: str = DEFAULT_MODEL

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
        time_based_metadata: Sequence[TimeBasedMetadata] | None = None,
        embedding_uncertainty: bool = False,
        model: str = DEFAULT_MODEL,
    ) -> Self:
        """Return checked options.

        Args:
            input_type: `audio` or `video`.
            start_sec: First second to embed. Default 0.
            end_sec: Last second. Default: the end.
            segmentation: How to cut. Default: marengo3.0 fixed 6 s for audio, dynamic 4 s for video; marengo3.5
                dynamic 2 s for both.
            embedding_option: What to embed. Default: all that the model has.
            embedding_scope: `clip` (with marengo3.5 also written `local`), `asset`. Default both; with
                `embedding_uncertainty` only `clip`.
            embedding_type: `separate_embedding` (default), `fused_embedding`, or both.
            time_based_metadata: The caller's own text with its times, for fused vectors of marengo3.5.
            embedding_uncertainty: Whether each vector comes with one of its uncertainty (marengo3.5).
            model: Whose rules hold.

        Raises:
            InputError: An unknown or unfit option, or a time out of range, with the allowed values.
        """
        rules_of = model_of(model)
        rules = rules_of.rules(input_type)
        _check_window(start_sec, end_sec, rules_of)
        check_flag("embedding_uncertainty", embedding_uncertainty, rules_of)
        cut = _segmentation(segmentation, input_type, rules_of)
        options = chosen("embedding_option", embedding_option, rules_of, input_type, default=rules.default_options)
        default_scopes = (CLIP,) if embedding_uncertainty else rules.default_scopes
        scopes = chosen("embedding_scope", embedding_scope, rules_of, input_type, default=default_scopes)
        scopes = tuple(dict.fromkeys(CLIP if scope == LOCAL else scope for scope in scopes))
        types = chosen("embedding_type", embedding_type, rules_of, input_type, default=rules.types[:1])
        texts = _timed_texts(time_based_metadata, rules_of)
        options_made = cls(
            input_type, start_sec, end_sec, cut, options, scopes, types, texts, embedding_uncertainty, model
        )
        options_made._check_together(rules_of)
        return options_made

    def _check_together(self, model: Model) -> None:
        """Refuse values that are fine alone and not together."""
        fused = FUSED in self.embedding_type
        if fused and len(self.embedding_option) < 2:  # noqa: PLR2004  # to fuse takes two
            raise InputError(
                f"embedding_type fused_embedding needs two or more embedding_option values, "
                f"got {list(self.embedding_option)}."
            )
        takes_texts = "time_based_metadata" in model.extras
        if fused and takes_texts and not self.time_based_metadata:
            raise InputError(f"embedding_type fused_embedding of {model.name} needs time_based_metadata; pass some.")
        if self.time_based_metadata and not fused:
            raise InputError("time_based_metadata goes into fused vectors only; add fused_embedding to embedding_type.")
        if self.embedding_uncertainty and ASSET in self.embedding_scope:
            raise InputError(
                f"embedding_uncertainty of {self.input_type} is for embedding_scope ['clip'] alone, "
                f"got {list(self.embedding_scope)}."
            )

    def to_wire(self) -> dict[str, Any]:
        """Return the vendor's JSON, without the media source."""
        times = {"start_sec": self.start_sec, "end_sec": self.end_sec}
        return {
            **{name: float(value) for name, value in times.items() if value is not None},
            "segmentation": self._segmentation_to_wire(),
            "embedding_option": list(self.embedding_option),
            "embedding_scope": list(self.embedding_scope),
            # Only with two options may the field be sent at all.
            **({"embedding_type": list(self.embedding_type)} if len(self.embedding_option) > 1 else {}),
            **self._texts_to_wire(),
        }

    def identity(self) -> dict[str, Any]:
        """Return every parameter that changes the vectors, for the key of the paid work.

        A parameter that only one model has is named only where it is used: what was paid for before it came keeps
        its key.
        """
        return {
            "input_type": self.input_type,
            "start_sec": float(self.start_sec or 0.0),
            "end_sec": None if self.end_sec is None else float(self.end_sec),
            "segmentation": self.segmentation.to_wire(),
            "embedding_option": sorted(self.embedding_option),
            "embedding_scope": sorted(self.embedding_scope),
            "embedding_type": sorted(self.embedding_type),
            **self._texts_to_wire(),
            **({"embedding_uncertainty": True} if self.embedding_uncertainty else {}),
        }

    def _segmentation_to_wire(self) -> dict[str, Any]:
        wire = self.segmentation.to_wire()
        return {"temporal": wire} if model_of(self.model).temporal else wire

    def _texts_to_wire(self) -> dict[str, Any]:
        texts = [entry._asdict() for entry in self.time_based_metadata]
        return {"time_based_metadata": texts} if texts else {}


def chosen(
    name: str, given: Sequence[str] | None, model: Model, input_type: str, *, default: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the chosen values of an option in the API's order, each once.

    Raises:
        InputError: No list, an empty one, or a value that this model does not take, with those that it does.
    """
    if given is None:
        return default
    allowed = _allowed(model, input_type, name)
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"{name} must be a list such as {list(allowed)}, got {given!r}.")
    values = list(given)
    unknown = [value for value in values if value not in allowed]
    if unknown:
        hint = model.hint(lambda other: unknown[0] in _allowed(other, input_type, name))
        raise InputError(
            f"{name} for {input_type} must be among {', '.join(allowed)}; got {unknown[0]!r} with {model.name}{hint}."
        )
    if not values:
        raise InputError(f"{name} is empty; choose among {', '.join(allowed)}.")
    return tuple(value for value in allowed if value in values)


def check_flag(name: str, value: object, model: Model) -> None:
    """Refuse what is neither true nor false, or a true one that the model does not take.

    Raises:
        InputError: One of these.
    """
    check_bool(name, value)
    if value:
        model.require(name)


def check_bool(name: str, value: object) -> None:
    """Refuse what is neither true nor false.

    Raises:
        InputError: It is neither.
    """
    if not isinstance(value, bool):
        raise InputError(f"{name} must be True or False, got {value!r}.")


def _allowed(model: Model, input_type: str, name: str) -> tuple[str, ...]:
    rules = model.tasks.get(input_type)
    if rules is None:
        return ()
    return {"embedding_option": rules.options, "embedding_scope": rules.scopes, "embedding_type": rules.types}[name]


def _segmentation(
    given: Segmentation | None, input_type: Literal["audio", "video"], model: Model
) -> FixedSegmentation | DynamicSegmentation:
    rules = model.rules(input_type)
    if given is None:
        default = DynamicSegmentation if rules.segmentation[0] == "dynamic" else FixedSegmentation
        return default(rules.default_seconds)
    cut = as_segmentation(given)
    if not isinstance(cut, (FixedSegmentation, DynamicSegmentation)):
        raise InputError(f"{cut.kind} segmentation is for documents; {input_type} takes {_or(rules.segmentation)}.")
    if cut.kind not in rules.segmentation:
        hint = model.hint(lambda other: input_type in other.tasks and cut.kind in other.tasks[input_type].segmentation)
        raise InputError(
            f"segmentation of {input_type} must be {_or(rules.segmentation)} with {model.name}, got {cut.kind}{hint}."
        )
    return cut


def _timed_texts(given: Sequence[TimeBasedMetadata] | None, model: Model) -> tuple[TimedText, ...]:
    if given is None:
        return ()
    model.require("time_based_metadata")
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise InputError(f"time_based_metadata must be a list of dicts, got {type(given).__name__}.")
    return tuple(_timed_text(entry, f"time_based_metadata[{index}]") for index, entry in enumerate(given))


def _timed_text(entry: object, where: str) -> TimedText:
    if not isinstance(entry, Mapping) or set(entry) != {"start", "end", "text"}:
        raise InputError(f'{where} must look like {{"start": 0.0, "end": 4.5, "text": "..."}}.')
    for name in ("start", "end"):
        if not _is_second(entry[name]):
            raise InputError(f"{where}: {name} must be a number of seconds from 0, got {entry[name]!r}.")
    if entry["end"] < entry["start"]:
        raise InputError(f"{where}: end {entry['end']:g} is before start {entry['start']:g}.")
    if not isinstance(entry["text"], str) or not entry["text"].strip():
        raise InputError(f"{where}: text is empty.")
    return TimedText(float(entry["start"]), float(entry["end"]), entry["text"])


def _check_window(start_sec: float | None, end_sec: float | None, model: Model) -> None:
    # A second more than the longest video: containers round.
    longest = model.task_sec[1] if model.task_sec else None
    bounds = "from 0" if longest is None else f"from 0 to {longest:g}"
    for name, value in (("start_sec", start_sec), ("end_sec", end_sec)):
        if value is None:
            continue
        if not _is_second(value) or (longest is not None and value > longest + 1):
            raise InputError(f"{name} must be a number of seconds {bounds}, got {value!r}.")
    if end_sec is not None and end_sec <= (start_sec or 0):
        raise InputError(f"end_sec must be after start_sec, got start_sec={start_sec or 0:g} and end_sec={end_sec:g}.")


def _is_second(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 <= value <= _SECONDS_MAX


def _or(values: Sequence[str]) -> str:
    return " or ".join(values)
