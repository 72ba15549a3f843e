"""URLs without their secrets: what may be stored, compared and shown.

A presigned URL is a password. Credentials are removed parameter by parameter, never the whole query: `?id=1` and
`?id=2` are two films.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

from twelvelabs_core._signatures import (
    credentials,
    credentials_in_path,
    is_credential,
    is_expiry,
    is_hash,
    looks_like_credential,
)

_URL = re.compile(r"https?://[^\s'\"<>\\^`{|}]+", re.IGNORECASE)
# The beginning of a sandbox's keys is no secret: messages tell people to look for it.
_KEY = re.compile(r"tlk_(?!sandbox_(?![\w-]))[A-Za-z0-9_-]+")
# A `;` divides parameters only where another one begins behind it.
_DIVIDER = re.compile(r"(&|;(?=[\w.%-]+=))")
_NESTED_MAX = 4  # URLs within URLs; what lies deeper loses its whole query
# What is left of a signature when its URL was cut at a character that no URL should hold, or stands without its host:
# plain, and percent-encoded as in another URL's parameter.
_NAME = r"((?:[\w.-]|%(?!3d|26|3f)[0-9a-f]{2}){1,64})(?:=|%3d)"
_STRAYS = (
    (re.compile(rf"(?:[?&;]|\\u0026){_NAME}", re.IGNORECASE), re.compile(r"(?:(?!\\u0026)[^\s&'\"<>])+")),
    (
        re.compile(rf"(?:%3f|%26){_NAME}", re.IGNORECASE),
        re.compile(r"(?:(?!%26|\\u0026)[^\s&'\"<>])+", re.IGNORECASE),
    ),
)
# The same in a path: `/exp=1~acl=*~hmac=0b9a/film.mp4`.
_PATH_STRAY = re.compile(
    r"(?:[/~&]|%2f|%7e|%26)((?:[\w.-]|%(?!3d|26|3f|2f|7e)[0-9a-f]{2}){1,64})(?:=|%3d)", re.IGNORECASE
)
_PATH_VALUE = re.compile(r"(?:(?!%2f|%7e|%26)[^\s/~&?'\"<>])+", re.IGNORECASE)
_PATH_DIVIDER = re.compile(r"([~&]|%7e|%26)", re.IGNORECASE)
_EQUALS = re.compile(r"=|%3d", re.IGNORECASE)
_SPACE = re.compile(r"\s")
_STRAY_DIVIDER = re.compile(r"[?&;]|%3f|%26|\\u0026", re.IGNORECASE)
_BESIDE_MAX = 256  # characters before and behind a stray hash among which its expiry is looked for
_JUDGED_MAX = 512  # characters of a stray value that are looked at; all of it is masked


def unsigned_url(url: str) -> str:
    """Return the URL without user, fragment and credentials; all else stays letter by letter.

    In the path only what has the name of a credential is one: `/exp=1767225600~acl=*~hmac=0b9a/`.

    Raises:
        ValueError: It is no URL.
    """
    return _unsigned(url, 0)


def likely_credentials(url: str) -> str | None:
    """Return a digest of what `unsigned_url` removes although it may name the film, or None where that is nothing.

    `?key=4f9c2b1e7d8a55aa` may be a key or a film. The digest is the same however often a URL is signed anew with
    parameters that can only be credentials. No value can be read from it.

    Raises:
        ValueError: It is no URL.
    """
    kept = _unsigned(url, 0, likely=False)
    return None if kept == _unsigned(url, 0) else hashlib.sha256(kept.encode()).hexdigest()


def is_signed(url: str) -> bool:
    """Return whether a URL has credentials in its query or path that `unsigned_url` removes."""
    parts = urlsplit(url)
    in_query = credentials([_pair(text) for text in _DIVIDER.split(parts.query)[::2]])
    return bool(in_query) or _unsigned_path(parts.path) != parts.path


def redact(text: str) -> str:
    """Return the text with every URL in it unsigned, and every stray credential and API key masked."""
    return _redact(text, 0)


# `likely=False` leaves what may name a film in its place: never to be shown.


def _unsigned(url: str, depth: int, *, likely: bool = True) -> str:
    parts = urlsplit(url)
    pieces = ["", *_DIVIDER.split(parts.query)]  # a divider and a parameter, in turn
    gone = credentials([_pair(text) for text in pieces[1::2]], likely=likely)
    pieces[1::2] = [_without_inner(text, depth, likely=likely) for text in pieces[1::2]]
    host = parts.netloc.rpartition("@")[2].lower()
    return urlunsplit((parts.scheme.lower(), host, _unsigned_path(parts.path), _joined(pieces, gone), ""))


def _unsigned_path(path: str) -> str:
    segments = []
    for segment in path.split("/"):
        pieces = ["", *_PATH_DIVIDER.split(segment)]
        gone = credentials_in_path([_pair(text, _EQUALS) for text in pieces[1::2]])
        if len(gone) < len(pieces) // 2:
            segments.append(_joined(pieces, gone) if gone else segment)
    return "/".join(segments)


def _joined(pieces: Sequence[str], gone: Collection[int]) -> str:
    """Return dividers and parameters, in turn, as one text without the parameters at some positions."""
    kept = [pair for at, pair in enumerate(zip(pieces[::2], pieces[1::2], strict=True)) if at not in gone]
    return "".join(divider + text if at else text for at, (divider, text) in enumerate(kept))


def _pair(text: str, equals: re.Pattern[str] = re.compile("=")) -> tuple[str, str]:
    name, *value = equals.split(text, maxsplit=1)
    return name, "".join(value)


def _without_inner(text: str, depth: int, *, likely: bool) -> str:
    """Return a parameter whose value, where it is a signed URL itself, has lost its signature."""
    name, equals, value = text.partition("=")
    inner = unquote_plus(value)
    if "://" not in inner:
        return text
    plain = _redact(inner, depth + 1, likely=likely)
    return text if plain == inner else f"{name}{equals}{quote(plain, safe='')}"


def _redact(text: str, depth: int, *, likely: bool = True) -> str:
    text = _URL.sub(lambda match: _unsigned_or_cut(match.group(), depth, likely=likely), text)
    for stray, value in _STRAYS:
        text = _masked(text, stray, value, lambda found, value: _is_stray(found, value, likely=likely))
    text = _masked(text, _PATH_STRAY, _PATH_VALUE, _is_path_stray)
    return _KEY.sub("tlk_***", text)


def _unsigned_or_cut(url: str, depth: int, *, likely: bool) -> str:
    if depth <= _NESTED_MAX:
        try:
            return _unsigned(url, depth, likely=likely)
        except ValueError:  # not a URL after all, such as a bad IPv6 host: show nothing of its query
            pass
    return url.partition("?")[0] if likely else url


def _masked(
    text: str, stray: re.Pattern[str], value: re.Pattern[str], judge: Callable[[re.Match[str], str], bool]
) -> str:
    """Return the text with the values of stray credentials masked."""
    parts, end = [], 0
    while found := stray.search(text, end):
        parts.append(text[end : found.end()])
        end = found.end()
        judged = value.match(text, end, end + _JUDGED_MAX)
        if judged and judge(found, judged.group()):
            parts.append("***")
            rest = value.match(text, end)
            end = rest.end() if rest else end
    return "".join([*parts, text[end:]])


def _is_stray(found: re.Match[str], value: str, *, likely: bool) -> bool:
    name = found.group(1)
    if is_credential(name, value, likely=likely):
        return True
    if not likely or not is_hash(name, value):
        return False
    before = found.string[max(0, found.start() - _BESIDE_MAX) : found.start()]
    behind = found.string[found.end() : found.end() + _BESIDE_MAX]
    around = _SPACE.split(before)[-1] + _SPACE.split(behind, maxsplit=1)[0]
    return any(is_expiry(*_pair(text, _EQUALS)) for text in _STRAY_DIVIDER.split(around))


def _is_path_stray(found: re.Match[str], value: str) -> bool:
    # A folder may be called `secret=1`; what is masked here looks like a credential too.
    return is_credential(found.group(1), value, likely=False) and looks_like_credential(unquote_plus(value))
