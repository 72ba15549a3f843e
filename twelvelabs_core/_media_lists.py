"""One medium or many: what loaders and readers take as their first argument, as a tuple of named media."""

import os
from collections.abc import Iterable, Mapping
from typing import TypeVar, cast

from twelvelabs_core._errors import InputError
from twelvelabs_core._media import Media, MediaInput

T = TypeVar("T")


def media_list(
    media: MediaInput | Iterable[MediaInput], *, source: str | None = None, version: str | None = None
) -> tuple[Media, ...]:
    """Return one or many media as a tuple, named as the caller wants.

    Args:
        media: One medium or an iterable of them.
        source: The name to know a single medium by.
        version: For URLs: a new value means that the film behind it changed.

    Raises:
        InputError: Nothing that media can come from, or `source` is given for several.
    """
    if is_one(media):
        return (Media.of(cast("MediaInput", media), source=source, version=version),)
    if source is not None:
        raise InputError(
            "source= names a single medium, but a list was passed; use Media.of(medium, source=...) for each."
        )
    return tuple(Media.of(item, version=version) for item in cast("Iterable[MediaInput]", media))


def many(values: Iterable[T], name: str) -> list[T]:
    """Return the values as a list; refuse a single one, which would be taken apart into characters.

    Raises:
        InputError: It is a single value.
    """
    if is_one(values):
        raise InputError(f"{name} must be a list, got a single {type(values).__name__}; put it into a list.")
    return list(values)


def is_one(media: object) -> bool:
    """Return whether this is a single medium; strings, bytes and files are iterable, but one."""
    # A mapping or buffer is iterable too, but nobody means its keys or its numbers.
    single = (str, bytes, bytearray, memoryview, os.PathLike, Media, Mapping)
    return isinstance(media, single) or hasattr(media, "read") or not isinstance(media, Iterable)
