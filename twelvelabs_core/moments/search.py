"""Search results to moments: clips are scored by their stored vectors, and neighbouring clips are joined."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter, itemgetter
from typing import NamedTuple

import numpy as np

from twelvelabs_core.moments.growth import Bounds, Range, grow
from twelvelabs_core.moments.moment import Example, Hit, Moment, OptionScore, moment_id
from twelvelabs_core.moments.options import MomentOptions
from twelvelabs_core.moments.timeline import Timeline, best_cosines, rank, relevance_of_clips
from twelvelabs_core.results.segments import Matrix, Segments

NEIGHBOUR_SHARE = 0.9
"""A neighbouring clip joins a moment if its relevance is at least this share of that of the moment's best clip.

Of 0.7 to 0.95, 0.9 finds the most scenes on generated videos with clips of 2 and 4 s, and loses nothing with dynamic
segmentation; see `benchmarks/moments.py`.
"""

JOINED_PER_RESULT = 2
"""Where vectors are not stored, twice as many of the best clips as moments are wanted join with their neighbours."""


class StoredFile(NamedTuple):
    """The stored results of one file.

    Attributes:
        source: The caller's name of the file.
        content: Identity of its bytes: a file that changed under its name is two.
        results: The results of its tasks, with all clips and options.
        segment_ids: The hits whose vectors are in one of them.
    """

    source: str
    content: str
    results: Sequence[Segments]
    segment_ids: frozenset[str]


def moments_of(
    hits: Sequence[Hit],
    query: Matrix,
    files: Sequence[StoredFile],
    options: MomentOptions,
    *,
    k: int,
    like: Example | None = None,
) -> list[Moment]:
    """Return at most `k` moments, best first.

    Hits of clips are joined to moments, which are ordered by score; those whose vectors are not stored follow in the
    vector store's order. Hits of whole files, pages and chunks, and other documents, are not joined, and keep their
    places among the hits.

    Args:
        hits: The vector store's results, best first.
        query: The query's vector.
        files: The stored results of the files that the hits are from.
        options: How hits become moments.
        k: Maximum number of moments.
        like: What the query is an example of; it is in no moment.
    """
    once: dict[object, Hit] = {}
    for number, hit in enumerate(hits):
        is_example = like is not None and like.covers(hit.source, hit.start_sec, hit.end_sec, hit.segment_id)
        if not is_example and (not hit.is_clip or options.allows(hit.start_sec, hit.end_sec)):
            once.setdefault(hit.segment_id if hit.segment_id is not None else number, hit)
    clips = [hit for hit in once.values() if hit.is_clip]
    exact, others = _exact_tracks(clips, query, files, options, like)
    moments = _join(exact, options, k)
    others = [hit for hit in others if not any(_overlaps(hit, moment) for moment in moments)]
    moments += _join(_tracks_of_hits(others, moments, JOINED_PER_RESULT * k), options, k - len(moments))
    return _padded(_placed([*once.values()], moments)[:k], options.padding_sec)


def mean_direction(vectors: Sequence[Matrix]) -> Matrix:
    """Return the mean of the directions of vectors, of length 1."""
    matrix = np.stack(vectors).astype(np.float64)
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    mean = np.mean(matrix / np.where(norms == 0, 1, norms), axis=0)
    return np.asarray(mean / (np.linalg.norm(mean) or 1.0), np.float32)


@dataclass(slots=True, kw_only=True)
class _Track:
    """The clips of one video or audio file while moments are made of them.

    Attributes:
        source: The caller's name of the file.
        ranges: The clips in time order.
        scores: The score of each clip, by which moments are ordered; equal ones by `cosines`.
        cosines: The best cosine of each clip.
        relevance: The relevance of each clip, by which moments grow.
        hits: The hits of each clip.
        free: Whether each clip can become part of a moment.
        timeline: The clips with their cosines; None where the vectors are not stored.
        timelines: Those of all files, for ranks.
        counted: The embedding options that count; None for all.
    """

    source: str
    ranges: Sequence[Range]
    scores: Sequence[float]
    cosines: Sequence[float]
    relevance: Sequence[float]
    hits: Mapping[Range, list[Hit]]
    free: list[bool]
    timeline: Timeline | None = None
    timelines: Sequence[Timeline] = ()
    counted: Collection[str] | None = None

    def moment(self, seed: int, bounds: Bounds) -> Moment:
        """Return the moment around a clip; its clips, and those that overlap it, are no longer free."""
        least = NEIGHBOUR_SHARE * self.relevance[seed]
        usable = [
            is_free and relevance >= least > 0 for is_free, relevance in zip(self.free, self.relevance, strict=True)
        ]
        clips = grow(self.ranges, self.relevance, seed, usable, bounds)
        start, end = self.ranges[clips[0]][0], self.ranges[clips[-1]][1]
        hits: list[Hit] = []
        for index, (first, last) in enumerate(self.ranges):
            if first < end and last > start:
                self.free[index] = False
                if start <= first and last <= end:
                    hits += self.hits.get((first, last), ())
        best = max(clips, key=self.scores.__getitem__)
        start_sec, end_sec = start / 1000, end / 1000
        return Moment(
            moment_id=moment_id(self.source, "clip", start_sec, end_sec, None),
            source=self.source,
            title=hits[0].title,
            start_sec=start_sec,
            end_sec=end_sec,
            best_sec=sum(self.ranges[best]) / 2000,
            score=self.scores[best] if self.timeline else None,
            options=self._options(best),
            hits=tuple(sorted(hits, key=attrgetter("start_sec", "end_sec", "embedding_option"))),
            scope="clip",
            exact=self.timeline is not None,
            words=" ".join(dict.fromkeys(hit.words for hit in hits if hit.words)),
        )

    def _options(self, clip: int) -> dict[str, OptionScore]:
        if self.timeline is None:
            return {}
        cosines = {option: float(column[clip]) for option, column in self.timeline.cosines.items()}
        return {
            option: OptionScore(cosine, rank(self.timelines, option, cosine))
            for option, cosine in cosines.items()
            if not np.isnan(cosine) and (self.counted is None or option in self.counted)
        }


def _exact_tracks(
    hits: Iterable[Hit], query: Matrix, files: Sequence[StoredFile], options: MomentOptions, like: Example | None
) -> tuple[list[_Track], list[Hit]]:
    """Return a track for each file whose vectors are stored, and the hits that are on none."""
    files = sorted(files, key=itemgetter(0, 1))
    timelines = [Timeline.of(file.source, file.content, file.results, query) for file in files]
    number_of = {segment_id: number for number, file in enumerate(files) for segment_id in file.segment_ids}
    known = [set(timeline.ranges) for timeline in timelines]
    found: list[dict[Range, list[Hit]]] = [defaultdict(list) for _ in timelines]
    others = []
    for hit in hits:
        number = number_of.get(hit.segment_id or "")
        if number is not None and _range(hit) in known[number]:
            found[number][_range(hit)].append(hit)
        else:
            others.append(hit)
    relevance = relevance_of_clips(timelines, options.weights)
    cosines = best_cosines(timelines, options.weights)
    scores = relevance if options.score == "combined" else cosines
    tracks = []
    for number, timeline in enumerate(timelines):
        seconds = [(start / 1000, end / 1000) for start, end in timeline.ranges]
        tracks.append(
            _Track(
                source=timeline.source,
                ranges=timeline.ranges,
                scores=scores[number].tolist(),
                cosines=cosines[number].tolist(),
                relevance=relevance[number].tolist(),
                hits=found[number],
                free=[
                    options.allows(*clip) and not (like is not None and like.covers(timeline.source, *clip))
                    for clip in seconds
                ],
                timeline=timeline,
                timelines=timelines,
                counted=options.weights,
            )
        )
    return tracks, others


def _tracks_of_hits(hits: Sequence[Hit], moments: Sequence[Moment], joined: int) -> list[_Track]:
    """Return a track for each file whose vectors are not stored: its hits, scored by their places.

    Of all clips only the first `joined` join: further down, a neighbour's place says nothing of its relevance. The
    moments that were found take part as clips that are not free, so that no other moment grows over them.
    """
    found: dict[str, dict[Range, list[Hit]]] = defaultdict(lambda: defaultdict(list))
    place: dict[tuple[str, Range], int] = {}
    for hit in hits:
        found[hit.source][_range(hit)].append(hit)
        place.setdefault((hit.source, _range(hit)), len(place))
    tracks = []
    for source, clips in found.items():
        taken = {(round(one.start_sec * 1000), round(one.end_sec * 1000)) for one in moments if one.source == source}
        ranges = sorted({*clips, *taken})
        places = [place.get((source, clip), len(place)) for clip in ranges]
        tracks.append(
            _Track(
                source=source,
                ranges=ranges,
                scores=[-float(number) for number in places],
                cosines=[0.0] * len(ranges),
                relevance=[float(number < joined) for number in places],
                hits=clips,
                free=[clip not in taken for clip in ranges],
            )
        )
    return tracks


def _join(tracks: Sequence[_Track], options: MomentOptions, k: int) -> list[Moment]:
    """Return at most `k` moments, each around the best hit that is in none yet, best first."""
    seeds = [
        (-track.scores[index], -track.cosines[index], track.source, index, track)
        for track in tracks
        for index, clip in enumerate(track.ranges)
        if clip in track.hits
    ]
    found: list[Moment] = []
    count: Counter[str] = Counter()
    bounds = Bounds(round(options.max_gap_sec * 1000), round(options.max_moment_sec * 1000))
    for _, _, source, index, track in sorted(seeds, key=lambda seed: seed[:4]):
        if len(found) >= k:
            break
        if track.free[index] and count[source] != options.max_per_source:
            moment = track.moment(index, bounds)
            if moment.score is None or options.min_score is None or moment.score >= options.min_score:
                found.append(moment)
                count[source] += 1
    return sorted(found, key=lambda moment: -(moment.score or 0.0))


def _overlaps(hit: Hit, moment: Moment) -> bool:
    return hit.source == moment.source and hit.start_sec < moment.end_sec and hit.end_sec > moment.start_sec


def _as_it_is(hit: Hit) -> Moment:
    """Return a hit that is not joined with others."""
    return Moment(
        moment_id=moment_id(hit.source, hit.embedding_scope, hit.start_sec, hit.end_sec, hit.segment_id),
        source=hit.source,
        title=hit.title,
        start_sec=hit.start_sec,
        end_sec=hit.end_sec,
        best_sec=0.0,
        score=None,
        options={},
        hits=(hit,),
        scope=hit.embedding_scope,
        exact=False,
        words=hit.words,
    )


def _placed(hits: Sequence[Hit], moments: Sequence[Moment]) -> list[Moment]:
    """Return moments and other hits in one order: the places of the moments' first hits are filled by score."""
    owner = {id(hit): number for number, moment in enumerate(moments) for hit in moment.hits}
    waiting = iter(moments)
    opened: set[int] = set()
    placed = []
    for hit in hits:
        number = owner.get(id(hit))
        if not hit.is_clip:
            placed.append(_as_it_is(hit))
        elif number is not None and number not in opened:
            opened.add(number)
            placed.append(next(waiting))
    return placed


