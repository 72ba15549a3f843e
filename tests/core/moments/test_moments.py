"""Moments computed from hits and stored vectors: bounds, order, missing options, and hits that are not joined."""

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.surface import Surface
from twelvelabs_core import Example, Hit, InputError, Moment, MomentOptions, SegmentPosition, Segments, citations
from twelvelabs_core.moments.search import StoredFile, moments_of
from twelvelabs_core.moments.text import ends_with, titles_of_sources
from twelvelabs_core.moments.timeline import Timeline, relevance_of_clips
from twelvelabs_core.results.segments import Matrix

DIMENSION = 4
# A machine that does other work is no reason to fail.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
QUERY = np.array([1, 0, 0, 0], np.float32)


def vector(cosine: float) -> list[float]:
    """Return a vector of length 2 with this cosine to the query."""
    return [2 * cosine, 2 * (1 - cosine**2) ** 0.5, 0, 0]


def result(cosines: dict[str, Sequence[float | None]], seconds: float = 2.0) -> Segments:
    """Return the result of a task with consecutive clips; None where a clip does not have an option."""
    rows = [
        (SegmentPosition(number * seconds, (number + 1) * seconds, option, "clip"), vector(cosine))
        for option, column in cosines.items()
        for number, cosine in enumerate(column)
        if cosine is not None
    ]
    matrix = np.array([row for _, row in rows], np.float32).reshape(len(rows), DIMENSION)
    return Segments(matrix, [position for position, _ in rows])


def hits_of(source: str, segments: Segments, scope: str = "clip") -> list[Hit]:
    """Return a hit for each row, best first."""
    duration = max((position.end_sec for position in segments.positions), default=0.0)
    order = np.argsort(-(segments.vectors @ QUERY), kind="stable")
    return [
        Hit(
            f"{source}/{row}",
            source,
            f"{source}.mp4",
            one.start_sec,
            one.end_sec,
            duration,
            one.embedding_option,
            scope,
        )
        for row, one in ((int(row), segments.positions[row]) for row in order)
    ]


def search(
    media: dict[str, Segments],
    hits: Sequence[Hit] | None = None,
    *,
    k: int = 5,
    query: Matrix = QUERY,
    **options: object,
) -> list[Moment]:
    if hits is None:
        hits = [hit for source, segments in media.items() for hit in hits_of(source, segments)]
    files = [
        StoredFile(source, "", [segments], frozenset(hit.segment_id or "" for hit in hits_of(source, segments)))
        for source, segments in media.items()
    ]
    return moments_of(hits, query, files, MomentOptions(**options), k=k)  # type: ignore[arg-type]


def bounds(moments: Sequence[Moment]) -> list[tuple[str, float, float]]:
    return [(moment.source, moment.start_sec, moment.end_sec) for moment in moments]


def test_neighbouring_relevant_clips_become_one_moment() -> None:
    media = {"a": result({"visual": [0.1, 0.1, 0.85, 0.9, 0.85, 0.1, 0.1, 0.1]})}
    (moment, *_) = search(media, k=1)
    assert (moment.start_sec, moment.end_sec, moment.best_sec) == (4.0, 10.0, 7.0)
    assert moment.exact
    assert moment.options["visual"].cosine == pytest.approx(0.9)
    assert moment.options["visual"].rank == 1
    assert moment.score == pytest.approx(0.9 - 0.1)
    assert moment.why == "seen 0.90; best at 0:07.0"


def test_weak_clip_ends_a_moment() -> None:
    media = {"a": result({"visual": [0.9, 0.9, 0.2, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1]})}
    assert sorted(bounds(search(media, k=2))) == [("a", 0.0, 4.0), ("a", 6.0, 10.0)]


def test_clips_between_hits_need_not_be_hits() -> None:
    media = {"a": result({"visual": [0.1, 0.85, 0.85, 0.9, 0.1, 0.1, 0.1, 0.1]})}
    best = [hit for hit in hits_of("a", media["a"]) if hit.start_sec in (2.0, 6.0)]
    assert bounds(search(media, best)) == [("a", 2.0, 8.0)]


def test_moment_is_at_most_as_long_as_allowed_but_a_single_clip_stays_whole() -> None:
    media = {"a": result({"visual": [0.9] * 20 + [0.1] * 30})}
    assert all(moment.end_sec - moment.start_sec <= 7.0 for moment in search(media, max_moment_sec=7.0))
    media = {"a": result({"visual": [0.9, 0.1, 0.1]}, seconds=60.0)}
    assert bounds(search(media, k=1)) == [("a", 0.0, 60.0)]


