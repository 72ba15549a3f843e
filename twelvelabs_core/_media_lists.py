"""One medium or many: what loaders and readers take as their first argument, as a tuple of named media."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar, cast

from twelvelabs_core._errors import InputError
from twelvelabs_core._media import Media, MediaInput
from twelvelabs_core._urls import likely_credentials, unsigned_url

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
        InputError: Nothing that media can come from, `source` is given for several, or two have the same name.
    """
    if is_one(media):
        return (Media.of(cast("MediaInput", media), source=source, version=version),)
    if source is not None:
        raise InputError(
            "source= names a single medium, but a list was passed; use Media.of(medium, source=...) for each."
        )
    named = tuple(Media.of(item, version=version) for item in cast("Iterable[MediaInput]", media))
    check_unique([item.source for item in named])
    return named


def check_unique(names: Sequence[str]) -> None:
    """Refuse media that have the same name: the segments of one would take the place of the other's.

    Raises:
        InputError: Two have the same.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        what = "1 name stands" if len(twice) == 1 else f"{len(twice)} names stand"
        raise InputError(
            f"{what} for several media, such as {twice[0]!r}; pass each once, or name them by "
            "Media.of(medium, source=...)."
        )


def check_told_apart(media: Media, addresses: dict[str, str]) -> None:
    """Refuse a URL whose name stands for another one already: no result would say which of them it is of.

    Two signings of one URL are one; so are those of one `version`, whatever was left out of their name.

    Args:
        media: The next medium of a list.
        addresses: What each name of the list stands for so far; this one is added.

    Raises:
        InputError: Another URL has its name.
    """
    if media.url is None:
        return
    state = media.version or likely_credentials(media.url) or ""
    address = f"{unsigned_url(media.url)}#{state}"
    if addresses.setdefault(media.source, address) != address:
        raise InputError(
            f"{media.source!r} stands for several URLs of this list, which may be several films (what looks like a "
            "credential is no part of a name); pass each once, or name them by Media.of(url, source=...)."
        )


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
