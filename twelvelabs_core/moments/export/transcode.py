"""Write a part of a video or audio file, or all of it, as H.264 and AAC, which every browser and editor reads."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import av

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.export.frames import (
    CLOCK,
    TOLERANCE_SEC,
    frames,
    open_media,
    picture_track,
    pixel_aspect,
    seek,
    shown_at,
    sound_track,
    start_of,
    upright,
)

FORMATS = {".mp4": "mp4", ".m4a": "ipod"}
_COLOURS = ("color_primaries", "color_trc", "colorspace")  # what the values of YUV mean, which encoding does not change
_MONO_BELOW = 50_000
_WARM_UP_SEC = 1.0  # a decoder of sound needs some packets before the first sample that is kept
_INTERLEAVED_SEC = 10.0  # sound and picture of one time are within this distance in a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How frames and sound are encoded.

    Attributes:
        max_height: Maximum height in pixels; None keeps it.
        fps: Maximum frames per second; 0 uses keyframes only, which reads thirty times faster; None keeps all.
        audio_rate: Bits per second of the sound; 0 omits it.
        options: Options of the encoder x264.
    """

    max_height: int | None = None
    fps: int | None = None
    audio_rate: int = 160_000
    options: dict[str, str] = field(default_factory=dict)


def transcode(
    path: Path,
    target: Path,
    encoding: Encoding,
    *,
    start_sec: float = 0.0,
    end_sec: float = inf,
    on_second: Callable[[float], object] = lambda _: None,
) -> None:
    """Write what a file shows and plays from one second to another; a `.m4a` target gets the sound only.

    Args:
        path: The video or audio file.
        target: Path of the mp4 or m4a; it is written in place.
        encoding: How to encode.
        start_sec: First second, from the start of the file. The frame that it shows then is the first.
        end_sec: Last second. The last frame begins before it.
        on_second: Called with the second of the file that is being written.

    Raises:
        InputError: Nothing in this time range can be decoded.
    """
    shown = shown_at(path, start_sec) if target.suffix != ".m4a" else None
    kind, options = FORMATS[target.suffix], {"movflags": "+faststart"}  # the index first: a browser starts at once
    with open_media(path) as source, av.open(str(target), "w", format=kind, options=options) as out:
        begin = start_of(source) + start_sec
        length = end_sec - start_sec
        tracks: dict[int, _PictureTrack | _SoundTrack] = {}
        if shown is not None:
            picture = picture_track(source)
            tracks[picture.index] = _PictureTrack(picture, out, encoding, begin=begin, length=length, first=shown.frame)
        if (sound := sound_track(source)) is not None and encoding.audio_rate:
            tracks[sound.index] = _SoundTrack(sound, out, encoding.audio_rate, begin, length)
        if not tracks:
            raise InputError(f"{path.name} has no track of {'sound' if target.suffix == '.m4a' else 'video or sound'}.")
        seek(source, min(shown.seek_sec if shown else start_sec, start_sec - _WARM_UP_SEC))
        for packet in source.demux([track.source for track in tracks.values()]):
            if all(track.is_done for track in tracks.values()) or _second(packet) - begin > length + _INTERLEAVED_SEC:
                break
            track = tracks.get(packet.stream_index)  # a cover comes unasked
            if track is not None and not track.is_done:
                for second in track.feed(packet):
                    on_second(second)
        for track in tracks.values():
            track.close()
        if not any(track.is_written for track in tracks.values()):
            raise InputError(f"{path.name} has nothing from {start_sec:.3f} to {end_sec:.3f} s.")


def _second(packet: Any) -> float:
    time = packet.pts if packet.pts is not None else packet.dts
    return -inf if time is None else float(time * packet.time_base)


