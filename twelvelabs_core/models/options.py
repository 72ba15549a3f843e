"""The options of tasks, validated against the rules of the model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, Self

from twelvelabs_core.base.checks import check_bool
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.models.marengo import ASSET, CLIP, DEFAULT_MODEL, FUSED, LOCAL, InputRules, Model, model_of
from twelvelabs_core.models.segmentation import (
    Paged,
    Segmentation,
    SequentialSegmentation,
    SpatialSegmentation,
    Temporal,
    as_segmentation,
)

DOCUMENT_MODEL = "marengo3.5"
_SECONDS_MAX = 1e9  # far above any duration; keeps times in milliseconds exact

DocumentKind = Literal["pdf", "text"]
TimeBasedMetadata = Mapping[str, Any]
"""The caller's own text for a time range, as the vendor writes it: {"start": 0.0, "end": 4.5, "text": "Kick-off"}."""


class TaskOptions(Protocol):
    """How to embed one item by a task."""

    @property
    def model(self) -> str:
        """The name of the model."""

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
    """One entry of `time_based_metadata`; times in seconds from the start of the video."""

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
    segmentation: Temporal
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
        rules, limits = model_of(model), model_of(model).rules(input_type)
        _check_window(start_sec, end_sec, rules)
        check_flag("embedding_uncertainty", embedding_uncertainty, rules)
        options = chosen("embedding_option", embedding_option, rules, input_type) or limits.options
        scopes = chosen("embedding_scope", embedding_scope, rules, input_type)
        scopes = scopes or ((CLIP,) if embedding_uncertainty else (CLIP, ASSET))
        made = cls(
            input_type,
            start_sec,
            end_sec,
            _temporal(segmentation, input_type, rules),
            options,
            tuple(dict.fromkeys(CLIP if scope == LOCAL else scope for scope in scopes)),
            chosen("embedding_type", embedding_type, rules, input_type) or limits.types[:1],
            _timed_texts(time_based_metadata, rules),
            embedding_uncertainty,
            model,
        )
        made._check_together(rules)
        return made

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
        segmentation = self.segmentation.to_wire()
        return {
            **{name: float(value) for name, value in times.items() if value is not None},
            "segmentation": {"temporal": segmentation} if model_of(self.model).temporal else segmentation,
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
            **_uncertainty_of(self),
        }

    def _texts_to_wire(self) -> dict[str, Any]:
        texts = [entry._asdict() for entry in self.time_based_metadata]
        return {"time_based_metadata": texts} if texts else {}


@dataclass(frozen=True, slots=True)
class _DocumentRules:
    """What a kind of document takes (reference, AsyncDocumentInputRequest)."""

    name: str
    default_option: str
    segmentation: type[Paged]
    pairs: tuple[tuple[str, str], ...]  # of option and scope; every pair that is requested must be among them


_DOCUMENTS: Mapping[DocumentKind, _DocumentRules] = {
    "pdf": _DocumentRules(
        "a PDF", "visual", SpatialSegmentation, (("visual", LOCAL), ("visual", ASSET), ("text", ASSET))
    ),
    "text": _DocumentRules(
        "a text or Markdown file", "text", SequentialSegmentation, (("text", ASSET), ("text", LOCAL))
    ),
}


