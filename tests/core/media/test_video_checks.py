"""Video and audio files: checks of tracks, duration and resolution, and isolation from other files and the network."""

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.core.surface import Surface
from twelvelabs_core import InputError, Media
from twelvelabs_core.media.inspect import measure_duration, probe
from twelvelabs_core.media.validate import check_audio_video
from twelvelabs_sandbox import Sandbox
from twelvelabs_sandbox.films import Scene, repeat_film, write_film, write_sound

OPEN_FILES = Path("/proc/self/fd")


def refuse(value: object, kind: str = "video", *, task: bool = True) -> str:
    """Return the message of the refusal."""
    with pytest.raises(InputError) as caught:
        check_audio_video(Media.of(value), kind, task=task)  # type: ignore[arg-type]
    return str(caught.value)


def write_plain(path: Path, *, seconds: float, size: tuple[int, int] = (480, 360)) -> Path:
    write_film(path, [Scene(seconds=seconds)], size=size, fps=2, audio=False)
    return path


def test_valid_video_and_audio_pass_as_path_bytes_and_file_object(video_path: Path, sound: Path) -> None:
    for kind, path in (("video", video_path), ("audio", sound)):
        with path.open("rb") as stream:
            for value in (path, path.read_bytes(), stream):
                found = check_audio_video(Media.of(value), kind, task=True)
                assert found is not None
                assert found.duration_sec == pytest.approx(8.0, abs=0.3)


@pytest.mark.parametrize("name", ["notes.mp4", "notes.txt", "notes.srt", "notes.mkv"])
@pytest.mark.parametrize(
    "text",
    [
        "these are only notes\n" * 500,
        "1\n00:00:01,000 --> 00:00:09,000\nhello\n\n2\n00:00:11,000 --> 00:00:19,000\nworld\n",
        "\x1b[31mred\x1b[0m\n" * 5000,
        "#EXTM3U\n#EXT-X-VERSION:3\n",
        "ffconcat version 1.0\n",
        "<html><body>Access denied</body></html>",
    ],
    ids=["prose", "subtitles", "terminal art", "playlist", "concat", "html"],
)
def test_text_is_refused_whatever_its_name(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert name in refuse(tmp_path / name)


def test_an_image_is_refused_as_video(picture: Path, tmp_path: Path) -> None:
    copy = tmp_path / "image.mp4"
    copy.write_bytes(picture.read_bytes())
    refuse(picture)
    refuse(copy)


def test_a_truncated_video_is_refused(video_path: Path, tmp_path: Path) -> None:
    data = video_path.read_bytes()
    for length in (10, 100, 1000, len(data) // 2, len(data) - 1000):
        (tmp_path / "truncated.mp4").write_bytes(data[:length])
        assert "truncated.mp4: not a readable" in refuse(tmp_path / "truncated.mp4")


def test_a_video_with_damaged_frames_passes_or_raises_input_error(video_path: Path, tmp_path: Path) -> None:
    data = bytearray(video_path.read_bytes())
    begin = data.index(b"mdat") + 4
    for damage in (begin, begin + 500, begin + 5000):
        broken = bytearray(data)
        broken[damage : damage + 20_000] = b"\x00" * len(broken[damage : damage + 20_000])
        (tmp_path / "broken.mp4").write_bytes(broken)
        try:
            check_audio_video(Media.of(tmp_path / "broken.mp4"), "video", task=True)
        except InputError as error:
            assert "broken.mp4" in str(error)  # noqa: PT017  # both outcomes are valid


@pytest.mark.parametrize("name", ["12:30 news.mp4", "concat:f.mp4", "file:f.mp4", "-i.mp4", "100%.mp4", "f?x=1&y.mp4"])
def test_a_file_of_any_name_is_probed(
    video_path: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(video_path.read_bytes())
    assert check_audio_video(Media.of(Path(name)), "video", task=True) is not None


@pytest.fixture
def port() -> Iterator[int]:
    """Yield a local port that must not receive connections."""
    connections = 0
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)

        def listen() -> None:
            nonlocal connections
            while not stop.is_set():
                with suppress(TimeoutError):
                    server.accept()[0].close()
                    connections += 1

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        yield server.getsockname()[1]
        stop.set()
        listener.join(10)
    assert connections == 0


def playlists(port: int, video_path: Path) -> dict[str, str]:
    """Return playlists that name another file and a URL, in the formats that FFmpeg follows."""
    url = f"http://127.0.0.1:{port}/secret.ts"
    return {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXTINF:9,\n{video_path}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile '{video_path}'\nfile '{url}'\n",
        "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT9S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" '
        f'bandwidth="1"><BaseURL>{url}</BaseURL></Representation></AdaptationSet></Period></MPD>',
        "sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} TCP/RTP/AVP 96\n"
        "a=rtpmap:96 H264/90000\n",
    }


@pytest.mark.timeout(30)  # an SDP file makes FFmpeg listen for 20 s and more
@pytest.mark.parametrize("form", ["hls", "concat", "dash", "sdp"])
def test_no_media_file_makes_ffmpeg_open_another_file_or_connection(
    tmp_path: Path, form: str, video_path: Path, port: int
) -> None:
    data = playlists(port, video_path)[form].encode()
    for name in ("match.mp4", f"list.{form}", "list.m3u8"):
        path = tmp_path / name
        path.write_bytes(data)
        for value in (path, data, io.BytesIO(data)):
            refuse(value)


def test_duration_refusals_contain_limit_and_value(media_folder: Path, tmp_path: Path) -> None:
    message = refuse(media_folder / "short.mp4")
    assert "3.0" in message
    assert "at least 4 s" in message
    check_audio_video(Media.of(media_folder / "short.mp4"), "video", task=False)
    long = tmp_path / "long.mp4"
    repeat_film(write_plain(tmp_path / "unit.mp4", seconds=10), long, hours=606 / 3600)
    assert "at most 600 s here: load it as segments, with segment_video" in refuse(long, task=False)
    check_audio_video(Media.of(long), "video", task=True)


def test_joined_recordings_are_not_refused_for_their_timestamps(tmp_path: Path) -> None:
    recording = write_plain(tmp_path / "a.ts", seconds=3).read_bytes()
    media = Media.of(recording * 2)  # FFmpeg reports 3 s instead of 6 s
    check_audio_video(media, "video", task=True)
    assert measure_duration(media) == pytest.approx(6, abs=0.6)
    assert "3." in refuse(recording)


def test_a_container_that_ffmpeg_does_not_support_is_left_to_the_server() -> None:
    data = b"NEWBOX\x00\x01" + bytes(range(256)) * 40
    assert check_audio_video(Media.of(data, source="new.box"), "video", task=True) is None


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((200, 200), "200x200 pixels; the API needs at least 360x360"),
        ((640, 358), "640x358"),
        ((7560, 360), "5184x2160"),
        ((2168, 2168), "5184x2160"),
        ((900, 360), "2.50:1"),
        ((360, 900), "2.50:1"),
    ],
)
def test_resolution_refusals_contain_limit_and_value(tmp_path: Path, size: tuple[int, int], message: str) -> None:
    assert message in refuse(write_plain(tmp_path / "f.mp4", seconds=5, size=size))


