"""Measures how well the sandbox's vectors find moments: videos of 48 random scenes, queried by text, image and sound.

    python benchmarks/sandbox_recall.py [--seeds 101 102 103 104 105] [--scenes 48] [--fixed SECONDS]

Each video is cut as the API does by default (at shots, at least 4 s) or at fixed lengths, and each scene is searched
for by its full description, by a JPEG of one of its frames, and by an MP3 of three of its seconds (if it has sound).
A moment is found when the middle of the best clip lies inside the scene. Chance is 1 in 48.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from twelvelabs_sandbox.engine.clips import embed_media
from twelvelabs_sandbox.engine.probe import probe
from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.types import ClipVector, Segmentation
from twelvelabs_sandbox.engine.visual import embed_image
from twelvelabs_sandbox.films import Scene, describe, random_scenes, write_film, write_picture, write_sound

SEEDS = (101, 102, 103, 104, 105)
COLUMNS = ("text", "text/separate", "text/all", "text@3", "image", "image/all", "audio", "audio/all")


class Video:
    """One video of random scenes, its clips and query vectors for its scenes."""

    def __init__(self, folder: Path, seed: int, count: int, cut: Segmentation) -> None:
        self.folder = folder
        self.scenes = random_scenes(count, seed)
        path = folder / f"{seed}.mp4"
        begins = write_film(path, self.scenes)
        self.bounds = [(begin, begin + scene.seconds) for begin, scene in zip(begins, self.scenes, strict=True)]
        end = probe(path).duration or 0.0
        began = time.process_time()
        self.clips = embed_media(
            path,
            kind="video",
            start=0.0,
            end=end,
            segmentation=cut,
            options=("visual", "audio"),
            scopes=("clip",),
            separate=True,
            fused=True,
        )
        self.cpu = time.process_time() - began
        self.seconds = end

    def recall(self, queries: dict[int, npt.NDArray[np.float32]], options: tuple[str, ...], at: int = 1) -> float:
        """Return the share of scenes whose query finds one of their clips among the first `at`."""
        pool = [clip for clip in self.clips if clip.option in options]
        matrix = np.stack([clip.vector for clip in pool])
        found = 0
        for number, query in queries.items():
            best = np.argsort(-(matrix @ query), kind="stable")[:at]
            found += any(self._inside(number, pool[place]) for place in best)
        return found / len(queries)

    def _inside(self, number: int, clip: ClipVector) -> bool:
        start, end = self.bounds[number]
        return start <= (clip.start + clip.end) / 2 < end

    def texts(self) -> dict[int, npt.NDArray[np.float32]]:
        """Return a vector of each scene's full description."""
        return {number: embed_text(describe(scene)) for number, scene in enumerate(self.scenes)}

    def images(self) -> dict[int, npt.NDArray[np.float32]]:
        """Return a vector of one frame of each scene."""
        return {number: self._image(scene) for number, scene in enumerate(self.scenes)}

    def _image(self, scene: Scene) -> npt.NDArray[np.float32]:
        path = write_picture(self.folder / "frame.jpg", scene, at=scene.seconds * 0.6, size=(640, 480))
        return embed_image(path)

    def sounds(self) -> dict[int, npt.NDArray[np.float32]]:
        """Return a vector of three seconds of each scene that has sound."""
        return {number: self._sound(scene) for number, scene in enumerate(self.scenes) if scene.sound != "silence"}

    def _sound(self, scene: Scene) -> npt.NDArray[np.float32]:
        path = write_sound(self.folder / "part.mp3", [scene], part=(1.5, 4.5))
        clips = embed_media(
            path,
            kind="audio",
            start=0.0,
            end=3.0,
            segmentation=Segmentation(fixed_sec=6),
            options=("audio",),
            scopes=("asset",),
            separate=True,
            fused=False,
        )
        return clips[0].vector


def measure(video: Video) -> list[float]:
    """Return the figures of one video, as in COLUMNS."""
    everything = ("visual", "audio", "fused")
    texts, images, sounds = video.texts(), video.images(), video.sounds()
    return [
        video.recall(texts, ("fused",)),
        video.recall(texts, ("visual", "audio")),
        video.recall(texts, everything),
        video.recall(texts, ("fused",), at=3),
        video.recall(images, ("visual",)),
        video.recall(images, everything),
        video.recall(sounds, ("audio",)),
        video.recall(sounds, everything),
    ]


def main() -> None:
    """Print a table: a line for each seed, then median and worst."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--scenes", type=int, default=48)
    parser.add_argument("--fixed", type=float, help="cut at this many seconds instead of at shots")
    arguments = parser.parse_args()
    cut = Segmentation(fixed_sec=arguments.fixed) if arguments.fixed else Segmentation(min_sec=4)
    print(f"{os.cpu_count()} cores, {arguments.scenes} scenes per video; recall@1 (text@3: recall@3)")
    print("text: among fused vectors; /separate: among visual and audio ones; /all: among all three")
    print("  seed " + " ".join(f"{name:>13}" for name in COLUMNS) + "   clips  CPU s per video minute")
    rows = []
    for seed in arguments.seeds:
        with tempfile.TemporaryDirectory() as folder:
            video = Video(Path(folder), seed, arguments.scenes, cut)
            rows.append(measure(video))
        clips = sum(clip.option == "fused" for clip in video.clips)
        figures = " ".join(f"{figure:13.3f}" for figure in rows[-1])
        print(f"{seed:6} {figures} {clips:7} {video.cpu / video.seconds * 60:20.2f}", flush=True)
    for name, summary in (("median", np.median(rows, axis=0)), (" worst", np.min(rows, axis=0))):
        print(f"{name} " + " ".join(f"{figure:13.3f}" for figure in summary))


if __name__ == "__main__":
    main()
