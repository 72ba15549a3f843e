"""URLs without credentials: real services' signatures are removed or hidden, and two media never share a name."""

import base64
import random
import time
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twelvelabs_core import InputError, Media
from twelvelabs_core.base.redact import redact, unsigned_url
from twelvelabs_core.media.source import _warn_of_opaque_part

SECRET = "5ecre7-oF-a-s1gn1ng-k3y"

# Schemes of the table: host, and query with the fields that `drawn` fills. Two signings have one name.
REMOVED = {
    "Amazon S3 v4": "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={word}%2F20260101%2Fus-east-1%2Fs3"
    "&X-Amz-Date={day}T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature={hex64}",
    "Amazon S3 v2": "AWSAccessKeyId={word}&Expires={time}&Signature={base64}",
    "CloudFront": "Policy={base64}&Signature={base64}&Key-Pair-Id={word}",
    "CloudFront, canned": "Expires={time}&Signature={base64}&Key-Pair-Id={word}",
    "Google Cloud v4": "X-Goog-Algorithm=GOOG4&X-Goog-Credential={word}&X-Goog-Date={day}&X-Goog-Signature={hex64}",
    "Google Cloud v2": "GoogleAccessId={word}&Expires={time}&Signature={base64}",
    "Google APIs": "access_token=ya29.{base64url}",
    "YouTube": "expire={time}&sig={base64url}&lsig={base64url}",
    "Azure SAS": "sv=2024-05-04&st={iso}&se={iso}&sr=b&sp=r&spr=https&sig={base64}",
    "SharePoint": "tempauth={jwt}",
    "OneDrive": "authkey=%21A{base64url}",
    "Alibaba OSS": "OSSAccessKeyId={word}&Expires={time}&Signature={base64}&security-token={base64}",
    "Alibaba CDN": "auth_key={time}-0-0-{hex32}",
    "Tencent COS": "q-sign-algorithm=sha1&q-ak={word}&q-sign-time={time};{time}&q-key-time={time};{time}"
    "&q-header-list=host&q-url-param-list=&q-signature={hex40}&x-cos-security-token={base64}",
    "Huawei OBS": "AccessKeyId={word}&Expires={time}&Signature={base64}",
    "Baidu": "authorization=bce-auth-v1%2F{hex32}%2F{iso}%2F900%2F%2F{hex64}",
    "Upyun": "_upt={hex8}{time}",
    "Akamai": "hdnts=exp={time}~acl=/*~hmac={hex64}",
    "Akamai, token2": "__token__=exp={time}~hmac={hex64}",
    "Akamai, gda": "__gda__={time}_{hex32}",
    "Bunny": "token={base64url}&expires={time}",
    "KeyCDN": "token={base64url}&expire={time}",
    "nginx secure_link": "md5={base64url}&expires={time}",
    "Cloudflare Images": "exp={time}&sig={hex64}",
    "Cloudinary": "__cld_token__=exp={time}~hmac={hex64}",
    "Vimeo": "player.vimeo.com|s={hex40}_{time}",
    "imgix": "a.imgix.net|s={hex32}&expires={time}",
    "JW Player": "exp={time}&sig={hex32}",
    "Mux": "stream.mux.com|token={jwt}",
    "Brightcove": "bcov_auth={jwt}",
    "Dropbox": "rlkey={word}&st={mark}&e=3",
    "Discord": "cdn.discordapp.com|ex={mark}&is={mark}&hm={hex64}",
    "Facebook": "scontent.xx.fbcdn.net|oh=00_{base64url}&oe={mark}",
    "Swift": "temp_url_sig={hex40}&temp_url_expires={time}",
    "Wowza": "wowzatokenstarttime={time}&wowzatokenendtime={time}&wowzatokenhash={base64}",
    "GitLab": "private_token=glpat-{base64url}",
    "Plex": "X-Plex-Token={word}",
    "OAuth 1": "oauth_consumer_key={word}&oauth_nonce={hex8}&oauth_signature={base64}&oauth_timestamp={time}",
    "OAuth 2, secret": "client_secret={word}",
    "API keys": "api_key={word}&apikey={word}&api-key={word}&X-Api-Key={word}",
    "ImageKit": "ik-t={time}&ik-s={hex40}",
    "Wangsu": "wsSecret={hex32}&wsTime={time}",
    "Tencent Live": "txSecret={hex32}&txTime={time}",
    "passwords": "password={hex8}&passwd={hex8}&pwd={hex8}&secret={hex8}",
    "sessions": "PHPSESSID={hex32}&jsessionid={hex32}&hmac={hex8}",
}