class _PictureTrack:
    """Writes frames at their own times; the frame shown at the beginning is written at 0.

    Each frame is written when the next one is known, since only then its duration is.
    """

    def __init__(self, source: Any, out: Any, encoding: Encoding, *, begin: float, length: float, first: Any) -> None:
        self.source, self.out, self.begin, self.length = source, out, begin, length
        self.fps, self.aspect = encoding.fps, pixel_aspect(source)
        small = upright(first, self.aspect, max_height=encoding.max_height)
        self.size = small.width, small.height
        self.due, self.is_done = 0.0, False
        self.held = first, 0.0  # the frame to write, and its second
        self.durations: dict[int, int] = {}
        if encoding.fps == 0:
            source.codec_context.skip_frame = "NONKEY"
        rate = 1 if encoding.fps == 0 else encoding.fps or _rate(source)
        self.stream = out.add_stream("libx264", rate=rate, options=encoding.options)
        self.stream.width, self.stream.height = self.size
        self.stream.pix_fmt, self.stream.codec_context.time_base = "yuv420p", CLOCK
        if (source.codec_context.pix_fmt or "").startswith("yuv"):
            for name in _COLOURS:
                setattr(self.stream.codec_context, name, getattr(source.codec_context, name))

    @property
    def is_written(self) -> bool:
        return bool(self.durations)

    def feed(self, packet: Any) -> Iterator[float]:
        for frame in frames(packet):
            second = (frame.time or 0.0) - self.begin
            if second >= self.length - TOLERANCE_SEC:
                self.is_done = True
                return
            if second <= TOLERANCE_SEC:
                self.held = frame, 0.0  # the last of them is the one shown at the beginning
            elif second >= self.due - TOLERANCE_SEC and second > self.held[1]:
                self._write(second)
                self.due = max(self.due + 1 / self.fps, second) if self.fps else second
                self.held = frame, second
                yield second

    def _write(self, until: float) -> None:
        """Write the frame that is held, shown until a second."""
        frame, second = self.held
        # A video may change its frame size; the written one may not.
        small = upright(frame, self.aspect, max_height=self.size[1]).reformat(*self.size)
        small.pts, small.time_base = round(second / CLOCK), CLOCK
        self.durations[small.pts] = max(round((until - second) / CLOCK), 1)
        self._mux(self.stream.encode(small))

    def _mux(self, packets: Any) -> None:
        for packet in packets:
            packet.duration = self.durations.get(packet.pts, packet.duration)
            self.out.mux(packet)

    def close(self) -> None:
        frame, _ = self.held
        lasting = float((frame.duration or 0) * frame.time_base or 1 / self.stream.average_rate)
        ends = (frame.time or 0.0) - self.begin + lasting
        until = self.length if self.is_done else min(self.length, ends)
        if until > TOLERANCE_SEC:  # else the video ends before the clip begins
            self._write(until)
        self._mux(self.stream.encode(None))


def _rate(source: Any) -> Any:
    """Return the frame rate that is declared to the encoder; frames keep their own times."""
    return source.average_rate or source.guessed_rate or 25


class _SoundTrack:
    """Writes the sound in sync with the picture, with silence in its gaps."""

    def __init__(self, source: Any, out: Any, bit_rate: int, begin: float, length: float) -> None:
        self.source, self.out, self.begin, self.length = source, out, begin, length
        # At low bit rates, mono at half the sample rate sounds better than stereo at the full rate.
        self.rate, self.layout = (44_100, "stereo") if bit_rate > _MONO_BELOW else (22_050, "mono")
        self.stream = out.add_stream("aac", rate=self.rate)
        self.stream.layout, self.stream.bit_rate = self.layout, bit_rate
        self.graph: Any = None
        self.is_done = self.is_written = False

    def feed(self, packet: Any) -> Iterator[float]:
        for frame in frames(packet):
            if frame.pts is not None:
                frame.pts -= round(self.begin / frame.time_base)
                self.is_done = frame.time >= self.length
            if self.is_done:
                return
            self.graph = self.graph or self._cutter(frame)
            self.graph.push(frame)
            self._drain()
        # Only the picture track reports progress.
        yield from ()

    def _cutter(self, frame: Any) -> Any:
        graph = av.filter.Graph()
        kind = {"sample_fmts": "fltp", "sample_rates": str(self.rate), "channel_layouts": self.layout}
        end = "" if self.length == inf else f":end={self.length:.6f}"
        graph.link_nodes(
            graph.add_abuffer(template=self.source, time_base=frame.time_base),
            graph.add("atrim", f"start=0{end}"),
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
            self.is_written = True
            self.out.mux(self.stream.encode(frame))

    def close(self) -> None:
        if self.graph:
            self.graph.push(None)
            self._drain()
        self.out.mux(self.stream.encode(None))
