"""Measures of judged queries, their bounds and order, comparison of two searches, and weights on held-out queries."""

import sys
from collections.abc import Callable, Mapping, Sequence
from math import log2
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document
from llama_index.core.schema import NodeWithScore, TextNode

from twelvelabs_core import ConfigurationError, Hit, InputError, Moment, MomentOptions
from twelvelabs_core.moments.evaluation import (
    Evaluation,
    JudgedQuery,
    Span,
    compare,
    evaluate,
    evaluate_settings,
    plot,
    table,
    tune_weights,
)
from twelvelabs_core.moments.evaluation.judged import temporal_iou

LONG = Span("a.mp4", 10.0, 20.0)
SHORT = Span("b.mp4", 0.0, 4.0)
WRONG = Span("a.mp4", 50.0, 60.0)
# A machine that does other work is no reason to fail.
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SPANS = st.builds(
    lambda source, start, length: Span(source, float(start), float(start + length)),
    st.sampled_from(["a", "b"]),
    st.integers(0, 30),
    st.integers(1, 10),
)


def results(answers: Mapping[str, Sequence[Any]]) -> Callable[[str], Sequence[Any]]:
    return lambda query: answers[query]


def as_moment(span: Span) -> Moment:
    return Moment("id", span.source, "title", span.start_sec, span.end_sec, 0.0, None, {}, (Hit(None),))


def as_document(span: Span) -> Document:
    return Document("text", metadata=span._asdict())


def as_node(span: Span) -> NodeWithScore:
    return NodeWithScore(node=TextNode(text="text", metadata=span._asdict()), score=0.5)


def test_measures_are_those_computed_by_hand() -> None:
    judged = [JudgedQuery("one", [LONG], "x"), JudgedQuery("two", [LONG, SHORT], "y"), JudgedQuery("none", [LONG], "y")]
    answers = {"one": [WRONG, LONG], "two": [SHORT, WRONG, LONG], "none": [WRONG]}
    evaluation = evaluate(results(answers), judged, k=3)
    assert evaluation.recall(1) == pytest.approx(1 / 3)
    assert evaluation.recall(3) == pytest.approx(2 / 3)
    assert evaluation.mrr == pytest.approx((1 / 2 + 1 + 0) / 3)
    two = (1 + 1 / log2(4)) / (1 + 1 / log2(3))
    assert evaluation.ndcg() == pytest.approx((1 / log2(3) + two + 0) / 3)
    assert evaluation.ndcg(1) == pytest.approx(1 / 3)
    assert evaluation.labels == ["x", "y"]
    assert evaluation.only("y").recall(1) == pytest.approx(1 / 2)
    assert evaluation.values("recall@2").tolist() == [1, 1, 0]


@pytest.mark.parametrize("shape", [lambda span: span, as_moment, as_document, as_node])
def test_results_of_both_frameworks_and_moments_are_judged_alike(shape: Callable[[Span], Any]) -> None:
    answers = {"one": [shape(WRONG), shape(LONG)]}
    assert evaluate(results(answers), [JudgedQuery("one", [LONG])]).mrr == pytest.approx(1 / 2)


def test_result_without_times_is_wrong_and_a_result_of_another_kind_is_an_error() -> None:
    page = Document("page", metadata={"source": "a.mp4", "page_start": 3})
    whole = Document("whole", metadata={"source": "a.mp4", "start_sec": 0.0, "end_sec": 0.0})
    evaluation = evaluate(results({"one": [page, whole, as_document(LONG)]}), [JudgedQuery("one", [LONG])])
    assert evaluation.mrr == pytest.approx(1 / 3)
    with pytest.raises(InputError, match=r"a result must have source, start_sec and end_sec, or metadata .* got str"):
        evaluate(results({"one": ["text"]}), [JudgedQuery("one", [LONG])])


def test_several_results_for_one_span_gain_once() -> None:
    judged = [JudgedQuery("one", [LONG, SHORT])]
    evaluation = evaluate(results({"one": [LONG, LONG, SHORT]}), judged, k=3)
    assert evaluation.gains.tolist() == [[True, False, True]]


def test_intersection_over_union_decides() -> None:
    assert temporal_iou(Span("a", 0, 10), Span("a", 5, 15)) == pytest.approx(1 / 3)
    assert temporal_iou(Span("a", 0, 10), Span("a", 10, 15)) == 0
    assert temporal_iou(Span("a", 0, 10), Span("b", 0, 10)) == 0
    half = {"one": [Span("a.mp4", 10.0, 15.0)]}
    judged = [JudgedQuery("one", [LONG])]
    assert evaluate(results(half), judged, iou=0.5).recall() == 1
    assert evaluate(results(half), judged, iou=0.51).recall() == 0