# Schemes outside the table, or whose names have other meanings: their values are replaced by digests.
HIDDEN = {
    "Google Drive": "key=AIza{base64url}",
    "Tencent CDN": "sign={hex32}&t={time}",
    "Qiniu": "e={time}&token={word}:{base64url}",
    "Fastly": "token={time}_{hex64}",
    "CDN77": "secure={base64url},{time}",
    "nginx, short": "st={base64url}&e={time}",
    "Cloudflare rule": "verify={time}-{base64}",
    "Vimeo, elsewhere": "s={hex40}_{time}",
    "imgix, elsewhere": "s={hex32}&expires={time}",
    "Mux, elsewhere": "token={jwt}",
    "Firebase": "token={uuid}",
    "Discord, elsewhere": "ex={mark}&is={mark}&hm={hex64}",
    "Facebook, elsewhere": "oh=00_{base64url}&oe={mark}",
    "OAuth 2, code": "code={base64url}",
    "Jenkins": "ticket={base64url}&sid={hex32}",
    "hash, lighttpd": "h={hex32}&e={time}",
    "hash, hand-made": "hash={hex32}&expires={time}",
    "hash, with a lifetime": "ttl=3600&hash={hex64}",
    "Kaltura": "ks={hex40}",
    "Google Drive, resource": "resourcekey=0-{base64url}",
    "EdgeCast, old": "{hex64}",
    "bearer": "bearer={hex32}&tok={hex40}",
    "cookies": "auth_info={hex32}&authCookie={hex40}&cookie={hex64}",
    "one-time": "otp={hex64}&pw={hex8}",
    "JWT": "x={jwt}",
    "AWS key": "who=AKIA{upper16}",
    "GitHub": "who=ghp_{hex40}",
    "passwords": "pass={base64url}",
    "sessions": "sessionid={hex32}&session={base64url}&auth={base64url}&sas={base64url}",
}

PATH_REMOVED = {
    "Akamai": "exp={time}~acl=%2f*~hmac={hex64}",
    "Akamai, start": "st={time}~exp={time}~acl=*~data=x~hmac={hex64}",
    "Akamai, hdnts": "hdnts=exp={time}~acl=%2F%2a~hmac={hex64}",
    "Akamai, encoded": "hdntl%3Dexp%3D{time}%7Eacl%3D%2F*%7Edata%3Dhdntl%7Ehmac%3D{hex64}",
    "Bunny": "bcdn_token={base64url}&expires={time}&token_path=%2Ffilms%2F",
    "Bunny, keyed": "bcdn_token=HS256-{base64url}&token_countries=DE&expires={time}",
}
PATH_HIDDEN = {
    "Kaltura": "ks/{hex40}",
    "Cloudflare Stream": "{jwt}",
    "named": "token/{uuid}",
    "named, short": "sig/{hex32}",
    "by hand": "Signature={hex40}",
    "Telegram": "bot123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc",
    "Telegram, plain": "bot123456789:AAaaaaaaaaabbbbbbbbbbbccccccccccddd",
}


