"""Writes video, audio and image files for tests: scenes of colour, pattern, motion and sound, encoded by PyAV.

from twelvelabs_sandbox.films import Scene, describe, random_scenes, write_film

scenes = [Scene(color="red", pattern="stripes", motion="fast", sound="noise"), *random_scenes(5, seed=1)]
begins = write_film(Path("video.mkv"), scenes, captions=[(0.0, 4.0, "a goalkeeper dives")])
describe(scenes[0])     # 'red and white stripes moving fast, with loud noise'
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from twelvelabs_sandbox.scenes import (
    COLORS,
    Picture,
    Scene,
    describe,
    describe_look,
    describe_sound,
    picture,
    random_scenes,
    sound,
)

__all__ = [
    "COLORS",
    "Scene",
    "describe",
    "describe_look",
    "describe_sound",
    "picture",
    "random_scenes",
    "repeat_film",
    "save_image",
    "sound",
    "write_film",
    "write_picture",
    "write_sound",
]

Words = Sequence[tuple[float, float, str]]

CODECS = {
    "mp4": ("libx264", "aac"),
    "mov": ("libx264", "aac"),
    "mkv": ("libx264", "aac"),
    "ts": ("libx264", "aac"),
    "avi": ("mpeg4", "mp3"),
    "mpg": ("mpeg2video", "mp2"),
    "webm": ("libvpx", "libopus"),
    "gif": ("gif", ""),
    "wav": ("", "pcm_s16le"),
    "mp3": ("", "mp3"),
    "flac": ("", "flac"),
    "ogg": ("", "libopus"),
    "m4a": ("", "aac"),
}
RGBA = 4
MUXERS = {"mkv": "matroska", "ts": "mpegts", "mpg": "mpeg", "m4a": "ipod"}
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
OPTIONS = {"libx264": {"preset": "ultrafast"}, "libvpx": {"deadline": "realtime", "cpu-used": "8"}}
ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Alignment
Style: Default,Arial,16,&Hffffff,2

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def write_picture(path: Path, scene: Scene, at: float = 1.0, size: tuple[int, int] = (480, 360)) -> Path:
    """Write one frame of a scene as JPEG or PNG, by the suffix of the path."""
    return save_image(path, picture(scene, at, size))


def save_image(path: Path, pixels: Picture) -> Path:
    """Write RGB (PNG: also RGBA) pixels, shape (height, width, channels), as JPEG or PNG by the suffix of the path."""
    png = path.suffix == ".png"
    source = "rgba" if pixels.shape[2] == RGBA else "rgb24"
    context = av.VideoCodecContext.create("png" if png else "mjpeg", "w")
    context.height, context.width = pixels.shape[:2]
    context.pix_fmt, context.time_base = source if png else "yuvj420p", Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(pixels, source).reformat(format=context.pix_fmt)
    path.write_bytes(b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)]))
    return path


def write_sound(
    path: Path,
    scenes: Sequence[Scene],
    *,
    rate: int = 32000,
    channels: int = 1,
    cover: Path | None = None,
    part: tuple[float, float] | None = None,
) -> Path:
    """Write the audio of consecutive scenes as wav, mp3, flac, ogg or m4a, by the suffix of the path.

    `cover` is a JPEG that mp3 carries as an attached picture; `part` writes only these seconds of each scene.
    """
    kind = path.suffix[1:]
    with av.open(str(path), "w", format=MUXERS.get(kind, kind)) as out:
        track = _AudioTrack(out, CODECS[kind][1], rate, channels)
        if cover:
            _attach(out, cover)
        begin = 0.0
        for scene in scenes:
            begin += track.add(scene, begin, part)
        track.close()
    return path


def _attach(out: Any, cover: Path) -> None:
    with av.open(str(cover), format="jpeg_pipe") as source:
        art = out.add_stream_from_template(source.streams.video[0])
        art.disposition = av.stream.Disposition.attached_pic
        packet = next(source.demux(video=0))
        packet.stream, packet.pts, packet.dts = art, 0, 0
        out.mux(packet)


def write_film(
    path: Path,
    scenes: Sequence[Scene],
    *,
    size: tuple[int, int] = (480, 360),
    fps: int = 10,
    container: str | None = None,
    captions: Words = (),
    chapters: Words = (),
    audio: bool = True,
    channels: int = 1,
    crf: int = 32,
    gop: int = 0,
    start: float = 0.0,
    jitter: bool = False,
) -> list[float]:
    """Write consecutive scenes as a video and return the start of each in seconds.

    Args:
        path: Output path; its suffix determines the container unless `container` is given.
        scenes: The scenes in order.
        size: Width and height in pixels, both even.
        fps: Frames per second.
        container: One of mp4, mov, mkv, ts, avi, mpg, webm, gif.
        captions: (start, end, text) in seconds; written as a subtitle track, mkv only.
        chapters: (start, end, title) in seconds; mp4, mov and mkv.
        audio: Whether to write an audio track.
        channels: Audio channels: 1, 2 or 6.
        crf: Quality of H.264; higher is worse.
        gop: Frames between keyframes; 0 uses the encoder's default.
        start: Timestamp of the first frame, in seconds.
        jitter: Whether to write a variable frame rate, by omitting every third frame.
    """
    kind = container or path.suffix[1:]
    if captions and kind != "mkv":
        msg = f"captions can only be written to mkv, not {kind}; use chapters"
        raise ValueError(msg)
    video_codec, audio_codec = CODECS[kind]
    begins, begin = [], start
    with av.open(str(path), "w", format=MUXERS.get(kind, kind)) as out:
        video = _video_stream(out, video_codec, size, fps)
        video.options.update({"crf": str(crf)} if video_codec == "libx264" else {})
        video.gop_size = gop or video.gop_size
        track = _AudioTrack(out, audio_codec, 32000, channels) if audio and audio_codec else None
        out.set_chapters([_chapter(number, *chapter) for number, chapter in enumerate(chapters)])
        caption_packets = _captions(out, captions)
        for scene in scenes:
            begins.append(round(begin - start, 3))
            for frame in _frames(scene, begin, size, fps, jitter=jitter):
                out.mux(video.encode(frame.reformat(format=video.pix_fmt)))
            if track:
                track.add(scene, begin)
            begin += scene.seconds
            out.mux([packet for packet in caption_packets if begin - scene.seconds <= packet.pts / 1000 < begin])
        out.mux(video.encode(None))
        if track:
            track.close()
    return begins


def _video_stream(out: Any, codec: str, size: tuple[int, int], fps: int) -> Any:
    # MPEG-2 supports broadcast rates only; each frame is then shown longer.
    rate = max(fps, 24) if codec == "mpeg2video" else fps
    stream = out.add_stream(codec, rate=rate, options=OPTIONS.get(codec, {}))
    stream.width, stream.height = size
    stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
    stream.codec_context.time_base = Fraction(1, rate)
    if codec == "libvpx":
        # Its threads wait for each other in busy loops: forty times the CPU time on a machine that does other work.
        stream.codec_context.thread_count = 1
    if codec != "libx264":
        stream.bit_rate = 1_500_000
    return stream


def _frames(scene: Scene, begin: float, size: tuple[int, int], fps: int, *, jitter: bool) -> Iterator[av.VideoFrame]:
    first, last = round(begin * fps), round((begin + scene.seconds) * fps)
    for number in range(first, last):
        if jitter and number % 3 == 1 and number != last - 1:
            continue
        frame = av.VideoFrame.from_ndarray(picture(scene, number / fps - begin, size))
        frame.pts, frame.time_base = number, Fraction(1, fps)
        yield frame


class _AudioTrack:
    """An audio track of a file that is being written."""

    def __init__(self, out: Any, codec: str, rate: int, channels: int) -> None:
        self.out = out
        self.rate = 48000 if codec == "libopus" else rate
        self.channels = channels
        self.stream = out.add_stream(codec, rate=self.rate)
        self.stream.layout = LAYOUTS[channels]

    def add(self, scene: Scene, begin: float, part: tuple[float, float] | None = None) -> float:
        """Write the audio of a scene, or some seconds of it, and return its duration in seconds."""
        start, end = part or (0.0, scene.seconds)
        mono = sound(scene, self.rate)[round(start * self.rate) : round(end * self.rate)]
        first = round(begin * self.rate)
        for at in range(0, mono.size, self.rate):
            samples = np.tile(mono[at : at + self.rate], (self.channels, 1))
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=LAYOUTS[self.channels])
            frame.sample_rate, frame.pts, frame.time_base = self.rate, first + at, Fraction(1, self.rate)
            self.out.mux(self.stream.encode(frame))
        return mono.size / self.rate

    def close(self) -> None:
        self.out.mux(self.stream.encode(None))


def _chapter(number: int, start: float, end: float, title: str) -> Any:
    return {
        "id": number,
        "start": round(start * 1000),
        "end": round(end * 1000),
        "time_base": Fraction(1, 1000),
        "metadata": {"title": title},
    }


def _captions(out: Any, captions: Words) -> list[Any]:
    if not captions:
        return []
    stream = out.add_stream("ass")
    stream.codec_context.subtitle_header = ASS_HEADER
    packets = []
    for number, (start, end, text) in enumerate(captions):
        packet: Any = av.Packet(f"{number},0,Default,,0,0,0,,{text}".encode())
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        packet.pts = packet.dts = round(start * 1000)
        packet.duration = round((end - start) * 1000)
        packets.append(packet)
    return packets


def repeat_film(source: Path, target: Path, hours: float) -> int:
    """Copy `source` repeatedly to `target`, without encoding, until it is `hours` long; return the number of copies.

    One hour takes about two seconds. Copies are 0.1 s apart, since encoded audio is longer than the video.
    """
    with av.open(str(source)) as film:
        length = (film.duration or 0) / av.time_base + 0.1
    runs = max(1, round(hours * 3600 / length))
    kind = target.suffix[1:]
    with av.open(str(target), "w", format=MUXERS.get(kind, kind)) as out:
        copies: dict[int, Any] = {}
        for run in range(runs):
            with av.open(str(source)) as film:
                tracks = [*film.streams.video, *film.streams.audio]
                copies = copies or {track.index: out.add_stream_from_template(track) for track in tracks}
                _copy(film, tracks, out, copies, run * length)
    return runs


def _copy(film: Any, tracks: list[Any], out: Any, copies: dict[int, Any], delay: float) -> None:
    for packet in film.demux(tracks):
        if packet.dts is None:
            continue
        ticks = round(delay / packet.time_base)
        packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
        packet.stream = copies[packet.stream_index]
        out.mux(packet)
