"""URLs without their secrets: signatures go by name, everything that tells films apart stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelabs_core.base.redact import redact, unsigned_url

SECRET = "5ecre7-oF-a-s1gn1ng-k3y"

SIGNED = [
    f"https://b.s3.amazonaws.com/film.mp4?X-Amz-Algorithm=A&X-Amz-Credential={SECRET}&X-Amz-Signature={SECRET}",
    f"https://b.s3.amazonaws.com/film.mp4?AWSAccessKeyId={SECRET}&Expires=17&Signature={SECRET}",
    f"https://storage.googleapis.com/b/film.mp4?X-Goog-Signature={SECRET}&x-goog-date=1",
    f"https://b.oss.aliyuncs.com/film.mp4?OSSAccessKeyId={SECRET}&Signature={SECRET}",
    f"https://d.cloudfront.net/film.mp4?Policy={SECRET}&Signature={SECRET}&Key-Pair-Id={SECRET}",
    f"https://a.blob.core.windows.net/c/film.mp4?sv=2024&sr=b&sp=r&se=2026-01-01&spr=https&sig={SECRET}",
    f"https://cdn.example.com/film.mp4?token={SECRET}&Expires=9",
    f"https://user:{SECRET}@example.com/film.mp4",
    f"https://example.com/film.mp4#{SECRET}",
]


@pytest.mark.parametrize("url", SIGNED)
def test_the_signature_of_every_known_scheme_is_removed(url: str) -> None:
    assert SECRET not in unsigned_url(url)
    assert unsigned_url(url).endswith("film.mp4")


@pytest.mark.parametrize("url", SIGNED)
def test_an_unsigned_url_is_final(url: str) -> None:
    once = unsigned_url(url)
    assert unsigned_url(once) == once


@pytest.mark.parametrize(
    "query",
    ["id=1", "id=2", "se=3&sp=4", "sv=x", "st=10", "a=%20b", "a=b+c", "a=b%2Fc", "flag", "a=&b", "l[]=1", "q=%C3"],
)  # fmt: skip
def test_other_parameters_stay_letter_by_letter_signed_or_not(query: str) -> None:
    plain = f"https://example.com/film?{query}"
    assert unsigned_url(plain) == plain
    assert unsigned_url(f"{plain}&X-Amz-Signature={SECRET}") == plain
    assert unsigned_url(f"https://example.com/film?X-Amz-Date=1&{query}") == plain


def test_one_film_signed_twice_has_one_name() -> None:
    one = unsigned_url("https://B.example.com/f.mp4?id=1&X-Amz-Date=20260101&X-Amz-Signature=aa")
    other = unsigned_url("HTTPS://b.example.com/f.mp4?X-Amz-Date=20260202&id=1&X-Amz-Signature=bb")
    assert one == other == "https://b.example.com/f.mp4?id=1"


@pytest.mark.parametrize("name", ["X-Amz-Signature", "x%2Damz-signature", "X-AMZ-SIGNATURE", "Sig%6Eature"])
def test_a_signature_is_known_in_any_spelling(name: str) -> None:
    assert SECRET not in unsigned_url(f"https://example.com/f?{name}={SECRET}")


@pytest.mark.parametrize("text", ["{}", "see {}, please", '"{}"', "({})", "<a href='{}'>", "{}.", "a\n{}\nb", "x={}"])
@pytest.mark.parametrize("url", SIGNED)
def test_redacted_text_holds_no_signature(url: str, text: str) -> None:
    redacted = redact(text.format(url))
    assert SECRET not in redacted
    assert "film.mp4" in redacted


@pytest.mark.parametrize("odd", ["|", "{", "}", "'", "\\", "^", "`", '"', "<", ">", " ", "%20"])
def test_an_odd_character_before_the_signature_does_not_save_it(odd: str) -> None:
    assert SECRET not in redact(f"https://example.com/f?list=a{odd}b&X-Amz-Credential=c&X-Amz-Signature={SECRET}")


def test_a_signature_without_its_url_is_redacted_too() -> None:
    assert SECRET not in redact(f"path /f.mp4?id=1&X-Amz-Signature={SECRET}&z=2")


def test_a_signed_url_inside_another_url_is_redacted() -> None:
    inner = f"https%3A%2F%2Fb.example.com%2Ff.mp4%3Fid%3D1%26X-Amz-Signature%3D{SECRET}"
    assert SECRET not in redact(f"https://proxy.example.com/get?u={inner}")


def test_a_broken_url_loses_its_whole_query() -> None:
    assert SECRET not in redact(f"cannot read http://[1:2/f?Signature={SECRET}")


@pytest.mark.parametrize("key", ["tlk_0123456789ABC", "tlk_sandbox_abc-def_1"])
def test_keys_are_masked_wherever_they_stand(key: str) -> None:
    assert redact(f"x-api-key:{key}, {key}!") == "x-api-key:tlk_***, tlk_***!"


def test_what_a_sandboxes_keys_begin_with_is_no_secret() -> None:
    hint = "use the key that it printed (it begins with tlk_sandbox_) as header x-api-key"
    assert redact(hint) == hint
    assert redact(f"{hint}: tlk_sandbox_abc, tlk_sandbox_-a, tlk_sandbox__") == f"{hint}: tlk_***, tlk_***, tlk_***"


@given(st.text())
def test_redacting_anything_ends_and_repeats_itself(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@given(st.text(), st.text(), st.sampled_from(SIGNED))
def test_no_surrounding_brings_a_signature_through(before: str, after: str, url: str) -> None:
    assert SECRET not in redact(f"{before} {url} {after}")


def test_ordinary_text_stays_as_it_is() -> None:
    text = "A red car at https://example.com/a?b=c drives; see (https://example.com/x) & 'more' | signature style"
    assert redact(text) == text
