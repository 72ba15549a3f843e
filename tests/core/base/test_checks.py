"""Counts, timeouts and booleans: accepted values, and messages for refused ones."""

import re
from typing import Any

import pytest

from twelvelabs_core.base.checks import check_bool, check_count, check_timeout
from twelvelabs_core.base.errors import InputError


@pytest.mark.parametrize(("value", "maximum"), [(1, None), (10**12, None), (50, 50), (2.0, 2)])
def test_a_count_within_its_limits_is_returned_as_an_int(value: float, maximum: int | None) -> None:
    count = check_count("count", value, maximum)
    assert (count, type(count)) == (value, int)


@pytest.mark.parametrize("value", [0, -1, 1.5, float("inf"), "1", None, True, 10_001])
def test_another_count_is_refused_with_name_limit_and_value(value: object) -> None:
    message = re.escape(f"count must be a whole number from 1 to 10,000, got {value!r}.")
    with pytest.raises(InputError, match=message):
        check_count("count", value, 10_000)


def test_a_count_without_maximum_names_none() -> None:
    with pytest.raises(InputError, match=re.escape("max_tasks must be a whole number from 1, got 0.")):
        check_count("max_tasks", 0)


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "5", None, True])
def test_a_timeout_that_is_not_a_finite_number_from_0_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match=re.escape(f"timeout must be a number of seconds from 0, got {value!r}.")):
        check_timeout(value)
    check_timeout(0)
    check_timeout(1.5)


@pytest.mark.parametrize("value", [0, 1, None, "true"])
def test_only_true_and_false_are_booleans(value: object) -> None:
    with pytest.raises(InputError, match=re.escape(f"keep_asset must be True or False, got {value!r}.")):
        check_bool("keep_asset", value)
    check_bool("keep_asset", True)
    check_bool("keep_asset", False)
