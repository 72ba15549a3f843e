"""Reads the packets of a window without decoding: where they end, how many there are, where the keyframes are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from av.container import InputContainer
from av.packet import Packet

from twelvelabs_sandbox.engine.container import audio_stream, open_media, packets, seek, start_time, video_stream
from twelvelabs_sandbox.engine.types import MediaError

# A file may end this much before its declared duration: tracks differ slightly, and encoders pad.
MISSING_SECONDS, MISSING_SHARE = 2.0, 0.02


@dataclass(frozen=True, slots=True)
class PacketSummary:
    """The packets of a window; times are in seconds of the file.

    Attributes:
        last: End of the last packet.
        video_packets: Video packets in the window.
        audio_packets: Audio packets in the window; 0 without an audio track, or with an empty one.
        keyframes: Start times of the video keyframes.
    """

    last: float
    video_packets: int
    audio_packets: int
    keyframes: tuple[float, ...]


def scan_packets(path: Path, start: float, end: float) -> PacketSummary:
    """Read the packets of a window.

    Raises:
        MediaError: The file ends well before the end of the window.
    """
    with open_media(path) as container:
        video, audio = video_stream(container), audio_stream(container)
        seek(container, start)
        clock = PacketTimer(container)
        last, video_packets, audio_packets, keyframes = 0.0, 0, 0, []
        for packet in packets(container):
            begin, until = clock.times(packet)
            last = max(last, until)
            if video is not None and packet.stream_index == video.index:
                video_packets += 1
                if packet.is_keyframe:
                    keyframes.append(begin)
            audio_packets += audio is not None and packet.stream_index == audio.index
            # The packets of one track may be stored far behind those of the other.
            complete = (video_packets or video is None) and (audio_packets or audio is None)
            if complete and begin > end + MISSING_SECONDS:
                break
    if end - last > max(MISSING_SECONDS, MISSING_SHARE * end):
        message = f"The file ends at {last:.1f} s, before the end of the window to embed at {end:.1f} s."
        raise MediaError("video_file_broken", message)
    return PacketSummary(last, video_packets, audio_packets, tuple(keyframes))


def last_packet_end(path: Path) -> float:
    """Return the end of the last packet of a file, in seconds of the file; 0 if there is none."""
    with open_media(path) as container:
        clock = PacketTimer(container)
        return max((clock.times(packet)[1] for packet in packets(container)), default=0.0)


class PacketTimer:
    """Computes the start and end of packets in seconds of the file; packets without a timestamp are consecutive."""

    def __init__(self, container: InputContainer) -> None:
        self.start_time = start_time(container)
        self.untimed: dict[int, float] = {}

    def times(self, packet: "Packet[Any]") -> tuple[float, float]:
        """Return the start and the end of a packet."""
        stamp = packet.pts if packet.pts is not None else packet.dts
        length = float((packet.duration or 0) * packet.time_base)
        if stamp is None:
            begin = self.untimed.get(packet.stream_index, 0.0)
        else:
            begin = float(stamp * packet.time_base) - self.start_time
        self.untimed[packet.stream_index] = begin + length
        return begin, begin + length
