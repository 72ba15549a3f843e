"""A connection that cannot be made says which host and why, and that nothing was sent."""

import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr

from tests.core.conftest import Connect
from tests.core.raw_server import RawServer
from twelvelabs_core import APIConnectionError, Client, ConfigurationError, NotFoundError, TwelveLabsError
from twelvelabs_core.transport import http
from twelvelabs_sandbox import Fault, Sandbox

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
KEY = SecretStr("tlk_5ec2e7")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No proxy and no certificates but those of the test."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    http.make_context.cache_clear()
    yield
    http.make_context.cache_clear()


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[str]:
    """The URL of a server whose certificate is signed by itself only."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -keyout"
    subprocess.run([*request.split(), key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with RawServer(context) as server:
        yield server.url


async def error_of(connect: Connect, base_url: str) -> TwelveLabsError:
    client = connect(api_key=KEY, base_url=base_url, max_retries=0)
    with pytest.raises(TwelveLabsError) as caught:
        await client.tasks.create_video("https://example.com/a.mp4")
    assert "5ec2e7" not in str(caught.value)
    return caught.value


async def test_a_refused_connection(connect: Connect) -> None:
    error = await error_of(connect, "http://127.0.0.1:9/v1.3")
    assert (
        "cannot connect to 127.0.0.1:9: connection refused (is the sandbox of TWELVELABS_BASE_URL running?); try again"
        in str(error)
    )
    assert isinstance(error, APIConnectionError)
    assert not error.may_have_arrived


async def test_an_unknown_host(connect: Connect) -> None:
    error = await error_of(connect, "https://no-such-host.invalid/v1.3")
    assert "cannot connect to no-such-host.invalid: its name cannot be resolved (DNS); try again" in str(error)


async def test_a_server_without_tls(connect: Connect, sandbox: Sandbox) -> None:
    error = await error_of(connect, sandbox.base_url.replace("http:", "https:"))
    assert f"cannot connect to {urlsplit(sandbox.base_url).netloc}: TLS failed (" in str(error)


async def test_an_untrusted_certificate(connect: Connect, untrusted: str) -> None:
    error = await error_of(connect, f"{untrusted}/v1.3")
    reason = "its certificate is not trusted (self-signed certificate)"
    assert f"cannot connect to {urlsplit(untrusted).netloc}: {reason}" in str(error)


async def test_a_proxy_that_refuses(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer() as proxy:
        proxy.say(b"", head="HTTP/1.1 407 Proxy Authentication Required")
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//me:5ec2e7@"))
        error = await error_of(connect, "https://api.example.com/v1.3")
    assert "cannot connect to api.example.com through a proxy: the proxy refused (407 Proxy" in str(error)
    assert isinstance(error, APIConnectionError)
    assert not error.may_have_arrived


async def test_a_proxy_that_is_not_there(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    error = await error_of(connect, "https://api.example.com/v1.3")
    assert "cannot connect to api.example.com through a proxy: connection refused; try again" in str(error)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTPS_PROXY", "ftp://me:5ec2e7@proxy.example.com"),
        ("ALL_PROXY", "socks9://proxy.example.com"),
        ("SSL_CERT_FILE", "/no/such/file.pem"),
        ("SSL_CERT_FILE", __file__),
        ("SSL_CERT_DIR", "/no/such/folder"),
    ],
)
async def test_variables_of_the_environment_that_cannot_be_used(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    error = await error_of(connect, "https://no-such-host.invalid/v1.3")
    if variable == "SSL_CERT_DIR":  # OpenSSL accepts it
        assert isinstance(error, APIConnectionError)
        return
    assert isinstance(error, ConfigurationError)
    assert f"cannot set up HTTP from the environment ({variable})" in str(error)


def test_threads_that_start_together_make_one_ssl_context(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []

    def make() -> ssl.SSLContext:
        time.sleep(0.05)
        made.append(ssl.create_default_context())
        return made[-1]

    monkeypatch.setattr(httpx, "create_ssl_context", make)
    with Client(sandbox.api_key, base_url=sandbox.base_url, store=":memory:") as client:
        client.embed_texts([f"text {number}" for number in range(8)])
    assert len(made) == 1


async def test_a_base_url_without_version(connect: Connect, sandbox: Sandbox) -> None:
    client = connect(base_url=sandbox.base_url.removesuffix("/v1.3"))
    with pytest.raises(NotFoundError, match=r"Check base_url: http://.* does not end with a version, such as /v1\.3"):
        await client.embed_text("red")
    sandbox.faults.add(Fault(status=404))
    with pytest.raises(NotFoundError) as caught:
        await connect().embed_text("red")
    assert "base_url" not in str(caught.value)


@pytest.mark.parametrize("key", ['"tlk_5ec2e7"', "'tlk_5ec2e7'", "Bearer tlk_5ec2e7", "tlk_5ec2e7\n", "`tlk_5ec2e7`"])
async def test_a_key_that_was_copied_with_more(connect: Connect, key: Any) -> None:
    with pytest.raises(ConfigurationError, match="the API key holds quotes, spaces or other") as caught:
        connect(api_key=SecretStr(key))
    assert "5ec2e7" not in str(caught.value)
