"""The files of a reader as media, also from file systems of fsspec."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace

from fsspec import AbstractFileSystem  # type: ignore[import-untyped]  # it ships no types
from llama_index.core.readers.file.base import is_default_fs

from twelvelabs_core import InputError, Media, MediaInput
from twelvelabs_core.integration import media_list

Files = MediaInput | Iterable[MediaInput]


def as_media(file: Files, fs: AbstractFileSystem | None, opened: ExitStack) -> tuple[MediaInput, ...]:
    """Return the media; files of a remote file system are opened there, and named by their path.

    Raises:
        InputError: The only item is not media, two have the same name, or a remote file cannot be opened.
    """
    media = media_list(file)
    if fs is not None and not is_default_fs(fs):
        media = tuple(_open(item, fs, opened) for item in media)
    return media


def named(media: Iterable[MediaInput]) -> list[Media]:
    """Return the items that are media."""
    return [item for item in media if isinstance(item, Media)]


def _open(item: MediaInput, fs: AbstractFileSystem, opened: ExitStack) -> MediaInput:
    if not isinstance(item, Media) or item.path is None:
        return item
    try:
        stream = fs.open(item.path.as_posix(), "rb")
    except OSError as error:
        raise InputError(f"{item.source}: cannot be opened in {type(fs).__name__}: {error}.") from None
    opened.callback(stream.close)
    return replace(Media.of(stream, source=item.source), title=item.title)
