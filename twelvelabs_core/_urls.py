"""URLs without their secrets: what may be stored, compared and shown.

A presigned URL is a password. Signature parameters are removed by name, never the whole query: `?id=1` and `?id=2` are
two films.
"""

import re
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

_SIGNATURE_PREFIXES = ("x-amz-", "x-goog-", "x-oss-", "x-cos-")
_SIGNATURE_NAMES = frozenset(
    {
        # Amazon S3 (v2) and CloudFront, Google Cloud Storage (v2), Alibaba OSS
        "awsaccesskeyid", "googleaccessid", "ossaccesskeyid", "expires", "signature", "key-pair-id", "policy",
        # Akamai, Fastly, Bunny and hand-made tokens
        "hdnea", "hdnts", "hdntl", "token", "access_token", "auth_token", "auth", "jwt", "sig",
    }
)  # fmt: skip
# Azure's short names are common words of other sites; they are a signature only beside `sig`.
_AZURE_NAMES = frozenset(
    {"se", "sp", "sv", "sr", "st", "spr", "sip", "si", "skoid", "sktid", "skt", "ske", "sks", "skv", "sdd"}
)
_URL = re.compile(r"https?://[^\s'\"<>\\^`{|}]+", re.IGNORECASE)
_KEY = re.compile(r"tlk_[A-Za-z0-9_-]+")
# What is left of a signature when its URL was cut at a character that no URL should hold.
_STRAY = re.compile(
    r"([?&;]|%3f|%26|\\u0026)"
    rf"((?:{'|'.join(_SIGNATURE_PREFIXES)})[\w-]*|{'|'.join(sorted(_SIGNATURE_NAMES))})(=|%3d)[^\s&'\"<>]+",
    re.IGNORECASE,
)


def unsigned_url(url: str) -> str:
    """Return the URL without user, fragment and signature parameters; the others stay letter by letter.

    Raises:
        ValueError: It is no URL.
    """
    parts = urlsplit(url)
    pairs = parts.query.split("&") if parts.query else []
    azure = any(_name(pair) == "sig" for pair in pairs)
    query = "&".join(_without_inner(pair) for pair in pairs if not _is_signature(_name(pair), azure=azure))
    host = parts.netloc.rpartition("@")[2].lower()
    return urlunsplit((parts.scheme.lower(), host, parts.path, query, ""))


def redact(text: str) -> str:
    """Return the text with every URL in it unsigned and every API key masked."""
    unsigned = _STRAY.sub(r"\1\2\3***", _URL.sub(_unsigned_match, text))
    return _KEY.sub("tlk_***", unsigned)


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0]).lower()


def _without_inner(pair: str) -> str:
    """Return a parameter whose value, where it is a signed URL itself, has lost its signature."""
    name, equals, value = pair.partition("=")
    inner = unquote_plus(value)
    if "://" not in inner:
        return pair
    plain = redact(inner)
    return pair if plain == inner else f"{name}{equals}{quote(plain, safe='')}"


def _is_signature(name: str, *, azure: bool) -> bool:
    return name in _SIGNATURE_NAMES or name.startswith(_SIGNATURE_PREFIXES) or (azure and name in _AZURE_NAMES)


def _unsigned_match(match: re.Match[str]) -> str:
    try:
        return unsigned_url(match.group())
    except ValueError:  # not a URL after all, such as a bad IPv6 host: show nothing of its query
        return match.group().partition("?")[0]