def test_options_are_added_and_each_is_compared_with_its_own_median() -> None:
    media = {
        "both": result({"visual": [0.7, 0.1, 0.1, 0.1], "audio": [0.7, 0.1, 0.1, 0.1]}, seconds=5.0),
        "one": result({"visual": [0.8, 0.1, 0.1, 0.1], "audio": [0.1, 0.1, 0.1, 0.1]}, seconds=5.0),
    }
    assert [moment.source for moment in search(media, k=2)] == ["both", "one"]
    assert [moment.source for moment in search(media, k=2, score="best")] == ["one", "both"]
    assert search(media, k=1, weights={"visual": 1.0})[0].source == "one"


def test_silent_clip_is_neither_favoured_nor_punished() -> None:
    sound = [0.4] * 8
    silent = {"visual": [0.7, *[0.1] * 7], "audio": [None, *sound[1:]]}
    loud = {"visual": [0.7, *[0.1] * 7], "audio": sound}
    first, second = search({"loud": result(loud), "silent": result(silent)}, k=2)
    assert first.score == pytest.approx(second.score)
    assert set(second.options) | set(first.options) == {"visual", "audio"}


def test_words_that_are_said_once_are_found() -> None:
    clips = {"visual": [0.3, 0.2, 0.3, 0.2], "transcription": [None, None, 0.8, None]}
    (moment, *_) = search({"a": result(clips, seconds=6.0)}, k=1)
    assert (moment.start_sec, moment.end_sec) == (12.0, 18.0)
    assert moment.score == pytest.approx(0.8 - 0.2, abs=0.05)


def test_fused_vectors_alone_count_where_all_clips_have_them() -> None:
    clips = {"visual": [0.9, 0.1, 0.1], "fused": [0.1, 0.1, 0.9]}
    assert search({"a": result(clips)}, k=1)[0].start_sec == 4.0
    assert search({"a": result({**clips, "fused": [None, 0.1, 0.9]})}, k=1)[0].start_sec == 0.0


def test_media_without_stored_vectors_follow_in_the_order_of_the_hits() -> None:
    known = result({"visual": [0.5, 0.1, 0.1]})
    lost = result({"visual": [0.9, 0.8, 0.1, 0.1, 0.85]})
    hits = [*hits_of("lost", lost)[:1], *hits_of("known", known)[:1]]
    assert [(moment.source, moment.exact) for moment in search({"known": known}, hits)] == [
        ("known", True),
        ("lost", False),
    ]
    moments = search({}, hits_of("lost", lost)[:3])
    assert bounds(moments) == [("lost", 0.0, 4.0), ("lost", 8.0, 10.0)]
    assert moments[0].score is None
    assert moments[0].why == "seen; best at 0:01.0"


def test_other_results_keep_their_places() -> None:
    media = {"a": result({"visual": [0.2, 0.1, 0.9, 0.1, 0.1, 0.1]})}
    page = Hit("p", "plan.pdf", "plan.pdf", embedding_option="visual", embedding_scope="page")
    whole = Hit("w", "a", "a.mp4", 0.0, 12.0, 12.0, "visual", "asset")
    foreign = Hit(None, "note.txt")
    best, *others = hits_of("a", media["a"])
    moments = search(media, [page, best, whole, foreign, *others], k=4)
    assert [(moment.source, moment.scope) for moment in moments] == [
        ("plan.pdf", "page"), ("a", "clip"), ("a", "asset"), ("note.txt", ""),
    ]  # fmt: skip
    assert moments[2].end_sec == 12.0
    assert moments[0].url == "plan.pdf"


def test_padding_stays_inside_the_medium_and_out_of_other_moments() -> None:
    media = {"a": result({"visual": [0.9, 0.1, 0.1, 0.9, *[0.1] * 6]})}
    moments = search(media, k=2, padding_sec=5.0)
    assert sorted(bounds(moments)) == [("a", 0.0, 4.0), ("a", 4.0, 13.0)]
    assert bounds(search({"a": result({"visual": [0.1, 0.1, 0.9]})}, k=1, padding_sec=9.0)) == [("a", 0.0, 6.0)]


def test_least_score_and_most_moments_of_a_source() -> None:
    media = {name: result({"visual": [0.9, 0.1, 0.1, 0.8, 0.1, 0.1, 0.1]}) for name in ("a", "b")}
    assert [moment.source for moment in search(media, k=4, max_per_source=1)] == ["a", "b"]
    assert {moment.options["visual"].rank for moment in search(media, k=9, min_score=0.75)} == {1}


