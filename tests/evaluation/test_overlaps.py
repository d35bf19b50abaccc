"""Nearly right mentions, against counts made by hand and against nervaluate."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.linear import assert_grows_in_proportion

from onepass.evaluation.overlaps import Overlaps


def counted(found, wanted) -> Overlaps:
    overlaps = Overlaps()
    overlaps.add(found, wanted)
    return overlaps


def test_equal_boundaries_come_before_overlap():
    overlaps = counted({(0, 4, "a"), (0, 9, "b")}, {(0, 9, "a")})
    assert (overlaps.exact, overlaps.partial, overlaps.typed) == (1, 0, 0)


def test_a_gold_mention_is_matched_once():
    overlaps = counted({(0, 2, "a"), (3, 5, "a")}, {(0, 5, "a")})
    assert (overlaps.exact, overlaps.partial, overlaps.typed) == (0, 1, 1)
    assert overlaps.partial_f1 == pytest.approx(2 * 0.5 / 3)


def test_parts_add_up():
    one, other = counted({(0, 2, "a")}, {(0, 2, "a")}), counted({(0, 3, "a")}, {(1, 3, "b")})
    one.merge(other)
    assert (one.exact, one.partial, one.typed, one.predicted, one.gold) == (1, 1, 1, 2, 2)


def test_a_long_document_takes_no_look_at_all_pairs():
    def counting(number: int) -> Callable[[], None]:
        found = {(10 * n, 10 * n + 5, "a") for n in range(number)}
        gold = {(10 * n, 10 * n + 6, "a") for n in range(number)}

        def run() -> None:
            assert counted(found, gold).partial == number

        return run

    assert_grows_in_proportion(counting, 2_000)


@st.composite
def mentions(draw):
    """Gold and predicted mentions, each of which touches at most one of the others."""
    gold, found = [], []
    for place in range(draw(st.integers(1, 6))):
        start = place * 20
        labels = st.sampled_from(["a", "b"])
        if draw(st.booleans()):
            gold.append((start + 4, start + 9, draw(labels)))
        if draw(st.booleans()):
            shift = draw(st.sampled_from([-3, 0, 2, 8]))  # overlap, equal, overlap, apart
            found.append((start + 4 + shift, start + 9 + shift, draw(labels)))
    return found, gold


@given(mentions())
def test_the_same_scores_as_nervaluate(data):
    nervaluate = pytest.importorskip("nervaluate")
    found, gold = data
    assume(gold)  # it fails without

    def spans(rows):  # nervaluate's ends are inclusive
        return [[{"label": label, "start": s, "end": e - 1} for s, e, label in rows]]

    results = nervaluate.Evaluator(spans(gold), spans(found), tags=["a", "b"]).evaluate()
    overlaps = counted(set(found), set(gold))
    assert overlaps.partial_f1 == pytest.approx(results["overall"]["partial"].f1)
    assert overlaps.type_f1 == pytest.approx(results["overall"]["ent_type"].f1)
