"""One set of arguments for many media -> the options of each: a document's depend on whether it is a PDF or text."""

from collections.abc import Callable
from typing import Any

from twelvelabs_core._document_options import DocumentOptions, ImageOptions
from twelvelabs_core._errors import InputError
from twelvelabs_core._media import Media
from twelvelabs_core._media_types import document_kind
from twelvelabs_core._models import model_of
from twelvelabs_core._options import SegmentOptions, TaskOptions

_TIMED_ONLY = ("start_sec", "end_sec", "time_based_metadata")


def task_plan(input_type: str, model: str, **arguments: Any) -> Callable[[Media], TaskOptions]:
    """Return what gives each medium its options; arguments that fit no medium are refused at once.

    Args:
        input_type: `audio`, `video`, `document` or `image`.
        model: Whose rules hold.
        **arguments: Those of `SegmentOptions.of`; None where the caller gave none.

    Raises:
        InputError: An option that cannot be used.
    """
    model_of(model).rules(input_type)
    if input_type in ("audio", "video"):
        options = SegmentOptions.of(input_type, model=model, **arguments)  # type: ignore[arg-type]  # one of the two
        return lambda _: options
    refuse_times(input_type, **arguments)
    others = {name: value for name, value in arguments.items() if name not in _TIMED_ONLY}
    if input_type == "image":
        if others.pop("segmentation") is not None:
            raise InputError("an image is not cut: leave segmentation out.")
        picture = ImageOptions.of(model=model, **others)
        return lambda _: picture
    return lambda media: document_options(media, model, **others)


def document_options(media: Media, model: str, **arguments: Any) -> DocumentOptions:
    """Return the checked options of one document, of the kind that its name or first bytes show.

    Raises:
        InputError: An option that this kind of file does not take; the message names the file.
    """
    try:
        return DocumentOptions.of(document_kind(media), model=model, **arguments)
    except InputError as error:
        raise InputError(f"{media.source}: {error}") from None


def refuse_times(input_type: str, **arguments: Any) -> None:
    """Refuse arguments that only media with time have.

    Raises:
        InputError: One of them is given.
    """
    given = next((name for name in _TIMED_ONLY if arguments.get(name) is not None), None)
    if given is not None:
        raise InputError(f"{given} is for audio and video, not for input_type {input_type!r}.")
