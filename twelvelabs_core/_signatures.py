"""Which parameters of a query are credentials. Pure decisions over names and values.

A name that can only be a credential is enough. A name that is also an ordinary word (`key`, `token`, `s`) needs a
value that looks like one: `?token=1` and `?token=2` may be two films. The time at which a signature expires changes
with every signing, and goes with it, never alone.
"""

import re
from collections.abc import Sequence
from urllib.parse import unquote_plus

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