def drawn(template: str, seed: int) -> tuple[str, list[str]]:
    """Return the query as one signing writes it, and the secrets in it."""
    dice = random.Random(seed)  # noqa: S311  # secrets of nobody
    secrets = {f"hex{size}": dice.randbytes(size // 2).hex() for size in (8, 32, 40, 64)}
    plain = base64.b64encode(dice.randbytes(32)).decode()
    secrets["base64"] = plain.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    secrets["base64url"] = base64.urlsafe_b64encode(dice.randbytes(24)).decode()
    secrets["word"] = "".join(dice.choices("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghkmn23456789", k=24))
    secrets["jwt"] = f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIi{secrets['base64url']}.{secrets['base64url']}"
    secrets["upper16"] = "".join(dice.choices("ABCDEFGHJKLMNPQRSTUVWXYZ234567", k=16))
    secrets["uuid"] = str(uuid.UUID(bytes=dice.randbytes(16)))
    times = {
        "mark": dice.randbytes(4).hex(),
        "time": str(dice.randint(1_700_000_000, 1_900_000_000)),
        "day": f"2026{dice.randint(1, 12):02d}{dice.randint(1, 28):02d}",
        "iso": f"2026-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}T10%3A{dice.randint(10, 59)}%3A00Z",
    }
    return template.format(**secrets, **times), [value for name, value in secrets.items() if f"{{{name}}}" in template]


def shown(template: str) -> str:
    """Return the URL of a scheme; a template begins with its host where the table names that."""
    host, query = template.split("|") if "|" in template else ("h.example", template)
    return f"https://{host}/videos/7.mp4?{query}"


removed = pytest.mark.parametrize("template", REMOVED.values(), ids=list(REMOVED))
hidden = pytest.mark.parametrize("template", HIDDEN.values(), ids=list(HIDDEN))
every_query = pytest.mark.parametrize("template", [*REMOVED.values(), *HIDDEN.values()], ids=[*REMOVED, *HIDDEN])
paths = {**PATH_REMOVED, **PATH_HIDDEN}
every_path = pytest.mark.parametrize("template", paths.values(), ids=list(paths))


# Signatures in the query


@removed
def test_two_signings_of_one_video_have_one_name_without_secrets(template: str) -> None:
    for seed in range(20):
        url, secrets = drawn(shown(template), seed)
        base, _, query = url.partition("?")
        for whole, kept in ((query, ""), (f"id=7&{query}&lang=de", "?id=7&lang=de")):
            assert Media.of(f"{base}?{whole}").source == f"{base}{kept}"
            assert not any(secret in redact(f"cannot fetch {base}?{whole}: 403") for secret in secrets)


@hidden
def test_what_may_name_a_medium_is_hidden_and_still_distinguishes_media(template: str) -> None:
    names = set()
    for seed in range(20):
        url, secrets = drawn(shown(template).replace("?", "?id=7&"), seed)
        name = Media.of(url).source
        assert name.startswith("https://h.example/videos/7.mp4?id=7&")
        assert not any(secret in text for secret in secrets for text in (name, redact(f"cannot fetch {url}: 403")))
        names.add(name)
    assert len(names) == 20


@every_query
@pytest.mark.parametrize("text", ["GET /videos/7.mp4?{}", "/videos/7.mp4?x=1&{} failed", "odd | ?{}"])
def test_a_signature_without_its_host_is_hidden(template: str, text: str) -> None:
    query, secrets = drawn(template.rpartition("|")[2], 1)
    redacted = redact(text.format(query))
    assert not any(secret in redacted for secret in secrets), redacted
    assert redact(redacted) == redacted


SIGNED = [
    f"https://b.s3.amazonaws.com/film.mp4?X-Amz-Algorithm=A&X-Amz-Credential={SECRET}&X-Amz-Signature={SECRET}",
    f"https://b.s3.amazonaws.com/film.mp4?AWSAccessKeyId={SECRET}&Expires=17&Signature={SECRET}",
    f"https://storage.googleapis.com/b/film.mp4?X-Goog-Signature={SECRET}&x-goog-date=1",
    f"https://b.oss.aliyuncs.com/film.mp4?OSSAccessKeyId={SECRET}&Signature={SECRET}",
    f"https://d.cloudfront.net/film.mp4?Policy={SECRET}&Signature={SECRET}&Key-Pair-Id={SECRET}",
    f"https://a.blob.core.windows.net/c/film.mp4?sv=2024&sr=b&sp=r&se=2026-01-01&spr=https&sig={SECRET}",
    f"https://cdn.example.com/film.mp4?token={SECRET}&Expires=9",
    f"https://user:{SECRET}@example.com/film.mp4",
    f"https://{SECRET}@example.com/film.mp4",
    f"https://us|er:{SECRET}@example.com/film.mp4",
    f"https://example.com/film.mp4#{SECRET}",
]


@pytest.mark.parametrize("url", SIGNED)
def test_the_signature_of_a_known_scheme_is_removed(url: str) -> None:
    once = unsigned_url(url)
    assert SECRET not in once
    assert once.endswith("film.mp4")
    assert unsigned_url(once) == once


def test_one_video_signed_twice_has_one_name() -> None:
    one = unsigned_url("https://B.example.com/f.mp4?id=1&X-Amz-Date=20260101&X-Amz-Signature=aa")
    other = unsigned_url("HTTPS://b.example.com/f.mp4?X-Amz-Date=20260202&id=1&X-Amz-Signature=bb")
    assert one == other == "https://b.example.com/f.mp4?id=1"


@pytest.mark.parametrize("name", ["X-Amz-Signature", "x%2Damz-signature", "X-AMZ-SIGNATURE", "Sig%6Eature"])
def test_a_signature_is_recognised_in_any_spelling(name: str) -> None:
    assert unsigned_url(f"https://example.com/f?{name}={SECRET}") == "https://example.com/f"


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("s=3&Expires=1767225600&X-Amz-Signature=aa", "s=3"),
        ("e=5&sig=0123456789abcdef0123456789abcdef", "e=5&sig=~3eb1bd439947eb76"),
        ("t=90&token=0123456789abcdef0123456789abcdef", "t=90&token=~3eb1bd439947eb76"),
        ("sr=3&st=10&sig=0123456789abcdef0123456789abcdef", "sr=3&st=10&sig=~3eb1bd439947eb76"),  # not Azure's: no sv
        ("a=1;api_key=hunter2;b=2", "a=1;b=2"),
        ("&a=1&&api_key=hunter2&", "&a=1&&"),
    ],
)
def test_parameters_beside_a_signature_are_kept(query: str, kept: str) -> None:
    assert unsigned_url(f"https://h.example/film?{query}") == f"https://h.example/film?{kept}"


