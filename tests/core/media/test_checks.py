"""Missing, empty or too large media and invalid texts are refused with the name and the limit before any request."""

import io
import os
from pathlib import Path

import pytest

from twelvelabs_core import InputError, Media
from twelvelabs_core.base import limits
from twelvelabs_core.media.inspect import probe
from twelvelabs_core.media.validate import check_audio_video, check_image, check_text, check_window


def refuse(value: object, kind: str = "video", *, task: bool = True) -> str:
    """Return the message of the refusal."""
    with pytest.raises(InputError) as caught:
        check_audio_video(Media.of(value), kind, task=task)  # type: ignore[arg-type]
    return str(caught.value)


def sparse(path: Path, size: int, start: bytes = b"x") -> Path:
    """Write a sparse file: `size` bytes that take no disk space."""
    path.write_bytes(start)
    os.truncate(path, size)
    return path


@pytest.mark.parametrize("kind", ["video", "audio", "image"])
def test_an_unreadable_path_is_refused_with_its_name(tmp_path: Path, kind: str) -> None:
    (tmp_path / "empty.bin").touch()
    os.mkfifo(tmp_path / "pipe")
    cases = {"missing.bin": "no such file", ".": "folder", "empty.bin": "0 bytes", "pipe": "regular file"}
    for name, message in cases.items():
        media = Media.of(tmp_path / name)
        with pytest.raises(InputError, match=message) as caught:
            check_image(media) if kind == "image" else check_audio_video(media, kind, task=True)
        assert media.source in str(caught.value)
        if name == ".":
            assert f'such as sorted(Path({str(tmp_path)!r}).glob("*.mp4"))' in str(caught.value)


def test_an_impossible_file_name_is_refused() -> None:
    assert "cannot be read" in refuse("x" * 300)
    assert "no such file" in refuse("a/" * 1000)


def test_an_empty_file_object_is_refused() -> None:
    assert "0 bytes" in refuse(io.BytesIO())


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_a_file_above_the_limit_of_a_task_is_refused_with_the_limit(tmp_path: Path, kind: str) -> None:
    message = refuse(sparse(tmp_path / "big.mp4", limits.TASK_MAX_BYTES + 1), kind)
    assert "4,294,967,297 bytes" in message
    assert "4,294,967,296 (4 GB)" in message


def test_a_file_above_the_limit_of_any_upload_is_refused_with_the_limit(tmp_path: Path) -> None:
    message = refuse(sparse(tmp_path / "big.mp4", limits.UPLOAD_MAX_BYTES + 1), task=False)
    assert "10,737,418,241 bytes" in message
    assert "10,737,418,240 (10 GB)" in message


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u2003"])
def test_an_empty_text_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"texts\[3\] is empty.*at least 1 character"):
        check_text(text, "texts[3]")


@pytest.mark.parametrize("text", [None, 7, b"red car", ["red"]])
def test_a_value_that_is_not_a_str_is_refused_with_its_type(text: object) -> None:
    with pytest.raises(InputError, match=type(text).__name__):
        check_text(text)  # type: ignore[arg-type]


def test_invalid_unicode_is_refused() -> None:
    with pytest.raises(InputError, match="surrogate"):
        check_text("caf\udce9")


def test_remote_media_are_left_to_the_server() -> None:
    for value in ("https://example.com/match.mp4", "asset:64f8d2c7e4a1b37f8a9c5d12"):
        assert check_audio_video(Media.of(value), "video", task=True) is None
        check_image(Media.of(value))


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [(8.5, None, "start_sec 8.5 .* 8.0.. s"), (99, None, "99"), (0, 9.5, "end_sec 9.5 .* 8.0.. s"), (None, 100, "100")],
)
def test_a_window_outside_the_video_is_refused(
    start: float | None, end: float | None, message: str, video_path: Path
) -> None:
    media = Media.of(video_path, source="f.mp4")
    with pytest.raises(InputError, match=f"f.mp4: .*{message}"):
        check_window(media, probe(media), start, end)