def _padded(moments: Sequence[Moment], seconds: float) -> list[Moment]:
    """Return the moments with seconds added at both ends, within the file and not into another moment."""
    if seconds <= 0:
        return [*moments]
    of_source: dict[str, list[Moment]] = defaultdict(list)
    for moment in moments:
        if moment.scope == "clip":
            of_source[moment.source].append(moment)
    return [_with_padding(moment, of_source[moment.source], seconds) for moment in moments]


def _with_padding(moment: Moment, others: Sequence[Moment], seconds: float) -> Moment:
    if moment.scope != "clip":
        return moment
    before = min([seconds, moment.start_sec, *_halves(moment.start_sec - one.end_sec for one in others)])
    after = min([seconds, *_halves(one.start_sec - moment.end_sec for one in others)])
    # Where the length of the file is not known, its end may be that of the moment.
    duration = max(hit.duration_sec for hit in moment.hits)
    end_sec = max(moment.end_sec, min(moment.end_sec + after, duration))
    return replace(moment, start_sec=moment.start_sec - before, end_sec=end_sec)


def _halves(gaps: Iterable[float]) -> list[float]:
    return [gap / 2 for gap in gaps if gap >= 0]


def _range(hit: Hit) -> Range:
    return round(hit.start_sec * 1000), round(hit.end_sec * 1000)
