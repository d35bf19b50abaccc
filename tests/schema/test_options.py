"""What the options of a call refuse, and what they hold."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from onepass.errors import InputError
from onepass.schema.options import DEFAULTS, KNOWN, CallOptions


@pytest.mark.parametrize(
    "given", [-0.1, 1.1, 10**400, float("nan"), float("inf"), True, "0.5", [0.5], object(), 1j]
)
def test_what_is_no_threshold(given: Any) -> None:
    with pytest.raises(InputError, match=r"^The threshold must be a number from 0 to 1, but "):
        CallOptions(given)
    with pytest.raises(InputError, match=r"^The threshold of 'place' must be a number from 0 to 1"):
        CallOptions({"place": given})


def test_a_threshold_of_a_name_that_is_none() -> None:
    wrong: Any = {("a", "b"): 0.5}
    with pytest.raises(InputError, match=r"^threshold must be a number or numbers by name, but "):
        CallOptions(wrong)


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("given", ["bogus", "", None, 5, ["flat"], object()])
def test_a_word_that_is_not_known(name: str, given: Any) -> None:
    with pytest.raises(InputError, match=f"^{name} .* is not known; .*{KNOWN[name][-1]} are.$"):
        CallOptions(**{name: given})


def test_numbers_of_any_library_become_floats_of_python() -> None:
    given = (np.float32(0.5), np.int64(1), Fraction(1, 2), 0, {"city": np.float64(0.25)})
    held = [CallOptions(one).threshold for one in given]
    assert held == [0.5, 1.0, 0.5, 0.0, {"city": 0.25}]
    assert {type(one) for one in held[:4]} == {float}


def test_a_mapping_that_changes_later_changes_nothing() -> None:
    given = {"city": 0.5}
    options = CallOptions(given)
    given["city"] = 2.0
    assert options == CallOptions({"city": 0.5}) != DEFAULTS
