"""Chunks of a multipart upload: sizes, reading, progress and presigned URLs. No requests are sent."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from twelvelabs_core import CompletedChunk, InputError, Media, PresignedUrl
from twelvelabs_core.api.chunks import Ranges, SentBytes, Tally, UrlPool, parts_of, sendable_headers


def write_bytes(path: Path, size: int) -> Path:
    path.write_bytes(bytes(size))
    return path


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
def test_a_chunk_is_read_from_its_offset(tmp_path: Path, kind: str, start: int, length: int) -> None:
    content = b"0123456789"
    (tmp_path / "f").write_bytes(content)
    value: Any = {"path": tmp_path / "f", "bytes": content, "file": io.BytesIO(content)}[kind]
    ranges = Ranges(Media.of(value, source="f"))
    assert ranges.size == 10
    pieces = list(ranges.read(start, length, 3))
    assert b"".join(pieces) == content[start : start + length]
    assert max(map(len, pieces)) <= 3


def test_reading_beyond_the_end_is_an_error(tmp_path: Path) -> None:
    ranges = Ranges(Media.of(write_bytes(tmp_path / "f", 10)))
    with pytest.raises(InputError, match="changed while it was being sent"):
        list(ranges.read(8, 4, 3))


def test_a_change_of_size_is_detected(tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "f", 10)
    ranges = Ranges(Media.of(path))
    ranges.check_unchanged()
    write_bytes(path, 11)
    with pytest.raises(InputError, match="changed"):
        ranges.check_unchanged()


def test_progress_subtracts_the_bytes_of_a_failed_attempt() -> None:
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


def test_a_url_is_returned_once_and_only_before_it_expires() -> None:
    pool = UrlPool([url(1, 3600), url(2, 30), url(3, -5), url(4, None)])
    assert [pool.take(index) for index in (1, 1, 2, 4, 5)] == ["https://s3/1", None, None, "https://s3/4", None]
    assert pool.take(3, just_received=True) == "https://s3/3"


def test_connection_and_key_headers_of_a_session_are_dropped() -> None:
    asked = {"Content-Type": "video/mp4", "X-Amz-Acl": "private", "Host": "s3", "Content-Length": "5", "X-Api-Key": "k"}
    assert sendable_headers(asked) == {"content-type": "video/mp4", "x-amz-acl": "private"}


@pytest.mark.parametrize("fields", [(0, "etag", 5), (1, "", 5), (1, '""', 5), (1, "etag", 0), (True, "etag", 5)])
def test_an_invalid_chunk_is_refused(fields: Any) -> None:
    with pytest.raises(InputError):
        CompletedChunk(*fields)
