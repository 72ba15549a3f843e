"""Recall of scenes by text, image and audio; the thresholds are well below the benchmark's results."""

from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.shared_media import shared_folder, write_once
from twelvelabs_sandbox.engine.clips import embed_media
from twelvelabs_sandbox.engine.probe import probe
from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.types import ClipVector, Segmentation
from twelvelabs_sandbox.engine.visual import embed_image
from twelvelabs_sandbox.films import Scene, describe, random_scenes, write_film, write_picture, write_sound

pytestmark = pytest.mark.slow  # writing and embedding the video takes ten seconds

EmbeddedVideo = tuple[list[Scene], list[float], list[ClipVector]]


@pytest.fixture(scope="module")
def video_file(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedVideo:
    """Twenty random scenes with dynamic segmentation."""
    scenes = random_scenes(20, seed=77, seconds=(4.5, 6.0))
    path = write_once(
        shared_folder(tmp_path_factory, "search") / "video.mp4", lambda path: write_film(path, scenes, size=(240, 180))
    )
    begins = [round(begin, 3) for begin in accumulate((scene.seconds for scene in scenes[:-1]), initial=0.0)]
    clips = embed_media(
        path,
        kind="video",
        start=0.0,
        end=probe(path).duration or 0.0,
        segmentation=Segmentation(min_sec=4),
        options=("visual", "audio"),
        scopes=("clip",),
        separate=True,
        fused=True,
    )
    return scenes, begins, clips


def found(video_file: EmbeddedVideo, number: int, query: npt.NDArray[np.float32], *options: str) -> bool:
    """Return whether the clip nearest to a query lies in the scene of that number."""
    scenes, begins, clips = video_file
    best = max((clip for clip in clips if clip.option in options), key=lambda clip: float(clip.vector @ query))
    return begins[number] <= (best.start + best.end) / 2 < begins[number] + scenes[number].seconds


def test_shot_boundaries_are_exact_to_a_frame(video_file: EmbeddedVideo) -> None:
    _, begins, clips = video_file
    starts = np.array([clip.start for clip in clips if clip.option == "visual"])
    hits = sum(np.abs(starts - begin).min() <= 0.101 for begin in begins)
    assert hits >= 18
    assert len(starts) <= 22


@pytest.mark.parametrize("options", [("fused",), ("visual", "audio", "fused")])
def test_a_description_finds_its_scene(video_file: EmbeddedVideo, options: tuple[str, ...]) -> None:
    hits = [
        found(video_file, number, embed_text(describe(scene)), *options) for number, scene in enumerate(video_file[0])
    ]
    assert np.mean(hits) >= 0.8


def test_an_image_finds_its_scene(video_file: EmbeddedVideo, tmp_path: Path) -> None:
    hits = []
    for number, scene in enumerate(video_file[0]):
        path = write_picture(tmp_path / "frame.jpg", scene, at=scene.seconds * 0.7, size=(640, 480))
        hits.append(found(video_file, number, embed_image(path), "visual", "audio", "fused"))
    assert np.mean(hits) >= 0.8


def test_an_audio_excerpt_finds_its_scene(video_file: EmbeddedVideo, tmp_path: Path) -> None:
    hits = []
    for number, scene in enumerate(video_file[0]):
        if scene.sound != "silence":
            path = write_sound(tmp_path / "part.mp3", [scene], part=(1.0, 4.0))
            query = embed_media(
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
            hits.append(found(video_file, number, query[0].vector, "visual", "audio", "fused"))
    assert len(hits) >= 10
    assert np.mean(hits) >= 0.75


@pytest.mark.parametrize(
    ("word", "option", "quality"),
    [
        ("silence", "audio", "sound"),
        ("tone", "audio", "sound"),
        ("noise", "audio", "sound"),
        ("music", "audio", "sound"),
        ("speech", "audio", "sound"),
        ("plain", "visual", "pattern"),
        ("stripes", "visual", "pattern"),
        ("checkerboard", "visual", "pattern"),
        ("still", "visual", "motion"),
        ("slow", "visual", "motion"),
        ("fast", "visual", "motion"),
    ],
)
def test_a_single_word_finds_a_matching_scene(video_file: EmbeddedVideo, word: str, option: str, quality: str) -> None:
    scenes, _, clips = video_file
    assert max(float(clip.vector @ embed_text(word)) for clip in clips if clip.option == option) > 0.35
    hits = [number for number in range(len(scenes)) if found(video_file, number, embed_text(word), option)]
    assert [getattr(scenes[number], quality) for number in hits] == [word]
