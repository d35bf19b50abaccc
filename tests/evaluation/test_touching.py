"""Spans that touch, against a look at all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onepass.evaluation.touching import Touching

spans = st.tuples(st.integers(0, 20), st.integers(0, 8)).map(lambda at: (at[0], sum(at)))


@given(st.lists(spans), spans)
def test_the_same_as_a_look_at_all(places, one):
    start, end = one
    found = Touching((*place, number) for number, place in enumerate(places)).of(start, end)
    expected = {number for number, (a, b) in enumerate(places) if start < b and a < end}
    assert {number for *_, number in found} == expected
