"""Reads the packets of a file on one clock, which starts at 0 and has no jumps, and measures them without decoding."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from twelvelabs_sandbox.engine.container import audio_stream, is_cover, open_media, start_time, video_stream
from twelvelabs_sandbox.engine.types import MediaError

# A file may end this much before its declared duration: tracks differ slightly, and encoders pad.
MISSING_SECONDS, MISSING_SHARE = 2.0, 0.02
# A longer pause in all tracks is a jump of the clock: 10 s, as in FFmpeg, where recordings are joined or begin late;
# elsewhere it may be a still picture.
JUMPING_FORMATS = {"mpegts", "mpeg", "flv"}
MAX_PAUSE_JUMPING, MAX_PAUSE = 10.0, 3600.0
# The packets of a track are stored in decoding order; a step back of more than this is a jump.
MAX_STEP_BACK = 1.0


@dataclass(frozen=True, slots=True)
class TimedPacket:
    """A packet, its start and its end in seconds of the file; its own timestamps count from the start of the file."""

    begin: float
    end: float
    packet: "Packet[Any]"


@dataclass(frozen=True, slots=True)
class PacketSummary:
    """The packets of a window; times are in seconds of the file.

    Attributes:
        last: End of the last packet.
        video_packets: Video packets in the window, from the keyframe before its start.
        audio_packets: Audio packets in the window; 0 without an audio track, or with an empty one.
        keyframes: Start times of the video keyframes, including the last one before the window.
        decode_from: Where decoding begins: at the last keyframe before the window, else at the start of the file.
    """

    last: float
    video_packets: int
    audio_packets: int
    keyframes: tuple[float, ...]
    decode_from: float


def scan_packets(path: Path, start: float, end: float) -> PacketSummary:
    """Read the packets of a window.

    Raises:
        MediaError: The file ends well before the end of the window.
    """
    with open_media(path) as container:
        video, audio = video_stream(container), audio_stream(container)
        last, video_packets, audio_packets, decode_from = 0.0, 0, 0, 0.0
        keyframes: list[float] = []
        for timed in timed_packets(container):
            last = max(last, timed.end)
            if video is not None and timed.packet.stream_index == video.index:
                if timed.packet.is_keyframe:
                    if timed.begin <= start:
                        video_packets, keyframes, decode_from = 0, [], timed.begin
                    keyframes.append(timed.begin)
                video_packets += 1
            audio_packets += audio is not None and timed.packet.stream_index == audio.index and timed.end > start
            # The packets of one track may be stored far behind those of the other.
            complete = (video_packets or video is None) and (audio_packets or audio is None)
            if complete and timed.begin > end + MISSING_SECONDS:
                break
    if end - last > max(MISSING_SECONDS, MISSING_SHARE * end):
        message = f"The file ends at {last:.1f} s, before the end of the window to embed at {end:.1f} s."
        raise MediaError("video_file_broken", message)
    return PacketSummary(last, video_packets, audio_packets, tuple(keyframes), decode_from)


def measure(path: Path) -> tuple[float, bool]:
    """Return the end of the last packet in seconds of the file, 0 if there is none, and whether its clock jumps."""
    with open_media(path) as container:
        clock = Clock(container)
        for _ in timed_packets(container, clock=clock):
            pass
    return clock.end, clock.has_jumps


def timed_packets(
    container: InputContainer, *wanted: Stream, since: float = float("-inf"), clock: "Clock | None" = None
) -> Iterator[TimedPacket]:
    """Yield the packets of some tracks (default: all) up to the end or the first read error.

    All tracks are read, since only together they tell a pause from a jump of the clock; and from the start of the file,
    since no index leads to a second behind a jump.

    Args:
        container: The file.
        wanted: The tracks.
        since: Packets that begin before this second are left out.
        clock: Places the packets; a new one by default.
    """
    clock = clock or Clock(container)
    tracks = [one for one in container.streams if one.type in {"video", "audio", "subtitle"} and not is_cover(one)]
    indexes = {stream.index for stream in wanted or tracks}
    try:
        for packet in container.demux(tracks):
            if packet.size:
                timed = clock.place(packet)
                if packet.stream_index in indexes and timed.begin >= since:
                    yield timed
    except av.error.FFmpegError:
        # Keep what was read of a truncated file; the caller compares it with the declared duration.
        return


def packets(container: InputContainer, wanted: Stream, since: float = float("-inf")) -> Iterator["Packet[Any]"]:
    """Yield the packets of a track as `timed_packets` does."""
    return (timed.packet for timed in timed_packets(container, wanted, since=since))


class Clock:
    """Moves the timestamps of packets to a clock that starts at 0, and on which each part of a joined file follows.

    Attributes:
        end: The end of the last packet so far, in seconds of the file.
        has_jumps: Whether the clock of the file has jumped so far.
    """

    def __init__(self, container: InputContainer) -> None:
        self.max_pause = MAX_PAUSE_JUMPING if container.format.name in JUMPING_FORMATS else MAX_PAUSE
        self.end = 0.0
        self.has_jumps = False
        # What a timestamp shows when the file, or its last part, begins. A track whose packets are stored later than
        # those of the others still has that of the part before.
        self.offset = start_time(container)
        self.tracks = {stream.index: _Track.of(stream) for stream in container.streams}

    def place(self, packet: "Packet[Any]") -> TimedPacket:
        """Return a packet with its times; one without a timestamp follows the previous one of its track."""
        track, pts, dts = self.tracks[packet.stream_index], packet.pts, packet.dts
        stamp = dts if pts is None else pts
        begin = track.end
        if stamp is not None:
            second = track.seconds(stamp)
            offset = self._offset(track, second, None if dts is None else track.seconds(dts))
            begin = second - offset
            if ticks := track.ticks(offset):
                packet.pts = None if pts is None else pts - ticks
                packet.dts = None if dts is None else dts - ticks
        track.end = begin + track.seconds(packet.duration or 0)
        self.end = max(self.end, track.end)
        return TimedPacket(begin, track.end, packet)

    def _offset(self, track: "_Track", second: float, decoded: float | None) -> float:
        if track.is_sparse:
            return self.offset
        offset = self.offset if track.offset is None else track.offset
        if offset != self.offset and abs(second - self.offset - self.end) < abs(second - offset - self.end):
            offset = self.offset
        is_back = decoded is not None and track.decoded is not None and decoded - offset < track.decoded - MAX_STEP_BACK
        if second - offset > self.end + self.max_pause or is_back:
            self.has_jumps = True
            offset = self.offset = second - self.end
        track.offset = offset
        track.decoded = track.decoded if decoded is None else decoded - offset
        return offset


@dataclass(slots=True)
class _Track:
    """What a clock knows of one track: its unit of time, and where its last packet was placed.

    Attributes:
        numerator: Of the unit of its timestamps, in seconds.
        denominator: Likewise. Dividing integers is as exact as fractions, and takes a twentieth of their time.
        is_sparse: Whether minutes may pass between two packets, as between subtitles.
        end: End of the last packet.
        offset: What its timestamps show where its part of the file begins; None before its first packet.
        decoded: Decoding time of the last packet that has one.
    """

    numerator: int
    denominator: int
    is_sparse: bool
    end: float = 0.0
    offset: float | None = None
    decoded: float | None = None

    @classmethod
    def of(cls, stream: Stream) -> "_Track":
        base = stream.time_base or Fraction(1)
        return cls(base.numerator, base.denominator, stream.type == "subtitle")

    def seconds(self, ticks: int) -> float:
        return ticks * self.numerator / self.denominator

    def ticks(self, seconds: float) -> int:
        return round(seconds * self.denominator / self.numerator)
