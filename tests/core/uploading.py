"""A process that uploads a video in chunks and is killed halfway: the program and the video."""

import os
import signal
import struct
import sys
from pathlib import Path

from twelvelabs_core import Client, Progress


def padded(video_path: Path, target: Path, size: int) -> Path:
    """Write a sparse video file of `size` bytes."""
    content = video_path.read_bytes()
    box = size - len(content)
    target.write_bytes(content + struct.pack(">I4s", box, b"free"))
    os.truncate(target, size)
    return target


def upload(video_path: str, store: str, kill_after: int) -> None:
    """Upload a video in chunks, and kill this process after that many bytes."""

    def die_in_the_middle(step: Progress) -> None:
        if kill_after and step.done >= kill_after:
            os.kill(os.getpid(), signal.SIGKILL)

    with Client(store=store, max_concurrency=4) as client:
        print(client.assets.create(video_path, method="multipart", on_progress=die_in_the_middle).id)  # noqa: T201


if __name__ == "__main__":
    upload(sys.argv[1], sys.argv[2], int(sys.argv[3]))
