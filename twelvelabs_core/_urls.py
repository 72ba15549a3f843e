"""URLs without their secrets: what may be stored, compared and shown.

A presigned URL is a password. Credentials are removed parameter by parameter, never the whole query: `?id=1` and
`?id=2` are two films.
"""

import hashlib
import re
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

from twelvelabs_core._signatures import credentials, is_credential

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
_JUDGED_MAX = 512  # characters of a stray value that are looked at; all of it is masked


def unsigned_url(url: str) -> str:
    """Return the URL without user, fragment and credentials; the other parameters stay letter by letter.

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
    """Return whether a URL has parameters that `unsigned_url` removes."""
    return bool(credentials([_pair(text) for text in _DIVIDER.split(urlsplit(url).query)[::2]]))


def redact(text: str) -> str:
    """Return the text with every URL in it unsigned, and every stray credential and API key masked."""
    return _redact(text, 0)


# `likely=False` leaves what may name a film in its place: never to be shown.


def _unsigned(url: str, depth: int, *, likely: bool = True) -> str:
    parts = urlsplit(url)
    pieces = ["", *_DIVIDER.split(parts.query)]  # a divider and a parameter, in turn
    gone = credentials([_pair(text) for text in pieces[1::2]], likely=likely)
    kept = [
        (divider, _without_inner(text, depth, likely=likely))
        for position, (divider, text) in enumerate(zip(pieces[::2], pieces[1::2], strict=True))
        if position not in gone
    ]
    query = "".join(divider + text if position else text for position, (divider, text) in enumerate(kept))
    host = parts.netloc.rpartition("@")[2].lower()
    return urlunsplit((parts.scheme.lower(), host, parts.path, query, ""))


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


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
        text = _masked(text, stray, value, likely=likely)
    return _KEY.sub("tlk_***", text)


def _unsigned_or_cut(url: str, depth: int, *, likely: bool) -> str:
    if depth <= _NESTED_MAX:
        try:
            return _unsigned(url, depth, likely=likely)
        except ValueError:  # not a URL after all, such as a bad IPv6 host: show nothing of its query
            pass
    return url.partition("?")[0] if likely else url


def _masked(text: str, stray: re.Pattern[str], value: re.Pattern[str], *, likely: bool) -> str:
    """Return the text with the values of stray credentials masked."""
    parts, end = [], 0
    while found := stray.search(text, end):
        parts.append(text[end : found.end()])
        end = found.end()
        judged = value.match(text, end, end + _JUDGED_MAX)
        if judged and is_credential(found.group(1), judged.group(), likely=likely):
            parts.append("***")
            rest = value.match(text, end)
            end = rest.end() if rest else end
    return "".join([*parts, text[end:]])