# Signatures in the path


@pytest.mark.parametrize("template", PATH_REMOVED.values(), ids=list(PATH_REMOVED))
@pytest.mark.parametrize("where", ["{}/videos/7.mp4", "videos/{}/7.mp4", "videos/7.mp4/{}"])
def test_two_signings_in_the_path_have_one_name(template: str, where: str) -> None:
    plain = "https://h.example/" + where.replace("{}", "").replace("//", "/").strip("/")
    for seed in range(20):
        token, _ = drawn(template, seed)
        url = f"https://h.example/{where.format(token)}"
        assert Media.of(url).source == plain, url


@every_path
@pytest.mark.parametrize("text", ["https://h.example/{}/7.mp4?x=1 is gone", "https://h.example/v/{}"])
def test_a_signature_in_a_path_is_hidden(template: str, text: str) -> None:
    token, secrets = drawn(template, 1)
    for secret in secrets or [token]:
        assert secret not in redact(text.format(token))


@pytest.mark.parametrize("template", [*PATH_REMOVED.values(), PATH_HIDDEN["by hand"]])
@pytest.mark.parametrize("text", ["GET /{}/videos/7.mp4", "/a/{} failed", "odd | b/{}/7.mp4?x=1"])
def test_a_signature_in_a_path_without_its_host_is_hidden(template: str, text: str) -> None:
    token, secrets = drawn(template, 1)
    redacted = redact(text.format(token))
    assert not any(secret in redacted for secret in secrets), redacted
    assert redact(redacted) == redacted


