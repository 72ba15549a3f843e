"""`compare`: whether one search is better than another on the same queries, or by chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelabs_core.base.checks import check_count
from twelvelabs_core.base.errors import InputError
from twelvelabs_core.moments.evaluation.measures import Evaluation


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference of two searches on the same queries.

    Attributes:
        measure: What was compared.
        first: Mean of the first search.
        second: Mean of the second.
        low: Lower end of the 95 % interval of the difference second - first.
        high: Upper end.
        p: Probability of a difference at least this large, in either direction, between equally good searches.
        queries: Number of queries.

    Example:
        ```python
        print(compare(plain, moments))  # recall@1 0.930 -> 0.965: +0.035 (95 % +0.012 to +0.059, p 0.004, 255 queries)
        ```
    """

    measure: str
    first: float
    second: float
    low: float
    high: float
    p: float
    queries: int

    @property
    def difference(self) -> float:
        """Mean of the second search minus that of the first."""
        return self.second - self.first

    def __str__(self) -> str:
        p = f"p {self.p:.3f}" if self.p >= 0.001 else "p < 0.001"  # noqa: PLR2004  # three digits
        return (
            f"{self.measure} {self.first:.3f} -> {self.second:.3f}: {self.difference:+.3f} "
            f"(95 % {self.low:+.3f} to {self.high:+.3f}, {p}, {self.queries} queries)"
        )


def compare(
    first: Evaluation, second: Evaluation, *, measure: str = "recall@1", samples: int = 5000, seed: int = 0
) -> Comparison:
    """Compare two searches by a paired bootstrap over their queries.

    The interval is that of the mean difference in samples of the queries, drawn with replacement. `p` is the share of
    samples with an equal or larger difference when the two results of each query are swapped at random, which holds for
    few queries too.

    Args:
        first: Evaluation of one search.
        second: Evaluation of the other, with the same queries, `k` and `iou`.
        measure: `recall@K`, `mrr` or `ndcg@K`.
        samples: Number of samples.
        seed: Seed of the samples; the same seed gives the same result.

    Raises:
        InputError: The two are not of the same queries, `k` and `iou`, or the measure is unknown.

    Example:
        ```python
        plain, moments = evaluate(store.similarity_search, judged), evaluate(retriever.invoke, judged)
        print(compare(plain, moments), compare(plain.only("speech"), moments.only("speech")))
        ```
    """
    if (first.queries, first.k, first.iou) != (second.queries, second.k, second.iou):
        raise InputError("cannot compare evaluations of different queries, k or iou; evaluate both with the same ones.")
    return paired(first.values(measure), second.values(measure), measure=measure, samples=samples, seed=seed)


def paired(
    first: NDArray[np.float64], second: NDArray[np.float64], *, measure: str, samples: int, seed: int
) -> Comparison:
    """Compare the values of the same queries by two searches."""
    samples = check_count("samples", samples)
    random = np.random.default_rng(seed)
    differences = second - first
    count = len(differences)
    drawn = np.array([differences[random.integers(0, count, count)].mean() for _ in range(samples)])
    swapped = np.array([differences @ random.choice((-1.0, 1.0), count) / count for _ in range(samples)])
    low, high = np.quantile(drawn, (0.025, 0.975))
    as_large = np.count_nonzero(np.abs(swapped) >= abs(differences.mean()) - 1e-12)
    return Comparison(
        measure=measure,
        first=float(first.mean()),
        second=float(second.mean()),
        low=float(low),
        high=float(high),
        p=float((as_large + 1) / (samples + 1)),
        queries=count,
    )
