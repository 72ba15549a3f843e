"""Embeds a stretch of film or sound: cuts it, gives each clip its vectors, and means of them for the whole."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twelvelabs_sandbox import _listen, _look
from twelvelabs_sandbox._codebook import unit
from twelvelabs_sandbox._media_values import ClipVector, Cut, FloatVector, MediaError, MediaKind, Option
from twelvelabs_sandbox._shots import changes_of, clip_bounds
from twelvelabs_sandbox._sounds import film_sounds
from twelvelabs_sandbox._survey import survey
from twelvelabs_sandbox._texts import text_vector
from twelvelabs_sandbox._thumbnails import film_thumbnails
from twelvelabs_sandbox._words import Script, spoken_words

# The vector of a clip by one option, or None where it has nothing of that kind.
Embedder = Callable[[float, float], FloatVector | None]
Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Window:
    """Which stretch of which file is embedded, and what for."""

    path: Path
    kind: MediaKind
    start: float
    end: float
    options: Collection[str]


def clip_vectors(window: Window, cut: Cut, *, scopes: Collection[str], separate: bool, fused: bool) -> list[ClipVector]:
    """Return the vectors of a window, clip by clip, then those of the whole."""
    embedders, changes = _prepare(window, by_shots=cut.min_sec is not None)
    bounds = clip_bounds(window.start, window.end, cut, changes)
    table = {clip: dict(_of_clip(clip, embedders)) for clip in bounds}
    if fused:
        for vectors in table.values():
            if vectors:
                vectors["fused"] = unit(np.sum(list(vectors.values()), axis=0))
    wanted = {*(embedders if separate else ()), *(("fused",) if fused else ())}
    found = list(_clip_scope(table, wanted)) if "clip" in scopes else []
    whole = (round(float(window.start), 3), round(float(window.end), 3))
    return found + (list(_asset_scope(table, wanted, whole)) if "asset" in scopes else [])


def _prepare(window: Window, *, by_shots: bool) -> tuple[dict[Option, Embedder], list[tuple[float, float]]]:
    """Decode what the options need, once, and return how to embed a clip by each, and where clips may be cut."""
    path, start, end = window.path, window.start, window.end
    if not 0 <= start < end:
        raise MediaError("parameter_invalid", f"The window {start} s to {end} s is empty.")
    film = window.kind == "video"
    facts = survey(path, start, end)
    if not (facts.frames if film else facts.sounds):
        raise MediaError("parameter_invalid", f"The file has no {'picture' if film else 'sound'} track in this window.")
    embedders: dict[Option, Embedder] = {}
    changes: list[tuple[float, float]] = []
    if film and ("visual" in window.options or by_shots):
        look = _look.measure(film_thumbnails(path, start, end, facts))
        changes = changes_of(look.times, look.changes)
        embedders["visual"] = lambda begin, until: _look.clip_vector(look, begin, until)
    if facts.sounds and ("audio" in window.options or (by_shots and not film)):
        sound = _listen.measure(film_sounds(path, start, end, _listen.BLOCK))
        changes = changes if film else [(start + at, strength) for at, strength in _listen.changes_of(sound)]
        embedders["audio"] = lambda begin, until: _listen.clip_vector(sound, begin - start, until - start)
    if "transcription" in window.options:
        script = Script(spoken_words(path))
        embedders["transcription"] = lambda begin, until: _words_vector(script.between(begin, until))
    return {option: embed for option, embed in embedders.items() if option in window.options}, changes


def _words_vector(words: str) -> FloatVector | None:
    return text_vector(words) if words else None


def _of_clip(clip: Bounds, embedders: dict[Option, Embedder]) -> Iterator[tuple[Option, FloatVector]]:
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
    table: dict[Bounds, dict[Option, FloatVector]], wanted: set[Option], whole: Bounds
) -> Iterator[ClipVector]:
    """Yield the means of the clips' vectors, each clip counted by its length; only clips that have one."""
    sums: dict[Option, FloatVector] = {}
    for (start, end), vectors in table.items():
        for option, vector in vectors.items():
            sums[option] = sums.get(option, np.zeros_like(vector)) + vector * np.float32(end - start)
    for option, total in sums.items():
        if option in wanted:
            yield ClipVector(*whole, "asset", option, unit(total))
