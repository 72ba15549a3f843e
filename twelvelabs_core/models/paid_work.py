"""What a task is paid for: its minutes, and the vectors, among which are those that smaller tasks would give."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twelvelabs_core.models.marengo import ASSET, CLIP, FUSED, LOCAL, SEPARATE
from twelvelabs_core.models.options import SegmentOptions, TaskOptions

_CHOICES = ("embedding_option", "embedding_scope", "embedding_type")
_LOCAL_SCOPES = ("page", "chunk")  # the scopes of the segments that `local` of a document gives
_FUSED_OPTION = "fused"  # the option of fused segments


def paid_options(options: TaskOptions) -> TaskOptions:
    """Return the options of the task that is paid for to get these.

    A task of audio or video has both scopes: the API charges by the length of the media, and the vectors of the other
    scope would be paid for again. With `embedding_uncertainty` the API has the scope `clip` only.
    """
    if isinstance(options, SegmentOptions) and not options.embedding_uncertainty:
        return replace(options, embedding_scope=(CLIP, ASSET))
    return options


def shared_parameters(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that a task must have in common with a wanted one, to contain its vectors.

    Args:
        wanted: The identity of the wanted options, as of `TaskOptions.identity`.
    """
    free = {*_CHOICES, "time_based_metadata"}  # that text changes fused vectors only
    if wanted.get("input_type") == "document" and wanted.get("segmentation") is None:
        free.add("segmentation")  # the whole document is embedded, and not its pages or chunks
    return {name: value for name, value in wanted.items() if name not in free}


def contains(paid: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Return whether the result of a task has all vectors that another one would give.

    Args:
        paid: The identity of the options of the task.
        wanted: The identity of the wanted options.
    """
    if paid == wanted:
        return True
    if any(not set(wanted.get(name) or ()) <= set(paid.get(name) or ()) for name in _CHOICES):
        return False
    if FUSED in wanted.get("embedding_type", ()):  # these vectors depend on all that was fused
        fused = ("embedding_option", "time_based_metadata")
        if any(paid.get(name) != wanted.get(name) for name in fused):
            return False
    shared = shared_parameters(wanted)
    unshared = {*_CHOICES, "time_based_metadata", "segmentation"} - shared.keys()
    return {name: value for name, value in paid.items() if name not in unshared} == shared


def embedded_minutes(params: Mapping[str, Any], duration_sec: float | None) -> float | None:
    """Return the minutes of media that a task embeds; 0 of documents and images, None where the length is unknown.

    Args:
        params: The identity of the options of the task.
        duration_sec: Length of the media in seconds, if known.
    """
    if params.get("input_type") not in ("audio", "video"):
        return 0.0
    start, end = params.get("start_sec") or 0.0, params.get("end_sec")
    if end is None or (duration_sec is not None and duration_sec < end):
        end = duration_sec
    return None if end is None else max(0.0, end - start) / 60


def is_wanted(embedding_option: str, embedding_scope: str, wanted: Mapping[str, Any]) -> bool:
    """Return whether a vector of a task is among those of the wanted options; "" is an option that the API left out."""
    types = wanted.get("embedding_type") or (SEPARATE,)
    options = {*(wanted["embedding_option"] if SEPARATE in types else ()), *([_FUSED_OPTION] if FUSED in types else ())}
    scopes = set(wanted["embedding_scope"])
    if LOCAL in scopes:
        scopes.update(_LOCAL_SCOPES)
    return embedding_option in ("", *options) and embedding_scope in ("", *scopes)
