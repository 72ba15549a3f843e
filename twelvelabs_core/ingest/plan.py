"""One set of arguments for many media -> the options of each, by its kind: what suits a PDF does not suit a text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from twelvelabs_core.base.checks import check_bool
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.inspect import document_kind, media_type_of
from twelvelabs_core.media.source import Media
from twelvelabs_core.models.document_options import DocumentOptions, ImageOptions
from twelvelabs_core.models.marengo import model_of
from twelvelabs_core.models.options import SegmentOptions, TaskOptions
from twelvelabs_core.models.segmentation import (
    DynamicSegmentation,
    FixedSegmentation,
    Paged,
    Segmentation,
    SequentialSegmentation,
    SpatialSegmentation,
    Temporal,
    as_segmentation,
)

InputType = Literal["audio", "video", "document", "image"]
"""What a medium is taken for, as the API's `input_type` has it."""

PAPERS = ("document", "image")
"""Whatever has no times, and becomes pages, chunks or a whole."""

_TIMED = ("audio", "video")
_TIMED_ONLY = ("start_sec", "end_sec", "time_based_metadata")
_SUITED: Mapping[str, tuple[type[Temporal | Paged], ...]] = {
    "audio": (FixedSegmentation, DynamicSegmentation),
    "video": (FixedSegmentation, DynamicSegmentation),
    "pdf": (SpatialSegmentation,),
    "text": (SequentialSegmentation,),
    "document": (SpatialSegmentation, SequentialSegmentation),
    "image": (),
}


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """Gives each medium its options.

    Attributes:
        kinds: The input types that a medium may have; of several, its name or first bytes tell which.
        model: Whose rules hold.
        cuts: The segmentations of which each medium gets the one that suits it, if any; None where all media get the
            argument as it is, and one that it does not suit is refused.
        arguments: Those of `SegmentOptions.of`; None where the caller gave none.
    """

    kinds: tuple[str, ...]
    model: str
    cuts: tuple[Temporal | Paged, ...] | None
    arguments: Mapping[str, Any]

    def options(self, media: Media) -> TaskOptions:
        """Return the options of one medium; reads the first bytes of a local one.

        Raises:
            InputError: It is of none of the kinds, or takes an option not; the message names it.
        """
        kind = kind_among(media, self.kinds)
        if kind == "document":
            return document_options(media, self.model, **self._untimed(document_kind(media) or kind))
        try:
            return _options(kind, self.model, {**self.arguments, **self._cut(kind)})
        except InputError as error:
            raise InputError(f"{media.source}: {error}") from None

    def _cut(self, kind: str) -> dict[str, Segmentation | None]:
        """Return the segmentation that suits a kind, as an argument."""
        if self.cuts is None:
            return {}
        fitting = [cut for cut in self.cuts if isinstance(cut, _SUITED[kind])]
        # Of two that suit a document whose kind cannot be seen none is right; its options may tell.
        return {"segmentation": fitting[0] if len(fitting) == 1 else None}

    def _untimed(self, kind: str) -> dict[str, Any]:
        return {name: value for name, value in {**self.arguments, **self._cut(kind)}.items() if name not in _TIMED_ONLY}


def kind_among(media: Media, kinds: Sequence[str]) -> str:
    """Return what a medium is: the only kind that there may be, else what its name or first bytes say.

    Raises:
        InputError: It is none of the kinds; the message names it.
    """
    if len(kinds) == 1:
        return kinds[0]
    kind = media_type_of(media) or ("document" if "document" in kinds else None)
    if kind is None or kind not in kinds:
        what = "what it is cannot be seen" if kind is None else f"is {kind}"
        raise InputError(f"{media.source}: {what}; input_type must be among {', '.join(kinds)} here.")
    return kind


def written_options(plan: TaskPlan) -> dict[str, Any]:
    """Return the arguments of a plan as plain values to be written down.

    Those of audio and video have the API's defaults filled in, so that a later change of a default is a change; those
    of documents depend on the file.
    """
    written = dict(plan.arguments)
    for name in ("embedding_option", "embedding_scope", "embedding_type"):
        written[name] = None if written.get(name) is None else list(written[name])
    if plan.kinds[0] not in _TIMED:
        given = plan.arguments.get("segmentation")
        cuts = plan.cuts if plan.cuts is not None else () if given is None else (as_segmentation(given),)
        wires = [{cut.kind: cut.to_wire()} for cut in cuts]
        written["segmentation"] = (wires[0] if plan.cuts is None else wires) if wires else None
        return written
    checked = _options(plan.kinds[0], plan.model, plan.arguments)
    assert isinstance(checked, SegmentOptions)  # noqa: S101  # for the types: the kind has times
    texts = [entry._asdict() for entry in checked.time_based_metadata]
    return written | {
        "segmentation": checked.segmentation.to_wire(),
        "embedding_option": list(checked.embedding_option),
        "embedding_scope": list(checked.embedding_scope),
        "embedding_type": list(checked.embedding_type),
        "time_based_metadata": texts or None,
    }


