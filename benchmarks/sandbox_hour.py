"""Measures what an hour of video costs the sandbox's engine: CPU seconds and peak memory.

    python benchmarks/sandbox_hour.py [--video FILE] [--hours 1] [--size 1280 720] [--fps 24]

A short video, generated or given, is repeated without encoding until it is long enough; then a fresh process probes and
embeds it: segmented at shots, with all embedding options and scopes.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from twelvelabs_sandbox.engine.clips import embed_media
from twelvelabs_sandbox.engine.probe import probe
from twelvelabs_sandbox.engine.types import Segmentation
from twelvelabs_sandbox.films import random_scenes, repeat_film, write_film

# macOS counts the largest resident set in bytes, Linux in KiB.
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def measure(video: Path) -> None:
    """Embed a video and print the time and memory it took."""
    facts = probe(video)
    wall, began = time.perf_counter(), time.process_time()
    clips = embed_media(
        video,
        kind="video",
        start=0.0,
        end=facts.duration or 0.0,
        segmentation=Segmentation(min_sec=4),
        options=("visual", "audio", "transcription"),
        scopes=("clip", "asset"),
        separate=True,
        fused=False,
    )
    cpu, wall = time.process_time() - began, time.perf_counter() - wall
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT / 1e6
    print(f"{facts.duration:.0f} s of {facts.width}x{facts.height} {facts.video_codec} at {facts.fps} frames a second")
    print(f"{facts.size / 1e6:.0f} MB, {len(clips)} vectors: {cpu:.1f} CPU s, {wall:.1f} s, at most {largest:.0f} MB")


def main() -> None:
    """Make the long video, then measure it in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, help="a short video to repeat; default: a generated one")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720))
    parser.add_argument("--fps", type=int, default=24)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure)
        return
    with tempfile.TemporaryDirectory() as folder:
        short, long = arguments.video or Path(folder, "short.mp4"), Path(folder, "long.mp4")
        if not arguments.video:
            print("making a short video ...", flush=True)
            write_film(short, random_scenes(8, seed=1), size=tuple(arguments.size), fps=arguments.fps)
        print(f"{os.cpu_count()} cores; repeated {repeat_film(short, long, arguments.hours)} times", flush=True)
        subprocess.run([sys.executable, __file__, "--measure", long], check=True)


if __name__ == "__main__":
    main()
