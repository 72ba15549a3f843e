"""Reads the packets of a stretch of film without decoding: how far they reach, how many pictures, which keyframes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from av.container import InputContainer
from av.packet import Packet

from twelvelabs_sandbox._media_values import MediaError
from twelvelabs_sandbox._opening import audio_stream, opened, packets, seek, video_stream, zero

# A file may end this much before its promised length: tracks differ a little, and encoders pad.
MISSING_SECONDS, MISSING_SHARE = 2.0, 0.02


@dataclass(frozen=True, slots=True)
class Survey:
    """What the packets of a window say; times are seconds of the film.

    Attributes:
        last: Where the last packet ends.
        frames: Pictures in the window.
        sounds: Packets of sound in the window; 0 where there is no sound track, or an empty one.
        keyframes: When pictures begin that can be decoded without those before them.
    """

    last: float
    frames: int
    sounds: int
    keyframes: tuple[float, ...]


def survey(path: Path, start: float, end: float) -> Survey:
    """Read the packets of a window.

    Raises:
        MediaError: The file breaks off well before the end of the window.
    """
    with opened(path) as container:
        video, audio = video_stream(container), audio_stream(container)
        seek(container, start)
        clock = PacketClock(container)
        last, frames, sounds, keyframes = 0.0, 0, 0, []
        for packet in packets(container):
            begin, until = clock.times(packet)
            last = max(last, until)
            if video is not None and packet.stream_index == video.index:
                frames += 1
                if packet.is_keyframe:
                    keyframes.append(begin)
            sounds += audio is not None and packet.stream_index == audio.index
            # Tracks may be written one far behind the other.
            complete = (frames or video is None) and (sounds or audio is None)
            if complete and begin > end + MISSING_SECONDS:
                break
    if end - last > max(MISSING_SECONDS, MISSING_SHARE * end):
        message = f"The file breaks off at {last:.1f} s, before the {end:.1f} s that were to be embedded."
        raise MediaError("video_file_broken", message)
    return Survey(last, frames, sounds, tuple(keyframes))


def last_second(path: Path) -> float:
    """Return where the last packet of a file ends, in seconds of the film; 0 where there is none."""
    with opened(path) as container:
        clock = PacketClock(container)
        return max((clock.times(packet)[1] for packet in packets(container)), default=0.0)


class PacketClock:
    """Tells when packets begin and end, in seconds of the film; those without a time stamp follow one another."""

    def __init__(self, container: InputContainer) -> None:
        self.zero = zero(container)
        self.untimed: dict[int, float] = {}

    def times(self, packet: "Packet[Any]") -> tuple[float, float]:
        """Return where a packet begins and ends."""
        stamp = packet.pts if packet.pts is not None else packet.dts
        length = float((packet.duration or 0) * packet.time_base)
        if stamp is None:
            begin = self.untimed.get(packet.stream_index, 0.0)
        else:
            begin = float(stamp * packet.time_base) - self.zero
        self.untimed[packet.stream_index] = begin + length
        return begin, begin + length
