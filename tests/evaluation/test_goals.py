"""The threshold for a goal."""

import pytest

from onepass.errors import InputError
from onepass.evaluation.counts import Counts
from onepass.evaluation.goals import Goal, likely, middle

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


def curve_of(gold: int, *f1: float) -> dict[float, Counts]:
    """Return a curve with such F1 at 0.2, 0.3 and so on, and as many findings as annotations."""
    return {
        round(0.2 + 0.1 * place, 1): Counts(round(one * gold), gold, gold)
        for place, one in enumerate(f1)
    }


def test_the_best_threshold_of_many_annotations_stands():
    assert likely(curve_of(100_000, 0.5, 0.52, 0.56, 0.52)) == 0.4


def test_a_peak_of_few_annotations_is_chance():
    f1 = 0.50, 0.55, 0.55, 0.55, 0.50, 0.40, 0.60
    assert 0.5 <= likely(curve_of(20, *f1)) <= 0.6  # not the one with the best F1
    assert likely(curve_of(100_000, *f1)) == 0.8


@pytest.mark.parametrize("curve", [{0.3: Counts()}, {0.3: Counts(), 0.4: Counts()}])
def test_a_curve_of_nothing_has_a_threshold(curve):
    assert likely(curve) in curve


def test_thresholds_at_both_ends_are_possible():
    assert likely({0.0: Counts(9, 10, 10), 1.0: Counts(0, 0, 10)}) == 0.0
    assert likely({0.0: Counts(100, 10_000, 100), 1.0: Counts(100, 100, 100)}) == 1.0
