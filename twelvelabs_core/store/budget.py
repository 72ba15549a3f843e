"""The budget of a run, and whether media fit into it; without SQL, since every client imports it."""

from dataclasses import dataclass

from twelvelabs_core.base.errors import BudgetError

BUDGET_HOURS = 24
_ROUNDING = 1e-9  # minutes


@dataclass(frozen=True, slots=True)
class Budget:
    """The most minutes of audio and video for which tasks are created within 24 hours.

    Attributes:
        max_minutes: These minutes.
        price_per_minute: The price of one, where the budget was given as a cost; else None.
    """

    max_minutes: float
    price_per_minute: float | None = None

    def refusal(self, source: str, minutes: float, used: float) -> BudgetError | None:
        """Return the error of media of so many minutes; None where they fit beside those that are used."""
        if not minutes or used + minutes <= self.max_minutes + _ROUNDING:
            return None
        limit, what = f"{self.max_minutes:g} minutes", "max_minutes"
        shown = float(f"{self.max_minutes:g}")
        # As many decimals as show that it does not fit.
        decimals = next((n for n in range(2, 9) if round(round(minutes, n) + round(used, n), n) > shown), 9)
        if self.price_per_minute is not None:
            what = "max_cost"
            cost = self.max_minutes * self.price_per_minute
            limit += f" (max_cost={cost:g} at price_per_minute={self.price_per_minute:g})"
        return BudgetError(
            f"{source}: {minutes:.{decimals}f} minutes do not fit into the budget of {limit} in {BUDGET_HOURS} hours, "
            f"of which {used:.{decimals}f} are used on this segment store. Nothing was paid for; raise {what}, or run "
            "again later."
        )