def test_a_signed_list_of_paths_may_hold_slashes() -> None:
    names = {Media.of(f"https://h.example/hdnts=exp={n}~acl=/v/*~hmac={n}c4fe/v/7.mp4").source for n in range(10, 20)}
    assert names == {"https://h.example/v/7.mp4"}


def test_path_parameters_beside_a_signature_are_kept() -> None:
    assert unsigned_url("https://h.example/v/film=7~exp=1~hmac=aa/x.mp4") == "https://h.example/v/film=7/x.mp4"
    assert unsigned_url("https://h.example/hmac=aa&film=7/x.mp4") == "https://h.example/film=7/x.mp4"


# What identifies media


@pytest.mark.parametrize(
    "path",
    [
        "id=7/film.mp4", "exp=1767225600/film.mp4", "a~b/film.mp4", "year=2026&month=1/film.mp4", "hmac/film.mp4",
        "w_300,h_200/film.mp4", "signature/7.mp4", "a//b/", "acl=*/f", "0b9a7c5e-1c2d-4e3f-8a9b-0123456789ab/7.mp4",
        "64f8d2c7e4a1b37f8a9c5d12", "World-Cup-2026-Final-Germany/1.mp4", "GoalkeeperDivesLeft1080pFinalCut2/a",
        "0Bw3fT2hQz8kLTXpBc2VtN1p4Vlk.mp4", "a;b/c;v=2/d.mp4", "%7Euser/film%20one.mp4", "secret=1/film.mp4",
    ],
)  # fmt: skip
def test_a_path_that_identifies_a_medium_is_unchanged(path: str) -> None:
    url = f"https://h.example/{path}"
    assert unsigned_url(url) == redact(url) == url
    assert redact(f"videos/{path}") == f"videos/{path}"


@pytest.mark.parametrize(
    "query",
    [
        "id=1", "id=2", "token=1", "token=2", "token=3", "s=3", "s=03&e=5", "session=day-1", "verify=true", "md5=no",
        "pass=2", "st=10", "e=4", "t=1m30s", "auth=none", "expires=1767225600", "exp=1767225600", "e=1767225600",
        "t=1767225600", "keyword=goalkeeper", "q=key+lime+pie+recipe", "design=0a1b2c3d4e5f6a7b", "sv=x&se=3",
        "v=dQw4w9WgXcQ", "film=0b9a7c5e-1c2d-4e3f-8a9b-0123456789ab", "a=1;b=2", "token=", "key", "page_token=3",
        "h=1080&oh=5", "h=1080&expires=1767225600", "se=3&sp=4", "sv=x", "a=%20b", "a=b+c", "a=b%2Fc", "flag", "a=&b",
        "l[]=1", "q=%C3", "secret", "hmac&expires=1767225600", "ex=1&is=2&hm=3", "oh=1&oe=2", "md5", "u=https://h.example/a",
    ],
)  # fmt: skip
def test_a_query_that_identifies_a_medium_is_unchanged(query: str) -> None:
    url = f"https://h.example/film?{query}"
    assert unsigned_url(url) == redact(url) == url
    assert unsigned_url(f"{url}&X-Amz-Signature={SECRET}").startswith("https://h.example/film")


@pytest.mark.parametrize("query", ["id=1", "se=3&sp=4", "a=%20b", "a=b+c", "flag", "a=&b", "l[]=1", "q=%C3"])
def test_parameters_are_kept_before_and_behind_a_signature(query: str) -> None:
    plain = f"https://example.com/film?{query}"
    assert unsigned_url(f"{plain}&X-Amz-Signature={SECRET}") == plain
    assert unsigned_url(f"https://example.com/film?X-Amz-Date=1&{query}") == plain


