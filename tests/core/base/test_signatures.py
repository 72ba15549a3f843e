"""Real services' signed URLs lose their signatures, whatever was drawn for them; ordinary parameters stay."""

import base64
import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelabs_core import InputError, Media
from twelvelabs_core.base.redact import is_signed, likely_credentials, looks_like_credential, redact, unsigned_url

# {name} of a field: what is drawn for it. The rest of the query belongs to the film, or to the signature's scheme.
SERVICES = {
    "Amazon S3 v4": "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={word}%2F20260101%2Fus-east-1%2Fs3"
    "&X-Amz-Date={day}T000000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature={hex64}",
    "Amazon S3 v2": "AWSAccessKeyId={word}&Expires={time}&Signature={base64}",
    "CloudFront": "Policy={base64}&Signature={base64}&Key-Pair-Id={word}",
    "CloudFront, canned": "Expires={time}&Signature={base64}&Key-Pair-Id={word}",
    "Google Cloud v4": "X-Goog-Algorithm=GOOG4&X-Goog-Credential={word}&X-Goog-Date={day}&X-Goog-Signature={hex64}",
    "Google Cloud v2": "GoogleAccessId={word}&Expires={time}&Signature={base64}",
    "Google Drive": "key=AIza{base64url}",
    "Google APIs": "access_token=ya29.{base64url}",
    "YouTube": "expire={time}&sig={base64url}&lsig={base64url}",
    "Azure SAS": "sv=2024-05-04&st={iso}&se={iso}&sr=b&sp=r&spr=https&sig={base64}",
    "SharePoint": "tempauth={jwt}",
    "OneDrive": "authkey=%21A{base64url}",
    "Alibaba OSS": "OSSAccessKeyId={word}&Expires={time}&Signature={base64}&security-token={base64}",
    "Alibaba CDN": "auth_key={time}-0-0-{hex32}",
    "Tencent COS": "q-sign-algorithm=sha1&q-ak={word}&q-sign-time={time};{time}&q-key-time={time};{time}"
    "&q-header-list=host&q-url-param-list=&q-signature={hex40}&x-cos-security-token={base64}",
    "Tencent CDN": "sign={hex32}&t={time}",
    "Huawei OBS": "AccessKeyId={word}&Expires={time}&Signature={base64}",
    "Baidu": "authorization=bce-auth-v1%2F{hex32}%2F{iso}%2F900%2F%2F{hex64}",
    "Qiniu": "e={time}&token={word}:{base64url}",
    "Upyun": "_upt={hex8}{time}",
    "Akamai": "hdnts=exp={time}~acl=/*~hmac={hex64}",
    "Akamai, token2": "__token__=exp={time}~hmac={hex64}",
    "Akamai, gda": "__gda__={time}_{hex32}",
    "Fastly": "token={time}_{hex64}",
    "Bunny": "token={base64url}&expires={time}",
    "KeyCDN": "token={base64url}&expire={time}",
    "CDN77": "secure={base64url},{time}",
    "nginx secure_link": "md5={base64url}&expires={time}",
    "nginx, short": "st={base64url}&e={time}",
    "Cloudflare rule": "verify={time}-{base64}",
    "Cloudflare Images": "exp={time}&sig={hex64}",
    "Cloudinary": "__cld_token__=exp={time}~hmac={hex64}",
    "Vimeo": "s={hex40}_{time}",
    "imgix": "s={hex32}&expires={time}",
    "JW Player": "exp={time}&sig={hex32}",
    "Mux": "token={jwt}",
    "Firebase": "token={uuid}",
    "Brightcove": "bcov_auth={jwt}",
    "Dropbox": "rlkey={word}&st={mark}&e=3",
    "Discord": "ex={mark}&is={mark}&hm={hex64}",
    "Facebook": "oh=00_{base64url}&oe={mark}",
    "Swift": "temp_url_sig={hex40}&temp_url_expires={time}",
    "Wowza": "wowzatokenstarttime={time}&wowzatokenendtime={time}&wowzatokenhash={base64}",
    "GitLab": "private_token=glpat-{base64url}",
    "Plex": "X-Plex-Token={word}",
    "OAuth 1": "oauth_consumer_key={word}&oauth_nonce={hex8}&oauth_signature={base64}&oauth_timestamp={time}",
    "OAuth 2": "code={base64url}&client_secret={word}",
    "Jenkins": "ticket={base64url}&sid={hex32}",
    "hash, lighttpd": "h={hex32}&e={time}",
    "hash, hand-made": "hash={hex32}&expires={time}",
    "hash, with a lifetime": "ttl=3600&hash={hex64}",
    "API keys": "api_key={word}&apikey={word}&api-key={word}&X-Api-Key={word}",
    "passwords": "password={hex8}&passwd={hex8}&pwd={hex8}&secret={hex8}&pass={base64url}",
    "sessions": "sessionid={hex32}&session={base64url}&PHPSESSID={hex32}&auth={base64url}&sas={base64url}&hmac={hex8}",
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
    secrets["uuid"] = str(uuid.UUID(bytes=dice.randbytes(16)))
    times = {
        "mark": dice.randbytes(4).hex(),
        "time": str(dice.randint(1_700_000_000, 1_900_000_000)),
        "day": f"2026{dice.randint(1, 12):02d}{dice.randint(1, 28):02d}",
        "iso": f"2026-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}T10%3A{dice.randint(10, 59)}%3A00Z",
    }
    return template.format(**secrets, **times), [value for name, value in secrets.items() if f"{{{name}}}" in template]


# In a segment of the path.
PATH_SERVICES = {
    "Akamai": "exp={time}~acl=%2f*~hmac={hex64}",
    "Akamai, start": "st={time}~exp={time}~acl=*~data=x~hmac={hex64}",
    "Akamai, hdnts": "hdnts=exp={time}~acl=%2F%2a~hmac={hex64}",
    "Akamai, encoded": "hdntl%3Dexp%3D{time}%7Eacl%3D%2F*%7Edata%3Dhdntl%7Ehmac%3D{hex64}",
    "Bunny": "bcdn_token={base64url}&expires={time}&token_path=%2Ffilms%2F",
    "Bunny, keyed": "bcdn_token=HS256-{base64url}&token_countries=DE&expires={time}",
    "by hand": "Signature={hex40}",
}

services = pytest.mark.parametrize("template", SERVICES.values(), ids=SERVICES.keys())


@services
def test_two_signings_of_one_film_have_one_name_and_no_secret(template: str) -> None:
    for seed in range(40):
        query, secrets = drawn(template, seed)
        for whole, kept in ((query, ""), (f"id=7&{query}&lang=de", "?id=7&lang=de")):
            url = f"https://h.example/films/7.mp4?{whole}"
            assert is_signed(url)
            assert Media.of(url).source == f"https://h.example/films/7.mp4{kept}", url
            assert not any(secret in redact(f"cannot fetch {url}: 403") for secret in secrets)


path_services = pytest.mark.parametrize("template", PATH_SERVICES.values(), ids=PATH_SERVICES.keys())


@path_services
@pytest.mark.parametrize("where", ["{}/films/7.mp4", "films/{}/7.mp4", "films/7.mp4/{}"])
def test_two_signings_in_the_path_have_one_name_and_no_secret(template: str, where: str) -> None:
    plain = "https://h.example/" + where.replace("{}", "").replace("//", "/").strip("/")
    for seed in range(20):
        token, secrets = drawn(template, seed)
        url = f"https://h.example/{where.format(token)}"
        assert is_signed(url)
        assert Media.of(url).source == plain, url
        assert likely_credentials(url) is None
        assert not any(secret in redact(f"cannot fetch {url}?x=1: 403") for secret in secrets)


@path_services
@pytest.mark.parametrize("text", ["GET /{}/films/7.mp4", "/a/{} failed", "odd | b/{}/7.mp4?x=1"])
def test_a_signature_in_a_path_that_has_lost_its_host_is_masked(template: str, text: str) -> None:
    token, secrets = drawn(template, 1)
    redacted = redact(text.format(token))
    assert not any(secret in redacted for secret in secrets), redacted
    assert redact(redacted) == redacted


def test_a_list_of_paths_may_stand_open_in_a_path() -> None:
    names = {Media.of(f"https://h.example/hdnts=exp={n}~acl=/v/*~hmac={n}c4fe/v/7.mp4").source for n in range(10, 20)}
    assert len(names) == 1
    assert "hmac" not in names.pop()


@pytest.mark.parametrize(
    "path",
    [
        "id=7/film.mp4", "exp=1767225600/film.mp4", "key=0123456789abcdef0123456789abcdef/film.mp4", "a~b/film.mp4",
        "year=2026&month=1/film.mp4", "hmac/film.mp4", "w_300,h_200/film.mp4", "signature/7.mp4", "a//b/", "acl=*/f",
    ],
)  # fmt: skip
def test_a_path_that_may_name_a_film_stays_letter_by_letter(path: str) -> None:
    url = f"https://h.example/{path}"
    assert unsigned_url(url) == redact(url) == url
    assert redact(f"films/{path}") == f"films/{path}"
    assert not is_signed(url)


def test_beside_a_signature_in_a_path_only_its_own_goes() -> None:
    assert unsigned_url("https://h.example/v/film=7~exp=1~hmac=aa/x.mp4") == "https://h.example/v/film=7/x.mp4"
    assert unsigned_url("https://h.example/hmac=aa&film=7/x.mp4") == "https://h.example/film=7/x.mp4"


@services
@pytest.mark.parametrize("text", ["GET /films/7.mp4?{}", "/films/7.mp4?x=1&{} failed", "odd | ?{}"])
def test_a_signature_that_has_lost_its_host_is_masked(template: str, text: str) -> None:
    query, secrets = drawn(template, 1)
    redacted = redact(text.format(query))
    assert not any(secret in redacted for secret in secrets), redacted
    assert redact(redacted) == redacted


@pytest.mark.parametrize(
    "query",
    [
        "id=1", "id=2", "token=1", "token=2", "token=3", "key=films/match.mp4", "key=films%2F3f9a0b7c3f9a11.mp4", "s=3",
        "s=03&e=5", "code=grand-final-2026", "key=s03e05-the-return", "session=opening-keynote", "session=day-1",
        "sid=20260101", "ticket=1234567890123", "verify=true", "md5=no", "pass=2", "sign=zodiac", "st=10", "e=4",
        "t=1m30s", "auth=none", "policy=fair-use-2026", "expires=1767225600", "exp=1767225600", "e=1767225600",
        "t=1767225600", "keyword=goalkeeper", "q=key+lime+pie+recipe", "design=0a1b2c3d4e5f6a7b", "sv=x&se=3",
        "code=Weltmeisterschaft", "key=GrandFinalMatch", "session=2026-01-01T10:00:00Z", "v=dQw4w9WgXcQ",
        "film=0b9a7c5e-1c2d-4e3f-8a9b-0123456789ab", "a=1;b=2", "token=", "key", "page_token=3", "h=1080&oh=5",
        "hash=0123456789abcdef0123456789abcdef", "h=0123456789abcdef0123456789abcdef&e=5", "h=1080&expires=1767225600",
        "key=gr%C3%BCner+Rasen+und+Ball", "s=https%3A%2F%2Fh.example%2Fabc",
    ],
)  # fmt: skip
def test_what_tells_films_apart_stays_letter_by_letter(query: str) -> None:
    url = f"https://h.example/film?{query}"
    assert unsigned_url(url) == redact(url) == url
    assert not is_signed(url)


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("s=3&Expires=1767225600&X-Amz-Signature=aa", "s=3"),
        ("e=5&sig=0123456789abcdef0123456789abcdef", "e=5"),  # an episode, not a time
        ("t=90&token=0123456789abcdef0123456789abcdef", "t=90"),
        ("sr=3&st=10&sig=0123456789abcdef0123456789abcdef", "sr=3&st=10"),  # not Azure's: no version
        ("a=1;api_key=hunter2;b=2", "a=1;b=2"),
        ("&a=1&&api_key=hunter2&", "&a=1&&"),
    ],
)
def test_beside_a_signature_only_its_own_goes(query: str, kept: str) -> None:
    assert unsigned_url(f"https://h.example/film?{query}") == f"https://h.example/film?{kept}"


@given(st.integers(0, 10_000), st.integers(20, 64))
def test_random_bytes_look_like_a_credential_however_they_are_written(seed: int, size: int) -> None:
    secret = random.Random(seed).randbytes(size)  # noqa: S311  # a secret of nobody
    for written in (base64.b64encode(secret).decode(), base64.urlsafe_b64encode(secret).decode(), secret.hex()):
        assert looks_like_credential(written)


def test_long_and_deep_texts_are_read_in_no_time() -> None:
    for piece in (
        "?a=",
        "&sig=",
        "https://a?u=",
        "%26sig%3Dx",
        "&s=a1b2",
        "&h=0123456789abcdef0123456789abcdef",
        "/a=b",
        "~hmac=",
        ";key=",
        "?%41",
        "https://a?u=https%3A%2F%2F",
    ):
        text = piece * 20_000
        assert redact(redact(text)) == redact(text)


def test_what_is_no_asset_id_is_shown_without_its_query() -> None:
    with pytest.raises(InputError, match="not an asset id: 'abc'") as caught:
        Media.of("asset:abc?sig=5ecre7")
    assert "5ecre7" not in str(caught.value)
