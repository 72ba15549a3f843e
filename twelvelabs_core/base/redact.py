"""Remove and hide the credentials in URLs, so that URLs can be stored, compared and shown.

The rule of `unsigned_url`, which gives a URL the name that is stored, shown and used as its identity:

1. The fragment and the password are removed. A user name is replaced by its digest.
2. The parameters of known signature schemes are removed: two signings of one video have one name. They are listed by
   name in `SIGNING_NAMES`, `SCHEMES` and `BESIDE_EXPIRY` for the query and in `PATH_SCHEMES` for the path.
3. Any other value that may be a credential is replaced by its digest: where its name is in `CREDENTIAL_NAMES` or ends
   with one of `CREDENTIAL_ENDINGS` and it has 6 characters or more (in the path, as in `/token/0b9a.../`, where it is
   opaque: hexadecimal or random), where it looks random (see `_is_random`), where it begins as a known kind of token
   does (`TOKEN`: `eyJ` of a JWT, ...), or where a parameter has no name and 32 letters and digits.
4. Everything else stays unchanged. A URL inside a parameter is treated by the same rule. Where 32 hexadecimal digits
   stay, `opaque_part` names the place, and the caller warns.

A digest is `~` and 16 hexadecimal digits of the value's SHA-256, so rule 3 never gives two media one name.
Where such a value changes with every signing, `source=` and `version=` give the media a constant name and identity.

Libraries that come near were rejected: w3lib removes parameters that the caller lists, detect-secrets searches files.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from urllib.parse import quote, unquote, unquote_plus, urlsplit, urlunsplit

Schemes = Sequence[tuple[frozenset[str], frozenset[str]]]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Names that have no meaning besides signing and authentication; compared in lower case.
SIGNING_NAMES = _names(
    # Amazon S3 v4, Cloudflare R2, Backblaze B2; then v2, CloudFront and Huawei OBS
    "x-amz-algorithm x-amz-credential x-amz-date x-amz-expires x-amz-signedheaders x-amz-signature "
    "x-amz-security-token x-amz-content-sha256 awsaccesskeyid accesskeyid key-pair-id signature x-obs-security-token "
    "security-token "
    # Google Cloud Storage v4 and v2
    "x-goog-algorithm x-goog-credential x-goog-date x-goog-expires x-goog-signedheaders x-goog-signature "
    "googleaccessid "
    # Aliyun OSS v4, v1 and CDN; Volcengine TOS
    "x-oss-signature-version x-oss-credential x-oss-date x-oss-expires x-oss-signature x-oss-security-token "
    "x-oss-additional-headers ossaccesskeyid auth_key x-tos-algorithm x-tos-credential x-tos-date x-tos-expires "
    "x-tos-signedheaders x-tos-signature x-tos-security-token "
    # Tencent COS
    "q-sign-algorithm q-ak q-sign-time q-key-time q-header-list q-url-param-list q-signature x-cos-security-token "
    # ImageKit, Wangsu, Tencent Live
    "ik-s ik-t wssecret wstime txsecret txtime "
    # Akamai, Cloudinary, Bunny, Brightcove, Upyun, SharePoint and OneDrive, OpenStack Swift, Wowza
    "hdnts hdnea hdntl __token__ __gda__ __cld_token__ bcdn_token bcov_auth _upt tempauth authkey temp_url_sig "
    "temp_url_expires wowzatokenstarttime wowzatokenendtime wowzatokenhash "
    # OAuth, API keys, passwords and sessions
    "oauth_consumer_key oauth_token oauth_nonce oauth_signature oauth_signature_method oauth_timestamp oauth_version "
    "access_token auth_token private_token x-plex-token client_secret secret api_key api-key apikey x-api-key "
    "authorization hmac jwt password passwd pwd phpsessid jsessionid"
)
# Names that have other meanings alone: where all names on the left are present, those on the right are removed.
SCHEMES = tuple(
    (_names(marks), _names(removed))
    for marks, removed in (
        (
            "sig sv",
            "sig sv sr st se sp spr sip si ss srt sdd skoid sktid skt ske sks skv saoid suoid scid",
        ),  # Azure SAS
        ("key-pair-id", "policy hash-algorithm"),  # CloudFront
        ("rlkey", "rlkey st e"),  # Dropbox
        ("@mux.com", "token"),  # @: the last two labels of the host
        ("@vimeo.com", "s"),
        ("@imgix.net", "s"),
        ("@discordapp.com", "ex is hm"),
        ("@discordapp.net", "ex is hm"),
        ("@fbcdn.net", "oh oe"),
        ("@cdninstagram.com", "oh oe"),
    )
)
# The time at which a signature expires: removed beside anything that is removed above, and with the names after it.
EXPIRY = _names("expires expire exp")
BESIDE_EXPIRY = _names("token token_path token_countries token_countries_blocked sig lsig md5")  # Bunny, KeyCDN, nginx
# In a path's segment, as in `/exp=1767225600~acl=*~hmac=0b9a/`: Akamai and Vimeo, Bunny.
PATH_SCHEMES = (
    (_names("hmac"), _names("hdnts hdnea hdntl __token__ exp st acl data id ip url salt hmac")),
    (_names("bcdn_token"), _names("bcdn_token expires token_path token_countries token_countries_blocked")),
)

CREDENTIAL_NAMES = _names(
    "s h st hm oh sid md5 sas code hash verify secure sign policy session q-ak _upt hdnts hdnea hdntl "
    "ks ik-s tk pw sess otp"
)
CREDENTIAL_ENDINGS = (
    "token", "tok", "bearer", "cookie", "auth_info", "passcode", "key", "keyid", "pair-id", "accessid", "sig",
    "signature", "secret", "password", "passwd", "pwd", "pass", "auth", "authorization", "hmac", "jwt", "credential",
    "ticket", "sessionid", "sessid", "nonce", "tokenhash", "__gda",
)  # fmt: skip
_VALUE_MIN = 6  # `?token=1`, `?s=3` and `?h=1080` hold no credential
_RANDOM_MIN = 20  # letters and digits; 80 bits in hexadecimal digits

# The beginnings of JWT, Telegram bots, AWS, GitHub, GitLab, Slack, Stripe and Google.
TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:eyJ[\w-]{8}|bot\d{6,12}:[\w-]{20}|A[KS]IA[A-Z0-9]{16}|gh[opsur]_\w{16}|glpat-[\w-]{16}"
    r"|xox[a-z]-\w{8}|[rs]k_live_\w{16}|ya29\.[\w-]{8}|AIza[\w-]{30})[\w.~:-]*"
)
_DIGEST = re.compile(r"~[0-9a-f]{16}")
_OPAQUE = re.compile(r"[0-9a-f-]{16,}", re.IGNORECASE)
_UNNAMED = re.compile(r"(?:(?<=[?&])|^)[A-Za-z0-9_-]{32,}(?![\w=.~-])")  # a parameter of a query
_LONG_HEX = re.compile(r"(?<![0-9a-f])[0-9a-f](?:-?[0-9a-f]){31}", re.IGNORECASE)
_URL = re.compile(r"(https?://(?:[^\s/?#]*@)?[^\s'\"<>\\^`{|}]+(?<![.,:;!?)\]]))", re.IGNORECASE)
# The beginning of a sandbox's keys is not a secret: messages name it.
_KEY = re.compile(r"tlk_(?!sandbox_(?![\w-]))[A-Za-z0-9_-]+")
_DIVIDER = re.compile(r"(&|;(?=[\w.%-]+=))")  # a `;` divides parameters only where another one begins behind it
_PATH_DIVIDER = re.compile(r"([~&;](?=[\w.-]+=))")
_ACL = re.compile(r"~acl=[^~]*")
# A parameter of a query or path whose beginning is missing, plain or percent-encoded.
_STRAY_NAME = (
    rf"((?:(?:(?<![\w.%-])|(?<=%26|%3f|%2f|%7e)|(?<=u0026))(?:{'|'.join(CREDENTIAL_NAMES)})"
    rf"|(?:{'|'.join(CREDENTIAL_ENDINGS)})_*)(?:=|%3d))"
)
_STRAY = re.compile(rf"{_STRAY_NAME}((?:(?!%26|\\u0026)[^&]){{{_VALUE_MIN},}})", re.IGNORECASE)
_STRAY_IN_PATH = re.compile(rf"{_STRAY_NAME}((?:(?!%2f|%7e)[^/~]){{{_VALUE_MIN},}})", re.IGNORECASE)
_WORD = re.compile(r"[^\s'\"<>]+")
_QUERY = re.compile(r"([?&]|%3f|%26|\\u0026)", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9a-f-]+", re.IGNORECASE)
_FILE_NAME = re.compile(r"\.[a-z][a-z0-9]{1,4}$", re.IGNORECASE)
_PASSES_MAX = 8  # a digest may make a parameter of the text before it, which is replaced in the next pass
_NESTED_MAX = 3  # URLs inside URLs; what lies deeper is replaced by its digest


def unsigned_url(url: str) -> str:
    """Return the URL without its credentials, by the rule of this module.

    Raises:
        ValueError: Not a URL.
    """
    return _unsigned(url, 0)


def redact(text: str) -> str:
    """Return the text with every URL unsigned, every other credential replaced by its digest and API keys masked."""
    for _ in range(_PASSES_MAX):
        found, text = text, _redact(text, 0)
        if found == text:
            break
    return text


def _redact(text: str, depth: int) -> str:
    parts = _URL.split(text)
    parts[::2] = [_WORD.sub(_without_stray_credentials, part) for part in parts[::2]]
    parts[1::2] = [_unsigned_or_cut(part, depth) for part in parts[1::2]]
    return _KEY.sub("tlk_***", "".join(parts))


def opaque_part(url: str) -> str | None:
    """Return where a URL keeps 32 hexadecimal digits, which may be an id or a secret: `the path`, or a parameter."""
    parts = urlsplit(url)
    folders = parts.path if not _FILE_NAME.search(parts.path) else parts.path.rpartition("/")[0]
    if _LONG_HEX.search(folders):
        return "the path"
    found = [text for text in _DIVIDER.split(parts.query) if _LONG_HEX.search(text)]
    return f"the parameter {found[0].partition('=')[0]!r}" if found else None


def _without_stray_credentials(word: re.Match[str]) -> str:
    text = TOKEN.sub(lambda found: _digest(found[0]), word[0])
    path, *query = _QUERY.split(text, maxsplit=1)
    pattern = _STRAY_IN_PATH if "/" in path.partition("=")[0] else _STRAY
    rest = _UNNAMED.sub(lambda found: _digest(found[0]), "".join(query))
    return pattern.sub(_hide_stray, path) + _STRAY.sub(_hide_stray, rest)


def _hide_stray(found: re.Match[str]) -> str:
    return found[1] + _digest(found[2])


def _unsigned_or_cut(url: str, depth: int) -> str:
    try:
        return _unsigned(url, depth)
    except ValueError:  # such as a bad IPv6 host
        scheme, _, rest = re.split(r"[?#]", url, maxsplit=1)[0].partition("://")
        host = rest.rpartition("@")[2]
        return f"{scheme.lower()}://{host.lower()}" if host else _digest(url)


def _unsigned(url: str, depth: int) -> str:
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    user, host = user.partition(":")[0], host.lower()
    if not host:
        raise ValueError("no host")
    site = "@" + ".".join(host.partition(":")[0].split(".")[-2:])
    query = _without_credentials(parts.query, _DIVIDER, lambda names: _signing_names(names, site), depth)
    netloc = f"{_digest(user)}@{host}" if user else host
    return urlunsplit((parts.scheme.lower(), netloc, _unsigned_path(parts.path, depth), query, ""))


def _unsigned_path(path: str, depth: int) -> str:
    if "~hmac=" in path:
        path = _ACL.sub("", path)  # may hold slashes
    segments: list[str] = []
    name = ""
    for segment in path.split("/"):
        plain = unquote(segment)
        if _is_named(name) and (_OPAQUE.fullmatch(plain) or _is_random(plain)):
            unsigned = _digest(plain)
        else:
            unsigned = _without_credentials(plain, _PATH_DIVIDER, lambda names: _selected(PATH_SCHEMES, names), depth)
        if unsigned or not segment:
            segments.append(segment if unsigned == plain else quote(unsigned, safe="~=&;,:@+*!$'()"))
        name = plain.lower()
    return "/".join(segments)


def _without_credentials(
    text: str, divider: re.Pattern[str], signing: Callable[[frozenset[str]], frozenset[str]], depth: int
) -> str:
    """Return the parameters of a query or path segment without those that `signing` selects, the rest hidden."""
    pieces = ["", *divider.split(text)]  # dividers and parameters alternate
    names = [unquote_plus(text.partition("=")[0]).lower() if "=" in text else "" for text in pieces[1::2]]
    removed = signing(frozenset(names))
    parameters = zip(pieces[::2], pieces[1::2], names, strict=True)
    is_query = divider is _DIVIDER
    kept = [
        (before, _hidden(parameter, depth, is_query=is_query))
        for before, parameter, name in parameters
        if name not in removed
    ]
    return "".join(before + parameter if at else parameter for at, (before, parameter) in enumerate(kept))


def _signing_names(names: frozenset[str], site: str) -> frozenset[str]:
    found = names & (SIGNING_NAMES | _selected(SCHEMES, names | {site}))
    if names & EXPIRY:
        found |= names & BESIDE_EXPIRY
    return found | EXPIRY if found else found


def _selected(schemes: Schemes, names: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*(removed for marks, removed in schemes if marks <= names))


def _hidden(parameter: str, depth: int, *, is_query: bool) -> str:
    """Return a parameter with its value replaced by its digest where it may be a credential."""
    name, _, value = parameter.partition("=")
    if not value.strip("="):
        is_unnamed = is_query and _UNNAMED.fullmatch(parameter.rstrip("="))
        is_hidden = is_unnamed or _is_random(unquote_plus(parameter)) or TOKEN.search(parameter)
        return _digest(parameter) if is_hidden else parameter
    plain = unquote_plus(value)
    is_named = _is_named(unquote_plus(name).lower()) and len(value) >= _VALUE_MIN
    if is_named or _is_random(plain) or TOKEN.search(plain) or _KEY.search(plain):
        return f"{name}={_digest(value)}"
    if "://" in plain:
        if depth == _NESTED_MAX:
            return f"{name}={_digest(value)}"
        inner = _redact(plain, depth + 1)
        return parameter if inner == plain else f"{name}={quote(inner, safe='')}"
    return parameter


def _is_named(name: str) -> bool:
    return name in CREDENTIAL_NAMES or name.rstrip("_").endswith(CREDENTIAL_ENDINGS)


def _digest(value: str) -> str:
    if _DIGEST.fullmatch(value):
        return value
    return "~" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _is_random(value: str) -> bool:
    """Return whether a value has many changes between lower case, upper case and digits for its length.

    Bytes written as Base64 have one in every two or three characters, words and camel case one in five or more.
    Hexadecimal numbers, UUIDs, file names and URLs are not counted: they often identify media.
    """
    words = re.findall(r"[A-Za-z0-9]+", value)
    length = sum(map(len, words))
    if length < _RANDOM_MIN or "://" in value or _NUMBER.fullmatch(value) or _FILE_NAME.search(value):
        return False
    runs = re.findall(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+", value)
    return (len(runs) - len(words)) * 4 >= length
