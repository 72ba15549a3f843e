"""What the caller hands in (path, URL, bytes, file object, asset id) -> one `Media` value with a name and its bytes.

A local file is read only where the caller passed a path: no text, query or answer of a server ever becomes a path here.
"""

import hashlib
import mimetypes
import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import BinaryIO, Literal, Self
from urllib.parse import unquote, urlsplit

from twelvelabs_core._errors import InputError
from twelvelabs_core._limits import DIRECT_UPLOAD_MAX_BYTES, FILENAME_MAX
from twelvelabs_core._urls import redact, unsigned_url

HASH_CHUNK = 1024 * 1024
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]+):(?://)?", re.IGNORECASE)
_ASSET_ID = re.compile(r"^[A-Za-z0-9_-]{1,64}$")


@dataclass(frozen=True, slots=True)
class Media:
    """One medium, not yet read.

    Attributes:
        origin: Where its bytes are.
        source: The name under which the caller knows it; filter, refresh and delete by it. No signature in it.
        title: A short name to show: the file's.
        version: The caller's own word for the state of a URL; a new one means new work.

    Example:
        ```python
        client.segment_video(Media.of(data, source="cam-7/2026-11-21.mp4"))
        ```
    """

    origin: Literal["path", "url", "bytes", "file", "asset"]
    source: str
    title: str
    version: str | None = None
    path: Path | None = None
    url: str | None = field(default=None, repr=False)
    data: bytes | None = field(default=None, repr=False)
    file: BinaryIO | None = field(default=None, repr=False)
    asset_id: str | None = None

    @classmethod
    def of(
        cls,
        value: "MediaInput",
        *,
        source: str | None = None,
        version: str | None = None,
    ) -> Self:
        """Return the medium that `value` names; nothing is read but the size of a file object.

        Args:
            value: A path, an http(s) URL, `asset:<id>`, bytes, or a binary file object.
            source: The name to know it by; default: the path as given, the URL without signature, `asset:<id>`,
                or `sha256:<16 hex digits>` of bytes.
            version: For a URL: a new value means that the film behind it changed.

        Raises:
            InputError: Nothing that media can come from.
        """
        if isinstance(value, Media):
            return value._renamed(source, version)  # type: ignore[return-value]  # noqa: SLF001
        if isinstance(value, (bytes, bytearray)):
            return cls._of_bytes(bytes(value), source, version)
        if isinstance(value, str):
            return cls._of_text(value, source, version)
        if isinstance(value, os.PathLike):
            return cls._of_path(os.fspath(value), source, version)
        if hasattr(value, "read"):
            return cls._of_file(value, source, version)
        raise InputError(
            f"media must be a path, URL, asset id, bytes or binary file object, got {type(value).__name__}."
        )

    @classmethod
    def _of_text(cls, text: str, source: str | None, version: str | None) -> Self:
        match = _SCHEME.match(text)
        scheme = match.group(1).lower() if match else ""
        if not text.strip():
            raise InputError("media is an empty string; pass a path, URL or asset:<id>.")
        if "\x00" in text:
            raise InputError("media path holds a NUL character.")
        if scheme in ("http", "https"):
            return cls._of_url(text, source, version)
        if scheme == "asset":
            return cls._of_asset(text.partition(":")[2], source, version)
        if scheme == "file" and "://" in text:
            return cls._of_path(unquote(urlsplit(text).path), source, version)
        if scheme == "data":
            raise InputError("data: URIs are not taken; decode it and pass the bytes.")
        if "://" in text:
            raise InputError(f"cannot read {scheme}:// URLs; pass an http(s) URL (a presigned one will do) or a path.")
        return cls._of_path(text, source, version)

    @classmethod
    def _of_url(cls, url: str, source: str | None, version: str | None) -> Self:
        try:
            name = unsigned_url(url)
            host = urlsplit(url).hostname
        except ValueError:
            host = None
        if not host:
            raise InputError(f"not a URL with a host: {redact(url)!r}.")
        title = posixpath.basename(unquote(urlsplit(name).path)) or host
        return cls("url", source or name, title, version, url=url)

    @classmethod
    def _of_asset(cls, asset_id: str, source: str | None, version: str | None) -> Self:
        if not _ASSET_ID.match(asset_id):
            raise InputError(f"not an asset id: {asset_id[:80]!r}; expected asset:<id> with letters and digits.")
        return cls("asset", source or f"asset:{asset_id}", asset_id, version, asset_id=asset_id)

    @classmethod
    def _of_path(cls, text: str, source: str | None, version: str | None) -> Self:
        name = posixpath.normpath(PurePath(text).as_posix())
        return cls("path", source or name, posixpath.basename(name), version, path=Path(text).expanduser())

    @classmethod
    def _of_bytes(cls, data: bytes, source: str | None, version: str | None) -> Self:
        if not data:
            raise InputError("media is empty: 0 bytes.")
        name = source or f"sha256:{hashlib.sha256(data).hexdigest()[:16]}"
        return cls("bytes", name, posixpath.basename(name) or name, version, data=data)

    @classmethod
    def _of_file(cls, file: BinaryIO, source: str | None, version: str | None) -> Self:
        name = source or getattr(file, "name", None)
        if not file.seekable():
            data = file.read(DIRECT_UPLOAD_MAX_BYTES + 1)
            if len(data) > DIRECT_UPLOAD_MAX_BYTES:
                raise InputError(
                    f"a file object that cannot seek may hold at most {DIRECT_UPLOAD_MAX_BYTES:,} bytes; "
                    "pass a path or URL."
                )
            return cls._of_bytes(data, name if isinstance(name, str) else None, version)
        if isinstance(file.read(0), str):
            raise InputError("media file object is in text mode; open it with 'rb'.")
        if not isinstance(name, str):
            name = f"sha256:{_digest_of(file)[:16]}"
        name = posixpath.normpath(PurePath(name).as_posix()) if source is None else name
        return cls("file", name, posixpath.basename(name) or name, version, file=file)

    def _renamed(self, source: str | None, version: str | None) -> "Media":
        if source is None and version is None:
            return self
        names = {name: getattr(self, name) for name in ("path", "url", "data", "file", "asset_id")}
        return Media(self.origin, source or self.source, self.title, version or self.version, **names)

    @property
    def is_local(self) -> bool:
        """Whether its bytes are on this side and must be sent."""
        return self.origin in ("path", "bytes", "file")

    @property
    def filename(self) -> str:
        """A name for uploads, at most 255 characters, its ending kept."""
        name = self.title or "media"
        ending = PurePath(name).suffix[:16]
        return name if len(name) <= FILENAME_MAX else name[: FILENAME_MAX - len(ending)] + ending

    @property
    def mime_type(self) -> str:
        """The type that its name suggests."""
        return mimetypes.guess_type(self.title)[0] or "application/octet-stream"

    def size(self) -> int:
        """Return its size in bytes; only for local media."""
        if self.path is not None:
            return self.path.stat().st_size
        if self.data is not None:
            return len(self.data)
        if self.file is not None:
            position = self.file.tell()
            size = self.file.seek(0, os.SEEK_END)
            self.file.seek(position)
            return size
        raise InputError(f"{self.source} is not local; its size is the server's to know.")

    def read_chunks(self, size: int) -> Iterator[bytes]:
        """Read it from its start in pieces of `size` bytes (the last may be shorter); only for local media."""
        if self.data is not None:
            view = memoryview(self.data)
            for start in range(0, len(view), size):
                yield bytes(view[start : start + size])
        elif self.path is not None:
            with self.path.open("rb") as stream:
                yield from iter(lambda: stream.read(size), b"")
        elif self.file is not None:
            self.file.seek(0)
            yield from iter(lambda: self.file.read(size) if self.file else b"", b"")

    def sha256(self) -> str:
        """Return the SHA-256 of its bytes as hex; only for local media."""
        digest = hashlib.sha256()
        for chunk in self.read_chunks(HASH_CHUNK):
            digest.update(chunk)
        return digest.hexdigest()


MediaInput = str | os.PathLike[str] | bytes | bytearray | BinaryIO | Media
"""Whatever can be passed as media. Strings: http(s) URLs, `asset:<id>`, else paths."""


def _digest_of(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    for chunk in iter(lambda: file.read(HASH_CHUNK), b""):
        digest.update(chunk)
    return digest.hexdigest()
