"""The clips of a video or audio file in time order, with the cosines of each option, and the relevance of each clip."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelabs_core.moments.growth import Range
from twelvelabs_core.results.segments import Matrix, Segments

Numbers = NDArray[np.float64]
FEW_CLIPS = 10
BASELINE = 0.1
"""The quantile of an option's cosines above which a clip is relevant."""


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The clips of one video or audio file.

    Attributes:
        source: The caller's name of the file.
        content: Identity of its bytes: a file that changed under its name has two timelines.
        ranges: First and last millisecond of each clip, in time order.
        cosines: For each embedding option one cosine per clip; not a number where a clip does not have the option.
    """

    source: str
    content: str
    ranges: tuple[Range, ...]
    cosines: Mapping[str, Numbers]

    @classmethod
    def of(cls, source: str, content: str, results: Sequence[Segments], query: Matrix) -> "Timeline":
        """Return the clips of the results of one file; a time range and option in two of them counts once."""
        positions = [position for segments in results for position in segments.positions]
        if not positions:
            return cls(source, content, (), {})
        cosines = np.concatenate([_cosines(segments.vectors, query) for segments in results])
        starts, ends, options, scopes = list(zip(*positions, strict=True))[:4]
        seconds = np.array([starts, ends])
        first, last = np.rint(seconds * 1000).astype(np.int64)
        is_clip = (np.array(scopes) == "clip") & (seconds[1] > seconds[0])
        ranges, clip_of = np.unique((first << 32 | last)[is_clip], return_inverse=True)
        names = np.array(options)[is_clip]
        columns = {}
        for option in dict.fromkeys(names.tolist()):
            rows = names == option
            columns[option] = np.full(len(ranges), np.nan)
            # Of equal indexes the last assignment counts, which is thus the first row.
            columns[option][clip_of[rows][::-1]] = cosines[is_clip][rows][::-1]
        clips = zip((ranges >> 32).tolist(), (ranges & 0xFFFFFFFF).tolist(), strict=True)
        return cls(source, content, tuple(clips), columns)


def _cosines(vectors: Matrix, query: Matrix) -> Numbers:
    """Return the cosine of each vector and the query; 0 for a vector of zeros."""
    # Not `@`: for so small a product the threads of BLAS take ten times the CPU time.
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors)) * np.linalg.norm(query)
    cosines = np.einsum("ij,j->i", vectors, query) / np.where(norms == 0, 1, norms)
    return np.asarray(cosines, dtype=np.float64)


def relevance_of_clips(timelines: Sequence[Timeline], weights: Mapping[str, float] | None) -> list[Numbers]:
    """Return for each timeline the relevance of its clips, at least 0.

    An option's margin is weight x (cosine - baseline), and 0 where it is negative or the clip does not have the
    option. The baseline is the 0.1 quantile of the cosines of that option over all clips: with the median, a query
    that more than half of them match would tell none apart. That of few clips says little, as where speech is
    heard only once: below `FEW_CLIPS`, clips that lack the option count with the baseline of all options.

    Relevance is the 3-norm of the margins, the cube root of the sum of their cubes: an option that does not tell clips
    apart hardly changes it, and two that do add up. Without weights, fused vectors alone count where all clips have
    them, else all other options.

    On generated videos the 3-norm finds at least as many scenes as the sum (1-norm) and the maximum for each kind of
    query; see `benchmarks/moments.py`.
    """
    weights = weights if weights is not None else dict.fromkeys(_options(timelines), 1.0)
    baselines = _baselines(timelines, weights)
    relevance = []
    for timeline in timelines:
        cubes = np.zeros(len(timeline.ranges))
        for option, weight in weights.items():
            if option in timeline.cosines:
                margins = np.nan_to_num(weight * (timeline.cosines[option] - baselines[option]))
                cubes += np.maximum(margins, 0.0) ** 3
        relevance.append(np.cbrt(cubes))
    return relevance


def best_cosines(timelines: Sequence[Timeline], weights: Mapping[str, float] | None) -> list[Numbers]:
    """Return for each clip of each timeline its largest weight x cosine; -1 where it has none of the options."""
    weights = weights if weights is not None else dict.fromkeys(_options(timelines), 1.0)
    scores = [np.full(len(timeline.ranges), -1.0) for timeline in timelines]
    for option, weight in weights.items():
        for score, timeline in zip(scores, timelines, strict=True):
            if option in timeline.cosines:
                np.fmax(score, weight * timeline.cosines[option], out=score)
    return scores


def rank(timelines: Sequence[Timeline], option: str, cosine: float) -> int:
    """Return the position (from 1) of a cosine among those of all clips by this option."""
    return 1 + sum(int(np.sum(one.cosines[option] > cosine)) for one in timelines if option in one.cosines)


def _options(timelines: Sequence[Timeline]) -> list[str]:
    all_fused = all("fused" in one.cosines and not np.isnan(one.cosines["fused"]).any() for one in timelines)
    return ["fused"] if all_fused else [option for option in _all_options(timelines) if option != "fused"]


def _all_options(timelines: Sequence[Timeline]) -> list[str]:
    return list(dict.fromkeys(option for timeline in timelines for option in timeline.cosines))


def _baselines(timelines: Sequence[Timeline], options: Iterable[str]) -> dict[str, float]:
    """Return the baseline of each option, as `relevance_of_clips` says."""
    columns = {
        option: np.concatenate([one.cosines[option] for one in timelines if option in one.cosines])
        for option in _all_options(timelines)
    }
    known = {option: column[~np.isnan(column)] for option, column in columns.items()}
    overall = _low(np.concatenate([*known.values()])) if known else 0.0
    clips = sum(len(timeline.ranges) for timeline in timelines)
    baselines = {}
    for option in options:
        if option in known:
            added = max(0, min(FEW_CLIPS, clips) - len(known[option]))
            baselines[option] = _low(np.append(known[option], [overall] * added))
    return baselines


def _low(cosines: Numbers) -> float:
    return float(np.quantile(cosines, BASELINE)) if len(cosines) else 0.0
