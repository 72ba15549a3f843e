"""One vector for a whole clip: how to ask for it, and how to take it out of the answer. Pure."""

from typing import Literal

from twelvelabs_core._errors import APIResponseError, InputError
from twelvelabs_core._models import Model
from twelvelabs_core._options import SegmentOptions
from twelvelabs_core._segments import Matrix, Segments

FUSED = "fused"
_DEFAULTS = {"video": "visual", "audio": "audio"}


def clip_option(input_type: str, embedding_option: str | None, model: Model) -> str:
    """Return the one option that is asked for.

    Raises:
        InputError: Not audio or video, or not one of its options.
    """
    if input_type not in _DEFAULTS:
        raise InputError(f"input_type must be audio or video, got {input_type!r}.")
    if embedding_option is None:
        return _DEFAULTS[input_type]
    allowed = (*model.rules(input_type).options, FUSED)
    if embedding_option not in allowed:
        raise InputError(
            f"embedding_option for {input_type} must be one of {', '.join(allowed)}; got {embedding_option!r}."
        )
    return embedding_option


def check_whole_clip(
    input_type: str, embedding_option: str | None, start_sec: float | None, end_sec: float | None, model: Model
) -> None:
    """Refuse to choose a part of a clip, where the model makes one vector of all that it holds.

    Raises:
        InputError: Not audio or video, or an option or time is given.
    """
    if input_type not in _DEFAULTS:
        raise InputError(f"input_type must be audio or video, got {input_type!r}.")
    advice = f"segment_{input_type} with embedding_scope=['asset'] takes it, and another model does so at once"
    hint = model.hint(lambda other: input_type in other.sync_inputs)
    if embedding_option is not None and (input_type, embedding_option) != ("audio", "audio"):
        raise InputError(
            f"{model.name} makes one vector of all that a clip holds and has no choice of embedding_option, "
            f"got {embedding_option!r}; {advice}{hint}."
        )
    if start_sec is not None or end_sec is not None:
        raise InputError(
            f"{model.name} embeds a clip as a whole, got start_sec={start_sec} and end_sec={end_sec}; {advice}{hint}."
        )


def clip_options(
    input_type: Literal["audio", "video"], embedding_option: str, start_sec: float | None, end_sec: float | None
) -> SegmentOptions:
    """Return the options that ask for exactly one vector of the whole clip.

    Raises:
        InputError: A time out of range.
    """
    is_fused = embedding_option == FUSED
    return SegmentOptions.of(
        input_type,
        start_sec=start_sec,
        end_sec=end_sec,
        embedding_option=None if is_fused else [embedding_option],
        embedding_type=["fused_embedding"] if is_fused else None,
        embedding_scope=["asset"],
    )


def take_one(segments: Segments, embedding_option: str) -> Matrix:
    """Return the vector that was asked for.

    Raises:
        APIResponseError: It is not there.
    """
    found = segments.select(embedding_option=embedding_option, embedding_scope="asset")
    if not len(found):
        raise APIResponseError(
            f"the API answered without a vector for embedding_option {embedding_option!r}: nothing to "
            f"{'hear' if embedding_option == 'audio' else 'embed'} in it? Choose another embedding_option."
        )
    return found[0].vector