@pytest.mark.parametrize(
    "parameter",
    [
        "key=films/match.mp4", "key=films%2F3f9a0b7c3f9a11.mp4", "code=grand-final-2026", "key=s03e05-the-return",
        "session=opening-keynote", "sid=20260101", "ticket=1234567890123", "sign=zodiac", "policy=fair-use-2026",
        "code=Weltmeisterschaft", "key=GrandFinalMatch", "session=2026-01-01T10:00:00Z",
        "hash=0123456789abcdef0123456789abcdef", "h=0123456789abcdef0123456789abcdef",
        "key=gr%C3%BCner+Rasen+und+Ball", "s=https%3A%2F%2Fh.example%2Fabc", "v=0Bw3fT2hQz8kLTXpBc2VtN1p4Vlk",
        f"token={SECRET}", "u=tlk_0123456789", "0Bw3fT2hQz8kLTXpBc2VtN1p4Vlk==",
    ],
)  # fmt: skip
def test_what_only_may_be_a_credential_becomes_a_digest_that_distinguishes_media(parameter: str) -> None:
    one, other = (unsigned_url(f"https://h.example/film?{parameter}{end}") for end in ("", "x"))
    assert one != other
    assert one.rpartition("~")[0].startswith("https://h.example/film?")
    assert unsigned_url(one) == redact(one) == one
    assert parameter.strip("=").rpartition("=")[2] not in one


@settings(deadline=None)
@given(st.sampled_from(["key", "token", "id", "s", "u", "secret_key"]), st.lists(st.text("aB3~=/"), unique=True))
def test_two_media_never_share_a_name(name: str, values: list[str]) -> None:
    assert len({unsigned_url(f"https://h.example/film?{name}={value}") for value in values}) == len(values)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://h.example/v/0123456789abcdef0123456789abcdef/7.mp4", "the path"),
        ("https://h.example/v/0B9A7C5E-1c2d-4e3f-8a9b-0123456789ab/7.mp4?id=7", "the path"),
        ("https://h.example/7.mp4?id=7&x=0123456789abcdef0123456789abcdef01", "the parameter 'x'"),
        ("https://h.example/7.mp4?film=0b9a7c5e-1c2d-4e3f-8a9b-0123456789ab", "the parameter 'film'"),
        ("https://h.example/0123456789abcdef0123456789abcdef.mp4", None),
        ("https://h.example/64f8d2c7e4a1b37f8a9c5d12/7.mp4?t=~0123456789abcdef", None),
        ("https://h.example/token/0123456789abcdef0123456789abcdef/7.mp4", None),
    ],
)
def test_a_part_that_may_be_a_secret_and_stays_is_warned_of_once(
    caplog: pytest.LogCaptureFixture, url: str, place: str | None
) -> None:
    _warn_of_opaque_part.cache_clear()
    for _ in range(2):
        Media.of(url)
    expected = [f"URLs of h.example keep 32 or more hexadecimal digits in {place}"] if place else []
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == expected
    assert not any(digits in caplog.text for digits in ("0123456789ab", "0b9a7c5e"))


# Free text


@pytest.mark.parametrize("text", ["{}", "see {}, please", '"{}"', "({})", "<a href='{}'>", "{}.", "a\n{}\nb", "x={}"])
@pytest.mark.parametrize("url", SIGNED)
def test_redacted_text_holds_no_signature(url: str, text: str) -> None:
    redacted = redact(text.format(url))
    assert SECRET not in redacted
    assert redacted == text.format(unsigned_url(url))


@pytest.mark.parametrize("odd", ["|", "{", "}", "'", "\\", "^", "`", '"', "<", ">", " ", "%20"])
def test_an_invalid_character_before_the_signature_does_not_reveal_it(odd: str) -> None:
    assert SECRET not in redact(f"https://example.com/f?list=a{odd}b&X-Amz-Credential=c&X-Amz-Signature={SECRET}")


@pytest.mark.parametrize("value", [SECRET, f"aa/{SECRET}", f"aa/bb/cc~{SECRET}=="])
@pytest.mark.parametrize("text", ["path /f.mp4?id=1&X-Amz-Signature={}&z=2", "Signature={}", "b&sig={}", "x/f?sig={}"])
def test_a_signature_without_its_url_is_hidden(text: str, value: str) -> None:
    assert SECRET not in redact(text.format(value))


