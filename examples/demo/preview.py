"""Makes a preview that every browser plays, small enough to embed in a page.

Many videos do not play in a browser as they are (mkv, HEVC, AC-3 ...), so each is transcoded to H.264 and AAC.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import av

from examples.demo.parts import private_part
from examples.demo.stills import (
    CLOCK,
    OPEN_TIMEOUT_SEC,
    StillError,
    frames,
    picture_track,
    pixel_aspect,
    start_of,
    upright,
)

MAX_BYTES = 20_000_000
"""Base64 makes four bytes of three, so the page stays under 30 MB with all its pictures."""

MONO_BELOW = 50_000
KEPT = 3  # previews in the folder


@dataclass(frozen=True, slots=True)
class Quality:
    """The encoding parameters of a preview.

    Attributes:
        height: Maximum height in pixels.
        fps: Maximum frames per second; 0 uses keyframes only, which reads thirty times faster.
        video_rate: Maximum bits per second of the video track.
        audio_rate: Bits per second of the audio track; 0 omits it.
    """

    height: int
    fps: int
    video_rate: int
    audio_rate: int

    @property
    def shortcomings(self) -> str:
        """What the preview lacks compared with the video; empty for a full preview."""
        lacks = ["shows keyframes only"] * (not self.fps) + ["has no sound"] * (not self.audio_rate)
        return " and ".join(lacks)


LADDER = (
    Quality(480, 24, 1_200_000, 96_000),
    Quality(480, 24, 400_000, 64_000),
    Quality(360, 15, 170_000, 48_000),
    Quality(240, 12, 90_000, 32_000),
    Quality(240, 0, 50_000, 32_000),
    Quality(240, 0, 24_000, 18_000),
    Quality(180, 0, 12_000, 16_000),
    Quality(144, 0, 10_000, 0),
)


class PreviewError(Exception):
    """A preview cannot be made; the message gives the reason, as shown on the page."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview and its quality."""

    path: Path
    quality: Quality


def affordable(duration_sec: float) -> list[Quality]:
    """Return the qualities in which a video of this length fits into `MAX_BYTES`, best first."""
    bits = MAX_BYTES * 8 * 0.97
    return [quality for quality in LADDER if (quality.video_rate + quality.audio_rate) * duration_sec <= bits]


def find_preview(folder: Path, name: str) -> Preview | None:
    """Return the preview of that name, if an earlier run wrote it."""
    for rung, quality in enumerate(LADDER):
        path = _path(folder, name, rung)
        if path.exists():
            return Preview(path, quality)
    return None


def write_preview(
    folder: Path, name: str, video: str, *, duration_sec: float, on_second: Callable[[float], object] = lambda _: None
) -> Preview:
    """Write the preview of a video as mp4, atomically, in the best quality that fits.

    Args:
        folder: Folder of the preview.
        name: Name for `find_preview`.
        video: Path or URL.
        duration_sec: Length of the video.
        on_second: Called with the second of the video that is being written.

    Raises:
        PreviewError: The video is too long for any quality, or cannot be read.
    """
    with private_part(folder, f"{name}.mp4") as part:
        try:
            # Very detailed pictures exceed the bit rate; then the next lower quality is tried.
            for quality in affordable(duration_sec):
                _transcode(video, part, quality, on_second)
                if part.stat().st_size <= MAX_BYTES:
                    path = _path(folder, name, LADDER.index(quality))
                    part.replace(path)
                    return Preview(path, quality)
        except StillError as error:
            raise PreviewError(str(error)) from error
        except (av.error.FFmpegError, ValueError) as error:
            raise PreviewError(f"the video could not be converted ({_reason(error)})") from error
    raise PreviewError(f"{duration_sec / 3600:.1f} hours do not fit into {MAX_BYTES / 1e6:.0f} MB")


def remove_old_previews(folder: Path, kept: Path) -> None:
    """Delete all but the newest previews, and keep this one."""
    others = [path for path in folder.glob("preview-*.mp4") if path != kept]
    with contextlib.suppress(OSError):  # another process deleted it first
        for path in sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT - 1 :]:
            path.unlink()


def _path(folder: Path, name: str, rung: int) -> Path:
    return folder / f"preview-{name}-{rung}.mp4"


def _reason(error: Exception) -> str:
    # FFmpeg's full message contains the URL, which may be signed.
    return getattr(error, "strerror", None) or type(error).__name__


