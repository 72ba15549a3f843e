"""`tune_weights`: weights of embedding options, and what they gain on queries that did not choose them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.evaluation.compare import Comparison, paired
from twelvelabs_core.moments.evaluation.judged import JudgedQuery, Span
from twelvelabs_core.moments.evaluation.measures import evaluate, measure_of

Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TunedWeights:
    """The best weights for some queries, and what to expect of them.

    Attributes:
        weights: The best weights for all queries together; of equally good ones those nearest to equal weights.
        held_out: Equal weights against tuned ones, each query by weights that were chosen without it. Where its
            interval includes 0, keep equal weights.
        fold_weights: The weights chosen without each fold; if they differ a lot, there are too few queries.

    Example:
        ```python
        tuned = tune_weights(search, judged)
        print(tuned.weights, tuned.held_out)
        ```
    """

    weights: Weights
    held_out: Comparison
    fold_weights: tuple[Weights, ...]


def tune_weights(
    search: Callable[[Any, Weights], Sequence[Any]],
    queries: Sequence[JudgedQuery],
    *,
    embedding_options: Sequence[str] = ("visual", "audio", "transcription"),
    values: Sequence[float] = (0.0, 0.25, 0.5, 1.0),
    measure: str = "recall@1",
    iou: float = 0.5,
    folds: int = 5,
    seed: int = 0,
) -> TunedWeights:
    """Try all combinations of weights, and report their gain on held-out queries.

    The queries are divided into folds; queries with the same first span stay together. For each fold the weights that
    are best for all other folds are chosen, and compared with equal weights on that fold. Each combination runs each
    query once: with the defaults, 37 searches per query.

    Args:
        search: Returns the results of a query with these weights, best first.
        queries: The queries with their true spans.
        embedding_options: The options to weigh.
        values: The weights to try for each option, from 0. Only their ratios count.
        measure: What to maximize: `recall@K`, `mrr` (of ten results) or `ndcg@K`.
        iou: Least temporal intersection over union.
        folds: Number of folds, from 2.
        seed: Seed of the division.

    Raises:
        InputError: A value is negative, all are 0, or there are fewer different first spans than folds.

    Example:
        ```python
        def search(query, weights):
            hits = [Hit.of(one.metadata) for one in store.similarity_search(query, k=100)]
            vector = client.embed_text(query).vector
            return client.find_moments(hits, vector, k=10, options=MomentOptions(weights=weights))

        tuned = tune_weights(search, judged)
        ```
    """
    candidates = _candidates(embedding_options, values)
    fold_of = _folds(queries, folds, seed)
    _, k = measure_of(measure, 10)
    scores = np.stack(
        [
            evaluate(lambda query, weights=weights: search(query, weights), queries, k=k, iou=iou).values(measure)  # type: ignore[misc]
            for weights in candidates
        ]
    )
    chosen = [int(scores[:, fold_of != fold].mean(axis=1).argmax()) for fold in range(folds)]
    tuned = scores[[chosen[fold] for fold in fold_of], np.arange(len(queries))]
    return TunedWeights(
        weights=candidates[int(scores.mean(axis=1).argmax())],
        held_out=paired(scores[0], tuned, measure=measure, samples=5000, seed=seed),
        fold_weights=tuple(candidates[one] for one in chosen),
    )


def _candidates(options: Sequence[str], values: Sequence[float]) -> list[Weights]:
    """Return the combinations whose largest weight is 1, those nearest to equal weights first."""
    if not options or not values or min(values) < 0 or max(values) <= 0:
        raise InputError(f"values must be weights from 0 of at least one option, one above 0, got {values!r}.")
    rows = {tuple(weight / max(row) for weight in row) for row in product(values, repeat=len(options)) if max(row) > 0}
    rows.add((1.0,) * len(options))
    return [dict(zip(options, row, strict=True)) for row in sorted(rows, key=lambda row: (-sum(row), row))]


def _folds(queries: Sequence[JudgedQuery], folds: int, seed: int) -> Any:
    """Return the fold of each query."""
    spans: dict[Span, int] = {}
    for query in queries:
        spans.setdefault(query.spans[0], len(spans))
    if not 2 <= folds <= len(spans):  # noqa: PLR2004  # one fold chooses, the other judges
        raise InputError(f"folds must be from 2 to the number of different first spans, {len(spans)}, got {folds!r}.")
    of_span = np.random.default_rng(seed).permutation(len(spans)) % folds
    return of_span[[spans[query.spans[0]] for query in queries]]
