"""`MomentOptions`: how search results become moments."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Literal

from twelvelabs_core.base.checks import check_count
from twelvelabs_core.base.errors import ConfigurationError, InputError
from twelvelabs_core.moments.moment import OPTION_NAMES
from twelvelabs_core.results.segments import OPTION_ORDER as EMBEDDING_OPTIONS

Score = Literal["combined", "best"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentOptions:
    """How search results become moments.

    A clip's relevance is the 3-norm of weight x (cosine - baseline); the baseline is the 0.1 quantile of the cosines of
    that option over all clips of the found files. Negative differences, and options that the clip does not have, count
    0.

    Attributes:
        weights: Weight of each embedding option, such as `{"visual": 1.0, "audio": 0.5}`; others do not count.
            Default: fused vectors alone where all clips have them, else each other option with 1.
        score: Moments are ordered by the `combined` relevance of all options (default), or by the `best`
            weight x cosine.
        max_gap_sec: Longest gap between two clips of one moment, in seconds. Default 1.
        max_moment_sec: Longest moment, in seconds; a single clip that is longer stays whole. Default 30.
        min_score: Minimum score of a moment whose vectors are stored. Default: none.
        max_per_source: Maximum number of moments of one source. Default: no limit.
        padding_sec: Seconds added at both ends, within the file and not into another moment. Default 0.
        time_window: First and last second; only clips that overlap them count. Default: all clips.

    Raises:
        ConfigurationError: A number is negative or not finite, or the score or an option is unknown.
        InputError: `max_per_source` is not a whole number from 1, or the time window is empty.

    Example:
        ```python
        options = MomentOptions(weights={"transcription": 1.0}, max_moment_sec=60)
        ```
    """

    weights: Mapping[str, float] | None = None
    score: Score = "combined"
    max_gap_sec: float = 1.0
    max_moment_sec: float = 30.0
    min_score: float | None = None
    max_per_source: int | None = None
    padding_sec: float = 0.0
    time_window: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.score not in ("combined", "best"):
            raise ConfigurationError(f"score must be 'combined' or 'best', got {self.score!r}.")
        numbers = {name: getattr(self, name) for name in ("max_gap_sec", "max_moment_sec", "padding_sec")}
        numbers |= {f"weights[{option!r}]": weight for option, weight in (self.weights or {}).items()}
        for name, number in numbers.items():
            if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < inf:
                raise ConfigurationError(f"{name} must be a finite number of at least 0, got {number!r}.")
        if unknown := [option for option in self.weights or () if option not in EMBEDDING_OPTIONS]:
            raise ConfigurationError(
                f"weights has {unknown[0]!r}, which is not an embedding option; there are {OPTION_NAMES}."
            )
        if self.max_per_source is not None:
            object.__setattr__(self, "max_per_source", check_count("max_per_source", self.max_per_source))
        if self.min_score is not None and not isinstance(self.min_score, int | float):
            raise ConfigurationError(f"min_score must be a number, got {self.min_score!r}.")
        check_time_window(self.time_window)

    def allows(self, start_sec: float, end_sec: float) -> bool:
        """Return whether a clip overlaps the time window."""
        return self.time_window is None or (start_sec < self.time_window[1] and end_sec > self.time_window[0])


def check_time_window(window: object) -> None:
    """Refuse what is neither None nor a pair of seconds, the first from 0 and the last after it.

    Raises:
        InputError: It is something else.
    """
    is_pair = isinstance(window, tuple | list) and len(window) == 2  # noqa: PLR2004  # a pair
    numbers = list(window) if is_pair and isinstance(window, tuple | list) else []
    are_numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers)
    if window is not None and not (numbers and are_numbers and 0 <= numbers[0] < numbers[1]):
        raise InputError(f"time_window must be (first, last) second, got {window!r}.")
