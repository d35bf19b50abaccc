"""Held-out counts: which answers to a task are right, and what nothing at all is worth."""

from __future__ import annotations

import numpy as np
import pytest

from onepass.training.tally import Tally


@pytest.mark.parametrize(
    ("true", "several", "right"),
    [
        ([True, True, False], True, [True]),  # a score at the threshold counts
        ([True, False, False], True, [False]),
        ([False, False, False], True, [False]),
        ([True, False, False], False, [True]),
        ([False, True, False], False, [False]),
        ([False, False, False], False, []),  # no answer is right
    ],
)
def test_a_task_is_right_with_its_whole_set_or_its_best_label(true, several, right) -> None:
    tally = Tally()
    tally.add_task(np.array([0.9, 0.5, 0.1]), np.array(true), several=several, at=0.5)
    assert tally.tasks == right


def test_finding_nothing_where_nothing_is_counts_as_right() -> None:
    tally = Tally()
    tally.add("entities", right=0, predicted=0, gold=0)
    assert tally.scores() == {"entities": 1.0, "score": 1.0}
    assert Tally().scores() == {}
