"""Embeds video and audio as marengo3.5 does: audio includes speech, and timed texts can be fused with clips.

Its vector space is that of marengo3.0 with the signs of some values flipped, so that vectors of the two models do not
match. Flipping signs changes no angle within the space, nor between the first 128 or 256 values of two vectors.
"""

import functools
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Literal

import numpy as np

from twelvelabs_sandbox.embedding.types import Row, Usage, media_labels
from twelvelabs_sandbox.engine.clips import embed_media
from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.types import FloatVector, Segmentation
from twelvelabs_sandbox.engine.vector_space import SIZE, unit
from twelvelabs_sandbox.requests.types import MediaRequest, TimedText, VectorOptions

Bounds = tuple[float, float]
Clips = dict[Bounds, dict[str, FloatVector]]

# Arbitrary figures for the reported usage: tokens per second.
TOKENS_PER_SECOND = {"video": 60, "audio": 20}
# One clip: longer than the longest media of a synchronous request.
ONE_CLIP = Segmentation(fixed_sec=3600.0)


def marengo35_row(vector: FloatVector, labels: dict[str, object], vector_options: VectorOptions) -> Row:
    """Return an engine vector as marengo3.5 returns it: its first values, not normalized again."""
    full = to_marengo35(vector)
    uncertain = uncertainty(full)[: vector_options.dimension] if vector_options.uncertainty else None
    return Row(full[: vector_options.dimension], labels, uncertain)


def media_rows(
    path: Path, request: MediaRequest, window: Bounds, vector_options: VectorOptions, usage: Usage
) -> Iterator[Row]:
    """Yield the vectors of a video or audio window: first of each clip, then of the whole window (blocking)."""
    kind = request.input_type
    usage.tokens[kind] += media_tokens(kind, window[1] - window[0])
    clips = _clips(path, kind, window, request.segmentation, request.options)
    if request.fused:
        _fuse(clips, request.texts)
        usage.tokens["text"] += sum(len(text.text.split()) for text in request.texts)
    wanted = {*(request.options if request.separate else ()), *(("fused",) if request.fused else ())}
    if not {"clip", "local"}.isdisjoint(request.scopes):
        for (start, end), vectors in clips.items():
            for option, vector in vectors.items():
                if option in wanted:
                    yield marengo35_row(vector, media_labels(option, "clip", start, end), vector_options)
    if "asset" in request.scopes:
        bounds = (round(window[0], 3), round(window[1], 3))
        for option, vector in _window_vectors(clips).items():
            if option in wanted:
                yield marengo35_row(vector, media_labels(option, "asset", *bounds), vector_options)


def whole_vector(path: Path, kind: Literal["audio", "video"], seconds: float) -> FloatVector:
    """Return one vector of a whole video or audio file, visual and audio together (blocking)."""
    clips = _clips(path, kind, (0.0, seconds), ONE_CLIP, ("visual", "audio") if kind == "video" else ("audio",))
    return mean([vector for vectors in clips.values() for vector in vectors.values()])


def media_tokens(kind: str, seconds: float) -> int:
    """Return the number of tokens that video or audio of this duration uses."""
    return ceil(seconds * TOKENS_PER_SECOND[kind])


def _clips(
    path: Path, kind: Literal["audio", "video"], window: Bounds, segmentation: Segmentation, options: tuple[str, ...]
) -> Clips:
    engine_options = (*options, "transcription") if "audio" in options else options
    found = embed_media(
        path,
        kind=kind,
        start=window[0],
        end=window[1],
        segmentation=segmentation,
        options=engine_options,
        scopes=("clip",),
        separate=True,
        fused=False,
    )
    clips: Clips = defaultdict(dict)
    for clip in found:
        vectors = clips[clip.start, clip.end]
        option = "audio" if clip.option == "transcription" else clip.option
        vectors[option] = mean([vectors[option], clip.vector]) if option in vectors else clip.vector
    return clips


def _fuse(clips: Clips, texts: tuple[TimedText, ...]) -> None:
    embedded = [(text, embed_text(text.text)) for text in texts]
    for (start, end), vectors in clips.items():
        overlapping = [vector for text, vector in embedded if _overlaps(text, start, end)]
        vectors["fused"] = mean([*vectors.values(), *([mean(overlapping)] if overlapping else [])])


def _overlaps(text: TimedText, start: float, end: float) -> bool:
    # A text with start == end belongs to the clip that contains this second.
    return start <= text.start < end or text.start < start < text.end


def _window_vectors(clips: Clips) -> dict[str, FloatVector]:
    """Return the mean of the clips' vectors for each option, weighted by the duration of the clips."""
    weighted: dict[str, list[tuple[FloatVector, float]]] = defaultdict(list)
    for (start, end), vectors in clips.items():
        for option, vector in vectors.items():
            weighted[option].append((vector, end - start))
    return {option: mean([v for v, _ in pairs], [weight for _, weight in pairs]) for option, pairs in weighted.items()}


def to_marengo35(vector: FloatVector) -> FloatVector:
    """Return an engine vector in the marengo3.5 space, shape (512,), with its norm unchanged."""
    flipped: FloatVector = vector * _signs()
    return flipped


def mean(vectors: list[FloatVector], weights: list[float] | None = None) -> FloatVector:
    """Return the normalized (weighted) mean of vectors."""
    return unit(np.average(vectors, axis=0, weights=weights) if vectors else np.zeros(SIZE))


def uncertainty(vector: FloatVector) -> FloatVector:
    """Return the uncertainty of each value, 0 to 1: a value near 0 carries no information."""
    uncertain: FloatVector = (1 / (1 + SIZE * vector**2)).astype(np.float32)
    return uncertain


@functools.cache
def _signs() -> FloatVector:
    bits = np.frombuffer(hashlib.shake_256(b"marengo3.5").digest(SIZE // 8), np.uint8)
    signs: FloatVector = np.unpackbits(bits).astype(np.float32) * 2 - 1
    signs.flags.writeable = False
    return signs
