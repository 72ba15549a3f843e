"""`MomentOptions`: how search results become moments."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Literal

from twelvelabs_core.base.errors import ConfigurationError

Score = Literal["combined", "best"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentOptions:
    """How search results become moments.

    A clip's relevance is the 3-norm of weight x (cosine - median cosine of that option over all clips of the found
    files); negative differences, and options that the clip does not have, count 0.

    Attributes:
        weights: Weight of each embedding option, such as `{"visual": 1.0, "audio": 0.5}`; others do not count.
            Default: fused vectors alone where all clips have them, else each other option with 1.
        score: Moments are ordered by the `combined` relevance of all options (default), or by the `best`
            weight x cosine.
        max_gap_sec: Longest gap between two clips of one moment, in seconds. Default 1.
        max_moment_sec: Longest moment, in seconds; a single clip that is longer stays whole. Default 30.
        min_score: Least score of a moment whose vectors are stored. Default: none.
        max_per_source: Most moments of one source. Default: no limit.
        padding_sec: Seconds added at both ends, within the file and not into another moment. Default 0.
        time_window: First and last second; only clips that overlap them count. Default: all clips.

    Raises:
        ConfigurationError: A number is negative or not finite, or the score is unknown.

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
        if self.max_per_source is not None and self.max_per_source < 1:
            raise ConfigurationError(f"max_per_source must be at least 1, got {self.max_per_source}.")
        if self.time_window is not None and not self.time_window[0] < self.time_window[1]:
            raise ConfigurationError(f"time_window must be (first, last) second, got {self.time_window}.")

    def allows(self, start_sec: float, end_sec: float) -> bool:
        """Return whether a clip overlaps the time window."""
        return self.time_window is None or (start_sec < self.time_window[1] and end_sec > self.time_window[0])
