"""The task options of each item, from one set of arguments for media of several input types."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from twelvelabs_core.api.tasks import document_options
from twelvelabs_core.base.checks import check_bool, check_count
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.inspect import document_kind, media_type_of
from twelvelabs_core.media.source import Media
from twelvelabs_core.models.marengo import UNTIMED_TYPES, model_of
from twelvelabs_core.models.options import ImageOptions, SegmentOptions, TaskOptions
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
"""The kind of media, as the API's `input_type` names it."""

Segmentations = Segmentation | Sequence[Segmentation]
"""One segmentation, or one for each kind of file."""

_TIMED_ARGUMENTS = ("start_sec", "end_sec", "time_based_metadata")
# What applies to each input type and, of documents, to each kind of file.
_APPLICABLE: Mapping[str, tuple[type[Temporal | Paged], ...]] = {
    "audio": (FixedSegmentation, DynamicSegmentation),
    "video": (FixedSegmentation, DynamicSegmentation),
    "pdf": (SpatialSegmentation,),
    "text": (SequentialSegmentation,),
    "document": (SpatialSegmentation, SequentialSegmentation),
    "image": (),
}


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """Derives the options of each item.

    Attributes:
        input_types: The input types that an item may have; of several, its name or first bytes decide.
        model: The name of the model.
        segmentations: The segmentations that were given.
        is_choice: Whether each item takes the segmentation that applies to it, if any. Otherwise there is at most
            one, and an item that it does not apply to is refused.
        arguments: The other arguments of `SegmentOptions.of`; None where the caller gave none.
    """

    input_types: tuple[str, ...]
    model: str
    segmentations: tuple[Temporal | Paged, ...]
    is_choice: bool
    arguments: Mapping[str, Any]

    def options(self, media: Media) -> TaskOptions:
        """Return the options of one item; reads the first bytes of a local one.

        Raises:
            InputError: Its input type is not among those of the plan, or an option does not apply to it.
        """
        input_type = input_type_of(media, self.input_types)
        if input_type == "document":
            return document_options(media, self.model, **self._arguments_for(document_kind(media) or input_type))
        try:
            return self.options_of(input_type)
        except InputError as error:
            raise InputError(f"{media.source}: {error}") from None

    def options_of(self, input_type: str) -> TaskOptions:
        """Return the options of all media of an input type other than document, whose options depend on the file."""
        arguments = self._arguments_for(input_type)
        if input_type not in UNTIMED_TYPES:
            return SegmentOptions.of(input_type, model=self.model, **arguments)  # type: ignore[arg-type]  # one of two
        if arguments.pop("segmentation") is not None:
            raise InputError("segmentation does not apply to images; leave it out.")
        return ImageOptions.of(model=self.model, **arguments)

    def _arguments_for(self, kind: str) -> dict[str, Any]:
        """Return the arguments for an input type, or for the kind of a document: `pdf`, `text`."""
        names = self.arguments if kind in ("audio", "video") else self.arguments.keys() - {*_TIMED_ARGUMENTS}
        fitting = [one for one in self.segmentations if not self.is_choice or isinstance(one, _APPLICABLE[kind])]
        # Two segmentations can apply to a document of unknown kind; then its other options decide.
        segmentation = fitting[0] if len(fitting) == 1 else None
        return {**{name: self.arguments[name] for name in names}, "segmentation": segmentation}


def plan_tasks(input_type: str | Sequence[str], model: str, **arguments: Any) -> TaskPlan:
    """Return the plan for these arguments; arguments that apply to no item are refused.

    Args:
        input_type: `audio`, `video`, `document` or `image`; or several of them.
        model: The name of the model.
        **arguments: Those of `SegmentOptions.of`; None where the caller gave none. `segmentation` may be a list.

    Raises:
        InputError: An argument cannot be used.
    """
    is_single = isinstance(input_type, str) or not isinstance(input_type, Iterable)
    input_types: tuple[str, ...] = tuple([input_type] if is_single else input_type)  # type: ignore[list-item]
    if not input_types:
        raise InputError("input_type is empty; pass one or more of audio, video, document, image.")
    for one in input_types:
        model_of(model).rules(one)
        timed = [name for name in _TIMED_ARGUMENTS if arguments.get(name) is not None]
        if one in UNTIMED_TYPES and timed:
            raise InputError(f"{timed[0]} is for audio and video, not for input_type {one!r}.")
    given = arguments.pop("segmentation", None)
    is_list = isinstance(given, list | tuple)
    segmentations = tuple(as_segmentation(one) for one in (given if is_list else [] if given is None else [given]))
    plan = TaskPlan(input_types, model, segmentations, is_list or len(input_types) > 1, arguments)
    if plan.is_choice:
        _check_segmentations(segmentations, input_types)
    for one in input_types:
        if one != "document":
            plan.options_of(one)
    return plan


