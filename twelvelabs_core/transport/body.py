"""The values of one HTTP request: call, body, reply. Bodies are streamed; this module sends nothing."""

import base64
import json
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.media.source import Media

if TYPE_CHECKING:
    from twelvelabs_core.transport.rate_limit import Permit

CHUNK = 256 * 1024
BASE64_CHUNK = 3 * 64 * 1024  # a multiple of 3, so that the encoded chunks join without padding
JSON_TYPE = "application/json"


class Sink(Protocol):
    """Takes the bytes of a successful body as they arrive."""

    def feed(self, chunk: bytes, /) -> None:
        """Take the next bytes."""


@dataclass(frozen=True, slots=True)
class Body:
    """A request body that can be sent again: its chunks are made anew for each try.

    Bodies are always streamed: one large bytes object costs time quadratic in its size in the HTTP library.
    """

    content_type: str
    length: int
    chunks: Callable[[], Iterator[bytes]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        attempt: What it is for, in messages: "create the embedding task".
        method: The HTTP method.
        path: Path below the base URL, its parts quoted; or, with `foreign`, an absolute URL.
        params: The query parameters.
        body: The request body, if any.
        repeatable: Whether a second try is harmless if the first may have arrived. The create of a task is not.
        foreign: The server is not the API: no key is sent, and of its answer only the status is quoted.
        note: Records a success before the call returns, even if the caller is cancelled while it is in flight.
        headers: Additional headers, names in lower case; they replace the content type of the body.
        category: The rate-limit category: the modality of an embedding. Empty: by method and path, see
            `rate_limit.category_of`.
        permit: A permit of `Session.acquire` for the first try.
    """

    attempt: str
    method: str
    path: str = field(repr=False)
    params: tuple[tuple[str, str], ...] = ()
    body: Body | None = None
    repeatable: bool = True
    foreign: bool = False
    note: "Callable[[Reply], Awaitable[None]] | None" = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    category: str = ""
    permit: "Permit | None" = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """A response; `body` is empty where a sink took it."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status says success."""
        return 200 <= self.status < 300  # noqa: PLR2004  # the HTTP success class


class NoAnswerError(Exception):
    """No response, or an incomplete one. Internal: callers get APIConnectionError.

    Attributes:
        timed_out: Whether time ran out.
        may_have_arrived: Whether the server may have acted on the request.
    """

    def __init__(self, reason: str, *, timed_out: bool, may_have_arrived: bool) -> None:
        super().__init__(reason)
        self.timed_out = timed_out
        self.may_have_arrived = may_have_arrived


def json_body(value: Mapping[str, Any]) -> Body:
    """Return a JSON body; every `Media` inside `value` is streamed as base64."""
    media: list[Media] = []
    boundary = secrets.token_hex(8)

    def mark(item: object) -> str:
        if not isinstance(item, Media):
            raise TypeError(f"{type(item).__name__} is not JSON")
        media.append(item)
        return f"<{boundary}>"

    text = json.dumps(value, default=mark, separators=(",", ":"), allow_nan=False)
    parts = [part.encode() for part in text.split(f"<{boundary}>")]
    sizes = [item.size() for item in media]
    length = sum(map(len, parts)) + sum(4 * ((size + 2) // 3) for size in sizes)
    return Body(JSON_TYPE, length, lambda: _json_chunks(parts, media, sizes))


def _json_chunks(parts: Sequence[bytes], media: Sequence[Media], sizes: Sequence[int]) -> Iterator[bytes]:
    for index, part in enumerate(parts):
        yield part
        if index < len(media):
            for chunk in _unchanged(media[index], sizes[index], BASE64_CHUNK):
                yield base64.b64encode(chunk)


def _unchanged(media: Media, size: int, step: int) -> Iterator[bytes]:
    """Yield the bytes of a file, which must have the size that was announced.

    Raises:
        InputError: It is longer or shorter now.
    """
    left = size
    for chunk in media.read_chunks(step):
        left -= len(chunk)
        if left < 0:
            break
        yield chunk
    if left:
        raise InputError(f"{media.source}: changed while it was being sent; try again when it is complete.")


@dataclass(frozen=True, slots=True)
class FilePart:
    """A local file in a form."""

    name: str  # of the field
    media: Media
    filename: str


def form_body(fields: Mapping[str, str], file: Media | None = None, *, filename: str | None = None) -> Body:
    """Return a multipart/form-data body: scalars first, then the file, streamed from the disk."""
    return files_body(fields, [] if file is None else [FilePart("file", file, filename or file.filename)])


def files_body(fields: Mapping[str, str | Sequence[str]], files: Sequence[FilePart]) -> Body:
    """Return a multipart/form-data body with any number of files; a field with several values is repeated."""
    boundary = secrets.token_hex(16)
    texts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, given in fields.items()
        for value in ([given] if isinstance(given, str) else given)
    ).encode()
    heads = [_file_head(boundary, part) for part in files]
    sizes = [part.media.size() for part in files]
    end = f"--{boundary}--\r\n".encode()

    def chunks() -> Iterator[bytes]:
        yield texts + b"".join(heads[:1])
        for index, part in enumerate(files):
            if index:
                yield heads[index]
            yield from _unchanged(part.media, sizes[index], CHUNK)
            yield b"\r\n"
        yield end

    length = len(texts) + sum(map(len, heads)) + sum(sizes) + 2 * len(files) + len(end)
    return Body(f"multipart/form-data; boundary={boundary}", length, chunks)


def _file_head(boundary: str, part: FilePart) -> bytes:
    quoted = part.filename.replace("\\", "_").replace('"', "%22").replace("\r", "").replace("\n", "")
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{part.name}"; filename="{quoted}"\r\n'
        f"Content-Type: {part.media.mime_type}\r\n\r\n"
    ).encode()


def counted(body: Body, report: Callable[[int, int], None]) -> Body:
    """Return a body that reports (bytes sent, total bytes) while it is sent."""

    def chunks() -> Iterator[bytes]:
        sent = 0
        for chunk in body.chunks():
            yield chunk
            sent += len(chunk)
            report(sent, body.length)

    return Body(body.content_type, body.length, chunks)
