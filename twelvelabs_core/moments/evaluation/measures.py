"""`evaluate`: recall, mean reciprocal rank and nDCG of a search at a temporal intersection over union."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twelvelabs_core.base.checks import check_count
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.evaluation.judged import JudgedQuery
from twelvelabs_core.moments.options import MomentOptions

MEASURES = ("recall@1", "recall@5", "mrr", "ndcg@10")
SETTINGS: Mapping[str, MomentOptions] = {
    "moments": MomentOptions(),
    "best option": MomentOptions(score="best"),
    "not grown": MomentOptions(max_moment_sec=0),
    "fused": MomentOptions(weights={"fused": 1.0}),
    "visual": MomentOptions(weights={"visual": 1.0}),
    "audio": MomentOptions(weights={"audio": 1.0}),
    "transcription": MomentOptions(weights={"transcription": 1.0}),
}
"""What `evaluate_settings` compares by default."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Which results of a search were right, for each query.

    Attributes:
        queries: The judged queries.
        gains: Bool array of shape (queries, k): whether the result at this rank finds a span that none before it found.
        k: How many results of each query were judged.
        iou: Least temporal intersection over union with a span for a result to be right.

    Example:
        ```python
        evaluation = evaluate(retriever.invoke, judged)
        print(evaluation.table())
        print(evaluation.recall(1), evaluation.only("speech").recall(1))
        ```
    """

    queries: tuple[JudgedQuery, ...]
    gains: NDArray[np.bool_] = field(repr=False)
    k: int
    iou: float

    def recall(self, k: int = 1) -> float:
        """Return the share of queries with a right result among the first `k` (R@k at IoU of moment retrieval)."""
        return float(self.values(f"recall@{k}").mean())

    @property
    def mrr(self) -> float:
        """Mean over the queries of 1 / rank of the first right result, 0 where there is none."""
        return float(self.values("mrr").mean())

    def ndcg(self, k: int | None = None) -> float:
        """Return the mean normalized discounted cumulative gain of the first `k` (default: all judged) results.

        A result gains 1 if it finds a span that none before it found; the ideal search finds one span per rank.
        """
        return float(self.values(f"ndcg@{k or self.k}").mean())

    def values(self, measure: str) -> NDArray[np.float64]:
        """Return a measure of each query: `recall@K`, `mrr` or `ndcg@K`.

        Raises:
            InputError: The measure is unknown, or needs more results than were judged.
        """
        name, k = measure_of(measure, self.k)
        if k > self.k:
            raise InputError(f"{measure} needs {k} results of each query, but k={self.k} were judged.")
        gains = self.gains[:, :k]
        if name == "recall":
            return np.asarray(gains.any(axis=1), dtype=np.float64)
        if name == "mrr":
            return np.where(gains.any(axis=1), 1.0 / (1 + gains.argmax(axis=1)), 0.0)
        discounts = 1 / np.log2(np.arange(2, k + 2))
        ideal = np.cumsum(discounts)[[min(k, len(query.spans)) - 1 for query in self.queries]]
        return np.asarray(gains @ discounts / ideal)

    @property
    def labels(self) -> list[str]:
        """The labels of the queries, in the order of their first query."""
        return list(dict.fromkeys(query.label for query in self.queries))

    def only(self, label: str) -> "Evaluation":
        """Return the evaluation of the queries with a label.

        Raises:
            InputError: No query has it.
        """
        rows = [row for row, query in enumerate(self.queries) if query.label == label]
        if not rows:
            raise InputError(f"no query has the label {label!r}; there are {self.labels}.")
        return Evaluation(tuple(self.queries[row] for row in rows), self.gains[rows], self.k, self.iou)

    def table(self) -> str:
        """Return recall, mean reciprocal rank and nDCG for each label, as a Markdown table."""
        measures = [measure for measure in MEASURES if measure_of(measure, self.k)[1] <= self.k]
        rows = [("all", self)]
        if len(self.labels) > 1:
            rows += [(label, self.only(label)) for label in self.labels]
        cells = [
            [name, str(len(one.queries)), *(f"{one.values(measure).mean():.3f}" for measure in measures)]
            for name, one in rows
        ]
        return _markdown([[f"IoU {self.iou:g}", "queries", *measures], *cells])

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Write a PNG of recall by number of results and by label; needs the extra `evaluation`.

        Raises:
            ConfigurationError: matplotlib is not installed.
        """
        from twelvelabs_core.moments.evaluation.plot import plot  # noqa: PLC0415  # it needs this module

        plot({"search": self}, path)