@dataclass(frozen=True, slots=True)
class DocumentOptions:
    """How to embed a document: checked, with the API's defaults filled in.

    Everything is sent explicitly, so that a later change of a default at the server changes no vector.
    """

    segmentation: Paged | None
    embedding_option: tuple[str, ...]
    embedding_scope: tuple[str, ...]
    embedding_uncertainty: bool = False
    model: str = DOCUMENT_MODEL
    input_type: Literal["document"] = "document"

    @classmethod
    def of(
        cls,
        kind: DocumentKind | None,
        *,
        segmentation: Segmentation | None = None,
        embedding_option: Sequence[str] | None = None,
        embedding_scope: Sequence[str] | None = None,
        embedding_type: Sequence[str] | None = None,
        embedding_uncertainty: bool = False,
        model: str = DOCUMENT_MODEL,
    ) -> Self:
        """Return checked options. The arguments and their defaults are those of `segment_document`.

        `kind` is None where it is unknown, as for an asset; then the options determine it.

        Raises:
            InputError: An unknown option, or a pair of option and scope that this kind of document does not take.
        """
        rules = model_of(model)
        options = chosen("embedding_option", embedding_option, rules, "document")
        scopes = chosen("embedding_scope", embedding_scope, rules, "document")
        chosen("embedding_type", embedding_type, rules, "document")
        check_flag("embedding_uncertainty", embedding_uncertainty, rules)
        paged = None if segmentation is None else as_segmentation(segmentation)
        if isinstance(paged, Temporal):
            raise InputError(f"{paged.kind} segmentation is for audio and video; documents take spatial or sequential.")
        kind = kind or _kind_by_options(paged, options)
        options = options or (_DOCUMENTS[kind].default_option,)
        if not scopes:
            whole = paged is None if kind == "text" else "text" in options
            scopes = (ASSET,) if whole else (LOCAL,)
        if paged is None and kind == "pdf" and LOCAL in scopes:
            paged = SpatialSegmentation()
        made = cls(paged, options, scopes, embedding_uncertainty, model)
        made._check_together(kind)
        return made

    def _check_together(self, kind: DocumentKind) -> None:
        """Refuse values that are valid alone, but not together or not for this kind of document."""
        document, paged, scopes = _DOCUMENTS[kind], self.segmentation, list(self.embedding_scope)
        for pair in ((option, scope) for option in self.embedding_option for scope in scopes):
            if pair not in document.pairs:
                raise InputError(
                    f"{document.name} has no vectors of embedding_option {pair[0]!r} with embedding_scope {pair[1]!r}; "
                    f"each pair must be among: {', '.join(map(' x '.join, document.pairs))}."
                )
        if paged is not None and not isinstance(paged, document.segmentation):
            raise InputError(
                f"{paged.kind} segmentation does not apply to {document.name}; it takes {document.segmentation.kind}."
            )
        if paged is not None and LOCAL not in scopes:
            raise InputError(f"{paged.kind} segmentation needs embedding_scope 'local', got {scopes}.")
        if paged is None and LOCAL in scopes:
            raise InputError(
                f"embedding_scope 'local' of {document.name} needs segmentation=SequentialSegmentation(n)."
            )
        if self.embedding_uncertainty and (kind == "pdf" or scopes != [LOCAL]):
            raise InputError(
                f"embedding_uncertainty of documents is for text or Markdown files with embedding_scope ['local'], "
                f"got {document.name} with {scopes}."
            )

    def to_wire(self) -> dict[str, Any]:
        """Return the vendor's JSON, without the media source."""
        return {
            **({} if self.segmentation is None else {"segmentation": self._segmentation_to_wire()}),
            "embedding_option": list(self.embedding_option),
            "embedding_scope": list(self.embedding_scope),
        }

    def identity(self) -> dict[str, Any]:
        """Return every parameter that changes the result, for the key of the paid work."""
        return {
            "input_type": self.input_type,
            "segmentation": self._segmentation_to_wire(),
            "embedding_option": sorted(self.embedding_option),
            "embedding_scope": sorted(self.embedding_scope),
            **_uncertainty_of(self),
        }

    def _segmentation_to_wire(self) -> dict[str, Any] | None:
        return None if self.segmentation is None else {self.segmentation.kind: self.segmentation.to_wire()}


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """How to embed an image by a task: one visual vector of the whole, with its uncertainty if wanted."""

    embedding_uncertainty: bool = False
    model: str = DOCUMENT_MODEL
    input_type: Literal["image"] = "image"

    @classmethod
    def of(cls, *, embedding_uncertainty: bool = False, model: str = DOCUMENT_MODEL, **others: Any) -> Self:
        """Return checked options; `embedding_option`, `embedding_scope` and `embedding_type` have one value each.

        Raises:
            InputError: Anything but `visual`, `asset`, `separate_embedding`; or a model without image tasks.
        """
        rules = model_of(model)
        rules.rules("image")
        check_flag("embedding_uncertainty", embedding_uncertainty, rules)
        for name, given in others.items():
            chosen(name, given, rules, "image")
        return cls(embedding_uncertainty, model)

    def to_wire(self) -> dict[str, Any]:
        """Return the vendor's JSON, without the media source."""
        return {"embedding_option": ["visual"], "embedding_scope": [ASSET], "embedding_type": ["separate_embedding"]}

    def identity(self) -> dict[str, Any]:
        """Return every parameter that changes the result, for the key of the paid work."""
        return {
            "input_type": self.input_type,
            "embedding_option": ["visual"],
            "embedding_scope": [ASSET],
            **_uncertainty_of(self),
        }


