"""Writes files that twelvelabs_sandbox.films does not: raw streams, rotated videos, parts of images."""

import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from twelvelabs_sandbox.films import Scene, picture


def turned(mp4: bytes, degrees: int) -> bytes:
    """Write a rotation into the display matrix of an mp4's first track."""
    one = 1 << 16
    a, b = {90: (0, one), 180: (-one, 0), 270: (0, -one)}[degrees]
    # After the box name: version and flags, times, id, duration, layer, group, volume.
    place = mp4.index(b"tkhd") + 4 + 40
    matrix = struct.pack(">9i", a, b, 0, -b, a, 0, 0, 0, 1 << 30)
    return mp4[:place] + matrix + mp4[place + len(matrix) :]


def write_raw(path: Path, codec: str) -> None:
    """Write two seconds of H.264 (libx264) or AAC without a container, and therefore without a duration."""
    with av.open(str(path), "w", format="adts" if codec == "aac" else "h264") as out:
        stream: Any = out.add_stream(codec, rate=16000 if codec == "aac" else 25)
        if codec != "aac":
            stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(50):
            if codec == "aac":
                frame: Any = av.AudioFrame.from_ndarray(np.zeros((1, 640), np.float32), format="fltp", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = 16000, number * 640, Fraction(1, 16000)
            else:
                frame = av.VideoFrame.from_ndarray(picture(Scene(motion="fast"), number / 25, (160, 120)))
                frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def blank_png(path: Path, width: int, height: int) -> Path:
    """Write a black PNG of one bit per pixel."""
    rows = zlib.compress(bytes((1 + -(-width // 8)) * height), 1)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b""))
    return path


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def copied(source: Path, target: Path, change: Callable[[Any, int], Any]) -> Path:
    """Copy the packets of a file into another one.

    Args:
        source: The file to read.
        target: The file to write; its suffix determines the container.
        change: Gets each packet and its number within its track; returns the packet to write, or None to leave it out.
    """
    muxer = {"ts": "mpegts", "mkv": "matroska"}.get(target.suffix[1:], target.suffix[1:])
    with av.open(str(source)) as film, av.open(str(target), "w", format=muxer) as out:
        tracks = {stream.index: out.add_stream_from_template(stream) for stream in film.streams}
        numbers = dict.fromkeys(tracks, 0)
        for packet in film.demux():
            if packet.size and packet.pts is not None:
                track, number = packet.stream_index, numbers[packet.stream_index]
                numbers[track] += 1
                if (changed := change(packet, number)) is not None:
                    changed.stream = tracks[track]
                    out.mux(changed)
    return target


def with_pixel_aspect(source: Path, target: Path, aspect: Fraction) -> Path:
    """Encode the picture of a file again, with pixels of another shape."""
    with av.open(str(source)) as film, av.open(str(target), "w", format="matroska") as out:
        track: Any = out.add_stream("mpeg4", rate=film.streams.video[0].average_rate)
        track.width, track.height, track.pix_fmt = film.streams.video[0].width, film.streams.video[0].height, "yuv420p"
        track.codec_context.sample_aspect_ratio = aspect
        for frame in film.decode(video=0):
            out.mux(track.encode(frame))
        out.mux(track.encode(None))
    return target


def delayed(packet: Any, seconds: float) -> Any:
    """Move the timestamps of a packet."""
    ticks = round(seconds / packet.time_base)
    packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
    return packet


def damaged(packet: Any) -> Any:
    """Return a packet with the times of another one, which no decoder accepts."""
    broken: Any = av.Packet(b"\xff" * packet.size)
    broken.pts, broken.dts, broken.time_base, broken.duration = (
        packet.pts,
        packet.dts,
        packet.time_base,
        packet.duration,
    )
    broken.is_keyframe = packet.is_keyframe
    return broken