def evaluate(
    search: Callable[[Any], Sequence[Any]], queries: Sequence[JudgedQuery], *, k: int = 10, iou: float = 0.5
) -> Evaluation:
    """Run a search for each query and judge its first `k` results.

    A result is right if the intersection of its time range and a true span of the same `source` is at least `iou` of
    their union. Several results for one span, such as an embedding option each, gain once.

    Args:
        search: Returns the results of a query, best first: `retriever.invoke` of LangChain, `retriever.retrieve` of
            LlamaIndex, a function that returns `Moment`s, or any whose results have `source`, `start_sec` and `end_sec`
            as attributes or in `metadata`. Results without times count as wrong.
        queries: The queries with their true spans.
        k: How many results of each query are judged.
        iou: Least temporal intersection over union, above 0 and at most 1.

    Raises:
        InputError: There is no query, a number is out of range, or a result has neither attributes nor metadata.

    Example:
        ```python
        judged = [JudgedQuery("goalkeeper dives to the left", [Span("match.mp4", 61.0, 68.5)], "look")]
        print(evaluate(retriever.invoke, judged).table())
        ```
    """
    k = check_count("k", k)
    if not 0 < iou <= 1:
        raise InputError(f"iou must be above 0 and at most 1, got {iou!r}.")
    if not queries:
        raise InputError("queries must have at least one judged query.")
    gains = np.zeros((len(queries), k), dtype=np.bool_)
    for row, query in enumerate(queries):
        found = query.gains(list(search(query.query))[:k], iou)
        gains[row, : len(found)] = found
    return Evaluation(tuple(queries), gains, k, iou)


def evaluate_settings(
    search: Callable[[Any, MomentOptions], Sequence[Any]],
    queries: Sequence[JudgedQuery],
    settings: Mapping[str, MomentOptions] = SETTINGS,
    *,
    k: int = 10,
    iou: float = 0.5,
) -> dict[str, Evaluation]:
    """Evaluate a search under several settings.

    Args:
        search: Returns the results of a query with these options, best first.
        queries: The queries with their true spans.
        settings: Name and options of each setting. Default: the default, the best option alone, clips that are not
            grown, fused vectors, and each embedding option by itself.
        k: How many results of each query are judged.
        iou: Least temporal intersection over union, above 0 and at most 1.

    Returns:
        The evaluation of each setting, for `table` and `plot`.

    Raises:
        InputError: As `evaluate`.

    Example:
        ```python
        def search(query, options):
            hits = [Hit.of(one.metadata) for one in store.similarity_search(query, k=100)]
            return client.find_moments(hits, client.embed_text(query).vector, k=10, options=options)

        print(table(evaluate_settings(search, judged)))
        ```
    """
    return {
        name: evaluate(lambda query, options=options: search(query, options), queries, k=k, iou=iou)  # type: ignore[misc]
        for name, options in settings.items()
    }


def table(evaluations: Mapping[str, Evaluation], measures: Sequence[str] = ("recall@1", "recall@5")) -> str:
    """Return a Markdown table with a row for each evaluation and a column for each label.

    Args:
        evaluations: The evaluations by name, all of the same queries.
        measures: What a cell shows, separated by slashes: `recall@K`, `mrr`, `ndcg@K`.

    Raises:
        InputError: A measure is unknown, or needs more results than were judged.

    Example:
        ```python
        print(table({"plain": evaluate(plain, judged), "moments": evaluate(retriever.invoke, judged)}))
        ```
    """
    labels = list(dict.fromkeys(label for one in evaluations.values() for label in one.labels))
    rows = [[" / ".join(measures), "all", *(labels if len(labels) > 1 else [])]]
    for name, evaluation in evaluations.items():
        columns = [evaluation, *(evaluation.only(label) for label in rows[0][2:])]
        rows.append(
            [name, *(" / ".join(f"{one.values(measure).mean():.3f}" for measure in measures) for one in columns)]
        )
    return _markdown(rows)


def measure_of(measure: str, k: int) -> tuple[str, int]:
    """Return name and number of results of a measure; `mrr` uses all `k` judged ones.

    Raises:
        InputError: The measure is unknown.
    """
    if measure == "mrr":
        return measure, k
    parts = re.fullmatch(r"(recall|ndcg)@([1-9][0-9]*)", measure)
    if not parts:
        raise InputError(f"a measure must be recall@K, mrr or ndcg@K with K of at least 1, got {measure!r}.")
    return parts[1], int(parts[2])


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])
