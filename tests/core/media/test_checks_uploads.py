"""What may be uploaded and how; chunks as arithmetic; answers about uploads as values. Nothing here is sent."""

import copy
import io
import json
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.core.media.test_checks import sparse
from twelvelabs_core import APIResponseError, CompletedChunk, InputError, Media, PresignedUrl
from twelvelabs_core.api.chunks import Ranges, SentBytes, Tally, UrlPool, parts_of, sendable_headers
from twelvelabs_core.base import limits
from twelvelabs_core.media.validate import check_user_metadata, kind_by_name, multipart_type, upload_method
from twelvelabs_core.results.upload_responses import (
    parse_chunk_batch_report,
    parse_multipart_upload,
    parse_presigned_urls,
    parse_transcription,
    parse_upload_status,
)

MIB, GIB = 2**20, 2**30
LOCAL = Media.of(b"x", source="film.mp4")
URL = Media.of("https://example.com/film.mp4")
SECRET = "https://s3.example.com/x?X-Amz-Signature=5ecre7"


# The way to go


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
def test_the_size_decides_unless_the_caller_does(size: int, kind: str | None, asked: str | None, expected: str) -> None:
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
def test_what_cannot_go_is_refused_with_limit_and_value(size: int, kind: str, asked: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        upload_method(LOCAL, size, kind, asked)


def test_what_is_not_local_goes_by_url() -> None:
    assert upload_method(URL, None, None, None) == "url"
    with pytest.raises(InputError, match="takes local media"):
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
        ("a.ts", None),
        ("a", None),
    ],
)
def test_the_ending_of_a_name_tells_the_kind(name: str, kind: str | None) -> None:
    assert kind_by_name(name) == kind


def test_the_content_tells_the_kind_where_the_name_does_not(film: Path, sound: Path, picture: Path) -> None:
    pytest.importorskip("av")
    for path, kind in ((film, "video"), (sound, "audio"), (picture, "image")):
        assert multipart_type(Media.of(path.read_bytes()), None) == kind
    with pytest.raises(InputError, match=r"unknown kind.*asset_type="):
        multipart_type(Media.of(b"what is it?"), None)
    with pytest.raises(InputError, match="a document"):
        multipart_type(Media.of(b"%PDF"), "document")


# Chunks


@pytest.mark.parametrize(("size", "chunk"), [(1, 1), (10, 3), (9, 3), (2, 100), (3_000_000_000, 5_242_880)])
def test_chunks_cover_a_file_without_gap_or_overlap(size: int, chunk: int) -> None:
    parts = parts_of(size, chunk)
    assert [part.index for part in parts] == list(range(1, len(parts) + 1))
    assert [part.start for part in parts] == [chunk * number for number in range(len(parts))]
    assert {part.length for part in parts[:-1]} <= {chunk}
    assert 1 <= parts[-1].length <= chunk
    assert sum(part.length for part in parts) == size


@pytest.mark.parametrize("kind", ["path", "bytes", "file"])
@pytest.mark.parametrize(("start", "length"), [(0, 10), (3, 4), (9, 1)])
def test_a_range_is_read_from_where_it_lies(tmp_path: Path, kind: str, start: int, length: int) -> None:
    content = b"0123456789"
    (tmp_path / "f").write_bytes(content)
    value: Any = {"path": tmp_path / "f", "bytes": content, "file": io.BytesIO(content)}[kind]
    ranges = Ranges(Media.of(value, source="f"))
    assert ranges.size == 10
    pieces = list(ranges.read(start, length, 3))
    assert b"".join(pieces) == content[start : start + length]
    assert max(map(len, pieces)) <= 3


def test_a_range_beyond_the_end_is_an_error(tmp_path: Path) -> None:
    ranges = Ranges(Media.of(sparse(tmp_path / "f", 10)))
    with pytest.raises(InputError, match="changed while it was being sent"):
        list(ranges.read(8, 4, 3))


def test_a_change_of_size_or_time_is_noticed(tmp_path: Path) -> None:
    path = sparse(tmp_path / "f", 10)
    ranges = Ranges(Media.of(path))
    ranges.check_unchanged()
    sparse(path, 11)
    with pytest.raises(InputError, match="changed"):
        ranges.check_unchanged()


def test_bytes_of_a_try_that_failed_are_taken_back() -> None:
    seen: list[tuple[int, int]] = []
    sent = SentBytes(10, lambda done, total: seen.append((done, total)))
    tally = Tally(sent)
    assert list(tally.counted(iter([b"abc", b"de"]))) == [b"abc", b"de"]
    tally.take_back()
    sent.add(10)
    assert seen == [(3, 10), (5, 10), (0, 10), (10, 10)]


def url(index: int, seconds: float | None) -> PresignedUrl:
    expires_at = None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)
    return PresignedUrl(chunk_index=index, url=SecretStr(f"https://s3/{index}"), expires_at=expires_at)


def test_a_url_is_handed_out_once_and_in_its_time() -> None:
    pool = UrlPool([url(1, 3600), url(2, 30), url(3, -5), url(4, None)])
    assert [pool.take(index) for index in (1, 1, 2, 4, 5)] == ["https://s3/1", None, None, "https://s3/4", None]
    assert pool.take(3, just_received=True) == "https://s3/3"