def task_plan(input_type: str | Sequence[str], model: str, **arguments: Any) -> TaskPlan:
    """Return what gives each medium its options; arguments that fit no medium are refused at once.

    Args:
        input_type: `audio`, `video`, `document` or `image`; or several of them.
        model: Whose rules hold.
        **arguments: Those of `SegmentOptions.of`; None where the caller gave none. `segmentation` may be a list.

    Raises:
        InputError: An option that cannot be used.
    """
    kinds = (input_type,) if isinstance(input_type, str) or not isinstance(input_type, Iterable) else tuple(input_type)
    if not kinds:
        raise InputError("input_type is empty; pass one or several of audio, video, document, image.")
    for kind in kinds:
        model_of(model).rules(kind)
        if kind not in _TIMED:
            refuse_times(kind, **arguments)
    cuts = _cuts(kinds, arguments.get("segmentation"))
    plan = TaskPlan(kinds, model, cuts, arguments)
    for kind in kinds:
        if kind != "document":  # a document's options depend on the file
            _options(kind, model, arguments | plan._cut(kind))  # noqa: SLF001  # of a class of this file
    if cuts is None and "document" in kinds and arguments.get("segmentation") is not None:
        as_segmentation(arguments["segmentation"])
    return plan


def _cuts(kinds: tuple[str, ...], given: Any) -> tuple[Temporal | Paged, ...] | None:
    """Return the segmentations to choose from: several were given, or one for several kinds; else None."""
    if isinstance(given, (list, tuple)):
        cuts = tuple(as_segmentation(one) for one in given)
    elif len(kinds) > 1:
        cuts = () if given is None else (as_segmentation(given),)
    else:
        return None
    for kind in _SUITED:
        fitting = [cut for cut in cuts if isinstance(cut, _SUITED[kind])]
        if kind != "document" and len(fitting) > 1:
            raise InputError(f"segmentation has {len(fitting)} entries for {kind}; pass one for each kind of file.")
    for cut in cuts:
        if not any(isinstance(cut, _SUITED[kind]) for kind in kinds):
            raise InputError(f"{cut.kind} segmentation is not for input_type {', '.join(kinds)}.")
    return cuts


def _options(kind: str, model: str, arguments: Mapping[str, Any]) -> TaskOptions:
    """Return the checked options of any kind but documents."""
    if kind in _TIMED:
        return SegmentOptions.of(kind, model=model, **arguments)  # type: ignore[arg-type]  # one of the two
    others = {name: value for name, value in arguments.items() if name not in _TIMED_ONLY}
    if others.pop("segmentation", None) is not None:
        raise InputError("an image is not cut: leave segmentation out.")
    return ImageOptions.of(model=model, **others)


def document_options(media: Media, model: str, **arguments: Any) -> DocumentOptions:
    """Return the checked options of one document, of the kind that its name or first bytes show.

    Raises:
        InputError: An option that this kind of file does not take; the message names the file.
    """
    try:
        return DocumentOptions.of(document_kind(media), model=model, **arguments)
    except InputError as error:
        raise InputError(f"{media.source}: {error}") from None


def paper_kinds(input_type: str | None) -> tuple[str, ...]:
    """Return what files without times may be: what the caller says, else either kind.

    Raises:
        InputError: Neither of the two.
    """
    if input_type is None:
        return PAPERS
    if input_type not in PAPERS:
        raise InputError(f"input_type must be {' or '.join(PAPERS)} here, got {input_type!r}.")
    return (input_type,)


def check_transcript(include_transcript: object, kinds: Sequence[str]) -> None:
    """Refuse to fetch words for media in which nobody speaks.

    Raises:
        InputError: It is no bool, or true for other kinds than audio and video.
    """
    check_bool("include_transcript", include_transcript)
    silent = [kind for kind in kinds if kind not in _TIMED]
    if include_transcript and silent:
        raise InputError(f"include_transcript is for audio and video, not for input_type {silent[0]!r}.")


def refuse_times(input_type: str, **arguments: Any) -> None:
    """Refuse arguments that only media with time have.

    Raises:
        InputError: One of them is given.
    """
    given = next((name for name in _TIMED_ONLY if arguments.get(name) is not None), None)
    if given is not None:
        raise InputError(f"{given} is for audio and video, not for input_type {input_type!r}.")
