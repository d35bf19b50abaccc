"""The helper that tells time in proportion from a square of it."""

from collections.abc import Callable

import pytest

from tests.linear import assert_grows_in_proportion


def adding(power: int) -> Callable[[int], Callable[[], object]]:
    return lambda size: lambda: sum(range(size**power))


def test_time_in_proportion_passes():
    assert_grows_in_proportion(adding(1), 500_000)


def test_a_square_of_time_is_found():
    with pytest.raises(AssertionError, match="for 4 times as much"):
        assert_grows_in_proportion(adding(2), 700)
