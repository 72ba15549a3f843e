"""The budget of a run: the most minutes of audio and video for which tasks are created within 24 hours."""

import math

from twelvelabs_core.base.checks import check_above_0
from twelvelabs_core.base.errors import BudgetError, InputError
from twelvelabs_core.media.inspect import probe
from twelvelabs_core.media.source import Media
from twelvelabs_core.models.marengo import UNTIMED_TYPES
from twelvelabs_core.models.options import TaskOptions
from twelvelabs_core.models.paid_work import embedded_minutes
from twelvelabs_core.store.budget import Budget


def minutes_allowed(max_minutes: float | None, max_cost: float | None, price_per_minute: float | None) -> float | None:
    """Return the most minutes that a run may pay for; None without a budget.

    Raises:
        InputError: A number cannot be used, or `max_cost` has no price.
    """
    for name, value in (("max_minutes", max_minutes), ("max_cost", max_cost)):
        if value is not None and not _is_number(value):
            raise InputError(f"{name} must be a number from 0, got {value!r}.")
    if price_per_minute is not None:
        check_above_0("price_per_minute", price_per_minute)
    if max_cost is not None and price_per_minute is None:
        raise InputError("max_cost needs price_per_minute: no price is built in.")
    allowed = [] if max_minutes is None else [float(max_minutes)]
    if max_cost is not None and price_per_minute is not None:
        allowed.append(max_cost / price_per_minute)
    return min(allowed, default=None)


def budget_of(max_minutes: float | None, max_cost: float | None, price_per_minute: float | None) -> Budget | None:
    """Return the budget of a run; None without one.

    Raises:
        InputError: As of `minutes_allowed`.
    """
    allowed = minutes_allowed(max_minutes, max_cost, price_per_minute)
    if allowed is None:
        return None
    return Budget(allowed, None if allowed == max_minutes else price_per_minute)


def duration_of(media: Media) -> float | None:
    """Return the length of media in seconds: as the caller stated it, else of a local file by PyAV; None if unknown."""
    if media.duration_sec is not None or not media.is_local:
        return media.duration_sec
    try:
        found = probe(media)
    except InputError:  # with `check=False` the API decides about it
        return None
    return None if found is None else found.duration_sec


def minutes_to_pay(media: Media, options: TaskOptions) -> float:
    """Return the minutes that a task of these media embeds, for a budget; reads local media.

    Raises:
        BudgetError: The length is unknown.
    """
    if options.input_type in UNTIMED_TYPES:
        return 0.0
    minutes = embedded_minutes(options.identity(), duration_of(media))
    if minutes is None:
        raise length_unknown(media)
    return minutes


def length_unknown(media: Media) -> BudgetError:
    """Return the error of media that a budget cannot allow."""
    advice = "install the extra 'media', or pass" if media.is_local else "pass"
    return BudgetError(
        f"{media.source}: its length is unknown, so it cannot be paid for within a budget; {advice} "
        "Media.of(..., duration_sec=...)."
    )


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and 0 <= value < math.inf
