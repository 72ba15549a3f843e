"""Lists of media: their names are unique, and their titles tell equal file names apart."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar, cast
from urllib.parse import unquote, urlsplit

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.source import Media, MediaInput, is_one

T = TypeVar("T")


def media_list(
    media: MediaInput | Iterable[MediaInput],
    *,
    source: str | None = None,
    version: str | None = None,
    check: bool = True,
) -> tuple[MediaInput, ...]:
    """Return a single item, which `source` may name, or an iterable of media as a tuple of `Media`.

    An item of an iterable that is not media is returned as it is: its use fails, and not that of the others.

    Raises:
        InputError: A single item is not media, `source` is given for a list, or two items have the same name.
    """
    if is_one(media):
        return (Media.of(cast("MediaInput", media), source=source, version=version, check=check),)
    if source is not None:
        raise InputError("source= names a single item, but a list was passed; use Media.of(item, source=...) for each.")
    items: list[MediaInput] = []
    for item in cast("Iterable[MediaInput]", media):
        try:
            items.append(Media.of(item, version=version, check=check))
        except Exception:  # noqa: BLE001  # whatever a file object of another package raises
            items.append(item)
    check_unique([item.source for item in items if isinstance(item, Media)])
    return with_distinct_titles(items)


def with_distinct_titles(items: Iterable[T]) -> tuple[T, ...]:
    """Return media with as much of their names in equal titles as tells them apart: `a/intro.mp4`, `b/intro.mp4`."""
    items = tuple(items)
    titles = distinct_names(
        {
            item.source: (item.title, folders_of(item.source, item.title, is_url=item.origin == "url"))
            for item in items
            if isinstance(item, Media)
        }
    )
    return tuple(
        cast("T", replace(item, title=titles[item.source])) if isinstance(item, Media) else item for item in items
    )


def distinct_names(names: Mapping[str, tuple[str, Sequence[str]]]) -> dict[str, str]:
    """Return titles, longer by as many of their last folders as tell equal ones apart.

    Args:
        names: For each source its title and its folders, outermost first.
    """
    groups: dict[str, dict[str, Sequence[str]]] = {}
    for source, (title, folders) in names.items():
        groups.setdefault(title, {})[source] = folders
    titles: dict[str, str] = {}
    for title, group in groups.items():
        depth = 0
        longer = [title] * len(group)
        while len(set(longer)) < len(group) and depth < max(map(len, group.values())):
            depth += 1
            longer = ["/".join([*folders[-depth:], title]) for folders in group.values()]
        titles |= zip(group, longer, strict=True)
    return titles


def folders_of(source: str, title: str, *, is_url: bool) -> list[str]:
    """Return the parts of a name before its title; all of a name that does not end with its title."""
    parts, last = ([part for part in text.split("/") if part] for text in (readable_path(source, is_url=is_url), title))
    return parts[: -len(last)] if last and parts[-len(last) :] == last else parts


def readable_path(source: str, *, is_url: bool) -> str:
    """Return a name as titles show it: of a URL its host and path, without percent-encoding."""
    if not is_url:
        return source
    url = urlsplit(source)
    return unquote(url.netloc + url.path)


def check_unique(names: Sequence[str]) -> None:
    """Refuse media of equal names: the segments of one would replace those of the other."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        what = "1 name stands" if len(repeated) == 1 else f"{len(repeated)} names stand"
        raise InputError(
            f"{what} for several media, such as {repeated[0]!r}; pass each once, or name them with "
            "Media.of(item, source=...)."
        )
