"""Writes files that twelvelabs_sandbox.films does not: raw streams, rotated videos, parts of images."""

import struct
import zlib
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


def chunk(name: bytes, content: bytes) -> bytes:
    """Return one chunk of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
