"""URLs without their secrets: what may be stored, compared and shown.

A presigned URL is a password. Credentials are removed parameter by parameter, never the whole query: `?id=1` and
`?id=2` are two films.

Which parameters of a query are credentials. Pure decisions over names and values.

A name that can only be a credential is enough. A name that is also an ordinary word (`key`, `token`, `s`) needs a
value that looks like one: `?token=1` and `?token=2` may be two films. The time at which a signature expires changes
with every signing, and goes with it, never alone.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

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


VALUE_MIN = 12
"""Fewest characters of a value that is taken for a credential by its looks."""

# Amazon, Google, Alibaba, Tencent, Huawei, Volcengine, Wowza, OAuth 1
_CERTAIN_PREFIXES = (
    "x-amz-", "x-goog-", "x-oss-", "x-cos-", "x-obs-", "x-tos-", "q-sign", "q-ak", "q-key-time", "q-header-list",
    "q-url-param-list", "wowzatoken", "oauth_",
)  # fmt: skip
# Compared without hyphens and underscores: api_key, api-key, apikey, X-Api-Key.
_CERTAIN_ENDINGS = (
    "signature", "secret", "secretkey", "password", "passwd", "pwd", "apikey", "accesskey", "accesskeyid", "authkey",
    "accesstoken", "authtoken", "privatetoken", "securitytoken", "clientsecret", "hmac", "jwt",
)  # fmt: skip
_CERTAIN_NAMES = frozenset(
    {
        # CloudFront, Google Cloud Storage (v2), Akamai, OneDrive, Dropbox, Cloudinary, Upyun, Swift, Brightcove
        "key-pair-id", "googleaccessid", "hdnea", "hdnts", "hdntl", "__token__", "__gda__", "tempauth", "rlkey",
        "__cld_token__", "_upt", "temp_url_sig", "bcov_auth", "authorization", "phpsessid", "jsessionid",
        "bcdn_token",
    }
)  # fmt: skip
# nginx, Vimeo, imgix, CDN77, Discord, Facebook and hand-made ones
_LIKELY_NAMES = frozenset(
    {
        "key", "code", "s", "sid", "session", "verify", "md5", "pass", "sign", "auth", "sas", "policy", "st",
        "secure", "hm", "oh",
    }
)  # fmt: skip
_LIKELY_ENDINGS = ("token", "sig", "ticket", "sessionid")
_EXPIRIES = frozenset({"expires", "expire", "exp", "expiry", "expiration", "x-expires", "temp_url_expires", "ttl"})
# A film's own hash, or a height; a signature only beside an expiry.
_HASHES = frozenset({"h", "hash"})
# Short names with other meanings elsewhere (an episode, a start): only with the value of a time.
_TIMES = frozenset({"e", "t", "ts", "st", "ex", "is", "oe", "timestamp"})
_TIME = re.compile(r"\d{8,13}|[0-9a-f]{8}|\d{4}-\d\d-\d\d(?:[T ][\d:.]*Z?)?", re.IGNORECASE)
# Azure's short names are common words of other sites; so are Dropbox's.
_AZURE = frozenset(
    {"se", "sp", "sv", "sr", "st", "spr", "sip", "si", "skoid", "sktid", "skt", "ske", "sks", "skv", "sdd"}
)
_DROPBOX = frozenset({"st", "e"})
# What else stands in a path's segment with Akamai's and Bunny's signatures; * is what a `/` has cut off an `acl`.
_IN_PATH = frozenset(
    {"acl", "data", "st", "ip", "id", "url", "salt", "*", "token_path", "token_countries", "token_countries_blocked"}
)
# Ordinary names that have no other meaning beside another one: Azure's, CloudFront's.
_SURE_BESIDE = {"sig": "sv", "policy": "key-pair-id"}

_FILE_NAME = re.compile(r"\.[a-z][a-z0-9]{1,4}$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\W_]+")
_WORD = re.compile(r"[a-z]{1,20}|[A-Z]{1,20}|(?:[A-Z]?[a-z]{2,15}){1,6}")
# A short mark such as `s03e05`, `720p`, `final2026` or `4K`.
_LETTERS = r"(?:[A-Z][a-z]{2,}|[a-z]+|[A-Z]+)"
_MARK = re.compile(rf"(?=.{{1,10}}$)\d{{0,4}}(?:{_LETTERS}\d{{1,4}}){{0,2}}{_LETTERS}?")


def is_credential(name: str, value: str, *, likely: bool = True) -> bool:
    """Return whether a parameter alone, as it stands in a query, is a credential.

    Args:
        name: Its name.
        value: Its value.
        likely: False for those only whose names have no other meaning.
    """
    name = plain_name(name)
    joined = re.sub(r"[-_.]", "", name)
    if name in _CERTAIN_NAMES or name.startswith(_CERTAIN_PREFIXES) or joined.endswith(_CERTAIN_ENDINGS):
        return True
    ordinary = name in _LIKELY_NAMES or joined.endswith(_LIKELY_ENDINGS)
    return likely and ordinary and looks_like_credential(unquote_plus(value))


def credentials(pairs: Sequence[tuple[str, str]], *, likely: bool = True) -> set[int]:
    """Return the positions of a query's parameters that are credentials, or go with one.

    Args:
        pairs: Names and values as they stand in the query.
        likely: False for those only that cannot name a film: by their names, or by what stands beside them.
    """
    names = [plain_name(name) for name, _ in pairs]
    sure = {name for name, beside in _SURE_BESIDE.items() if beside in names}
    found = {
        at for at, (name, value) in enumerate(pairs) if is_credential(name, value, likely=likely or names[at] in sure)
    }
    if likely and any(is_expiry(name, value) for name, value in pairs):
        found |= {at for at, pair in enumerate(pairs) if is_hash(*pair)}
    if found:
        family = _family({names[position] for position in found}, set(names))
        found |= {at for at, (_, value) in enumerate(pairs) if names[at] in family or _is_time(names[at], value)}
    return found


def credentials_in_path(pairs: Sequence[tuple[str, str]]) -> set[int]:
    """Return the positions in a path's segment of what can only be a credential, and of what goes with one.

    Args:
        pairs: Names and values of the segment, as in `exp=1767225600~acl=*~hmac=0b9a`; a value may be empty.
    """
    found = {at for at, (name, value) in enumerate(pairs) if value and is_credential(name, value, likely=False)}
    if found:
        family = _EXPIRIES | _IN_PATH
        found |= {at for at, (name, _) in enumerate(pairs) if plain_name(name) in family}
    return found


def is_hash(name: str, value: str) -> bool:
    """Return whether a parameter is a signature if it stands beside an expiry."""
    return plain_name(name) in _HASHES and looks_like_credential(unquote_plus(value))


def is_expiry(name: str, value: str) -> bool:
    """Return whether a parameter may be the time at which a signature expires."""
    name = plain_name(name)
    return name in _EXPIRIES or _is_time(name, value)


def plain_name(name: str) -> str:
    """Return a parameter's name as it is compared."""
    return unquote_plus(name).lower()


def looks_like_credential(value: str) -> bool:
    """Return whether a value is at least 12 characters that are no words, number, file name or URL."""
    if len(value) < VALUE_MIN or "://" in value or _FILE_NAME.search(value):
        return False
    if value.endswith("="):  # as Base64 does, and words do not
        return True
    return not all(_is_plain(chunk) for chunk in _SEPARATORS.split(value) if chunk)


def _family(stripped: set[str], names: set[str]) -> frozenset[str]:
    """Return the names that are no credentials, but belong to the signatures that were found."""
    family: frozenset[str] = _EXPIRIES
    if "sig" in stripped and names & {"sv", "se"}:
        family |= _AZURE
    return family | _DROPBOX if "rlkey" in stripped else family


def _is_time(name: str, value: str) -> bool:
    # Without the stop or colon of a sentence that ends with the URL.
    return name in _TIMES and _TIME.fullmatch(unquote_plus(value).rstrip(".,:;!?)]")) is not None


def _is_plain(chunk: str) -> bool:
    """Return whether letters and digits without a separator are a word, a number or a short mark."""
    return chunk.isdigit() or not chunk.isascii() or bool(_WORD.fullmatch(chunk) or _MARK.fullmatch(chunk))
