"""Redirects of a video's host: only to the same host, or to public addresses by the same scheme."""

import socket
from typing import Any

import pytest

from tests.core.conftest import Connect
from tests.core.surface import Surface
from tests.core.video_server import VideoServer
from twelvelabs_core import FixedSegmentation
from twelvelabs_core.transport.http import may_follow

CUT: dict[str, Any] = {"segmentation": FixedSegmentation(4), "embedding_option": ["visual"]}


async def test_a_redirect_to_the_same_host_is_followed(
    client: Surface, server: VideoServer, elsewhere: VideoServer
) -> None:
    server.redirect, elsewhere.etag = elsewhere.url("film.mp4"), '"elsewhere"'
    assert (await client.content_of(server.url("film.mp4"))).endswith("@etag:elsewhere")


@pytest.mark.parametrize("target", ["http://{}:{}/film.mp4", "//{}:{}/film.mp4"])
@pytest.mark.parametrize("host", ["localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])
async def test_a_redirect_to_a_private_address_is_not_followed(
    client: Surface, server: VideoServer, elsewhere: VideoServer, target: str, host: str
) -> None:
    server.redirect = target.format(host, elsewhere.url("").split(":")[2].strip("/"))
    content = await client.content_of(server.url("film.mp4"))
    assert content.endswith("/film.mp4")  # without a validator, since there was no answer
    assert elsewhere.requests == []


@pytest.mark.parametrize("target", ["http://[", "//[::1", "http://a:port/", "http://127.0.0.1:99999/"])
async def test_a_redirect_without_a_valid_url_raises_no_answer_error(
    client: Surface, server: VideoServer, target: str
) -> None:
    server.redirect = target
    assert (await client.content_of(server.url("film.mp4"))).endswith("/film.mp4")


async def test_a_circle_of_redirects_ends(client: Surface, server: VideoServer) -> None:
    server.redirect = server.url("film.mp4")
    assert (await client.content_of(server.url("film.mp4"))).endswith("/film.mp4")
    assert 2 <= len(server.requests) <= 10


@pytest.mark.parametrize(
    ("url", "target", "address", "expected"),
    [
        ("https://a.example/v", "https://a.example/w", "10.0.0.1", True),  # the host that the caller named
        ("https://a.example/v", "https://cdn.example/w", "93.184.216.34", True),
        ("http://a.example/v", "http://cdn.example/w", "2606:2800:220:1::1", True),
        ("http://a.example/v", "https://a.example/v", "93.184.216.34", True),
        ("https://a.example/v", "http://a.example/v", "93.184.216.34", False),
        ("https://a.example/v", "ftp://a.example/v", "93.184.216.34", False),
        ("https://a.example/v", "file:///etc/passwd", "93.184.216.34", False),
        ("https://a.example/v", "https:///v", "93.184.216.34", False),
        ("https://a.example/v", "https://b.example:99999999/", "93.184.216.34", False),
        *(
            ("https://a.example/v", "https://b.example/", address, False)
            for address in (
                "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.1", "100.64.0.1",
                "224.0.0.1", "::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1",
            )
        ),
    ],
)  # fmt: skip
def test_where_a_redirect_may_lead(
    monkeypatch: pytest.MonkeyPatch, url: str, target: str, address: str, *, expected: bool
) -> None:
    def resolve(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, 443)) for found in ("93.184.216.34", address)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert may_follow(url, target) is expected


async def test_a_name_that_does_not_exist_is_not_followed(connect: Connect, server: VideoServer) -> None:
    server.redirect = "http://no-such-host.invalid/film.mp4"
    assert (await connect().content_of(server.url("film.mp4"))).endswith("/film.mp4")
