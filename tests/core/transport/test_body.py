"""Request bodies: their length is the announced one, and a parser reads back the same content."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import HTTP
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelabs_core import InputError, Media
from twelvelabs_core.transport.body import BASE64_CHUNK, Body, counted, form_body, json_body

SIZES = [1, 2, 3, 4, BASE64_CHUNK - 1, BASE64_CHUNK, BASE64_CHUNK + 1, 3 * BASE64_CHUNK + 2]


class Trickle(io.BytesIO):
    """Returns fewer bytes than requested, as sockets and unbuffered files may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size if size is None or size < 0 else min(size, 1001))


def whole(body: Body) -> bytes:
    data = b"".join(body.chunks())
    assert len(data) == body.length
    return data


def parts_of(body: Body) -> dict[str, tuple[str | None, bytes]]:
    """Parse a form with the standard library's parser: name -> (filename, content)."""
    header = f"Content-Type: {body.content_type}\r\n\r\n".encode()
    message = message_from_bytes(header + whole(body), policy=HTTP)
    parts: dict[str, tuple[str | None, bytes]] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        parts[str(name)] = (part.get_filename(), bytes(part.get_payload(decode=True)))
    return parts


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("stream", [io.BytesIO, Trickle])
def test_media_of_any_size_in_json_is_read_back(size: int, stream: type[io.BytesIO]) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    media = Media.of(stream(data[:size]))
    body = json_body({"a": {"base64_string": media}, "b": [media, "é\u2028"]})
    value = json.loads(whole(body))
    assert base64.b64decode(value["a"]["base64_string"], validate=True) == data[:size]
    assert value["b"] == [value["a"]["base64_string"], "é\u2028"]


@given(st.dictionaries(st.text(), st.text() | st.floats(allow_nan=False, allow_infinity=False) | st.none()))
def test_any_json_value_reads_back(value: dict[str, object]) -> None:
    assert json.loads(whole(json_body(value))) == value


def test_a_body_can_be_sent_again_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"video" * 1000)
    for body in (json_body({"x": Media.of(path)}), form_body({"a": "b"}, Media.of(path))):
        first = next(iter(body.chunks()))  # an attempt that was interrupted
        assert whole(body) == whole(body)
        assert whole(body).startswith(first)


def test_a_form_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(b"\r\n--not the boundary--\r\n\x00\xff" * 100_000)
    parts = parts_of(form_body({"method": "direct", "filename": "a\r\nb: é"}, Media.of(path)))
    assert parts["method"] == (None, b"direct")
    assert parts["filename"] == (None, "a\r\nb: é".encode())
    assert parts["file"] == ("video.mp4", path.read_bytes())


def test_a_form_without_a_file_reads_back() -> None:
    assert parts_of(form_body({"method": "url", "url": "https://e.com/?a=1&b=2"})) == {
        "method": (None, b"url"),
        "url": (None, b"https://e.com/?a=1&b=2"),
    }


@pytest.mark.parametrize("name", ['a"; name="x', "a\r\nX-Evil: 1", "a\nb", "a\\", "a\x00b", "a\x0bb"])
def test_no_file_name_can_add_a_header_or_field(name: str) -> None:
    body = form_body({"method": "direct"}, Media.of(b"video"), filename=name)
    parts = parts_of(body)
    assert set(parts) == {"method", "file"}
    assert parts["file"][1] == b"video"
    assert b"\nX-Evil" not in whole(body)


@pytest.mark.parametrize("name", ["spielfilm äöü.mp4", "映画.mp4", "🎬.mp4"])
def test_a_file_name_in_any_script_is_sent_as_utf8(name: str) -> None:
    assert f'filename="{name}"'.encode() in whole(form_body({}, Media.of(b"video"), filename=name))


def test_file_deleted_after_its_check_raises_input_error(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"video")
    body = form_body({}, Media.of(path))
    path.unlink()
    with pytest.raises(InputError, match="no such file"):
        whole(body)


@pytest.mark.parametrize("size", [999_999, 1_000_001, 1, 3_000_000])
def test_file_that_changes_its_size_raises_without_excess_bytes(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(bytes(1_000_000))
    media = Media.of(path)
    makes: list[Callable[[], Body]] = [lambda: json_body({"x": media}), lambda: form_body({}, media)]
    for make in makes:
        body = make()
        path.write_bytes(bytes(size))
        sent = bytearray()
        with pytest.raises(InputError, match=r"a\.mp4: changed while it was being sent"):
            sent.extend(byte for chunk in body.chunks() for byte in chunk)
        assert len(sent) <= body.length
        path.write_bytes(bytes(1_000_000))


def test_body_progress_restarts_with_a_retry() -> None:
    seen: list[tuple[int, int]] = []
    body = counted(form_body({}, Media.of(b"x" * 1_000_000)), lambda done, total: seen.append((done, total)))
    for _ in range(2):
        seen.clear()
        whole(body)
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)
        assert seen[-1] == (body.length, body.length)


def test_non_json_value_raises_and_is_not_sent() -> None:
    def endless() -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError):
        json_body({"a": endless()})
    with pytest.raises(ValueError, match="Out of range"):
        json_body({"a": float("nan")})