def test_headers_of_the_connection_and_the_key_are_not_the_sessions_to_set() -> None:
    asked = {"Content-Type": "video/mp4", "X-Amz-Acl": "private", "Host": "s3", "Content-Length": "5", "X-Api-Key": "k"}
    assert sendable_headers(asked) == {"content-type": "video/mp4", "x-amz-acl": "private"}


@pytest.mark.parametrize("fields", [(0, "etag", 5), (1, "", 5), (1, '""', 5), (1, "etag", 0), (True, "etag", 5)])
def test_a_chunk_that_cannot_be_is_refused(fields: Any) -> None:
    with pytest.raises(InputError):
        CompletedChunk(*fields)


# Answers


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def test_the_urls_and_headers_of_a_session_stay_as_they_came_and_are_not_shown() -> None:
    upload = parse_multipart_upload(
        body(
            upload_id="u",
            asset_id="a",
            chunk_size=5,
            upload_urls=[{"chunk_index": 1, "url": SECRET, "expires_at": "2026-01-01T00:00:00Z", "more": SECRET}],
            upload_headers={"x-amz-key": SECRET},
            new=SECRET,
        )
    )
    assert upload.upload_urls[0].url.get_secret_value() == SECRET
    assert upload.upload_headers == {"x-amz-key": SECRET}
    for shown in (repr(upload), str(upload), upload.model_dump_json(), repr(upload.upload_urls)):
        assert "5ecre7" not in shown
    assert copy.deepcopy(upload).upload_urls == upload.upload_urls
    for value in (upload, upload.upload_urls[0]):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(value)


@pytest.mark.parametrize(
    ("parse", "fields", "message"),
    [
        (parse_multipart_upload, {"upload_id": "u", "asset_id": "a"}, "chunk_size"),
        (parse_multipart_upload, {"upload_id": "u", "asset_id": "a", "chunk_size": 0}, "chunk_size"),
        (parse_multipart_upload, {"upload_id": "", "asset_id": "a", "chunk_size": 5}, "upload_id"),
        (parse_presigned_urls, {"upload_urls": None}, "upload_urls"),
        (parse_presigned_urls, {"upload_urls": [SECRET]}, r"upload_urls\[0\]"),
        (parse_presigned_urls, {"upload_urls": [{"chunk_index": 0, "url": SECRET}]}, "chunk_index"),
        (parse_upload_status, {"upload_id": "u"}, "status"),
        (parse_upload_status, {"upload_id": "u", "status": "active", "uploaded_chunks": [{"index": 0}]}, "index"),
        (parse_chunk_batch_report, {"total_completed": "many"}, "total_completed"),
        (parse_transcription, {"words": []}, "status"),
        (parse_transcription, {"status": "ready", "words": [{"start": "0", "end": 1, "value": "x"}]}, "start"),
    ],
)
def test_a_deviation_is_an_error_that_names_the_field_and_quotes_nothing(
    parse: Any, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(APIResponseError, match=message) as caught:
        parse(body(**fields))
    assert "5ecre7" not in str(caught.value)
    for junk in (b"", b"[]", b"null", b'{"', b'"x"'):
        with pytest.raises(APIResponseError):
            parse(junk)


def test_urls_take_the_time_that_their_answer_gives_for_all() -> None:
    fields = {"upload_urls": [{"chunk_index": 3, "url": SECRET}], "expires_at": "2026-01-01T00:00:00Z"}
    assert parse_presigned_urls(body(**fields))[0].expires_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_fields_that_an_answer_leaves_out_are_none() -> None:
    status, page_info = parse_upload_status(body(upload_id="u", status="active", uploaded_chunks=None))
    assert (status.completed, status.chunks_pending, page_info.total_page) == (frozenset(), None, None)
    report = parse_chunk_batch_report(body(url=SECRET))
    assert (report.url, report.total_completed) == ("https://s3.example.com/x", None)
    transcription = parse_transcription(body(status="failed", error={"message": "no speech"}))
    assert (transcription.words, transcription.error) == (None, "no speech")


# Notes


def test_notes_of_every_kind_are_taken() -> None:
    notes = {"a": "x", "b": 5, "c": 9.3, "d": True, "e": ["x", "y"], "f": None}
    assert check_user_metadata(notes) == notes


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        ("text", "mapping.*str"),
        ({1: "x"}, "name 1"),
        ({"a": {"b": 1}}, r"\['a'\] is of type dict"),
        ({"a": [1]}, r"\['a'\] is of type list"),
        ({"a": 2**53}, "as str"),
        ({"a": float("nan")}, "JSON cannot carry"),
    ],
)
def test_notes_that_the_api_cannot_keep_are_refused(notes: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_user_metadata(notes)


def test_limits_are_written_as_the_reference_writes_them() -> None:
    assert [limits.in_words(size) for size in (200 * MIB, 4 * GIB, 10 * GIB)] == ["200 MB", "4 GB", "10 GB"]