def chosen(name: str, given: Sequence[str] | None, model: Model, input_type: str) -> tuple[str, ...]:
    """Return the chosen values of an option in the API's order, each once; none where the caller passed None."""
    allowed = _values(model.rules(input_type), name)
    if given is None:
        return ()
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"{name} must be a list such as {list(allowed)}, got {given!r}.")
    values = list(given)
    unknown = [value for value in values if value not in allowed]
    if unknown:
        hint = model.hint(
            lambda other: input_type in other.tasks and unknown[0] in _values(other.rules(input_type), name)
        )
        raise InputError(
            f"{name} for {input_type} must be among {', '.join(allowed)}; got {unknown[0]!r} with {model.name}{hint}."
        )
    if not values:
        raise InputError(f"{name} is empty; choose among {', '.join(allowed)}.")
    return tuple(value for value in allowed if value in values)


def check_flag(name: str, value: object, model: Model) -> None:
    """Refuse what is neither true nor false, or a true one that the model does not take."""
    check_bool(name, value)
    if value:
        model.require(name)


def _values(rules: InputRules, name: str) -> tuple[str, ...]:
    return {"embedding_option": rules.options, "embedding_scope": rules.scopes, "embedding_type": rules.types}[name]


def _uncertainty_of(options: TaskOptions) -> dict[str, bool]:
    return {"embedding_uncertainty": True} if options.embedding_uncertainty else {}


def _kind_by_options(paged: Paged | None, options: tuple[str, ...]) -> DocumentKind:
    """Return the kind of an unknown document, from options that apply to one kind only."""
    if isinstance(paged, SpatialSegmentation) or "visual" in options:
        return "pdf"
    if isinstance(paged, SequentialSegmentation) or options == ("text",):
        return "text"
    raise InputError(
        "cannot determine whether this document is a PDF or text: pass embedding_option=['visual'] (pages of a PDF) or "
        "['text'], and embedding_scope."
    )


def _temporal(given: Segmentation | None, input_type: str, model: Model) -> Temporal:
    allowed = model.rules(input_type).segmentations
    cut = allowed[0] if given is None else as_segmentation(given)
    kinds = " or ".join(one.kind for one in allowed)
    if not isinstance(cut, Temporal):
        raise InputError(f"{cut.kind} segmentation is for documents; {input_type} takes {kinds}.")
    if type(cut) not in map(type, allowed):
        others = model.hint(lambda other: type(cut) in map(type, other.rules(input_type).segmentations))
        raise InputError(f"segmentation of {input_type} must be {kinds} with {model.name}, got {cut.kind}{others}.")
    return cut


def _timed_texts(given: Sequence[TimeBasedMetadata] | None, model: Model) -> tuple[TimedText, ...]:
    if given is None:
        return ()
    model.require("time_based_metadata")
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise InputError(f"time_based_metadata must be a list of dicts, got {type(given).__name__}.")
    return tuple(_timed_text(entry, f"time_based_metadata[{index}]") for index, entry in enumerate(given))


def _timed_text(entry: object, where: str) -> TimedText:
    match entry:
        case {"start": start, "end": end, "text": str(text), **others} if not others and text.strip():
            if _is_second(start) and _is_second(end) and start <= end:
                return TimedText(float(start), float(end), text)
    raise InputError(
        f'{where} must look like {{"start": 0.0, "end": 4.5, "text": "..."}}, with times in seconds from 0, end not '
        f"before start, and a text that is not empty; got {entry!r}."
    )


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
