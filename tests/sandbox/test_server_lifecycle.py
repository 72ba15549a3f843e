"""The sandbox starts, stops and leaves nothing behind, in a process and as a command."""

import contextlib
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.api import body, connect, create_task, encoded, until, upload
from twelvelabs_sandbox import Fault, Options, Sandbox


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The parent of the temporary folders of this test's sandboxes."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def open_descriptors() -> int:
    """Return the number of open files and sockets of this process; 0 on systems that do not report it."""
    listed = Path("/proc/self/fd")
    return len(list(listed.iterdir())) if listed.exists() else 0


def test_stopped_sandboxes_leave_no_thread_socket_or_file(video_file: Path, temporary: Path) -> None:
    def once() -> None:
        with Sandbox() as sandbox, connect(sandbox) as api:
            upload(api, video_file)
            create_task(api, "video", media_source=encoded(video_file))

    once()  # Load what a process loads only once.
    threads, open_files = threading.active_count(), open_descriptors()
    for _ in range(3):
        once()
    # Fewer is fine: the garbage collector may have closed what an earlier test left.
    assert threading.active_count() <= threads
    assert open_descriptors() <= open_files
    assert list(temporary.iterdir()) == []


def test_files_are_in_a_private_folder(video_file: Path, temporary: Path) -> None:
    with Sandbox() as sandbox, connect(sandbox) as api:
        upload(api, video_file)
        (folder,) = temporary.iterdir()
        assert [path.stat().st_size for path in folder.iterdir()] == [video_file.stat().st_size]
        assert folder.stat().st_mode & 0o077 == 0


def test_a_restarted_sandbox_has_no_assets(video_file: Path) -> None:
    sandbox = Sandbox()
    with sandbox, connect(sandbox) as api:
        asset = upload(api, video_file)
        sandbox.start()  # Already running: no effect.
        assert api.get(f"/assets/{asset}").status_code == 200
    with sandbox, connect(sandbox) as api:
        assert api.get(f"/assets/{asset}").status_code == 404
    sandbox.stop()  # Not running: no effect.


def test_stopping_does_not_wait_for_requests_or_tasks(video_file: Path) -> None:
    with Sandbox() as sandbox, connect(sandbox) as api:
        sandbox.faults.add(Fault(path="/assets", delay=3600))
        asking = threading.Thread(target=ask_until_cut_off, args=(sandbox,))
        asking.start()
        until(lambda: sandbox.count("GET", "/assets"), bool)
        for _ in range(20):
            create_task(api, "video", media_source=encoded(video_file))
    asking.join(30)
    assert not asking.is_alive()


def ask_until_cut_off(sandbox: Sandbox) -> None:
    """Send a request that gets no response; the caller tests that the connection is closed."""
    with connect(sandbox) as api, contextlib.suppress(httpx.TransportError):
        api.get("/assets")


def test_sandbox_listens_on_loopback_only(sandbox: Sandbox) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1\.3", sandbox.base_url)


def test_port_in_use_raises() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            Sandbox(port=taken.getsockname()[1]).start()


def test_the_key_is_unique_and_never_shown(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert sandbox.api_key.startswith("tlk_sandbox_")
    assert sandbox.api_key != Sandbox().api_key
    with connect(sandbox) as api:
        api.post("/embed-v2", json=body("text", input_text="dog"))
    assert sandbox.api_key not in repr(sandbox) + repr(Options(api_key=sandbox.api_key)) + caplog.text


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({"api_key": "tlk_real_key"}, "tlk_sandbox_"),
        ({"task_seconds": -1}, "task_seconds must be 0 or more, not -1"),
        ({"task_seconds": float("nan")}, "task_seconds"),
        ({"expired_as": "gone"}, "'gone'"),
    ],
)
def test_invalid_options_are_refused(option: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Sandbox(**option)


def test_base_url_before_start_raises() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = Sandbox().base_url


@pytest.mark.parametrize("end", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_the_command_prints_its_exports(end: signal.Signals, temporary: Path) -> None:
    command = [sys.executable, "-m", "twelvelabs_sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        text = "".join(lines)
        url = re.search(r"^export TWELVELABS_BASE_URL=(http://127\.0\.0\.1:\d+/v1\.3)$", text, re.MULTILINE)
        key = re.search(r"^export TWELVELABS_API_KEY=(tlk_sandbox_\w+)$", text, re.MULTILINE)
        assert "not Marengo" in lines[1]
        assert url is not None
        assert key is not None
        answer = httpx.get(url[1] + "/assets", headers={"x-api-key": key[1]}, trust_env=False)
        assert answer.json()["data"] == []
        assert len(list(temporary.iterdir())) == 1
        process.send_signal(end)
        assert process.wait(30) == 0
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("arguments", [["-m", "twelvelabs_sandbox"], ["-c", "import twelvelabs_sandbox"]])
def test_a_missing_extra_is_named(tmp_path: Path, arguments: list[str]) -> None:
    reason = "No module named 'starlette'"
    (tmp_path / "starlette.py").write_text(f"raise ModuleNotFoundError({reason!r}, name='starlette')")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    advice = f'the sandbox needs an extra ({reason}): pip install "twelvelabs-rag[sandbox]"\n'
    assert done.stderr == advice if arguments[0] == "-m" else done.stderr.endswith(advice)


def test_the_help_is_plain_text() -> None:
    command = [sys.executable, "-m", "twelvelabs_sandbox", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "Serve the TwelveLabs embed API offline." in done.stdout
    assert "`" not in done.stdout


def test_the_command_names_a_port_that_is_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = [sys.executable, "-m", "twelvelabs_sandbox", "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: " in done.stderr
    assert "--port (0: a free one)" in done.stderr


def test_the_command_refuses_a_live_key() -> None:
    command = [sys.executable, "-m", "twelvelabs_sandbox", "--port", "0", "--api-key", "tlk_123"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "start with 'tlk_sandbox_'" in done.stderr
    assert "tlk_123" not in done.stderr
