"""Vectors of films and sounds as marengo3.5 gives them: sound includes speech, and texts can be fused with clips."""

import functools
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Literal

import numpy as np

from twelvelabs_sandbox.requests.types import MediaRequest
from twelvelabs_sandbox.requests.types import TimedText
from twelvelabs_sandbox.requests.types import VectorOptions
from twelvelabs_sandbox.engine.vector_space import SIZE
from twelvelabs_sandbox.engine.vector_space import unit
from twelvelabs_sandbox.engine.types import FloatVector
from twelvelabs_sandbox.engine.types import Segmentation
from twelvelabs_sandbox.engine.text import embed_text
from twelvelabs_sandbox.engine.clips import embed_media
from twelvelabs_sandbox.embedding.types import Row
from twelvelabs_sandbox.embedding.types import Usage
from twelvelabs_sandbox.embedding.types import media_labels

Bounds = tuple[float, float]
Clips = dict[Bounds, dict[str, FloatVector]]

# Made-up prices, so that usage has figures: tokens for a second.
TOKENS_PER_SECOND = {"video": 60, "audio": 20}
# Longer than what a synchronous call takes: one clip.
WHOLE = Segmentation(fixed_sec=3600.0)


def marengo35_row(vector: FloatVector, labels: dict[str, object], vector_options: VectorOptions) -> Row:
    """Return a vector of the engine as marengo3.5 gives it: its first values, not brought to length 1 again."""
    whole = to_marengo35(vector)
    unsure = uncertainty(whole)[: vector_options.dimension] if vector_options.uncertainty else None
    return Row(whole[: vector_options.dimension], labels, unsure)


def media_rows(
    path: Path, request: MediaRequest, window: Bounds, vector_options: VectorOptions, usage: Usage
) -> Iterator[Row]:
    """Yield the vectors of a film or sound, clip by clip, then those of the whole (blocking)."""
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
        whole = (round(window[0], 3), round(window[1], 3))
        for option, vector in _wholes(clips).items():
            if option in wanted:
                yield marengo35_row(vector, media_labels(option, "asset", *whole), vector_options)


def whole_vector(path: Path, kind: Literal["audio", "video"], seconds: float) -> FloatVector:
    """Return one vector of all that there is to see and hear (blocking)."""
    clips = _clips(path, kind, (0.0, seconds), WHOLE, ("visual", "audio") if kind == "video" else ("audio",))
    return mean([vector for vectors in clips.values() for vector in vectors.values()])


def media_tokens(kind: str, seconds: float) -> int:
    """Return what a film or sound counts."""
    return ceil(seconds * TOKENS_PER_SECOND[kind])


def _clips(
    path: Path, kind: Literal["audio", "video"], window: Bounds, segmentation: Segmentation, options: tuple[str, ...]
) -> Clips:
    engine_options = (*options, "transcription") if "audio" in options else options
    found = embed_media(
        path, kind=kind, start=window[0], end=window[1], segmentation=segmentation, options=engine_options, scopes=("clip",), separate=True,
        fused=False,
    )  # fmt: skip
    clips: Clips = defaultdict(dict)
    for clip in found:
        vectors = clips[clip.start, clip.end]
        option = "audio" if clip.option == "transcription" else clip.option
        vectors[option] = mean([vectors[option], clip.vector]) if option in vectors else clip.vector
    return clips


def _fuse(clips: Clips, texts: tuple[TimedText, ...]) -> None:
    embedded = [(text, embed_text(text.text)) for text in texts]
    for (start, end), vectors in clips.items():
        said = [vector for text, vector in embedded if _overlaps(text, start, end)]
        vectors["fused"] = mean([*vectors.values(), *([mean(said)] if said else [])])


def _overlaps(text: TimedText, start: float, end: float) -> bool:
    # A text about one moment belongs to the clip that the moment is in.
    return start <= text.start < end or text.start < start < text.end


def _wholes(clips: Clips) -> dict[str, FloatVector]:
    """Return the means of the clips' vectors, each clip counted by its length."""
    sides: dict[str, list[tuple[FloatVector, float]]] = defaultdict(list)
    for (start, end), vectors in clips.items():
        for option, vector in vectors.items():
            sides[option].append((vector, end - start))
    return {option: mean([v for v, _ in side], [weight for _, weight in side]) for option, side in sides.items()}


def to_marengo35(vector: FloatVector) -> FloatVector:
    """Return a vector of the engine in the space of 3.5, shape (512,), of the same length."""
    turned: FloatVector = vector * _signs()
    return turned


def mean(vectors: list[FloatVector], weights: list[float] | None = None) -> FloatVector:
    """Return the unit vector in the middle of some."""
    return unit(np.average(vectors, axis=0, weights=weights) if vectors else np.zeros(SIZE))


def uncertainty(vector: FloatVector) -> FloatVector:
    """Return how unsure each value is, 0 to 1: a value near 0 says nothing of the content either way."""
    unsure: FloatVector = (1 / (1 + SIZE * vector**2)).astype(np.float32)
    return unsure


@functools.cache
def _signs() -> FloatVector:
    bits = np.frombuffer(hashlib.shake_256(b"marengo3.5").digest(SIZE // 8), np.uint8)
    signs: FloatVector = np.unpackbits(bits).astype(np.float32) * 2 - 1
    signs.flags.writeable = False
    return signs