def _transcode(video: str, target: Path, quality: Quality, on_second: Callable[[float], object]) -> None:
    with (
        av.open(video, timeout=OPEN_TIMEOUT_SEC) as source,
        av.open(str(target), "w", options={"movflags": "+faststart"}) as out,
    ):
        begin = start_of(source)
        picture = _PictureTrack(picture_track(source), out, quality, begin, _first_size(video, quality.height))
        tracks: dict[int, _PictureTrack | _SoundTrack] = {picture.source.index: picture}
        audio = next((one for one in source.streams.audio if one.codec_context), None)
        if audio and quality.audio_rate:
            tracks[audio.index] = _SoundTrack(audio, out, quality, begin)
        for packet in source.demux([track.source for track in tracks.values()]):
            if track := tracks.get(packet.stream_index):  # a cover comes unasked
                for second in track.feed(packet):
                    on_second(second)
        for each in tracks.values():
            each.close()


def _first_size(video: str, height: int) -> tuple[int, int]:
    """Return the upright size of the first frame; only decoded frames have a rotation."""
    with av.open(video, timeout=OPEN_TIMEOUT_SEC) as source:
        track = picture_track(source)
        for frame in chain.from_iterable(map(frames, source.demux(track))):
            first = upright(frame, pixel_aspect(track), max_height=height)
            return first.width, first.height
    raise PreviewError("the video has no picture")


class _PictureTrack:
    """Scales frames, drops those above the rate, and applies the video's rotation."""

    def __init__(self, source: Any, out: Any, quality: Quality, begin: float, size: tuple[int, int]) -> None:
        self.source, self.out, self.begin, self.fps = source, out, begin, quality.fps
        self.due, self.pts, self.size, self.aspect = 0.0, -1, size, pixel_aspect(source)
        if not quality.fps:
            source.codec_context.skip_frame = "NONKEY"
        self.stream = out.add_stream("libx264", rate=quality.fps or 1, options=_x264_options(quality))
        self.stream.width, self.stream.height = size
        self.stream.pix_fmt, self.stream.codec_context.time_base = "yuv420p", CLOCK

    def feed(self, packet: Any) -> Iterator[float]:
        for frame in frames(packet):
            second = (frame.time or 0.0) - self.begin
            if second < self.due - 1e-3 or round(second * 1000) <= self.pts:
                continue
            self.due = max(self.due + 1 / self.fps, second) if self.fps else second
            self.pts = max(round(second * 1000), 0)
            self._write(frame)
            yield second

    def _write(self, frame: Any) -> None:
        # A video may change its frame size; the preview may not.
        small = upright(frame, self.aspect, max_height=self.size[1]).reformat(*self.size)
        small.pts, small.time_base = self.pts, CLOCK
        self.out.mux(self.stream.encode(small))

    def close(self) -> None:
        self.out.mux(self.stream.encode(None))


def _x264_options(quality: Quality) -> dict[str, str]:
    return {
        "preset": "superfast",
        "crf": "25",
        "maxrate": str(quality.video_rate),
        "bufsize": str(quality.video_rate * 2),
        # A small GOP, so that seeking to a moment is fast.
        "g": str(quality.fps * 2 or 8),
    }


class _SoundTrack:
    """Writes the sound in sync with the video, with silence in its gaps."""

    def __init__(self, source: Any, out: Any, quality: Quality, begin: float) -> None:
        self.source, self.out, self.begin = source, out, begin
        # At low bit rates, mono at half the sample rate sounds better than stereo at the full rate.
        self.rate, self.layout = (44_100, "stereo") if quality.audio_rate > MONO_BELOW else (22_050, "mono")
        self.stream = out.add_stream("aac", rate=self.rate)
        self.stream.layout, self.stream.bit_rate = self.layout, quality.audio_rate
        self.graph: Any = None

    def feed(self, packet: Any) -> Iterator[float]:
        for frame in frames(packet):
            self.graph = self.graph or self._resampler(frame)
            if frame.pts is not None:
                frame.pts -= round(self.begin / frame.time_base)
            self.graph.push(frame)
            self._drain()
        # Only the picture track reports progress.
        yield from ()

    def _resampler(self, frame: Any) -> Any:
        graph = av.filter.Graph()
        kind = {"sample_fmts": "fltp", "sample_rates": str(self.rate), "channel_layouts": self.layout}
        graph.link_nodes(
            graph.add_abuffer(template=self.source, time_base=frame.time_base),
            graph.add("aresample", "async=1000:first_pts=0"),
            graph.add("aformat", ":".join(f"{name}={value}" for name, value in kind.items())),
            graph.add("abuffersink"),
        ).configure()
        return graph

    def _drain(self) -> None:
        while True:
            try:
                frame = self.graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            self.out.mux(self.stream.encode(frame))

    def close(self) -> None:
        if self.graph:
            self.graph.push(None)
            self._drain()
        self.out.mux(self.stream.encode(None))
