"""The private folder in which one sandbox keeps what it was sent; it is gone when the sandbox stops."""

import os
import secrets
import shutil
import tempfile
from pathlib import Path


class Files:
    """Unique paths in one temporary folder; every file has one owner, who deletes it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="twelvelabs-sandbox-", ignore_cleanup_errors=True)
        self.path = Path(self._folder.name)

    def new(self) -> Path:
        """Return a path that no file has yet."""
        return self.path / secrets.token_hex(8)

    def second(self, path: Path) -> Path:
        """Return a second path to the same bytes, so that its owner may delete the first."""
        twin = self.new()
        try:
            os.link(path, twin)
        except OSError:  # A file system without hard links.
            shutil.copyfile(path, twin)
        return twin

    def cut_short(self) -> None:
        """Empty every file: work that is still reading one comes to its end at once."""
        for path in self.path.iterdir():
            if path.is_file():
                os.truncate(path, 0)

    def remove(self) -> None:
        """Delete the folder and everything in it."""
        self._folder.cleanup()