@pytest.mark.parametrize("depth", range(1, 7))
def test_a_signed_url_inside_other_urls_is_unsigned(depth: int) -> None:
    url = f"https://b.example.com/f.mp4?id=1&X-Amz-Signature={SECRET}"
    plain = "https://b.example.com/f.mp4?id=1"
    for _ in range(depth):
        url, plain = (f"https://proxy.example.com/get?u={_quoted(inner)}" for inner in (url, plain))
    assert SECRET not in redact(url)
    assert (unsigned_url(url) == plain) == (depth <= 3)


def _quoted(url: str) -> str:
    return (
        url.replace("%", "%25")
        .replace(":", "%3A")
        .replace("/", "%2F")
        .replace("?", "%3F")
        .replace("=", "%3D")
        .replace("&", "%26")
    )


@pytest.mark.parametrize(
    "url", [f"http://[1:2/f?Signature={SECRET}", f"http://user:{SECRET}@[1:2/f", f"http://[1:2/#{SECRET}"]
)
def test_a_broken_url_loses_password_query_and_fragment(url: str) -> None:
    assert SECRET not in redact(f"cannot read {url}")


@pytest.mark.parametrize("key", ["tlk_0123456789ABC", "tlk_sandbox_abc-def_1"])
def test_api_keys_are_masked_everywhere(key: str) -> None:
    assert redact(f"x-api-key:{key}, {key}!") == "x-api-key:tlk_***, tlk_***!"


def test_the_beginning_of_sandbox_keys_is_not_a_secret() -> None:
    hint = "use the key that it printed (it begins with tlk_sandbox_) as header x-api-key"
    assert redact(hint) == hint
    assert redact(f"{hint}: tlk_sandbox_abc, tlk_sandbox_-a, tlk_sandbox__") == f"{hint}: tlk_***, tlk_***, tlk_***"


@settings(deadline=None)
@given(
    st.text()
    | st.lists(st.sampled_from(["https://h", "?", "a=", "token=", "%3D", "~", "&", "@", "[", ".", "x1Y2z3"])).map(
        "".join
    )
)
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@pytest.mark.parametrize(
    "text", ["TK=HTTP://@", "TK=0HTTP://@", "sig=https://me:pass@", "s=http://?x=1", "h=http:///a/b"]
)
def test_redacting_a_text_that_is_not_a_url_twice_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
    assert "pass" not in once


@settings(deadline=None)
@given(st.text(), st.text(), st.sampled_from(SIGNED))
def test_no_surrounding_text_reveals_a_signature(before: str, after: str, url: str) -> None:
    assert SECRET not in redact(f"{before} {url} {after}")


def test_ordinary_text_is_unchanged() -> None:
    text = "A red car at https://example.com/a?b=c drives; see (https://example.com/x) & 'more' | signature style"
    assert redact(text) == text


@pytest.mark.parametrize(
    "unit",
    [
        "?a=", "&sig=", "https://a?u=", "%26sig%3Dx", "&s=a1b2", "&h=0123456789abcdef0123456789abcdef", "/a=b",
        "~hmac=", "~acl=", ";key=", "?%41", "https://a?u=https%3A%2F%2F", "https://a@", "key_", "http://[", "%25",
    ],
)  # fmt: skip
def test_the_time_to_redact_grows_with_the_length_not_its_square(unit: str) -> None:
    """An eightfold text takes about eight times as long; a quadratic rule would take 64 times."""
    short, long = (min(_seconds(unit * count) for _ in range(3)) for count in (500, 4000))
    assert long < 30 * max(short, 0.001)


def _seconds(text: str) -> float:
    start = time.process_time()
    redact(text)
    return time.process_time() - start


def test_the_query_of_what_is_not_an_asset_id_is_not_shown() -> None:
    with pytest.raises(InputError, match="not an asset id: 'abc'") as caught:
        Media.of("asset:abc?sig=5ecre7")
    assert "5ecre7" not in str(caught.value)
