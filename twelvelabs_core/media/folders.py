"""The media of a folder, of a glob pattern, or of an iterable, and the names of which they are all that exists."""

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from glob import has_magic
from pathlib import Path
from typing import cast

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.formats import kind_by_name
from twelvelabs_core.media.lists import media_list
from twelvelabs_core.media.source import Media, MediaInput, is_one, name_of_path, unescaped_text, unreadable


@dataclass(frozen=True, slots=True)
class MediaSet:
    """Media, and the names of which they are all that exists.

    Attributes:
        media: Each as `Media`, named by its resolved path; what is not media is as it was passed.
        prefix: What the names begin with; None for no name.
        is_folder: Whether the names are paths of files, which can be looked for.
    """

    media: tuple[MediaInput, ...]
    prefix: str | None
    is_folder: bool

    def covers(self, source: str) -> bool:
        """Return whether a name is one of those of which these media are all that exists."""
        return self.prefix is not None and source.startswith(self.prefix)

    def is_gone(self, source: str) -> bool:
        """Return whether what a name stood for, which is not among those of the media, does not exist any more.

        A file that exists and is not among them, such as one that a pattern does not match, is not gone. A folder of
        that name, or a file that is reached through a link to a folder, is not this file.
        """
        if not self.covers(source):
            return False
        return not self.is_folder or not _may_be_file(source)


def media_set(
    sources: MediaInput | Iterable[MediaInput],
    *,
    prefix: str | os.PathLike[str] | None = None,
    input_types: Collection[str] = ("video",),
) -> MediaSet:
    """Return the media of a folder, of a glob pattern, or of an iterable.

    Args:
        sources: A folder: all its files, also in folders below it, whose names have the ending of these types of
            media, without hidden ones. A pattern as of `glob.glob`, with `**` for any folders: the files that match.
            Neither has what is behind links to folders below it. An iterable, or one item: these media.
        prefix: What the names of all media begin with of which an iterable is all that exists. A path stands for a
            folder.
        input_types: The types of media in a folder.

    Raises:
        InputError: A folder does not exist or cannot be read, two media have the same name, or a pattern or `prefix`
            cannot be used.
    """
    try:
        place = _place_of(sources)
    except OSError as error:  # such as a folder above that cannot be searched
        raise unreadable(str(error.filename), error) from None
    if place is None:
        return _of_items(sources, prefix)
    if prefix is not None:
        raise InputError("prefix is for an iterable of media; a folder or pattern has the paths below its own folder.")
    root, pattern = place
    root = Path(os.path.realpath(root))
    found = _matching(str(root), ("**",) if pattern is None else pattern)
    files = {_resolved(Path(path)) for path in found if pattern is not None or kind_by_name(path) in input_types}
    return MediaSet(media_list(sorted(files)), _folder_prefix(root), is_folder=True)


def _of_items(sources: MediaInput | Iterable[MediaInput], prefix: str | os.PathLike[str] | None) -> MediaSet:
    items = [cast("MediaInput", sources)] if is_one(sources) else list(cast("Iterable[MediaInput]", sources))
    media = media_list([_with_resolved_path(item) for item in items])
    if isinstance(prefix, os.PathLike):
        prefix = _folder_prefix(Path(os.path.realpath(Path(prefix).expanduser())))
    if prefix is not None and (not isinstance(prefix, str) or not prefix):
        raise InputError(f"prefix must be a str of at least one character, or a path, got {prefix!r}.")
    names = [item.source for item in media if isinstance(item, Media)]
    if prefix is not None and names and not any(name.startswith(prefix) for name in names):
        raise InputError(
            f"no name of the media, such as {names[0]!r}, begins with prefix {prefix!r}, so all that the vector store "
            "has under it would be removed. Paths are absolute in names; pass a folder as a Path."
        )
    return MediaSet(media, prefix, is_folder=False)


