"""Upload methods, asset types and metadata of assets, checked before any request."""

from pathlib import Path
from typing import Any

import pytest

from twelvelabs_core import InputError, Media
from twelvelabs_core.base import limits
from twelvelabs_core.media.formats import kind_by_name
from twelvelabs_core.media.validate import check_user_metadata, multipart_type, upload_method

MIB, GIB = 2**20, 2**30
LOCAL = Media.of(b"x", source="match.mp4")
URL = Media.of("https://example.com/match.mp4")


@pytest.mark.parametrize(
    ("size", "kind", "asked", "expected"),
    [
        (1, "video", None, "direct"),
        (200 * MIB, "video", None, "direct"),
        (200 * MIB + 1, "video", None, "multipart"),
        (10 * GIB, "audio", None, "multipart"),
        (1, "video", "multipart", "multipart"),
        (200 * MIB, "document", None, "direct"),
        (32 * MIB, "image", None, "direct"),
        (300 * MIB, None, None, "multipart"),
    ],
)
def test_the_size_determines_the_method_unless_one_is_given(
    size: int, kind: str | None, asked: str | None, expected: str
) -> None:
    assert upload_method(LOCAL, size, kind, asked) == expected


@pytest.mark.parametrize(
    ("size", "kind", "asked", "message"),
    [
        (10 * GIB + 1, "video", None, r"10,737,418,241 bytes; .*video.* 10,737,418,240 \(10 GB\)"),
        (32 * MIB + 1, "image", None, r"33,554,433 bytes; .*image.* 33,554,432 \(32 MB\)"),
        (200 * MIB + 1, "document", None, r"209,715,201 bytes; .*document.* 209,715,200 \(200 MB\)"),
        (200 * MIB + 1, "video", "direct", r"209,715,201 bytes; a direct upload .* 209,715,200 \(200 MB\)"),
        (1, "video", "url", "is local"),
        (1, "video", "post", "direct, url, multipart; got 'post'"),
    ],
)
def test_an_impossible_upload_is_refused_with_limit_and_value(
    size: int, kind: str, asked: str | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        upload_method(LOCAL, size, kind, asked)


def test_urls_are_uploaded_by_url_and_assets_are_refused() -> None:
    assert upload_method(URL, None, None, None) == "url"
    with pytest.raises(InputError, match="needs local media"):
        upload_method(URL, None, None, "multipart")
    with pytest.raises(InputError, match="asset already"):
        upload_method(Media.of("asset:64f8d2c7e4a1b37f8a9c5d12"), None, None, None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.mp4", "video"),
        ("A.MOV", "video"),
        ("a.flac", "audio"),
        ("a.png", "image"),
        ("a.pdf", "document"),
        ("a.md", "document"),
        ("a.ts", "video"),
        ("00001.MTS", "video"),
        ("VTS_01_1.VOB", "video"),
        ("a.m2ts", "video"),
        ("a.mxf", "video"),
        ("a.asf", "video"),
        ("phone.3gp", "video"),
        ("a.m4a", "audio"),
        ("a.opus", "audio"),
        ("a.heic", "image"),
        ("a.docx", None),
        ("a", None),
    ],
)
def test_kind_by_suffix(name: str, kind: str | None) -> None:
    assert kind_by_name(name) == kind


def test_kind_by_content_where_the_name_has_no_suffix(video_path: Path, sound: Path, picture: Path) -> None:
    pytest.importorskip("av")
    for path, kind in ((video_path, "video"), (sound, "audio"), (picture, "image")):
        assert multipart_type(Media.of(path.read_bytes()), None) == kind
    with pytest.raises(InputError, match=r"unknown kind.*asset_type="):
        multipart_type(Media.of(b"what is it?"), None)
    with pytest.raises(InputError, match="a document"):
        multipart_type(Media.of(b"%PDF"), "document")


def test_metadata_of_every_type_is_accepted() -> None:
    metadata = {"a": "x", "b": 5, "c": 9.3, "d": True, "e": ["x", "y"], "f": None}
    assert check_user_metadata(metadata) == metadata


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("text", "mapping.*str"),
        ({1: "x"}, r"\[1\].*Names must be str"),
        ({"a": {"b": 1}}, r"\['a'\] is \{'b': 1\} \(dict\)"),
        ({"a": [1]}, r"\['a'\] is \[1\] \(list\)"),
        ({"a": 2**53}, r"\['a'\] is 9007199254740992 .* as str"),
        ({"a": float("nan")}, "is nan .* finite float"),
        ({"\ud800": "x"}, "lone surrogate"),
        ({"a": "\ud800"}, "lone surrogate"),
        ({"a": ["\ud800"]}, "lone surrogate"),
    ],
)
def test_metadata_that_the_api_cannot_store_is_refused(metadata: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_user_metadata(metadata)


def test_limits_are_formatted_as_in_the_reference() -> None:
    assert [limits.in_words(size) for size in (200 * MIB, 4 * GIB, 10 * GIB)] == ["200 MB", "4 GB", "10 GB"]
