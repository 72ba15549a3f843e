"""Chunks of a multipart upload: sizes, reading, progress and presigned URLs. No requests are sent."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from twelvelabs_core import APIResponseError, CompletedChunk, InputError, Media, PresignedUrl
from twelvelabs_core.api.chunks import Chunk, ChunkReader, SentBytes, UrlPool, chunks_of, sendable_headers


def write_bytes(path: Path, size: int) -> Path:
    path.write_bytes(bytes(size))
    return path


@pytest.mark.parametrize(("size", "chunk"), [(1, 1), (10, 3), (9, 3), (2, 100), (3_000_000_000, 5_242_880)])
def test_chunks_cover_a_file_without_gap_or_overlap(size: int, chunk: int) -> None:
    chunks = chunks_of(size, chunk)
    assert [one.index for one in chunks] == list(range(1, len(chunks) + 1))
    assert [one.start for one in chunks] == [chunk * number for number in range(len(chunks))]
    assert {one.length for one in chunks[:-1]} <= {chunk}
    assert 1 <= chunks[-1].length <= chunk
    assert sum(one.length for one in chunks) == size


@pytest.mark.parametrize("kind", ["path", "bytes", "file"])
@pytest.mark.parametrize(("start", "length"), [(0, 10), (3, 4), (9, 1)])
def test_a_chunk_is_read_from_its_offset(tmp_path: Path, kind: str, start: int, length: int) -> None:
    content = b"0123456789"
    (tmp_path / "f").write_bytes(content)
    value: Any = {"path": tmp_path / "f", "bytes": content, "file": io.BytesIO(content)}[kind]
    reader = ChunkReader(Media.of(value, source="f"))
    assert reader.size == 10
    assert b"".join(reader.read(Chunk(1, start, length))) == content[start : start + length]


def test_reading_beyond_the_end_is_an_error(tmp_path: Path) -> None:
    reader = ChunkReader(Media.of(write_bytes(tmp_path / "f", 10)))
    with pytest.raises(InputError, match="changed during its upload"):
        list(reader.read(Chunk(1, 8, 4)))


def test_a_change_of_size_is_detected(tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "f", 10)
    reader = ChunkReader(Media.of(path))
    reader.check_unchanged()
    write_bytes(path, 11)
    with pytest.raises(InputError, match="changed"):
        reader.check_unchanged()


def test_progress_subtracts_the_bytes_of_a_failed_attempt() -> None:
    seen: list[tuple[int, int]] = []
    sent = SentBytes(10, lambda done, total: seen.append((done, total)))
    for count in (3, 5, 0):
        sent.set((1, count))
    sent.set((1, 6), (2, 4))
    assert seen == [(3, 10), (5, 10), (0, 10), (10, 10)]


def url(index: int, seconds: float | None) -> PresignedUrl:
    expires_at = None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)
    return PresignedUrl(chunk_index=index, url=SecretStr(f"https://s3/{index}"), expires_at=expires_at)


def test_a_url_is_returned_once_and_only_before_it_expires() -> None:
    pool = UrlPool([url(1, 3600), url(2, 30), url(3, -5), url(4, None)])
    assert [pool.take(index) for index in (1, 1, 2, 4, 5)] == ["https://s3/1", None, None, "https://s3/4", None]
    pool.add([url(3, -5)])
    assert pool.take_new(3) == "https://s3/3"
    with pytest.raises(APIResponseError, match="no URL for chunk 3"):
        pool.take_new(3)


def test_connection_and_key_headers_of_a_session_are_dropped() -> None:
    asked = {"Content-Type": "video/mp4", "X-Amz-Acl": "private", "Host": "s3", "Content-Length": "5", "X-Api-Key": "k"}
    assert sendable_headers(asked) == {"content-type": "video/mp4", "x-amz-acl": "private"}


@pytest.mark.parametrize("fields", [(0, "etag", 5), (1, "", 5), (1, '""', 5), (1, "etag", 0), (True, "etag", 5)])
def test_an_invalid_chunk_is_refused(fields: Any) -> None:
    with pytest.raises(InputError):
        CompletedChunk(*fields)