def plan_parameters(plan: TaskPlan) -> dict[str, Any]:
    """Return the arguments of a plan as plain JSON values.

    Those of audio and video include the API's defaults, so that a change of a default is a change of the plan. Those of
    documents depend on the file.
    """
    lists = ("embedding_option", "embedding_scope", "embedding_type")
    if plan.input_types[0] in UNTIMED_TYPES:
        given = {name: None if plan.arguments.get(name) is None else list(plan.arguments[name]) for name in lists}
        segmentations = [{one.kind: one.to_wire()} for one in plan.segmentations]
        one_or_all = (segmentations if plan.is_choice else segmentations[0]) if segmentations else None
        return {**plan.arguments, **given, "segmentation": one_or_all}
    options = plan.options_of(plan.input_types[0])
    assert isinstance(options, SegmentOptions)  # noqa: S101  # for the type checker: audio and video have these
    return {
        **plan.arguments,
        **{name: list(getattr(options, name)) for name in lists},
        "segmentation": options.segmentation.to_wire(),
        "time_based_metadata": [entry._asdict() for entry in options.time_based_metadata] or None,
    }


def plain_options(
    input_type: str | Sequence[str],
    model: str,
    *,
    include_transcript: bool = False,
    max_tasks: int | None = None,
    **arguments: Any,
) -> dict[str, Any]:
    """Check the options of a component that segments media, and return them as plain values for JSON.

    Args:
        input_type: `video`, `audio`, `document` or `image`; or a list of the last two.
        model: Name of the model that has to accept them.
        include_transcript: Whether the words spoken in a segment are fetched; for audio and video.
        max_tasks: Maximum number of simultaneous embedding tasks, at least 1. Default None: `max_concurrency`.
        **arguments: The other options of `Client.segment_many` that change vectors; None for the default.

    Raises:
        InputError: An option is not accepted; the message names it.
    """
    types = (input_type,) if isinstance(input_type, str) else tuple(input_type)
    plan = plan_tasks(input_type if isinstance(input_type, str) else types, model, **arguments)
    check_transcript(include_transcript, types)
    if max_tasks is not None:
        check_count("max_tasks", max_tasks)
    return plan_parameters(plan)


def input_type_of(media: Media, input_types: Sequence[str]) -> str:
    """Return the input type of an item: the only one allowed, else the one that its name or first bytes show.

    Raises:
        InputError: It is not among `input_types`, or cannot be determined.
    """
    if len(input_types) == 1:
        return input_types[0]
    found = media_type_of(media) or ("document" if "document" in input_types else None)
    if found is None or found not in input_types:
        what = "cannot determine its media type" if found is None else f"its media type is {found}"
        raise InputError(f"{media.source}: {what}; input_type must be one of {', '.join(input_types)} here.")
    return found


def untimed_types(input_type: str | None) -> tuple[str, ...]:
    """Return the input types that a file without times may have: the given one, else both.

    Raises:
        InputError: The given one is neither `document` nor `image`.
    """
    if input_type is None:
        return UNTIMED_TYPES
    if input_type not in UNTIMED_TYPES:
        raise InputError(f"input_type must be {' or '.join(UNTIMED_TYPES)} here, got {input_type!r}.")
    return (input_type,)


def check_transcript(include_transcript: object, input_types: Sequence[str]) -> None:
    """Verify that a transcript is requested of audio and video only.

    Raises:
        InputError: It is not a bool, or true for other input types.
    """
    check_bool("include_transcript", include_transcript)
    others = [one for one in input_types if one in UNTIMED_TYPES]
    if include_transcript and others:
        raise InputError(f"include_transcript is for audio and video, not for input_type {others[0]!r}.")


def _check_segmentations(segmentations: Sequence[Temporal | Paged], input_types: Sequence[str]) -> None:
    """Verify that each segmentation applies to an input type, and at most one to each kind of file."""
    for kind, applicable in _APPLICABLE.items():
        count = sum(isinstance(one, applicable) for one in segmentations)
        if kind != "document" and count > 1:
            raise InputError(f"segmentation has {count} entries for {kind}; pass one for each kind of file.")
    for one in segmentations:
        if not any(isinstance(one, _APPLICABLE[input_type]) for input_type in input_types):
            raise InputError(f"{one.kind} segmentation does not apply to input_type {', '.join(input_types)}.")
