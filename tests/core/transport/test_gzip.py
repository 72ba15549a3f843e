"""Compressed responses: decompressed exactly; refused if too large or invalid. Over HTTP with both clients."""

import contextlib
import gzip
import json
import random
import tracemalloc
import zlib
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.raw_server import RawServer
from tests.core.surface import Surface, make_surface
from twelvelabs_core import APIConnectionError, APIResponseError, NotFoundError, Settings, TwelveLabsError
from twelvelabs_core.transport.body import NoAnswerError
from twelvelabs_core.transport.http import FREE_BYTES, ReplyReader
from twelvelabs_core.transport.io import Exchange

TASK = {"_id": "65", "status": "ready", "data": [{"embedding": [0.25] * 512, "embedding_scope": "asset"}]}
MIB = 1024**2
ZEROS = 320 * 1024**2


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with RawServer() as server:
        yield server


@pytest.fixture(params=["blocking", "async"])
def client(request: pytest.FixtureRequest, server: RawServer) -> Surface:
    chosen = Settings.resolve(api_key="tlk_sandbox_x", base_url=server.url, max_retries=0, timeout=20.0)
    return make_surface(request.param, chosen, store=":memory:")


def read(coding: str, chunks: list[bytes]) -> bytes:
    exchange = Exchange("GET", "http://127.0.0.1", {}, timeout=1.0)
    reader = ReplyReader(exchange, httpx.Response(200, headers={"content-encoding": coding} if coding else {}))
    for chunk in chunks:
        reader.feed(chunk)
    return reader.reply().body


def chopped(data: bytes, seed: int) -> list[bytes]:
    places = sorted(random.Random(seed).choices(range(len(data) + 1), k=5))  # noqa: S311  # not a secret
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


@given(st.binary(max_size=3000), st.integers(0, 9), st.integers(0, 2**16))
def test_any_body_in_any_chunks_is_decompressed(body: bytes, level: int, seed: int) -> None:
    assert read("gzip", chopped(gzip.compress(body, level), seed)) == body
    assert read("", chopped(body, seed)) == body


@given(st.integers(MIB - 2, MIB + 2), st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_no_byte_is_lost_where_a_step_ends(size: int, factor: int) -> None:
    body = b"ab" * (size * factor // 2)
    assert read("gzip", [gzip.compress(body)]) == body


@given(st.binary(min_size=1, max_size=300), st.data())
def test_a_truncated_or_extended_body_is_refused(body: bytes, data: Any) -> None:
    packed = gzip.compress(body)
    cut = data.draw(st.integers(1, len(packed) - 1))
    for broken in ([packed[:cut]], [packed, b"x"], [packed + packed]):
        with pytest.raises(NoAnswerError):
            read("gzip", broken)


@given(st.binary(min_size=1, max_size=300), st.data())
def test_a_changed_byte_is_detected_or_has_no_effect(body: bytes, data: Any) -> None:
    packed = bytearray(gzip.compress(body))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(NoAnswerError):
        assert read("gzip", [bytes(packed)]) == body


def test_an_empty_body_is_accepted() -> None:
    assert read("gzip", []) == b""


async def test_a_gzip_response_is_decompressed(client: Surface, server: RawServer) -> None:
    server.say(gzip.compress(json.dumps(TASK).encode()), Content_Encoding="gzip")
    task = await client.tasks.retrieve("65")
    assert task.segments.vectors.tolist() == [[0.25] * 512]
    assert b"accept-encoding: gzip\r\n" in server.requests[-1].lower() + b"\r\n"


@pytest.mark.parametrize("coding", ["zstd", "br", "deflate", "gzip, gzip"])
async def test_other_codings_are_refused(client: Surface, server: RawServer, coding: str) -> None:
    server.say(zlib.compress(json.dumps(TASK).encode()), Content_Encoding=coding)
    with pytest.raises(APIConnectionError, match="which was not accepted"):
        await client.tasks.retrieve("65")


@pytest.mark.parametrize("coding", ["br", "aws-chunked", "gzip"])
async def test_the_coding_of_a_response_without_body_is_ignored(
    client: Surface, server: RawServer, coding: str
) -> None:
    for etag in ("one", "two"):
        server.say(b"", ETag=f'"{etag}"', Content_Encoding=coding)
        assert (await client.content_of(f"{server.url}/video.mp4")).endswith(f"@etag:{etag}")
    server.answer = [f"HTTP/1.1 204 No Content\r\nContent-Encoding: {coding}\r\nConnection: close\r\n\r\n".encode()]
    assert await client.assets.delete("65") is None


@pytest.mark.slow
@pytest.mark.parametrize("head", ["HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found"])
@pytest.mark.parametrize("call", ["tasks.retrieve", "assets.retrieve"])
async def test_a_gzip_bomb_is_refused_in_little_memory(
    client: Surface, server: RawServer, head: str, call: str
) -> None:
    server.say(_bomb(), head=head, Content_Encoding="gzip")
    tracemalloc.start()  # not the peak of the process, which an earlier test may have raised
    try:
        with pytest.raises(TwelveLabsError, match=r"more than|larger than|longer than"):
            await attrgetter(call)(client)("65")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < ZEROS // 4


@pytest.mark.slow
async def test_a_gzip_bomb_of_numbers_is_refused(client: Surface, server: RawServer) -> None:
    row = b'{"embedding":[' + b"0.5," * 511 + b"0.5]},"
    many = _packed(b'{"_id":"65","status":"ready","data":[', row, 5 * FREE_BYTES // 4 // len(row))
    server.say(many, Content_Encoding="gzip")
    with pytest.raises(APIConnectionError, match="expands to more than 100 times"):
        await client.tasks.retrieve("65")


async def test_an_invalid_error_response_is_a_connection_error(client: Surface, server: RawServer) -> None:
    whole = gzip.compress(b'{"code":"resource_not_exist","message":"no such task"}')
    server.say(whole, head="HTTP/1.1 404 Not Found", Content_Encoding="gzip")
    with pytest.raises(NotFoundError, match="no such task"):
        await client.tasks.retrieve("65")
    server.say(whole[:-9], head="HTTP/1.1 404 Not Found", Content_Encoding="gzip")
    with pytest.raises(APIConnectionError, match="incomplete"):
        await client.tasks.retrieve("65")


@pytest.mark.slow
async def test_an_endless_response_is_refused(client: Surface, server: RawServer) -> None:
    def endless() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n["
        for _ in range(400):
            yield b" " * 1024 * 1024

    for call in ("tasks.retrieve", "assets.retrieve"):
        server.answer = endless()
        with pytest.raises((APIConnectionError, APIResponseError), match=r"larger than|more than|over"):
            await attrgetter(call)(client)("65")


_bombs: list[bytes] = []


def _bomb() -> bytes:
    """320 MB of zeros, compressed to 320 kB."""
    if not _bombs:
        _bombs.append(_packed(b"", b"0" * 1024 * 1024, ZEROS // 1024**2))
    return _bombs[0]


def _packed(first: bytes, chunk: bytes, times: int) -> bytes:
    packer = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    return b"".join([packer.compress(first), *(packer.compress(chunk) for _ in range(times)), packer.flush()])