def test_citation_of_a_url_and_of_a_path() -> None:
    (moment,) = search({"https://x.org/a b.mp4": result({"visual": [0.9]})})
    assert moment.url == "https://x.org/a b.mp4#t=0,2"
    (moment,) = search({"clips/50% #1.mp4": result({"visual": [0.9]})})
    assert citations([moment, moment])[0] == {
        "title": "clips/50% #1.mp4.mp4",
        "source": "clips/50% #1.mp4",
        "start_sec": 0.0,
        "end_sec": 2.0,
        "url": "clips/50%25%20%231.mp4#t=0,2",
        "thumbnail": None,
    }


cosines = st.lists(st.one_of(st.none(), st.floats(-0.875, 0.875, width=32)), min_size=1, max_size=12)
videos = st.dictionaries(
    st.sampled_from("abc"), st.fixed_dictionaries({"visual": cosines, "audio": cosines}).map(result), min_size=1
)


@PATIENT
@given(videos, st.randoms(use_true_random=False), st.floats(0.5, 20.0), st.floats(0.0, 3.0))
def test_properties_of_moments(media: dict[str, Segments], rng: random.Random, length: float, gap: float) -> None:
    hits = [hit for source, segments in media.items() for hit in hits_of(source, segments)]
    hits = rng.sample(hits, rng.randint(0, len(hits)))
    options = {"max_moment_sec": length, "max_gap_sec": gap}
    moments = search(media, hits, k=100, **options)
    assert {hit.segment_id for moment in moments for hit in moment.hits} == {hit.segment_id for hit in hits}
    for moment in moments:
        ends = [hit.end_sec for hit in moment.hits]
        assert 0 <= moment.start_sec <= min(hit.start_sec for hit in moment.hits)
        assert max(ends) <= moment.end_sec <= max(position.end_sec for position in media[moment.source].positions)
        assert moment.end_sec - moment.start_sec <= max(2.0, length)
        assert moment.start_sec <= moment.best_sec <= moment.end_sec
    for source in media:
        parts = sorted(one[1:] for one in bounds(moments) if one[0] == source)
        assert all(first[1] <= second[0] for first, second in pairwise(parts))
    shuffled = search(media, rng.sample(hits, len(hits)), k=100, **options)
    assert [(one.moment_id, one.score, one.hits) for one in shuffled] == [
        (one.moment_id, one.score, one.hits) for one in moments
    ]


steps = st.integers(-512, 512).map(lambda step: step / 1024)  # their sums and medians are exact


pairs = st.lists(st.tuples(steps, steps), min_size=1, max_size=20)


@PATIENT
@given(pairs, steps)
def test_constant_added_to_one_option_changes_no_score(clips: list[tuple[float, float]], shift: float) -> None:
    def scores(added: float) -> list[float]:
        visual, audio = np.array(clips).T
        ranges = tuple((number, number + 1) for number in range(len(clips)))
        (column,) = relevance_of_clips([Timeline("a", "", ranges, {"visual": visual, "audio": audio + added})], None)
        return column.tolist()

    assert scores(shift) == pytest.approx(scores(0.0), abs=1e-9)


def test_clips_that_most_of_a_video_resembles_keep_their_order() -> None:
    media = {"a": result({"visual": [0.0, 0.0, 0.75, 0.8, 0.75, 0.7, *[0.75] * 6]}, seconds=5.0)}
    (moment, *_) = search(media, k=1, min_score=0.5)
    assert (moment.start_sec, moment.best_sec, moment.end_sec) == (10.0, 17.5, 25.0)


def test_clips_without_relevance_are_ordered_by_cosine() -> None:
    media = {"a": result({"visual": [0.5, 0.1, 0.15, 0.3, 0.2, 0.05]}, seconds=31.0)}
    order = [round(moment.start_sec / 31) for moment in search(media, k=6)]
    assert order == [0, 3, 4, 2, 1, 5]


def test_file_that_changed_under_its_name_is_two_files() -> None:
    old, new = (result({"visual": column}, seconds=4.0) for column in ([0.9, 0.1, 0.1], [0.1, 0.1, 0.8]))
    hits = hits_of("a", old)[:1] + [replace(hit, segment_id=f"new {hit.segment_id}") for hit in hits_of("a", new)[:1]]
    files = [
        StoredFile("a", "1", [old], frozenset([hits[0].segment_id or ""])),
        StoredFile("a", "2", [new], frozenset([hits[1].segment_id or ""])),
    ]
    first, second = moments_of(hits, QUERY, files, MomentOptions(), k=2)
    assert (first.best_sec, first.options["visual"].cosine) == (2.0, pytest.approx(0.9))
    assert (second.best_sec, second.options["visual"].cosine) == (10.0, pytest.approx(0.8))