def _place_of(sources: object) -> tuple[Path, Sequence[str] | None] | None:
    """Return a folder and no pattern, a folder and the parts of a pattern below it, or None for media.

    Raises:
        InputError: A str is neither media nor a pattern, or a path does not exist: it may be that of a folder.
        OSError: A path cannot be looked for.
    """
    if not isinstance(sources, str | os.PathLike):
        return None
    text = os.fsdecode(sources)
    if not text or "://" in text or "\x00" in text:  # `Path` takes an empty str for the working directory
        Media.of(sources)  # raises for what is not media
        return None
    path = Path(text if os.path.lexists(text) else os.path.expanduser(text))  # noqa: PTH111  # raises for no unknown user
    mode = _mode_of(path)
    if mode is not None:
        return (path, None) if stat.S_ISDIR(mode) else None
    if not ("*" in text or "?" in text):  # brackets alone are rather those of a name
        if Media.of(sources).path is not None:
            raise InputError(f"{path}: no such file or folder.")
        return None
    parts = path.parts
    depth = 0
    while not has_magic(parts[depth]) or _is_dir(Path(*parts[: depth + 1])):
        depth += 1
    if ".." in parts[depth:]:
        raise InputError(f"a pattern must have '..' before its first wildcard only, got {text!r}.")
    root = Path(*parts[:depth])
    if not _is_dir(root):
        raise InputError(f"{root}: no such folder.")
    return root, parts[depth:]


def _matching(folder: str, parts: Sequence[str]) -> Iterator[str]:
    """Yield the files below a folder that match the parts of a pattern; not those behind links to folders.

    Not `glob`: it follows links to folders, and leaves out folders that cannot be read.

    Raises:
        InputError: A folder cannot be read: its files would seem to be deleted.
    """
    part, rest = parts[0], parts[1:]
    if part == "**":
        yield from _matching(folder, rest or ("*",))
        part, rest = "*", parts
    for entry in _entries(folder):
        if not fnmatch(entry.name, part) or (entry.name.startswith(".") and not part.startswith(".")):
            continue
        path = os.path.join(folder, entry.name)  # noqa: PTH118  # of many files
        if rest and entry.is_dir(follow_symlinks=False):
            yield from _matching(path, rest)
        elif not rest and not _is_folder(entry):
            yield path


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(os.path.join(folder, ".")) as found:  # noqa: PTH118  # "." needs the permission to search it
            return list(found)
    except OSError as error:
        raise unreadable(folder, error) from None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError):  # such as a link that cannot be followed: its use fails
        return entry.is_dir()
    return False


def _with_resolved_path(item: MediaInput) -> MediaInput:
    """Return media that is named by its path with the resolved one; anything else as it is."""
    try:
        media = Media.of(item)
    except Exception:  # noqa: BLE001  # whatever a file object of another package raises; its use fails
        return item
    if media.path is None or media.source != name_of_path(str(media.path)):
        return media
    path = _resolved(media.path)
    return replace(media, path=path, source=Media.of(path).source)


def _resolved(path: Path) -> Path:
    """Return the absolute path of a file; a link to a file is one more file, and not the other one."""
    return Path(os.path.realpath(path.parent)) / path.name


def _folder_prefix(folder: Path) -> str:
    return name_of_path(str(folder)).removesuffix("/") + "/"


def _may_be_file(source: str) -> bool:
    return any(_may_be_named(Path(path), source) for path in {source, unescaped_text(source)})


def _may_be_named(path: Path, source: str) -> bool:
    """Return whether a file may exist at a path, and have the name."""
    try:
        mode = _mode_of(path)
    except (OSError, ValueError):
        return True
    return mode is not None and stat.S_ISREG(mode) and name_of_path(str(_resolved(path))) == source


def _is_dir(path: Path) -> bool:
    mode = _mode_of(path)
    return mode is not None and stat.S_ISDIR(mode)


def _mode_of(path: Path) -> int | None:
    """Return the type and permissions of what a path names, or None where nothing has that path.

    Unlike `Path.exists`, which returns False from Python 3.14 on, it raises where a path cannot be looked for.
    """
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
