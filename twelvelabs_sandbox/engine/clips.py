"""Embeds a window of a video or audio file: a vector of each clip and option, and their means over the window."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from twelvelabs_sandbox.engine import audio, visual
from twelvelabs_sandbox.engine.audio_samples import audio_blocks
from twelvelabs_sandbox.engine.captions import CaptionIndex, read_captions
from twelvelabs_sandbox.engine.packets import scan_packets
from twelvelabs_sandbox.engine.segmentation import clip_bounds, shot_changes
from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.thumbnails import video_thumbnails
from twelvelabs_sandbox.engine.types import ClipVector, FloatVector, MediaError, MediaKind, Option, Segmentation
from twelvelabs_sandbox.engine.vector_space import unit

# Returns the vector of a clip for one option, or None if the clip has no such content.
Embedder = Callable[[float, float], FloatVector | None]
Bounds = tuple[float, float]


def embed_media(
    path: Path,
    *,
    kind: Literal["video", "audio"],
    start: float,
    end: float,
    segmentation: Segmentation,
    options: Collection[str],
    scopes: Collection[str],
    separate: bool,
    fused: bool,
) -> list[ClipVector]:
    """Split a window of a video or audio file into clips and embed them (blocking).

    Args:
        path: The file.
        kind: ``audio`` embeds the audio track only, also of a video file.
        start: Start of the window in seconds from the start of the file.
        end: End of the window in seconds; at most the duration of the file.
        segmentation: How to split the window into clips.
        options: Any of ``visual`` (video only), ``audio``, ``transcription``. A video without an audio track has no
            ``audio`` vectors, a clip without captions no ``transcription`` vector.
        scopes: ``clip`` returns one vector per clip, ``asset`` the mean over the window.
        separate: Whether to return one vector per option.
        fused: Whether to return one vector of all options together.

    Returns:
        The vectors of each clip in order of time, then those of the whole window.

    Raises:
        MediaError: The track is missing or cannot be decoded, or the file ends before `end`.
    """
    embedders, changes = _prepare(path, kind, start, end, options, by_shots=segmentation.min_sec is not None)
    table = {clip: dict(_embed_clip(clip, embedders)) for clip in clip_bounds(start, end, segmentation, changes)}
    if fused:
        for vectors in table.values():
            if vectors:
                vectors["fused"] = unit(np.sum(list(vectors.values()), axis=0))
    wanted = {*(embedders if separate else ()), *(("fused",) if fused else ())}
    found = list(_clip_scope(table, wanted)) if "clip" in scopes else []
    window = (round(float(start), 3), round(float(end), 3))
    return found + (list(_asset_scope(table, wanted, window)) if "asset" in scopes else [])


def _prepare(
    path: Path, kind: MediaKind, start: float, end: float, options: Collection[str], *, by_shots: bool
) -> tuple[dict[Option, Embedder], list[tuple[float, float]]]:
    """Decode once what the options need.

    Returns:
        The function that embeds a clip for each option; and the changes (second, strength) at which clips may end.
    """
    if not 0 <= start < end:
        raise MediaError("parameter_invalid", f"The window {start} s to {end} s is empty.")
    is_video = kind == "video"
    summary = scan_packets(path, start, end)
    if not (summary.video_packets if is_video else summary.audio_packets):
        track = "video" if is_video else "audio"
        raise MediaError("parameter_invalid", f"The file has no {track} track in this window.")
    embedders: dict[Option, Embedder] = {}
    changes: list[tuple[float, float]] = []
    if is_video and ("visual" in options or by_shots):
        visual_features = visual.measure(video_thumbnails(path, start, end, summary))
        changes = shot_changes(visual_features.times, visual_features.changes)
        embedders["visual"] = lambda since, until: visual.clip_vector(visual_features, since, until)
    if summary.audio_packets and ("audio" in options or (by_shots and not is_video)):
        audio_features = audio.measure(audio_blocks(path, start, end, audio.BLOCK))
        if not is_video:
            changes = [(start + at, strength) for at, strength in audio.spectrum_changes(audio_features)]
        embedders["audio"] = lambda since, until: audio.clip_vector(audio_features, since - start, until - start)
    if "transcription" in options:
        captions = CaptionIndex(read_captions(path))
        embedders["transcription"] = lambda since, until: _caption_vector(captions.between(since, until))
    return {option: embed for option, embed in embedders.items() if option in options}, changes


def _caption_vector(text: str) -> FloatVector | None:
    return embed_text(text) if text else None


def _embed_clip(clip: Bounds, embedders: dict[Option, Embedder]) -> Iterator[tuple[Option, FloatVector]]:
    for option, embed in embedders.items():
        vector = embed(*clip)
        if vector is not None:
            yield option, vector


def _clip_scope(table: dict[Bounds, dict[Option, FloatVector]], wanted: set[Option]) -> Iterator[ClipVector]:
    for (start, end), vectors in table.items():
        for option, vector in vectors.items():
            if option in wanted:
                yield ClipVector(start, end, "clip", option, vector)


def _asset_scope(
    table: dict[Bounds, dict[Option, FloatVector]], wanted: set[Option], window: Bounds
) -> Iterator[ClipVector]:
    """Yield the means of the clips' vectors, weighted by the duration of the clips that have one."""
    sums: dict[Option, FloatVector] = {}
    for (start, end), vectors in table.items():
        for option, vector in vectors.items():
            sums[option] = sums.get(option, np.zeros_like(vector)) + vector * np.float32(end - start)
    for option, total in sums.items():
        if option in wanted:
            yield ClipVector(*window, "asset", option, unit(total))
