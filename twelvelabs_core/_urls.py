"""URLs without their secrets: what may be stored, compared and shown.

A presigned URL is a password. Signature parameters are removed by name, never the whole query: `?id=1` and `?id=2` are
two films.
"""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

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


def unsigned_url(url: str) -> str:
    """Return the URL without user, fragment and signature parameters; the other parameters keep their order."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    azure = any(name.lower() == "sig" for name, _ in pairs)
    kept = [(name, value) for name, value in pairs if not _is_signature(name.lower(), azure=azure)]
    query = parts.query if len(kept) == len(pairs) else urlencode(kept)
    host = parts.netloc.rpartition("@")[2].lower()
    return urlunsplit((parts.scheme.lower(), host, parts.path, query, ""))


def redact(text: str) -> str:
    """Return the text with every URL in it unsigned and every API key masked."""
    return _KEY.sub("tlk_***", _URL.sub(_unsigned_match, text))


def _is_signature(name: str, *, azure: bool) -> bool:
    return name in _SIGNATURE_NAMES or name.startswith(_SIGNATURE_PREFIXES) or (azure and name in _AZURE_NAMES)


def _unsigned_match(match: re.Match[str]) -> str:
    try:
        return unsigned_url(match.group())
    except ValueError:  # not a URL after all, such as a bad IPv6 host: show nothing of its query
        return match.group().partition("?")[0]
