"""The media of a folder, of a glob pattern, or of an iterable, and the names of which they are all that exists."""

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from glob import glob, has_magic
from pathlib import Path
from typing import cast

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.formats import kind_by_name
from twelvelabs_core.media.lists import media_list
from twelvelabs_core.media.source import Media, MediaInput, is_one, name_of_path, unreadable


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

        A file that exists and is not among them, such as one that a pattern does not match, is not gone.
        """
        if not self.covers(source):
            return False
        return not self.is_folder or not _may_exist(source)


def media_set(
    sources: MediaInput | Iterable[MediaInput],
    *,
    prefix: str | os.PathLike[str] | None = None,
    input_types: Collection[str] = ("video",),
) -> MediaSet:
    """Return the media of a folder, of a glob pattern, or of an iterable.

    Args:
        sources: A folder: all its files, also in folders below it, whose names have the ending of these types of
            media; neither hidden files nor those behind links to other folders. A pattern as of `glob.glob`, with `**`
            for any folders: the files that match. An iterable, or one item: these media.
        prefix: What the names of all media begin with of which an iterable is all that exists. A path stands for a
            folder.
        input_types: The types of media in a folder.

    Raises:
        InputError: A folder does not exist or cannot be read, two media have the same name, or `prefix` cannot be
            used.
    """
    place = _place_of(sources)
    if place is None:
        _check_exists(sources)
        return _of_items(sources, prefix)
    if prefix is not None:
        raise InputError("prefix is for an iterable of media; a folder or pattern has the paths below its own folder.")
    root, pattern = place
    if not root.is_dir():
        raise InputError(f"{root}: no such folder.")
    root = Path(os.path.realpath(root))
    # `Path.glob` would find hidden files too.
    found = _files_of(root, input_types) if pattern is None else glob(pattern, root_dir=root, recursive=True)  # noqa: PTH207
    paths = sorted({_resolved(root / name) for name in found if not (root / name).is_dir()})
    return MediaSet(media_list(paths), _folder_prefix(root), is_folder=True)


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


def _check_exists(sources: object) -> None:
    """Refuse a path that does not exist: it may be that of a folder."""
    path = Media.of(sources).path if isinstance(sources, str | os.PathLike) else None
    if path is not None and not path.exists():
        raise InputError(f"{path}: no such file or folder.")


def _place_of(sources: object) -> tuple[Path, str | None] | None:
    """Return a folder and no pattern, a folder and a pattern below it, or None for media."""
    if not isinstance(sources, str | os.PathLike):
        return None
    text = os.fsdecode(sources)
    if "://" in text or "\x00" in text:
        return None
    path = Path(text if os.path.lexists(text) else os.path.expanduser(text))  # noqa: PTH111  # raises for no unknown user
    if path.is_dir():
        return path, None
    if path.exists() or not ("*" in text or "?" in text):  # brackets alone are rather those of a name
        return None
    parts = path.parts
    depth = 0
    while not has_magic(parts[depth]) or Path(*parts[: depth + 1]).is_dir():
        depth += 1
    return Path(*parts[:depth]), os.path.join(*parts[depth:])  # noqa: PTH118  # of a pattern, not of a path


def _files_of(root: Path, input_types: Collection[str]) -> Iterator[str]:
    """Yield the files of some types of media below a folder, without hidden ones.

    Raises:
        InputError: A folder cannot be read: its files would seem to be gone.
    """

    def fail(error: OSError) -> None:
        raise unreadable(str(error.filename), error)

    for folder, folders, names in os.walk(root, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and kind_by_name(name) in input_types:
                yield os.path.join(folder, name)  # noqa: PTH118  # of many files


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


def _may_exist(source: str) -> bool:
    try:
        os.stat(source)  # noqa: PTH116  # `Path.exists` says that a file which cannot be reached does not exist
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):
        return True
    return True
