"""How well a search finds the true parts of videos: measures, comparison of two searches, weights of options, a plot.

Here belongs what judges results. Making results does not.
"""

from twelvelabs_core.moments.evaluation.compare import Comparison, compare
from twelvelabs_core.moments.evaluation.judged import JudgedQuery, Span
from twelvelabs_core.moments.evaluation.measures import Evaluation, evaluate, evaluate_settings, table
from twelvelabs_core.moments.evaluation.plot import plot
from twelvelabs_core.moments.evaluation.tune import TunedWeights, tune_weights

__all__ = [
    "Comparison",
    "Evaluation",
    "JudgedQuery",
    "Span",
    "TunedWeights",
    "compare",
    "evaluate",
    "evaluate_settings",
    "plot",
    "table",
    "tune_weights",
]
