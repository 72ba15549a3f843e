"""Writes small media with the faults of files in the field, and the list of the shared cases with what is right."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import av

from twelvelabs_sandbox.films import Scene, write_film, write_sound

SCENES = [Scene(color="red", seconds=3), Scene(color="blue", pattern="checks", seconds=3)]
SECONDS = 6.0
LATE = 18_000  # seconds: five hours, above the limit of a task


def video(folder: Path, suffix: str = "mp4", size: tuple[int, int] = (480, 360), **options: Any) -> Path:
    path = folder / f"video-{size[0]}.{suffix}"
    if not path.exists():
        write_film(path, SCENES, size=size, fps=5, **options)
    return path


def remux(source: Path, target: Path, *more: Path, late: float = 0, skip: int = 0, **options: str) -> Path:
    """Copy the packets of videos into one file, the video of `more` as further tracks.

    Args:
        source: The first video.
        target: What to write.
        *more: Videos whose picture becomes further tracks.
        late: Seconds to add to every timestamp.
        skip: Packets of video to leave out at the start.
        **options: Options of the muxer.
    """
    with av.open(str(target), "w", options=options) as out:
        inputs = [av.open(str(path)) for path in (source, *more)]
        streams = [
            (stream, out.add_stream_from_template(stream))
            for number, one in enumerate(inputs)
            for stream in (one.streams.video if number else one.streams)
        ]
        for stream, copy in streams:
            stream.container.seek(0)
            for number, packet in enumerate(stream.container.demux(stream)):
                if packet.dts is None or packet.pts is None or (stream.type == "video" and number < skip):
                    continue
                packet.pts += int(late / packet.time_base)
                packet.dts += int(late / packet.time_base)
                packet.stream = copy
                out.mux(packet)
        for one in inputs:
            one.close()
    return target


def unknown_track_first(folder: Path) -> Path:
    two = remux(video(folder), folder / "two.mp4", video(folder)).read_bytes()
    return write(folder / "unknown-track-first.mp4", two.replace(b"avc1", b"zzzz", 2).replace(b"zzzz", b"mp41", 1))


def encrypted(folder: Path) -> Path:
    return write(folder / "encv.mp4", video(folder).read_bytes().replace(b"avc1", b"encv"))


def preview_track_first(folder: Path) -> Path:
    return remux(video(folder, size=(320, 180)), folder / "preview.mp4", video(folder))


def resolution_grows(folder: Path) -> Path:
    parts = [video(folder, "ts", size, audio=False).read_bytes() for size in ((320, 180), (640, 360))]
    return write(folder / "grows.ts", b"".join(parts))


def late_start(folder: Path) -> Path:
    return remux(video(folder, "mkv"), folder / "late.mkv", late=LATE)


def live_late(folder: Path) -> Path:
    return remux(video(folder), folder / "late.flv", late=LATE)


def joined_jump(folder: Path) -> Path:
    late = remux(video(folder, "ts"), folder / "late.ts", late=LATE)
    return write(folder / "jump.ts", video(folder, "ts").read_bytes() + late.read_bytes())


def no_first_keyframe(folder: Path) -> Path:
    return remux(video(folder, "mkv"), folder / "no-keyframe.mkv", skip=1)


def wide_pixels(folder: Path) -> Path:
    """A picture of 270x480 whose pixels are twice as wide as high: 540x480, as DVDs store theirs."""
    path = folder / "wide-pixels.mp4"
    with av.open(str(video(folder, size=(270, 480)))) as source, av.open(str(path), "w") as out:
        stream = out.add_stream("h264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 270, 480, "yuv420p"
        stream.codec_context.sample_aspect_ratio = 2
        for frame in source.decode(video=0):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def mp3(folder: Path, *bit_rates: int, **options: str) -> Path:
    """Three seconds of a tone at each bit rate; without header FFmpeg extrapolates the duration from the first."""
    path, parts = folder / f"{sum(bit_rates)}.mp3", []
    source = write_sound(folder / "tone.wav", [Scene(sound="tone", seconds=3)], rate=16000)
    for bit_rate in bit_rates:
        with av.open(source) as wav, av.open(path, "w", options={"id3v2_version": "0", **options}) as out:
            stream = out.add_stream("libmp3lame", rate=16000)
            stream.bit_rate = bit_rate
            for frame in wav.decode(audio=0):
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        parts.append(path.read_bytes())
    return write(path, b"".join(parts))


def xing_says_5h(folder: Path) -> Path:
    data = mp3(folder, 64_000).read_bytes()
    frames = data.index(b"Info") + 8  # after the name and the flags: the number of frames, of 36 ms each here
    return write(folder / "xing.mp3", data[:frames] + (500_000).to_bytes(4) + data[frames + 4 :])


def truncated(folder: Path, suffix: str = "mkv") -> Path:
    whole = video(folder, suffix)
    if suffix == "mp4":
        whole = remux(whole, folder / "fast.mp4", movflags="faststart")
    data = whole.read_bytes()
    return write(folder / f"truncated.{suffix}", data[: len(data) * 2 // 3])


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


GOOD: dict[str, Callable[[Path], Path]] = {
    one.__name__: one
    for one in (
        unknown_track_first,
        preview_track_first,
        resolution_grows,
        late_start,
        live_late,
        joined_jump,
        no_first_keyframe,
        wide_pixels,
    )
}
"""Videos that players show as they should: none may be refused."""


class UserStream(io.BytesIO):
    """A file object of another library, which fails in its own way after `good` bytes."""

    def __init__(self, data: bytes, good: int) -> None:
        super().__init__(data)
        self._good = good

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= self._good:
            raise LookupError("the bucket is gone: https://b.example.com/a.mp4?X-Amz-Signature=5ecre7")
        return super().read(size)


class Case(NamedTuple):
    """A file of the shared cases: its kind, its duration, and the end of the message if it is to be refused."""

    kind: str
    seconds: float | None = None
    refusal: str | None = None


CASES = {
    "00001.MTS": Case("video", 12),
    "control.mp4": Case("video", 12),
    "cover-first.mp4": Case("video", 12),
    "drm-encv.mp4": Case("video", refusal="encrypted"),
    "extraneous-byte.jpg": Case("image"),
    "fragmented-12.2s.mp4": Case("video", 12.2),
    "h264-first-packet-damaged.mkv": Case("video", 12),
    "joined-jump.ts": Case("video", 12),
    "late-start.mkv": Case("video", 12),
    "live-late.flv": Case("video", 12),
    "no-eoi.jpg": Case("image"),
    "phone.3gp": Case("video", 12),
    "photo.jpg": Case("image"),
    "portrait.mp4": Case("video", 12),
    "preview-track-first.mp4": Case("video", 12),
    "resolution-grows.ts": Case("video", 12),
    "truncated.mkv": Case("video"),
    "unknown-track-first.mp4": Case("video", 12),
    "vbr-no-xing.mp3": Case("audio", 24),
    "voice.webm": Case("audio", refusal="audio must be WAV, MP3, FLAC"),
    "vp8-damaged-middle.webm": Case("video", 12),
    "vp8-no-first-keyframe.webm": Case("video", 12),
    "vp9-no-first-keyframe.webm": Case("video", 12),
    "xing-says-5h.mp3": Case("audio", 12),
}
