"""Files from the field: a good one is never refused because its container was measured wrongly."""

import io
import logging
import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import av
import pytest

from tests.core.media import field_files
from tests.core.media.field_files import CASES, GOOD, SECONDS, UserStream
from tests.core.surface import Surface
from twelvelabs_core import InputError, Media, TaskFailedError
from twelvelabs_core.media import inspect
from twelvelabs_core.media.inspect import measure_duration, media_type_of
from twelvelabs_core.media.validate import check_audio_video, check_image, check_window

CASES_DIR = Path(os.environ.get("TWELVELABS_CASES_DIR", "."))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("field")


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_a_good_video_with_an_odd_container_is_accepted(folder: Path, make: Callable[[Path], Path]) -> None:
    path = make(folder)
    for task in (True, False):
        check_audio_video(Media.of(path), "video", task=task)


def test_an_encrypted_video_is_refused_with_the_way_past_the_check(folder: Path) -> None:
    path = field_files.encrypted(folder)
    with pytest.raises(InputError, match=r"encv\.mp4: its video track is encrypted, .*check=False lets the API decide"):
        check_audio_video(Media.of(path), "video", task=True)
    assert check_audio_video(Media.of(path, check=False), "video", task=True) is None


async def test_an_undecodable_video_ends_no_run(client: Surface, folder: Path, video_path: Path) -> None:
    media = [field_files.encrypted(folder), video_path]
    found = [one async for one in client.segment_many(media, on_error="skip")]
    assert [one.source for one in found] == [video_path.as_posix()]


@pytest.mark.parametrize("good", [0, 100, 5000])
def test_an_error_of_a_file_object_is_a_refusal_of_this_medium(video_path: Path, good: int) -> None:
    stream = UserStream(video_path.read_bytes(), good)
    with pytest.raises(InputError, match=r"cannot be read: LookupError: the bucket is gone") as caught:
        check_audio_video(Media.of(stream, source="a.mp4"), "video", task=True)
    assert "5ecre7" not in str(caught.value)


