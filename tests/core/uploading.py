"""A video sent in chunks by a process that is killed in the middle: the program, and the video."""

import os
import signal
import struct
import sys
from pathlib import Path

from twelvelabs_core import Client, Progress


def padded(video_path: Path, target: Path, size: int) -> Path:
    """Write a video of `size` bytes, nearly all of them a hole in the file, which players skip."""
    content = video_path.read_bytes()
    box = size - len(content)
    target.write_bytes(content + struct.pack(">I4s", box, b"free"))
    os.truncate(target, size)
    return target


def upload(video_path: str, store: str, kill_after: int) -> None:
    """Upload a video in chunks, and be killed as if by the system when so many bytes are out."""

    def die_in_the_middle(step: Progress) -> None:
        if kill_after and step.done >= kill_after:
            os.kill(os.getpid(), signal.SIGKILL)

    with Client(store=store, max_concurrency=4) as client:
        print(client.assets.create(video_path, method="multipart", on_progress=die_in_the_middle).id)  # noqa: T201


if __name__ == "__main__":
    upload(sys.argv[1], sys.argv[2], int(sys.argv[3]))