@FEW
@given(
    st.lists(st.tuples(st.lists(SPANS, min_size=1, max_size=4), st.lists(SPANS, max_size=6)), min_size=1, max_size=5)
)
def test_measures_are_between_0_and_1_and_recall_grows_with_k(rows: list[tuple[list[Span], list[Span]]]) -> None:
    judged = [JudgedQuery(str(number), spans) for number, (spans, _) in enumerate(rows)]
    evaluation = evaluate(results({str(number): found for number, (_, found) in enumerate(rows)}), judged, k=6)
    recalls = [evaluation.recall(k) for k in range(1, 7)]
    assert 0 <= recalls[0] <= evaluation.mrr <= recalls[-1] <= 1
    assert recalls == sorted(recalls)
    assert all(0 <= evaluation.ndcg(k) <= 1 + 1e-9 for k in range(1, 7))


@FEW
@given(st.lists(st.lists(SPANS, min_size=1, max_size=4), min_size=1, max_size=5), st.randoms())
def test_true_spans_in_any_order_are_a_perfect_ranking(rows: list[list[Span]], random: Any) -> None:
    judged = [JudgedQuery(number, spans) for number, spans in enumerate(rows)]
    evaluation = evaluate(lambda number: random.sample(judged[number].spans, len(judged[number].spans)), judged, k=4)
    assert evaluation.recall() == evaluation.mrr == 1
    assert evaluation.ndcg() == pytest.approx(1)


@FEW
@given(st.lists(st.booleans(), min_size=2, max_size=8), st.data())
def test_an_earlier_right_result_is_never_worse(gains: list[bool], data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(gains) - 1))
    swapped = [*gains]
    if gains[place] and not gains[place - 1]:
        swapped[place - 1 : place + 1] = [True, False]
    queries = (JudgedQuery("one", [Span("a", i, i + 1) for i in range(len(gains))]),)
    before, after = (Evaluation(queries, np.array([row]), len(gains), 0.5) for row in (gains, swapped))
    assert after.mrr >= before.mrr
    assert after.ndcg() >= before.ndcg() - 1e-12
    assert after.recall() >= before.recall()


def test_bad_input_is_refused_with_its_value() -> None:
    with pytest.raises(InputError, match="'one' has no span"):
        JudgedQuery("one", [])
    with pytest.raises(InputError, match="does not end after its start"):
        JudgedQuery("one", [Span("a.mp4", 4.0, 4.0)])
    judged = [JudgedQuery("one", [LONG])]
    for arguments, message in (
        ({"iou": 0}, "iou must be above 0 and at most 1, got 0"),
        ({"k": 0}, "k must be a whole number from 1, got 0"),
    ):
        with pytest.raises(InputError, match=message):
            evaluate(lambda _: [], judged, **arguments)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at least one judged query"):
        evaluate(lambda _: [], [])
    evaluation = evaluate(lambda _: [], judged, k=3)
    with pytest.raises(InputError, match="recall@5 needs 5 results of each query, but k=3 were judged"):
        evaluation.recall(5)
    with pytest.raises(InputError, match="got 'map'"):
        evaluation.values("map")
    with pytest.raises(InputError, match="no query has the label 'z'"):
        evaluation.only("z")


def answered(rights: Sequence[bool], label: str = "") -> Evaluation:
    judged = [JudgedQuery(number, [LONG], label) for number in range(len(rights))]
    return evaluate(lambda number: [LONG if rights[number] else WRONG], judged, k=1)


def test_comparison_detects_a_real_difference() -> None:
    random = np.random.default_rng(1)
    first, second = random.random(200) < 0.7, random.random(200) < 0.9
    comparison = compare(answered([*first]), answered([*second]))
    assert comparison.difference == pytest.approx(second.mean() - first.mean())
    assert 0 < comparison.low < comparison.difference < comparison.high
    assert comparison.p < 0.01
    assert "200 queries" in str(comparison)


@pytest.mark.slow
def test_comparison_detects_none_between_equally_good_searches() -> None:
    found = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        first, second = (random.random(150) < 0.8 for _ in range(2))
        found += compare(answered([*first]), answered([*second]), samples=400).p < 0.05
    assert found <= 6  # 2 are expected; more than 6 have a probability of 0.003
    same = answered([True, False] * 20)
    assert (compare(same, same).p, compare(same, same).low, compare(same, same).high) == (1, 0, 0)


def test_few_queries_prove_nothing() -> None:
    comparison = compare(answered([False] * 3), answered([True] * 3))
    assert comparison.difference == 1
    assert comparison.p > 0.2  # 2 of 8 ways to swap are as extreme


@pytest.mark.slow
def test_comparison_is_repeatable_and_needs_the_same_queries() -> None:
    first, second = answered([True, False] * 20), answered([True, True, False, True] * 10)
    assert compare(first, second, seed=3) == compare(first, second, seed=3)
    assert compare(first, second).difference == -compare(second, first).difference
    with pytest.raises(InputError, match="different queries, k or iou"):
        compare(first, answered([True] * 40, label="other"))


