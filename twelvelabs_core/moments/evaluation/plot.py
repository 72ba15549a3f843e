"""`plot`: recall of searches as a PNG, by matplotlib."""

import os
from collections.abc import Mapping

from twelvelabs_core.base.errors import ConfigurationError
from twelvelabs_core.moments.evaluation.measures import Evaluation


def plot(evaluations: Mapping[str, Evaluation], path: str | os.PathLike[str]) -> None:
    """Write a PNG of recall by number of results, and of recall@1 by label.

    Args:
        evaluations: The evaluations by name, all of the same queries.
        path: The file to write; an existing one is replaced.

    Raises:
        ConfigurationError: matplotlib, of the extra `evaluation`, is not installed.

    Example:
        ```python
        plain, moments = evaluate(store.similarity_search, judged), evaluate(retriever.invoke, judged)
        plot({"plain": plain, "moments": moments}, "recall.png")
        ```
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  # an optional extra
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            'plot needs matplotlib, which is not installed. Run pip install "twelvelabs-rag[evaluation]".'
        ) from error
    figure = Figure(figsize=(11, 4), layout="constrained")
    by_rank, by_label = figure.subplots(1, 2)
    labels = list(dict.fromkeys(label for one in evaluations.values() for label in one.labels))
    labels = labels if len(labels) > 1 else []
    width = 0.8 / len(evaluations)
    for number, (name, one) in enumerate(evaluations.items()):
        ranks = range(1, one.k + 1)
        by_rank.plot(ranks, [one.recall(rank) for rank in ranks], marker="o", label=name)
        recalls = [one.recall(), *(one.only(label).recall() for label in labels)]
        by_label.bar([place + number * width for place in range(len(recalls))], recalls, width, label=name)
    by_rank.set(xlabel="results", ylabel="recall", ylim=(0, 1.02))
    by_rank.xaxis.get_major_locator().set_params(integer=True)
    middle = (len(evaluations) - 1) * width / 2
    by_label.set(ylabel="recall@1", ylim=(0, 1.02))
    by_label.set_xticks([place + middle for place in range(len(labels) + 1)], ["all", *labels])
    by_rank.legend()
    figure.savefig(path, format="png", dpi=120)
