"""The threshold for a goal."""

import pytest

from onepass.errors import InputError
from onepass.evaluation.counts import Counts
from onepass.evaluation.goals import Goal, middle

CURVE = {
    0.1: Counts(90, 300, 100),
    0.3: Counts(80, 120, 100),
    0.5: Counts(70, 80, 100),
    0.9: Counts(20, 20, 100),
}


@pytest.mark.parametrize(
    ("goal", "threshold"),
    [
        ("f1", 0.5),
        ("precision=0.6", 0.3),
        ("precision=1", 0.9),
        ("recall=0.9", 0.1),
        ("recall=0.7", 0.5),
        ("recall=0.05", 0.9),
        ("recall=1", 0.1),  # comes closest
    ],
)
def test_the_threshold_of_a_goal(goal, threshold):
    assert Goal.parse(goal).threshold(CURVE) == threshold


def test_a_precision_that_nothing_reaches_is_come_close_to():
    curve = {
        0.1: Counts(20, 80, 80),
        0.3: Counts(20, 40, 80),
        0.5: Counts(10, 20, 80),
        0.9: Counts(9, 9, 80),  # of so few it says nothing
    }
    assert Goal.parse("precision=0.9").threshold(curve) == 0.3


def test_what_reaches_a_goal():
    assert Goal.parse("precision=0.9").reached(Counts(9, 10, 90))
    assert not Goal.parse("recall=0.9").reached(Counts(9, 10, 90))
    assert Goal().reached(Counts())


def test_the_middle_of_a_plateau():
    assert middle({0.1: 0.2, 0.2: 0.5, 0.3: 0.5}) == 0.2
    assert middle({0.1: 0.2, 0.2: 0.499, 0.3: 0.5}, within=0.005) == 0.3


@pytest.mark.parametrize("text", ["", "f2", "precision", "recall=0", "precision=nan", "f1=0.5"])
def test_what_is_no_goal(text):
    with pytest.raises(InputError, match="A goal is f1, precision=SHARE or recall=SHARE"):
        Goal.parse(text)