def test_moment_without_vectors_does_not_grow_over_one_with_vectors() -> None:
    known = result({"visual": [0.1, 0.9, 0.1]}, seconds=4.0)
    (best,) = [hit for hit in hits_of("a", known) if hit.start_sec == 4.0]
    others = [replace(hit, segment_id=f"x{hit.start_sec}") for hit in hits_of("a", known) if hit.start_sec != 4.0]
    files = [StoredFile("a", "", [known], frozenset([best.segment_id or ""]))]
    moments = moments_of([best, *others], QUERY, files, MomentOptions(max_gap_sec=5.0), k=3)
    assert bounds(moments) == [("a", 4.0, 8.0), ("a", 0.0, 4.0), ("a", 8.0, 12.0)]


def test_example_is_in_no_moment() -> None:
    media = result({"visual": [0.9, 0.9, 0.1, 0.8, 0.1, 0.1, 0.1, 0.1]}, seconds=4.0)
    page = Hit("p", "plan.pdf", embedding_option="visual", embedding_scope="page")
    files = [StoredFile("a", "", [media], frozenset(hit.segment_id or "" for hit in hits_of("a", media)))]
    hits = [page, *hits_of("a", media)]
    like = Example("a", 0.0, 8.0, ("a/0", "a/1"))
    found = moments_of(hits, QUERY, files, MomentOptions(max_per_source=1), k=2, like=like)
    assert bounds(found) == [("plan.pdf", 0.0, 0.0), ("a", 12.0, 16.0)]
    found = moments_of(hits, QUERY, files, MomentOptions(), k=2, like=Example("p", 0.0, 0.0, ("p",)))
    assert [moment.scope for moment in found] == ["clip", "clip"]


def test_end_is_not_padded_where_the_length_is_not_known() -> None:
    hit = Hit("1", "a", "a", 4.0, 8.0, 0.0, "visual", "clip")
    (moment,) = moments_of([hit], QUERY, [], MomentOptions(padding_sec=2.0), k=1)
    assert (moment.start_sec, moment.end_sec) == (2.0, 8.0)


def test_least_score_is_that_of_the_best_clip_of_a_moment() -> None:
    media = {"a": result({"visual": [0.1, 0.85, 0.9, 0.1, 0.1]})}
    seeds = [hit for hit in hits_of("a", media["a"]) if hit.start_sec == 2.0]
    (moment,) = search(media, seeds, min_score=0.78)
    assert moment.score == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("metadata", "theirs"),
    [({"space": "marengo3.5/512", "model": "marengo3.5"}, "marengo3.5/512"), ({"model": "marengo3.5"}, "marengo3.5")],
)
async def test_a_result_of_another_space_is_refused(client: Surface, metadata: dict[str, str], theirs: str) -> None:
    """Also where the segment store does not have its vector; an early version wrote the model alone."""
    known = {"segment_id": "1", "source": "a.mp4", "embedding_scope": "clip", "start_sec": 0.0, "end_sec": 6.0}
    query = np.ones(512, np.float32)
    ours = {**known, "space": client.space, "model": "marengo3.0"}
    for accepted in (ours, known, {**known, "model": "marengo3.0"}):
        (moment,) = await client.find_moments([Hit.of(accepted)], query)
        assert not moment.exact
    with pytest.raises(InputError, match=f"of the space {theirs}, those of this client of {client.space}"):
        await client.find_moments([Hit.of(ours), Hit.of({**known, **metadata, "segment_id": "2"})], query)
    # A document that is not of this package may have any metadata.
    assert await client.find_moments([Hit.of({"source": "note", **metadata})], query)


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ({"a/cup/v.mp4": "v.mp4", "b/league/v.mp4": "v.mp4"}, ["cup/v.mp4", "league/v.mp4"]),
        ({"a/cup/v.mp4": "cup/v.mp4", "b/cup/v.mp4": "cup/v.mp4"}, ["a/cup/v.mp4", "b/cup/v.mp4"]),
        ({"u7/plan.mp4": "v.mp4", "cup/v.mp4": "v.mp4"}, ["u7/plan.mp4", "cup/v.mp4"]),
        ({"u7/plan.mp4": "v.mp4", "u8/plan.mp4": "w.mp4"}, ["v.mp4", "w.mp4"]),
        ({"https://h.io/a/my%20v.mp4": "my v.mp4", "b/my v.mp4": "my v.mp4"}, ["a/my v.mp4", "b/my v.mp4"]),
    ],
)
def test_equal_titles_are_told_apart_by_names_that_are_the_end_of_their_sources(
    stored: dict[str, str], shown: list[str]
) -> None:
    titles = titles_of_sources(stored)
    assert list(titles.values()) == shown
    assert all(ends_with(source, title) for source, title in titles.items() if title not in stored.values())
