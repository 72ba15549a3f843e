"""Files that are written whole or not at all."""

import os
import secrets
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from twelvelabs_core.base.errors import InputError

PART_PREFIX = "part-"


@contextmanager
def private_part(folder: Path, name: str) -> Iterator[Path]:
    """Yield a temporary path that no other process uses; a file left there is deleted at the end.

    Args:
        folder: Folder of the file.
        name: End of its name.
    """
    part = folder / f"{PART_PREFIX}{os.getpid()}-{secrets.token_hex(4)}-{name}"
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def local_path(path: str | os.PathLike[str]) -> Path:
    """Return a path; where it does not exist, `~` at its beginning is the home folder, as in the `source` of media."""
    text = os.fspath(path)
    return Path(text if os.path.lexists(text) else os.path.expanduser(text))  # noqa: PTH111  # raises for no unknown user


def local_file(path: str | os.PathLike[str]) -> Path | None:
    """Return the path of a file that can be reached; None for a URL of any length."""
    file = local_path(path)
    return file if os.path.isfile(file) else None  # noqa: PTH113  # `Path.is_file` raises for long names before 3.14


def target_path(path: str | os.PathLike[str], suffixes: Collection[str], source: Path) -> Path:
    """Return the path of a file to write.

    Raises:
        InputError: Its suffix is another, it is a folder or in none, it cannot be written, or it is the file that is
            read.
    """
    target = local_path(path)
    if target.suffix.lower() not in suffixes:
        raise InputError(f"the path must end in {' or '.join(suffixes)}, got {target.name!r}.")
    try:
        found = target.stat()
    except (FileNotFoundError, NotADirectoryError):
        found = None
    except (OSError, ValueError) as error:  # such as a name that is too long
        raise InputError(f"cannot write {target}: {getattr(error, 'strerror', None) or error}.") from None
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise InputError(f"cannot write {target}: it is a folder.")
    if found is not None and source.exists() and os.path.samestat(found, source.stat()):
        raise InputError(f"cannot write {target}: it is the file that is read.")
    if not target.parent.is_dir():
        raise InputError(f"cannot write {target}: its parent is not a folder.")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise InputError(f"cannot write {target}: its folder cannot be written.")
    return target