@pytest.mark.parametrize("size", [(360, 360), (864, 360), (360, 864)])
def test_resolutions_at_the_limits_pass(tmp_path: Path, size: tuple[int, int]) -> None:
    check_audio_video(Media.of(write_plain(tmp_path / "f.mp4", seconds=5, size=size)), "video", task=True)


def test_tracks_and_format_must_match_the_input_type(tmp_path: Path, sound: Path, video_path: Path) -> None:
    assert "no video track" in refuse(sound)
    assert "no audio track" in refuse(write_plain(tmp_path / "mute.mp4", seconds=5), "audio")
    assert "WAV, MP3, FLAC" in refuse(video_path, "audio")


@pytest.mark.parametrize("kind", ["wav", "mp3", "flac"])
def test_audio_formats_of_the_api_pass(tmp_path: Path, kind: str, picture: Path) -> None:
    cover = picture if kind == "mp3" else None
    path = write_sound(tmp_path / f"a.{kind}", [Scene(sound="tone", seconds=5)], rate=16000, cover=cover)
    check_audio_video(Media.of(path), "audio", task=True)
    assert "no video track" in refuse(path)


def test_a_file_object_is_readable_after_its_check(video_path: Path) -> None:
    with video_path.open("rb") as stream:
        media = Media.of(stream)
        check_audio_video(media, "video", task=True)
        assert b"".join(media.read_chunks(1 << 20)) == video_path.read_bytes()


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="needs /proc")
@pytest.mark.parametrize("name", ["video_path", "picture"])
def test_probing_leaves_no_file_open(name: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(name)
    before = len(list(OPEN_FILES.iterdir()))
    for _ in range(5):
        probe(Media.of(path))
    assert len(list(OPEN_FILES.iterdir())) == before


@pytest.mark.parametrize("options", [["audio"], ["transcription"], ["audio", "transcription"]])
async def test_audio_options_for_a_silent_video_are_refused_before_payment(
    options: list[str], client: Surface, tmp_path: Path, sandbox: Sandbox
) -> None:
    silent = write_plain(tmp_path / "silent.mp4", seconds=5)
    for embed in (client.segment_video, client.embed_video):
        with pytest.raises(InputError, match=r"silent\.mp4: has no audio track, so .*add visual"):
            await embed(silent, embedding_option=options)
    assert sandbox.count() == 0
    found = await client.segment_video(silent, embedding_option=[*options, "visual"])
    assert {segment.embedding_option for segment in found.segments} == {"visual"}
