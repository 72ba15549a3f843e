"""Convert a path, URL, file object, asset id or bytes to a `Media` value with a name, and lists of them to tuples.

A local file is read only where the caller passed a path: query texts and server responses never become paths.
"""

import functools
import hashlib
import io
import logging
import os
import posixpath
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import BinaryIO, Literal, Self, TypeVar, cast
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from twelvelabs_core.base.checks import check_above_0, check_bool
from twelvelabs_core.base.errors import InputError, TwelveLabsError
from twelvelabs_core.base.limits import DIRECT_UPLOAD_MAX_BYTES, FILENAME_MAX
from twelvelabs_core.base.redact import opaque_part, redact, unsigned_url
from twelvelabs_core.media.formats import mime_type_of

logger = logging.getLogger("twelvelabs_core")

HASH_CHUNK = 1024 * 1024
_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]+):(?://)?", re.IGNORECASE)
_ASSET_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_INVISIBLE = "\u200b\ufeff"  # what pasting, and the first line of a file, leave around a name besides white space
_ADVICE = "; pass its .file, as of an UploadFile"
_ESCAPED_BYTE = re.compile(r"\\x([89a-f][0-9a-f])")
_PATH_MAX = 4096  # characters, as on Linux; a longer str is a text or encoded bytes passed by mistake


@dataclass(frozen=True, slots=True)
class Media:
    """A video, audio, document or image that is not yet read.

    Attributes:
        origin: Where its bytes are.
        source: The name that identifies it for filters, updates and deletion. It contains no URL signature.
        title: The file name, to display; in a list with equal ones, with folders that tell them apart.
        version: The caller's version of the content of a URL; a new value means new work.
        path: The path, where one was passed.
        url: The URL with its signature, where one was passed.
        data: The bytes, where they were passed.
        file: The binary file object, where one was passed.
        asset_id: The id of an asset that is already uploaded.
        check: Whether its format, duration and resolution are checked before anything is sent. With False the API
            decides about them.
        duration_sec: Its length in seconds as the caller states it, for plans and budgets. With None, that of a local
            file is measured, and that of a URL or an asset is unknown.

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
    check: bool = True
    duration_sec: float | None = None

    @classmethod
    def of(
        cls,
        value: "MediaInput",
        *,
        source: str | None = None,
        version: str | None = None,
        check: bool = True,
        duration_sec: float | None = None,
    ) -> Self:
        """Return the media that `value` identifies. Paths and URLs are not opened.

        Args:
            value: A path, an http(s) URL, `asset:<id>`, bytes, or a binary file object. White space around a str is
                ignored. A file object is read from its start, whatever its position; one that cannot seek is read
                into memory, at most 200 MB.
            source: The name to identify it. Default: the path as given, the URL without signature, `asset:<id>`, the
                path of an open file, the `filename` of an upload, or `sha256:<16 hex digits>` of its bytes.
            version: For a URL: a new value means that its content changed.
            check: Whether local media are checked before anything is sent: format, duration, resolution. With False
                the API decides.
            duration_sec: Its length in seconds, for plans and budgets; needed there for a URL or an asset.

        Raises:
            InputError: `value` is not media, `source` is empty, or `duration_sec` is not a number above 0.
        """
        source, version = _checked_name("source", source), _checked_name("version", version)
        check_bool("check", check)
        if source is not None and not source.strip():
            raise InputError(f"source is empty: {source!r}; omit it for the default, or pass a name.")
        media = cls._of(value, source, version)
        if duration_sec is not None:
            media = replace(media, duration_sec=check_above_0("duration_sec", duration_sec))
        return media if check else replace(media, check=False)

    @classmethod
    def _of(cls, value: object, source: str | None, version: str | None) -> Self:
        if isinstance(value, Media):
            return cast("Self", replace(value, source=source or value.source, version=version or value.version))
        if isinstance(value, (bytes, bytearray)):
            return cls._of_bytes(bytes(value), source, version)
        if isinstance(value, str):
            return cls._of_text(value, source, version)
        if isinstance(value, os.PathLike):
            return cls._of_path(os.fsdecode(value), source, version)
        if hasattr(value, "read"):
            return cls._of_file(cast("BinaryIO", value), source, version)
        raise InputError(
            f"media must be a path, URL, asset id, bytes or binary file object, got {type(value).__name__}"
            f"{_ADVICE if hasattr(value, 'file') else ''}."
        )

    @classmethod
    def _of_text(cls, text: str, source: str | None, version: str | None) -> Self:
        stripped = text.strip().strip(_INVISIBLE).strip()
        if not stripped:
            raise InputError("media is an empty string; pass a path, URL or asset:<id>.")
        if "\x00" in text:
            raise InputError("media path contains a NUL character.")
        match = _SCHEME.match(stripped)
        scheme = match.group(1).lower() if match else ""
        if scheme in ("http", "https"):
            return cls._of_url(stripped, source, version)
        if scheme == "asset":
            return cls._of_asset(stripped.partition(":")[2], source, version)
        if scheme == "data":
            raise InputError("data: URIs are not supported; decode it and pass the bytes.")
        if scheme == "file" and "/" in stripped[:6]:
            return cls._of_path(_path_of_url(stripped), source, version)
        if "://" in text:
            what = f"{scheme}:// URLs" if scheme else "a URL after other text"
            raise InputError(f"cannot read {what}; pass an http(s) URL (it may be presigned) or a path.")
        if len(text) > _PATH_MAX:
            raise InputError(
                f"media is a str of {len(text):,} characters: too long for a path; pass file content as bytes."
            )
        return cls._of_path(text if _exists(text) else stripped, source, version)

    @classmethod
    def _of_url(cls, url: str, source: str | None, version: str | None) -> Self:
        try:
            name = unsigned_url(url)
            host = urlsplit(url).port != 0 and urlsplit(url).hostname  # `port` raises for one above 65535
        except ValueError:
            host = None
        if not host:
            raise InputError(f"not a URL with a host and, if any, a port from 1 to 65535: {redact(url)!r}.")
        if source is None and (place := opaque_part(name)) is not None:
            _warn_of_opaque_part(host, place)
        title = storable_text(posixpath.basename(unquote(urlsplit(name).path))) or host
        return cls("url", source or name, title, version, url=url)

    @classmethod
    def _of_asset(cls, asset_id: str, source: str | None, version: str | None) -> Self:
        if not _ASSET_ID.fullmatch(asset_id):
            shown = redact(asset_id).partition("?")[0][:80]
            raise InputError(f"not an asset id: {shown!r}; expected asset:<id> with letters and digits.")
        return cls("asset", source or f"asset:{asset_id}", asset_id, version, asset_id=asset_id)

    @classmethod
    def _of_path(cls, text: str, source: str | None, version: str | None) -> Self:
        name = redact(name_of_path(text))  # redact: "b.example.com/f.mp4?Signature=..." is a URL without https://
        path = Path(text if _exists(text) else os.path.expanduser(text))  # noqa: PTH111  # raises for no unknown user
        return cls("path", source or name, posixpath.basename(name), version, path=path)

    @classmethod
    def _of_bytes(cls, data: bytes, source: str | None, version: str | None) -> Self:
        if not data:
            raise InputError("media is empty: 0 bytes.")
        name = source or _digest_name([data])
        return cls("bytes", name, posixpath.basename(name) or name, version, data=data)

    @classmethod
    def _of_file(cls, file: BinaryIO, source: str | None, version: str | None) -> Self:
        with readable(source or f"media file object ({type(file).__name__})"):
            _check_reads_bytes(file)
            name = source or _own_name(file)
            if not hasattr(file, "seekable") or not file.seekable():
                return cls._of_bytes(_read_whole(file), name, version)
            if name is None:
                file.seek(0)
                name = _digest_name(_full_chunks(file.read, HASH_CHUNK))
        return cls("file", name, posixpath.basename(name) or name, version, file=file)

    @property
    def is_local(self) -> bool:
        """Whether its bytes are on this machine and must be uploaded."""
        return self.origin in ("path", "bytes", "file")

    @property
    def filename(self) -> str:
        """File name for uploads: at most 255 characters, with the suffix of `title`."""
        name = posixpath.basename(self.title) or "media"
        ending = PurePath(name).suffix[:16]
        return name if len(name) <= FILENAME_MAX else name[: FILENAME_MAX - len(ending)] + ending

    @property
    def mime_type(self) -> str:
        """MIME type by the suffix of `title`."""
        return mime_type_of(self.title)

    def size(self) -> int:
        """Return the size of local media in bytes."""
        with readable(self.source):
            if self.path is not None:
                return self.path.stat().st_size
            if self.file is not None:
                return self.file.seek(0, os.SEEK_END)  # every reader seeks to where it begins
        if self.data is None:
            raise InputError(f"{self.source} is not local; its size is unknown.")
        return len(self.data)

    def stamp(self) -> tuple[int, int]:
        """Return size in bytes and modification time in nanoseconds of a path, to detect changes without reading it."""
        if self.path is None:
            raise InputError(f"{self.source} is not a path.")
        with readable(self.source):
            status = self.path.stat()
        return status.st_size, status.st_mtime_ns

    def read_chunks(self, size: int) -> Iterator[bytes]:
        """Read local media from its start in chunks of `size` bytes; the last may be shorter."""
        with self.opened() as file, readable(self.source):
            yield from _full_chunks(file.read, size)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Open local media at its start; a file object that the caller passed stays open."""
        with ExitStack() as stack:
            with readable(self.source):
                if self.file is not None:
                    self.file.seek(0)
                    file = self.file
                elif self.path is not None:
                    file = stack.enter_context(self.path.open("rb"))
                else:
                    file = io.BytesIO(self.data or b"")
            yield file

    def sha256(self) -> str:
        """Return the SHA-256 of local media as 64 hex digits."""
        return _digest_of(self.read_chunks(HASH_CHUNK))


MediaInput = str | os.PathLike[str] | bytes | bytearray | BinaryIO | Media
"""Everything that can be passed as media. A str is an http(s) URL, `asset:<id>`, or else a path."""


@functools.lru_cache(maxsize=1000)  # once for each host and place
def _warn_of_opaque_part(host: str, place: str) -> None:
    logger.warning(
        "URLs of %s keep 32 or more hexadecimal digits in %s: they are stored and shown. If they are a secret, pass "
        "source= to name the media, and version= if they change",
        host,
        place,
    )


@contextmanager
def readable(source: str) -> Iterator[None]:
    """Convert errors of reading to `InputError` with the name of the media."""
    try:
        yield
    except TwelveLabsError:
        raise
    except Exception as error:  # noqa: BLE001  # a file object may raise anything, as those of S3 clients do
        raise unreadable(source, error) from None


def unreadable(source: str, error: Exception) -> InputError:
    """Return the error of media that cannot be read."""
    if isinstance(error, FileNotFoundError):
        return InputError(f"{source}: no such file.")
    reason = getattr(error, "strerror", None) or redact(f"{type(error).__name__}: {error}".removesuffix(": "))
    return InputError(f"{source}: cannot be read: {reason}.")


def _checked_name(what: str, name: object) -> str | None:
    """Return a name that the caller passed, without URL signatures."""
    if name is not None and not isinstance(name, str):
        raise InputError(f"{what} must be a str, got {type(name).__name__}.")
    return None if name is None else redact(storable_text(name))


def name_of_path(text: str) -> str:
    """Return a path as a name: POSIX, normalised, and valid Unicode even where the file name is not."""
    return storable_text(posixpath.normpath(PurePath(text).as_posix()))


def storable_text(name: str) -> str:
    """Return a name as it can be sent and stored: bytes that are not UTF-8, lone surrogates and NUL are escaped."""
    try:
        data = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = name.encode("utf-8", "backslashreplace")
    return data.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def unescaped_text(name: str) -> str:
    """Return a name with the bytes that `storable_text` escaped; text of this form is replaced as well."""
    return _ESCAPED_BYTE.sub(lambda byte: chr(0xDC00 + int(byte[1], 16)), name)  # as `surrogateescape` decodes bytes


def _check_reads_bytes(file: BinaryIO) -> None:
    if getattr(file, "closed", False):
        raise InputError("media file object is closed.")
    data: object = file.read(0)
    if isinstance(data, str):
        raise InputError("media file object is in text mode; open it with 'rb'.")
    if not isinstance(data, bytes | bytearray | memoryview):
        if isinstance(data, Coroutine):
            data.close()
        what = "asynchronously" if isinstance(data, Awaitable) else f"{type(data).__name__}, not bytes"
        raise InputError(f"media file object ({type(file).__name__}) reads {what}{_ADVICE}, or the bytes.")


def _own_name(file: BinaryIO) -> str | None:
    """Return the path of an open file, else the file name of an upload; None where a file object has neither.

    `name` alone may be a form field, an archive or a descriptor: it counts where it is a path to this very file.
    """
    name = getattr(file, "name", None)
    with suppress(Exception):
        if isinstance(name, str) and os.path.samestat(Path(name).stat(), os.fstat(file.fileno())):
            return name_of_path(name)
    filename = getattr(file, "filename", None)
    return redact(name_of_path(filename)) if isinstance(filename, str) and filename.strip() else None


def _exists(text: str) -> bool:
    try:
        return os.path.lexists(text)
    except (OSError, ValueError):
        return False


def _path_of_url(url: str) -> str:
    """Return the path that a file URL names; also of one that was put together without quoting the path.

    Raises:
        InputError: It names a file of another machine.
    """
    rest = url.partition(":")[2]
    if rest.startswith("//"):
        host, slash, rest = rest[2:].partition("/")
        rest = slash + rest
        if host not in ("", "localhost"):
            raise InputError(f"a file:// URL must name a file of this machine, not of {host!r}.")
    quoted = re.split("[?#]", rest, maxsplit=1)[0]
    # `url2pathname`, which is for Windows, replaces bytes that are not UTF-8.
    unquoted = url2pathname if os.name == "nt" else functools.partial(unquote, errors="surrogateescape")
    paths = [unquoted(quoted), unquoted(rest), rest]
    return next(filter(_exists, paths), paths[0])


def _read_whole(file: BinaryIO) -> bytes:
    data = bytearray()
    for chunk in _full_chunks(file.read, HASH_CHUNK):
        data += chunk
        if len(data) > DIRECT_UPLOAD_MAX_BYTES:
            raise InputError(
                f"a file object that cannot seek may have at most {DIRECT_UPLOAD_MAX_BYTES:,} bytes; "
                "pass a path or URL."
            )
    return bytes(data)


def _full_chunks(read: Callable[[int], bytes], size: int) -> Iterator[bytes]:
    """Yield full chunks even where one read returns less, as with sockets and unbuffered files."""
    buffer = bytearray()
    while data := read_at_most(read, size - len(buffer)):
        buffer += data
        if len(buffer) == size:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)


def read_at_most(read: Callable[[int], bytes], size: int) -> bytes:
    """Read from a file object; raise ValueError if it returns more than was asked for."""
    data = read(size)
    if len(data) > size:
        raise ValueError(f"read({size}) returned {len(data)} bytes")
    return bytes(data)


def _digest_of(chunks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def _digest_name(chunks: Iterable[bytes]) -> str:
    return f"sha256:{_digest_of(chunks)[:16]}"


T = TypeVar("T")


def many(values: Iterable[T], name: str) -> list[T]:
    """Return the values as a list; refuse a single value, such as a str, which would be iterated by characters."""
    if is_one(values):
        raise InputError(f"{name} must be a list, got a single {type(values).__name__}; put it into a list.")
    return list(values)


def is_one(media: object) -> bool:
    """Return whether this is a single item; str, bytes, mappings and files are iterable, but single items."""
    single = (str, bytes, bytearray, memoryview, os.PathLike, Media, Mapping)
    return isinstance(media, single) or hasattr(media, "read") or not isinstance(media, Iterable)
