"""A table of candidates, and what is made of it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from onepass.decoding.candidates import NO_CANDIDATES, Candidates, SpanFind

ROWS = [(0, 2, 0.9, 1), (3, 4, 0.6, 0), (3, 7, 0.7, 2)]
TABLE = Candidates(*np.array(ROWS).T)


def test_spans_are_the_rows_without_labels() -> None:
    assert list(TABLE.spans()) == [SpanFind(*row[:3]) for row in ROWS]
    assert list(NO_CANDIDATES.spans()) == []


def test_other_labels_leave_the_rest() -> None:
    assert list(TABLE.labeled(np.array([7, 8, 9])).rows()) == [
        (*row[:3], label) for row, label in zip(ROWS, (7, 8, 9), strict=True)
    ]


@given(st.lists(st.integers(0, 2)))
def test_rows_come_in_the_order_that_is_asked_for(order: list[int]) -> None:
    taken = TABLE.take(np.array(order, dtype=np.int64))
    assert list(taken.rows()) == [ROWS[row] for row in order]
    assert list(Candidates.joined([TABLE, taken]).rows()) == [*ROWS, *taken.rows()]