def weighted(
    queries: int, useful: str | None
) -> tuple[list[JudgedQuery], Callable[[int, Mapping[str, float]], list[Span]]]:
    """Return queries of a search whose answers depend on the weight of one option, or on none."""
    random = np.random.default_rng(5)
    signal = {
        option: random.normal(1.0 if option == useful else 0.0, 0.7, queries) for option in ("visual", "audio", "other")
    }
    judged = [JudgedQuery(number, [Span("a", number, number + 1)]) for number in range(queries)]

    def search(number: int, weights: Mapping[str, float]) -> list[Span]:
        right = sum(weight * signal[option][number] for option, weight in weights.items()) > 0
        return [judged[number].spans[0] if right else WRONG]

    return judged, search


def test_useful_weights_gain_on_held_out_queries() -> None:
    judged, search = weighted(300, "audio")
    tuned = tune_weights(search, judged, embedding_options=("visual", "audio", "other"))
    assert tuned.weights["audio"] == 1
    assert max(tuned.weights["visual"], tuned.weights["other"]) <= 0.25
    assert tuned.held_out.difference > 0.05
    assert tuned.held_out.p < 0.01
    assert len(tuned.fold_weights) == 5


def test_useless_weights_gain_nothing_on_held_out_queries_though_they_do_on_those_that_chose_them() -> None:
    judged, search = weighted(60, None)
    tuned = tune_weights(search, judged, embedding_options=("visual", "audio", "other"))
    equal, best = (
        evaluate(lambda number, weights=weights: search(number, weights), judged).recall()  # type: ignore[misc]
        for weights in (dict.fromkeys(("visual", "audio", "other"), 1.0), tuned.weights)
    )
    assert best - equal > 0.05
    assert tuned.held_out.difference < (best - equal) / 2
    assert tuned.held_out.p > 0.05


def test_weights_that_do_not_matter_stay_equal() -> None:
    judged = [JudgedQuery(number, [Span("a", number, number + 1)]) for number in range(20)]
    tuned = tune_weights(lambda number, _: [judged[number].spans[0]], judged)
    assert set(tuned.weights.values()) == {1.0}
    assert (tuned.held_out.difference, tuned.held_out.p) == (0, 1)


def test_queries_for_the_same_span_are_in_the_same_fold() -> None:
    """Each text is asked three times; weights that were chosen on one copy would be judged on another."""
    judged = [JudgedQuery(number, [Span("a", number // 3, number // 3 + 1)]) for number in range(9)]
    asked: list[int] = []
    with pytest.raises(InputError, match="number of different first spans, 3, got 4"):
        tune_weights(lambda number, _: asked.append(number) or [], judged, folds=4)  # type: ignore[func-returns-value]
    assert asked == []
    assert len(tune_weights(lambda _number, _: [], judged, folds=3).fold_weights) == 3


@pytest.mark.parametrize("values", [(), (0.0,), (-1.0, 1.0)])
def test_weights_to_try_are_checked(values: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="values must be weights from 0"):
        tune_weights(lambda _number, _: [], [JudgedQuery("one", [LONG])], values=values)


def test_settings_are_evaluated_by_name_and_tabled_by_label() -> None:
    judged = [JudgedQuery("one", [LONG], "look"), JudgedQuery("two", [SHORT], "sound")]

    def search(query: str, options: MomentOptions) -> list[Span]:
        weights = options.weights or {"visual": 1, "audio": 1}
        known = {"one": "visual", "two": "audio"}[query] in weights
        return [{"one": LONG, "two": SHORT}[query] if known else WRONG]

    evaluations = evaluate_settings(search, judged, k=5)
    assert evaluations["moments"].recall() == 1
    assert evaluations["visual"].only("sound").recall() == 0
    lines = table(evaluations, ["recall@1"]).splitlines()
    assert [cell.strip() for cell in lines[0].strip("|").split("|")] == ["recall@1", "all", "look", "sound"]
    row = next(line for line in lines if line.startswith("| visual"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["visual", "0.500", "1.000", "0.000"]
    text = evaluations["moments"].table()
    assert "recall@5" in text
    assert "ndcg@10" not in text


def test_plot_is_a_png(tmp_path: Path) -> None:
    path = tmp_path / "recall.png"
    plot({"one": answered([True, False], "look"), "two": answered([True, True], "look")}, path)
    assert path.read_bytes().startswith(b"\x89PNG")
    answered([True]).plot(path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_missing_matplotlib_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigurationError, match=r"twelvelabs-rag\[evaluation\]"):
        answered([True]).plot(tmp_path / "recall.png")


def test_any_object_with_the_attributes_is_a_result() -> None:
    result = SimpleNamespace(source="a.mp4", start_sec=10, end_sec=20, metadata=None)
    assert evaluate(lambda _: [result], [JudgedQuery("one", [LONG])]).recall() == 1