class LargeReads(io.BytesIO):
    """Returns more than was asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size + 10 if size else size)


class ByteArrays(io.BytesIO):
    """Returns another type than `bytes`."""

    def read(self, size: int | None = -1, /) -> bytes:
        return bytearray(super().read(size))  # type: ignore[return-value]


def test_a_file_object_that_returns_too_much_is_refused(video_path: Path) -> None:
    """FFmpeg would write beyond its buffer, which ends the process."""
    media = Media.of(LargeReads(video_path.read_bytes() + bytes(100_000)), source="a.mp4")
    for read in (lambda: next(media.read_chunks(1)), lambda: inspect.probe(media)):
        with pytest.raises(InputError, match=r"a\.mp4: cannot be read: ValueError: read\(\d+\) returned \d+ bytes"):
            read()


def test_a_file_object_may_return_bytearrays(video_path: Path) -> None:
    media = Media.of(ByteArrays(video_path.read_bytes()))
    assert check_audio_video(media, "video", task=True) is not None
    assert media.sha256() == Media.of(video_path).sha256()


def test_an_mp3_whose_header_says_five_hours_is_accepted(folder: Path) -> None:
    path = field_files.xing_says_5h(folder)
    with av.open(path) as container:
        assert container.duration / 1e6 > 14_400
    check_audio_video(Media.of(path), "audio", task=False)


async def test_a_window_is_compared_with_the_measured_duration(client: Surface, tmp_path: Path) -> None:
    path = field_files.mp3(tmp_path, 64_000, 16_000, write_xing="0")
    with av.open(path) as container:
        assert container.duration / 1e6 < 5  # FFmpeg's extrapolation
    segments = await client.embed_audio(path, start_sec=5)
    assert max(segment.end_sec for segment in segments) == pytest.approx(SECONDS, abs=0.3)
    with pytest.raises(InputError, match=rf"start_sec 7 must be less than the duration of {SECONDS:g}\.\d+ s"):
        await client.embed_audio(path, start_sec=7)


def test_a_duration_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = field_files.mp3(tmp_path, 64_000, 16_000, write_xing="0")
    measure, measured = inspect._sum_of_packets, []
    monkeypatch.setattr(inspect, "_sum_of_packets", lambda container: measured.append(1) or measure(container))
    media = Media.of(path)
    found = check_audio_video(media, "audio", task=True)
    check_window(media, found, 5, 6)
    assert len(measured) == 1


def test_an_mp3_without_header_is_measured(tmp_path: Path) -> None:
    path = field_files.mp3(tmp_path, 16_000, 64_000, write_xing="0")
    with av.open(path) as container:
        assert container.duration / 1e6 > 8  # FFmpeg's extrapolation
    assert measure_duration(Media.of(path)) == pytest.approx(SECONDS, abs=0.3)


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_a_truncated_file_with_an_index_is_sent_with_a_warning(
    folder: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = field_files.truncated(folder, suffix)
    with caplog.at_level(logging.WARNING, "twelvelabs_core"):
        check_audio_video(Media.of(path), "video", task=True)
    (record,) = caplog.records
    assert f"truncated.{suffix}: its container declares 6.0 s, but its content ends at" in record.getMessage()


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_no_whole_file_is_taken_for_truncated(
    folder: Path, make: Callable[[Path], Path], caplog: pytest.LogCaptureFixture
) -> None:
    check_audio_video(Media.of(make(folder)), "video", task=True)
    assert not caplog.records


class Junk(io.BytesIO):
    """The beginning of a video, then three gigabytes of which a demuxer cannot make anything."""

    size, count, position = 3 * 2**30, 0, 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self.position = offset + (0, self.position, self.size)[whence]
        return self.position

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = max(min(size or 0, self.size - self.position), 0)
        super().seek(self.position)
        data = super().read(wanted)
        data += b"\x5a" * (wanted - len(data))
        self.position += wanted
        self.count += wanted
        return data


def test_junk_of_any_size_is_searched_within_bounds_and_left_to_the_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_OPEN_BYTES", "_MEASURE_BYTES"):
        monkeypatch.setattr(inspect, name, 4 * 2**20)
    for path, kind in ((field_files.late_start(folder), "video"), (field_files.mp3(folder, 16_000), "audio")):
        junk = Junk(path.read_bytes())
        found = check_audio_video(Media.of(junk, source="junk"), kind, task=True)
        assert found is not None
        assert found.duration_sec is not None
        assert found.duration_sec > 14_400  # the container says so
        assert junk.count < 32 * 2**20


def test_the_kind_of_a_local_file_is_found_inside(video_path: Path, sound: Path, picture: Path, tmp_path: Path) -> None:
    wrong = {"a.mp3": video_path, "a.mp4": sound, "a.pdf": picture, "b": video_path, "c": sound, "a.bin": picture}
    for name, path in wrong.items():
        (tmp_path / name).write_bytes(path.read_bytes())
    kinds = {name: media_type_of(Media.of(tmp_path / name)) for name in wrong}
    assert kinds == {"a.mp3": "video", "a.mp4": "audio", "a.pdf": "image", "b": "video", "c": "audio", "a.bin": "image"}


shared_cases = pytest.mark.skipif("TWELVELABS_CASES_DIR" not in os.environ, reason="TWELVELABS_CASES_DIR is not set")


@shared_cases
@pytest.mark.parametrize("name", CASES)
def test_the_client_accepts_the_shared_cases(name: str, caplog: pytest.LogCaptureFixture) -> None:
    case, media = CASES[name], Media.of(CASES_DIR / name)
    assert media_type_of(media) == case.kind
    if case.kind == "image":
        check_image(media)
        return
    with pytest.raises(InputError, match=case.refusal) if case.refusal else nullcontext():
        check_audio_video(media, case.kind, task=True)
    assert ("is it truncated?" in caplog.text) == (name == "truncated.mkv")
    if case.seconds is not None:
        assert measure_duration(media) == pytest.approx(case.seconds, abs=0.5)


@pytest.mark.slow
@shared_cases
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.refusal is None])
async def test_the_sandbox_embeds_the_shared_cases(client: Surface, name: str) -> None:
    case, path = CASES[name], CASES_DIR / name
    if case.kind == "image":
        assert (await client.embed_image(path)).vector.shape == (512,)
    elif case.seconds is None:
        with pytest.raises(TaskFailedError):
            await client.segment_video(path)
    else:
        segment = client.segment_video if case.kind == "video" else client.segment_audio
        assert (await segment(path)).duration_sec == pytest.approx(case.seconds, abs=1)


@shared_cases
def test_every_shared_case_is_tested() -> None:
    assert {path.name for path in CASES_DIR.iterdir()} == CASES.keys()
