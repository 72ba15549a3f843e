"""Checks of plain arguments that several sub-packages share: counts, time-outs and booleans."""

import inspect
import math
import operator
from collections.abc import Callable, Collection, Iterable
from typing import SupportsIndex

from twelvelabs_core.base.errors import InputError


def as_whole(value: object) -> int | None:
    """Return a whole number as an int, as 6.0 of a JSON or YAML file or a number of numpy; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return operator.index(value) if isinstance(value, SupportsIndex) and not isinstance(value, bool) else None


def as_whole_if_so(value: object) -> object:
    """Return a whole number as an int, and anything else unchanged."""
    whole = as_whole(value)
    return value if whole is None else whole


def check_count(name: str, value: object, maximum: int | None = None) -> int:
    """Return a whole number from 1 to a maximum as an int, also where it is a float such as 2.0.

    Args:
        name: Name of the argument, for the message.
        value: What the caller passed.
        maximum: Largest allowed number. Default None: no maximum.

    Raises:
        InputError: Not a whole number, or out of range.
    """
    count = as_whole(value)
    if count is None or count < 1 or (maximum is not None and count > maximum):
        limit = "" if maximum is None else f" to {maximum:,}"
        raise InputError(f"{name} must be a whole number from 1{limit}, got {value!r}.")
    return count


def check_timeout(seconds: object) -> None:
    """Refuse a time-out that is not a finite number of seconds from 0.

    Raises:
        InputError: Not such a number.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise InputError(f"timeout must be a number of seconds from 0, got {seconds!r}.")


def check_above_0(name: str, value: object) -> float:
    """Return a finite number above 0.

    Raises:
        InputError: Not such a number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InputError(f"{name} must be a number above 0, got {value!r}.")
    return float(value)


def check_bool(name: str, value: object) -> None:
    """Refuse an argument that is neither True nor False.

    Raises:
        InputError: Neither of them.
    """
    if not isinstance(value, bool):
        raise InputError(f"{name} must be True or False, got {value!r}.")


def check_options(function: str, options: Iterable[str], of: Callable[..., object], own: Collection[str]) -> None:
    """Refuse options that a function does not pass on.

    Args:
        function: The name of the function that was called.
        options: The names of the options that it was given beside its own arguments.
        of: What it passes them on to.
        own: The parameters of `of` that the function itself sets.

    Raises:
        TypeError: An option is none of the others; the message has these.
    """
    known = [name for name in inspect.signature(of).parameters if name not in own]
    for name in options:
        if name not in known:
            raise TypeError(f"{function}() got an unexpected option {name!r}; it has {', '.join(known)}.")
