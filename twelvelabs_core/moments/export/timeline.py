"""Draw the timeline of a video: the cosines of each option over time, and the moments on it."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from twelvelabs_core.moments.moment import VERBS, Moment
from twelvelabs_core.results.references import clock

LANE = 20
_WIDTH = 1000
_LOWEST = 0.1  # height of the lowest score, so that it differs from a clip without one


class Scale(NamedTuple):
    """What the height of an option's cosines means, the same for all videos of one answer.

    Attributes:
        low: The option's lowest cosine: options differ in their level.
        span: The largest difference of two cosines of one option, the same for all options: one that hardly tells
            clips apart is flat.
    """

    low: float
    span: float

    def height(self, cosine: float) -> float:
        """Return the height of a cosine, from 0 to 1."""
        share = (cosine - self.low) / self.span if self.span > 0 else float(cosine > 0)
        return _LOWEST + (1 - _LOWEST) * share


def scales(clips: Iterable[Moment]) -> dict[str, Scale]:
    """Return the scale of each option that occurs, in the order seen, heard, said, others."""
    found: dict[str, list[float]] = {}
    for clip in clips:
        for option, score in clip.options.items():
            found.setdefault(option, []).append(score.cosine)
    span = max((max(cosines) - min(cosines) for cosines in found.values()), default=0.0)
    order = [*VERBS, *sorted(found.keys() - VERBS.keys())]
    return {option: Scale(min(found[option]), span) for option in order if option in found}


def draw(clips: Sequence[Moment], scales_of: dict[str, Scale], duration_sec: float) -> str:
    """Return an SVG with one lane for each option, in which each clip is as high as its cosine."""
    height = LANE * max(len(scales_of), 1)
    lanes = "".join(
        f'<path class="{escape(option)}" d="{_steps(clips, option, scale, lane, duration_sec)}"/>'
        for lane, (option, scale) in enumerate(scales_of.items())
    )
    return (
        f'<svg height="{height}" viewBox="0 0 {_WIDTH} {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(_summary(clips, scales_of))}">{lanes}</svg>'
    )


def _steps(clips: Sequence[Moment], option: str, scale: Scale, lane: int, duration_sec: float) -> str:
    bottom = (lane + 1) * LANE
    steps = []
    for clip in sorted(clips, key=lambda clip: clip.start_sec):
        if score := clip.options.get(option):
            left, right = (_WIDTH * second / duration_sec for second in (clip.start_sec, clip.end_sec))
            top = bottom - (LANE - 2) * scale.height(score.cosine)
            steps.append(f"M{left:.1f} {bottom}V{top:.1f}H{right:.1f}V{bottom}Z")
    return "".join(steps)


def _summary(clips: Sequence[Moment], scales_of: dict[str, Scale]) -> str:
    """Return where each option is highest, for those who do not see the drawing."""
    parts = []
    for option in scales_of:
        scored = [(clip.options[option].cosine, clip) for clip in clips if option in clip.options]
        if scored:
            cosine, best = max(scored, key=lambda item: item[0])
            parts.append(f"{VERBS.get(option, option)} up to {cosine:z.2f} at {clock(best.best_sec)}")
    return f"Scores over time: {', '.join(parts)}" if parts else "Moments over time"
