"""Vectors of video and audio files: segmentation, options, and unusual, silent and broken files."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.sandbox.special_files import turned, write_raw
from tests.shared_media import shared_folder, write_once
from twelvelabs_sandbox.engine import thumbnails
from twelvelabs_sandbox.engine.captions import read_captions
from twelvelabs_sandbox.engine.clips import embed_media
from twelvelabs_sandbox.engine.probe import probe
from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.types import ClipVector, MediaError, Segmentation
from twelvelabs_sandbox.engine.visual import embed_image
from twelvelabs_sandbox.films import Scene, describe_look, describe_sound, write_film, write_picture, write_sound

RED = Scene(color="red", pattern="stripes", motion="fast", sound="noise", seconds=5.0)
BLUE = Scene(color="blue", second="yellow", pattern="checkerboard", motion="still", sound="tone", seconds=7.0)
SIZE = (240, 180)
CAPTIONS = [(0.5, 3.0, "a goalkeeper dives"), (3.2, 4.5, "{\\i1}to the\\Nleft{\\i0}"), (9.0, 10.0, "final whistle")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="module")
def video_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = shared_folder(tmp_path_factory, "engine-media") / "video.mkv"
    return write_once(path, lambda path: write_film(path, [RED, BLUE], size=SIZE, captions=CAPTIONS))


def embed(path: Path, **changes: Any) -> list[ClipVector]:
    """Embed the first 12 seconds of a video with all options, with changed arguments."""
    settings: dict[str, Any] = {
        "kind": "video",
        "start": 0.0,
        "end": 12.0,
        "segmentation": Segmentation(fixed_sec=5),
        "options": ("visual", "audio", "transcription"),
        "scopes": ("clip",),
        "separate": True,
        "fused": False,
    }
    return embed_media(path, **(settings | changes))


def bounds(clips: list[ClipVector], option: str) -> list[tuple[float, float]]:
    return [(clip.start, clip.end) for clip in clips if clip.option == option]


def test_fixed_clips_have_the_exact_duration_except_the_last(video_file: Path) -> None:
    assert bounds(embed(video_file), "visual") == [(0.0, 5.0), (5.0, 10.0), (10.0, 12.0)]
    assert bounds(embed(video_file, segmentation=Segmentation(fixed_sec=4)), "audio") == [
        (0.0, 4.0),
        (4.0, 8.0),
        (8.0, 12.0),
    ]
    assert bounds(embed(video_file, start=1.5, end=8.25, segmentation=Segmentation(fixed_sec=3)), "visual") == [
        (1.5, 4.5),
        (4.5, 7.5),
        (7.5, 8.25),
    ]


def test_dynamic_clips_end_at_scene_changes(video_file: Path) -> None:
    assert bounds(embed(video_file, segmentation=Segmentation(min_sec=4)), "visual") == [(0.0, 5.0), (5.0, 12.0)]
    # A window that ends too soon after the change for another clip is one clip.
    assert bounds(embed(video_file, end=7.0, segmentation=Segmentation(min_sec=4)), "visual") == [(0.0, 7.0)]
    assert bounds(embed(video_file, start=3.0, end=7.5, segmentation=Segmentation(min_sec=2)), "visual") == [
        (3.0, 5.0),
        (5.0, 7.5),
    ]


def test_dynamic_audio_clips_of_a_video_end_at_shots(video_file: Path) -> None:
    clips = embed(video_file, segmentation=Segmentation(min_sec=4), options=("audio",))
    assert [(clip.start, clip.end, clip.option) for clip in clips] == [(0.0, 5.0, "audio"), (5.0, 12.0, "audio")]


def test_vectors_are_512_float32_values_of_length_1(video_file: Path) -> None:
    clips = embed(video_file, scopes=("clip", "asset"), fused=True)
    for clip in clips:
        assert clip.vector.shape == (512,)
        assert clip.vector.dtype == np.float32
        assert np.linalg.norm(clip.vector) == pytest.approx(1.0, abs=1e-5)
        assert type(clip.start) is float


def test_each_option_represents_its_own_content(video_file: Path) -> None:
    first, second = (
        {str(clip.option): clip.vector for clip in embed(video_file) if clip.start == at} for at in (0.0, 5.0)
    )
    for option, describe in (("visual", describe_look), ("audio", describe_sound)):
        red, blue = embed_text(describe(RED)), embed_text(describe(BLUE))
        assert first[option] @ red > first[option] @ blue + 0.3
        assert second[option] @ blue > second[option] @ red + 0.3
    assert abs(first["audio"] @ embed_text("red stripes moving fast")) < 0.01
    assert abs(first["visual"] @ embed_text("loud noise")) < 0.01


def test_captions_are_the_transcription_of_their_clips(video_file: Path) -> None:
    clips = embed(video_file, segmentation=Segmentation(fixed_sec=4), options=("transcription",))
    assert bounds(clips, "transcription") == [(0.0, 4.0), (4.0, 8.0), (8.0, 12.0)]
    np.testing.assert_allclose(clips[0].vector, embed_text("a goalkeeper dives to the left"), atol=1e-6)
    np.testing.assert_allclose(clips[2].vector, embed_text("final whistle"), atol=1e-6)
    assert bounds(embed(video_file, start=5.0, end=8.0, options=("transcription",)), "transcription") == []
    assert [(round(start, 2), round(end, 2), text) for start, end, text in read_captions(video_file)] == [
        (0.5, 3.0, "a goalkeeper dives"),
        (3.2, 4.5, "to the left"),
        (9.0, 10.0, "final whistle"),
    ]


def test_chapter_titles_replace_missing_captions(folder: Path) -> None:
    for suffix in ("mp4", "mov", "mkv"):
        path = folder / f"chapters.{suffix}"
        write_film(path, [RED], size=SIZE, chapters=[(0, 2, "kick off"), (2, 5, "first goal")])
        assert read_captions(path) == [(0.0, 2.0, "kick off"), (2.0, 5.0, "first goal")], suffix
    clips = embed(path, end=5.0, segmentation=Segmentation(fixed_sec=2), options=("transcription",))
    np.testing.assert_allclose(clips[0].vector, embed_text("kick off"), atol=1e-6)
    np.testing.assert_allclose(clips[1].vector, embed_text("first goal"), atol=1e-6)


def test_fused_vectors_with_and_without_separate_ones(video_file: Path) -> None:
    both = embed(video_file, fused=True)
    assert {clip.option for clip in both} == {"visual", "audio", "transcription", "fused"}
    parts = [clip.vector for clip in both if clip.start == 0.0 and clip.option != "fused"]
    fused = next(clip.vector for clip in both if clip.start == 0.0 and clip.option == "fused")
    assert all(fused @ part > 0.5 for part in parts)
    alone = embed(video_file, separate=False, fused=True)
    assert [clip.option for clip in alone] == ["fused"] * 3


def test_the_asset_vector_is_the_mean_of_its_clips_weighted_by_duration(video_file: Path) -> None:
    clips = embed(
        video_file, options=("visual",), scopes=("clip", "asset"), segmentation=Segmentation(fixed_sec=4), start=2.0
    )
    whole = clips.pop()
    assert (whole.scope, whole.start, whole.end) == ("asset", 2.0, 12.0)
    mean = np.sum([clip.vector * (clip.end - clip.start) for clip in clips], axis=0)
    np.testing.assert_allclose(whole.vector, mean / np.linalg.norm(mean), atol=1e-5)
    only = embed(video_file, options=("visual",), scopes=("asset",), segmentation=Segmentation(fixed_sec=4), start=2.0)
    assert len(only) == 1
    np.testing.assert_array_equal(only[0].vector, whole.vector)


def test_a_video_without_audio_track_has_no_audio_vectors(folder: Path) -> None:
    write_film(folder / "mute.mp4", [RED, BLUE], size=SIZE, audio=False)
    assert {clip.option for clip in embed(folder / "mute.mp4")} == {"visual"}
    with pytest.raises(MediaError, match="no audio track") as caught:
        embed(folder / "mute.mp4", kind="audio")
    assert caught.value.code == "parameter_invalid"


def test_an_empty_audio_track_counts_as_missing(folder: Path) -> None:
    path = folder / "empty-track.mkv"
    with av.open(str(path), "w", format="matroska") as out:
        video: Any = out.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        out.add_stream("aac", rate=16000)
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((180, 240, 3), number, np.uint8))
            frame.pts = number
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    assert {clip.option for clip in embed(path, end=5.0)} == {"visual"}


def test_a_silent_audio_track_matches_silence(folder: Path) -> None:
    write_film(folder / "hush.mp4", [Scene(seconds=5.0)], size=SIZE)
    clip = embed(folder / "hush.mp4", end=5.0, options=("audio",))[0]
    assert clip.vector @ embed_text("silence") > 0.9


def test_an_audio_file_has_no_visual_vectors(folder: Path) -> None:
    path = write_sound(folder / "sound.mp3", [RED, BLUE])
    clips = embed(path, kind="audio", options=("audio", "transcription"))
    assert [(clip.start, clip.end, clip.option) for clip in clips] == [
        (0.0, 5.0, "audio"),
        (5.0, 10.0, "audio"),
        (10.0, 12.0, "audio"),
    ]
    with pytest.raises(MediaError, match="no video track"):
        embed(path)


def test_a_cover_image_is_not_a_video_track(folder: Path) -> None:
    cover = write_picture(folder / "cover.jpg", RED)
    path = write_sound(folder / "song.mp3", [BLUE], cover=cover)
    with pytest.raises(MediaError, match="no video track"):
        embed(path, end=7.0)


def test_dynamic_audio_clips_end_at_changes_of_the_audio(folder: Path) -> None:
    path = write_sound(folder / "two.wav", [RED, BLUE])
    assert bounds(embed(path, kind="audio", options=("audio",), segmentation=Segmentation(min_sec=4)), "audio") == [
        (0.0, 5.0),
        (5.0, 12.0),
    ]


@pytest.mark.parametrize(
    "suffix", ["mp4", *(pytest.param(name, marks=pytest.mark.slow) for name in ("ts", "avi", "mpg", "webm", "gif"))]
)
def test_vectors_are_similar_for_every_container(folder: Path, video_file: Path, suffix: str) -> None:
    path = folder / f"same.{suffix}"
    write_film(path, [RED, BLUE], size=SIZE)
    clips = {(clip.start, clip.option): clip.vector for clip in embed(path, options=("visual", "audio"))}
    for clip in embed(video_file, options=("visual", "audio")):
        if (clip.start, clip.option) in clips or suffix != "gif":
            assert clip.vector @ clips[clip.start, clip.option] > 0.95, (clip.start, clip.option)


@pytest.mark.slow
def test_stereo_and_surround_audio_match_mono(folder: Path, video_file: Path) -> None:
    one = embed(video_file, options=("audio",))
    for channels in (2, 6):
        write_film(folder / f"{channels}.mp4", [RED, BLUE], size=SIZE, channels=channels)
        for clip, mono in zip(embed(folder / f"{channels}.mp4", options=("audio",)), one, strict=True):
            assert clip.vector @ mono.vector > 0.9


def test_a_variable_frame_rate_is_read_by_its_timestamps(folder: Path, video_file: Path) -> None:
    write_film(folder / "jitter.mp4", [RED, BLUE], size=SIZE, jitter=True)
    assert bounds(embed(folder / "jitter.mp4", segmentation=Segmentation(min_sec=4)), "visual") == [
        (0.0, 5.0),
        (5.0, 12.0),
    ]
    for clip, even in zip(
        embed(folder / "jitter.mp4", options=("visual",)), embed(video_file, options=("visual",)), strict=True
    ):
        assert clip.vector @ even.vector > 0.95


@pytest.mark.parametrize("suffix", ["mp4", *(pytest.param(name, marks=pytest.mark.slow) for name in ("mkv", "ts"))])
def test_times_count_from_the_first_frame(folder: Path, video_file: Path, suffix: str) -> None:
    path = folder / f"late.{suffix}"
    write_film(path, [RED, BLUE], size=SIZE, start=7.0)
    assert bounds(embed(path, segmentation=Segmentation(min_sec=4)), "visual") == [
        (0.0, pytest.approx(5.0, abs=0.06)),
        (pytest.approx(5.0, abs=0.06), 12.0),
    ]
    for clip, usual in zip(embed(path, options=("audio",)), embed(video_file, options=("audio",)), strict=True):
        assert clip.vector @ usual.vector > 0.9


def test_a_window_has_the_vectors_of_the_whole_video(video_file: Path) -> None:
    whole = {
        (clip.start, clip.option): clip.vector for clip in embed(video_file, segmentation=Segmentation(fixed_sec=3))
    }
    for clip in embed(video_file, start=6.0, segmentation=Segmentation(fixed_sec=3)):
        assert clip.vector @ whole[clip.start, clip.option] > 0.98, (clip.start, clip.option)


def test_a_clip_without_own_frame_has_the_previous_one(folder: Path) -> None:
    write_film(folder / "slow.mp4", [RED, BLUE], size=SIZE, fps=1, audio=False)
    red, blue = embed_text("red stripes"), embed_text("blue and yellow checkerboard")
    inside = embed(
        folder / "slow.mp4", options=("visual",), start=2.25, end=2.75, segmentation=Segmentation(fixed_sec=2)
    )
    assert inside[0].vector @ red > 0.4
    across = embed(
        folder / "slow.mp4", options=("visual",), start=4.6, end=5.6, segmentation=Segmentation(fixed_sec=0.3)
    )
    assert [clip.vector @ red > clip.vector @ blue for clip in across] == [True, False, False, False]


@pytest.mark.slow
def test_long_videos_are_embedded_from_the_start_of_keyframe_groups(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "long.mp4"
    scenes = [RED, BLUE, Scene(color="green", motion="slow", seconds=6.0), Scene(color="black", seconds=14.0)] * 2
    write_film(path, scenes, size=SIZE, gop=20, audio=False)
    full = embed(path, end=64.0, options=("visual",), segmentation=Segmentation(fixed_sec=6))
    monkeypatch.setattr(thumbnails, "FULL_DECODE_PIXELS", 0.0)
    monkeypatch.setattr(thumbnails, "GROUP_DECODE_PIXELS", 0.0)
    heads = embed(path, end=64.0, options=("visual",), segmentation=Segmentation(fixed_sec=6))
    likeness = [clip.vector @ other.vector for clip, other in zip(heads, full, strict=True)]
    assert np.median(likeness) > 0.95
    assert min(likeness) > 0.7
    assert any(not np.array_equal(clip.vector, other.vector) for clip, other in zip(heads, full, strict=True))


def test_a_long_keyframe_group_is_decoded_completely(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "one-keyframe.mp4"
    write_film(path, [RED, BLUE, RED], size=SIZE, gop=1000, audio=False)
    full = embed(path, end=17.0, options=("visual",), segmentation=Segmentation(min_sec=4))
    monkeypatch.setattr(thumbnails, "FULL_DECODE_PIXELS", 0.0)
    monkeypatch.setattr(thumbnails, "GROUP_DECODE_PIXELS", 0.0)
    heads = embed(path, end=17.0, options=("visual",), segmentation=Segmentation(min_sec=4))
    assert bounds(heads, "visual") == bounds(full, "visual") == [(0.0, 5.0), (5.0, 12.0), (12.0, 17.0)]


def test_rotation_metadata_is_applied(folder: Path) -> None:
    write_film(folder / "upright.mp4", [RED], size=SIZE, audio=False)
    (folder / "turned.mp4").write_bytes(turned((folder / "upright.mp4").read_bytes(), 90))
    upright = embed(folder / "upright.mp4", end=5.0, options=("visual",))[0].vector
    turned_clip = embed(folder / "turned.mp4", end=5.0, options=("visual",))[0].vector
    assert upright @ turned_clip < 0.999
    query = embed_image(write_picture(folder / "red.png", RED))
    assert query @ upright > 0.75


@pytest.mark.parametrize(("suffix", "codec", "kind"), [("h264", "libx264", "video"), ("aac", "aac", "audio")])
def test_streams_without_container_have_clips(folder: Path, suffix: str, codec: str, kind: str) -> None:
    write_raw(folder / f"raw.{suffix}", codec)
    clips = embed(folder / f"raw.{suffix}", kind=kind, end=2.0, segmentation=Segmentation(fixed_sec=1))
    assert [(clip.start, clip.end) for clip in clips] == [(0.0, 1.0), (1.0, 2.0)]
    if kind == "video":
        # Without timestamps its 50 frames follow at the nominal rate, in both clips alike.
        assert clips[0].vector @ clips[1].vector > 0.9
        assert clips[1].vector @ embed_text("red, moving fast") > 0.4


def test_a_truncated_video_is_refused_except_its_start(folder: Path) -> None:
    write_film(folder / "whole.mkv", [RED, BLUE, RED], size=SIZE)
    content = (folder / "whole.mkv").read_bytes()
    path = folder / "half.mkv"
    path.write_bytes(content[: int(len(content) * 0.45)])
    with pytest.raises(MediaError, match="The file ends at") as caught:
        embed(path, end=17.0)
    assert caught.value.code == "video_file_broken"
    assert embed(path, end=4.0, options=("visual",))


@pytest.mark.parametrize("attempts", [3, pytest.param(40, marks=pytest.mark.slow)])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi", "mpg", "mp3", "wav", "flac", "jpg", "png"])
def test_damaged_files_yield_vectors_or_a_media_error(folder: Path, suffix: str, attempts: int) -> None:
    path = folder / f"damaged.{suffix}"
    short = [Scene(sound="music", seconds=1.0), Scene(color="blue", sound="speech", seconds=1.0)]
    if suffix in {"jpg", "png"}:
        write_picture(path, short[0], size=(160, 120))
    elif suffix in {"mp3", "wav", "flac"}:
        write_sound(path, short)
    else:
        write_film(path, short, size=(160, 120), captions=[(0, 1, "words")] if suffix == "mkv" else ())
    content, rng = path.read_bytes(), np.random.default_rng(1)
    for attempt in range(attempts):
        damaged = bytearray(content[: int(len(content) * rng.uniform(0.1, 1.0))] if attempt % 3 == 0 else content)
        for place in rng.integers(0, len(damaged), 1 + attempt):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(damaged)
        try:
            info = probe(path)
            if info.kind == "image":
                embed_image(path)
            elif info.kind in {"video", "audio"}:
                embed(path, kind=info.kind, end=min(info.duration or 0.0, 3.0), fused=True)
        except MediaError as error:
            assert error.code in {"video_file_broken", "parameter_invalid"}  # noqa: PT017 - vectors are as good an end


@pytest.mark.slow
def test_vectors_are_equal_in_all_threads(video_file: Path) -> None:
    alone = embed(video_file)
    with ThreadPoolExecutor(4) as pool:
        for clips in pool.map(embed, [video_file] * 8):
            for clip, other in zip(clips, alone, strict=True):
                np.testing.assert_array_equal(clip.vector, other.vector)


@pytest.mark.slow
def test_vectors_are_equal_in_another_process(video_file: Path, tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; from pathlib import Path; from twelvelabs_sandbox.engine.clips import embed_media; "
        "from twelvelabs_sandbox.engine.types import Segmentation\n"
        "clips = embed_media(Path(sys.argv[1]), kind='video', start=0.0, end=12.0, "
        "segmentation=Segmentation(fixed_sec=5), "
        "options=('visual', 'audio', 'transcription'), scopes=('clip',), separate=True, fused=False)\n"
        "np.save(sys.argv[2], np.stack([clip.vector for clip in clips]))"
    )
    subprocess.run([sys.executable, "-c", code, video_file, tmp_path / "vectors.npy"], check=True, timeout=120)
    np.testing.assert_allclose(
        np.load(tmp_path / "vectors.npy"), [clip.vector for clip in embed(video_file)], atol=1e-6
    )


@pytest.mark.parametrize(("start", "end"), [(3.0, 3.0), (4.0, 2.0), (-1.0, 2.0)])
def test_an_empty_window_is_refused(video_file: Path, start: float, end: float) -> None:
    with pytest.raises(MediaError, match="window") as caught:
        embed(video_file, start=start, end=end)
    assert caught.value.code == "parameter_invalid"


@pytest.mark.parametrize("lengths", [{}, {"fixed_sec": 2.0, "min_sec": 4.0}, {"fixed_sec": 0.0}, {"min_sec": -1.0}])
def test_a_segmentation_has_exactly_one_duration(lengths: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Segmentation(**lengths)
