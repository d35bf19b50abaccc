"""Relation scores against counts made by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.linear import assert_grows_in_proportion

from onepass.corpus.example import Example, GoldRelation
from onepass.evaluation.relations import RelationScorer
from onepass.results.types import Extraction, Relation, Value

TEXT = "Ann Lee runs Acme. Bob left Acme. Ann Lee hired Bob in Annville."
#       0123456789012345678901234567890123456789012345678901234567890123
ANN, ACME, BOB, ACME2, ANN2, BOB2 = (0, 7), (13, 17), (19, 22), (28, 32), (34, 41), (48, 51)


def value(span: tuple[int, int]) -> Value:
    return Value(TEXT[slice(*span)], *span, 0.9)


def scored(found, wanted, asked=()) -> dict[str, float]:
    scorer = RelationScorer()
    scorer.add(
        Extraction(
            TEXT, relations=tuple(Relation(t, value(h), value(v), 0.9) for t, h, v in found)
        ),
        Example(TEXT, relations=tuple(GoldRelation(*w) for w in wanted), asked_relations=asked),
    )
    return scorer.scores()


def test_type_and_both_ends_must_be_right():
    scores = scored(
        [("runs", ANN, ACME), ("left", ANN, ACME), ("hired", BOB, ANN)],
        [("runs", ANN, ACME), ("left", BOB, ACME2), ("hired", ANN2, BOB2)],
    )
    assert scores["precision"] == pytest.approx(1 / 3)
    assert scores["recall"] == pytest.approx(1 / 3)
    assert scores["macro_f1"] == pytest.approx(1 / 3)
    assert scores["relaxed_f1"] == pytest.approx(1 / 3)
    assert scores["placed_f1"] == pytest.approx(1 / 3)


def test_another_occurrence_of_the_words_is_right_but_not_placed():
    scores = scored([("left", BOB2, ACME)], [("left", BOB, ACME2)])
    assert (scores["f1"], scores["relaxed_f1"], scores["placed_f1"]) == (1.0, 1.0, 0.0)


def test_the_same_fact_twice_counts_once():
    scores = scored([("runs", ANN, ACME), ("runs", ANN2, ACME2)], [("runs", ANN, ACME)])
    assert (scores["precision"], scores["relaxed_f1"]) == (1.0, 1.0)
    assert scores["placed_f1"] == pytest.approx(2 / 3)


def test_overlap_is_right_only_when_relaxed():
    scores = scored([("runs", (4, 7), ACME)], [("runs", ANN, ACME)])
    assert (scores["f1"], scores["relaxed_f1"]) == (0.0, 1.0)


def test_overlap_with_another_occurrence_is_right_when_relaxed():
    scores = scored([("runs", (38, 41), ACME)], [("runs", ANN, ACME)])
    assert (scores["f1"], scores["relaxed_f1"]) == (0.0, 1.0)


def test_words_inside_a_longer_word_are_no_occurrence():
    text = "Ann met Bo in Annville."
    gold = Example(text, relations=(GoldRelation("met", (0, 3), (8, 10)),))
    found = Relation("met", Value("Annville", 14, 22, 0.9), Value("Bo", 8, 10, 0.9), 0.9)
    scorer = RelationScorer()
    scorer.add(Extraction(text, relations=(found,)), gold)
    assert scorer.scores()["relaxed_f1"] == 0.0


def test_relaxed_matches_one_to_one():
    # Both findings overlap the one gold fact: one is right, one is too much.
    scores = scored([("runs", (0, 3), ACME), ("runs", (4, 7), ACME)], [("runs", ANN, ACME)])
    assert scores["relaxed_f1"] == pytest.approx(2 / 3)


def test_relaxed_never_below_strict():
    scores = scored(
        [("runs", ANN, ACME), ("runs", (0, 3), ACME)], [("runs", ANN, ACME), ("runs", BOB, ACME)]
    )
    assert scores["relaxed_f1"] >= scores["f1"] == 0.5


def test_head_and_tail_are_not_exchanged():
    assert scored([("hired", BOB2, ANN2)], [("hired", ANN2, BOB2)])["relaxed_f1"] == 0.0


def test_types_that_were_not_asked_do_not_count():
    assert scored([("runs", ANN, ACME), ("x", ANN, BOB)], [("runs", ANN, ACME)])["f1"] == 1.0


def test_false_alarm_of_an_asked_type():
    scorer = RelationScorer()
    found = Relation("runs", value(ANN), value(ACME), 0.9)
    scorer.add(Extraction(TEXT, relations=(found,)), Example(TEXT, asked_relations=("runs",)))
    assert scorer.texts == 1
    assert scorer.table() == {
        "runs": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "gold": 0, "predicted": 1}
    }


def test_texts_without_the_question_do_not_count():
    scorer = RelationScorer()
    scorer.add(Extraction(TEXT), Example(TEXT))
    assert scorer.texts == 0


def test_an_equal_fact_inside_a_longer_word_is_right_when_relaxed():
    text = "東京大学は (東京) にある"
    gold = Example(text, relations=(GoldRelation("in", (0, 4), (0, 2)),))
    for place in ((0, 2), (7, 9)):
        head, tail = Value(text[:4], 0, 4, 0.9), Value("東京", *place, 0.9)
        scorer = RelationScorer()
        scorer.add(Extraction(text, relations=(Relation("in", head, tail, 0.9),)), gold)
        assert (scorer.scores()["f1"], scorer.scores()["relaxed_f1"]) == (1.0, 1.0)


def test_many_facts_of_one_type_are_matched_soon():
    def prepare(facts: int) -> Callable[[], object]:
        text = " ".join(f"w{number:04d}" for number in range(2 * facts))

        def word(number: int) -> tuple[int, int]:
            start = 6 * (number % (2 * facts))
            return start, start + 5

        def said(number: int) -> Value:
            return Value(text[slice(*word(number))], *word(number), 0.9)

        wanted = tuple(GoldRelation("r", word(2 * n), word(2 * n + 1)) for n in range(facts))
        found = tuple(Relation("r", said(2 * n), said(2 * n + 3), 0.9) for n in range(facts))
        prediction, gold = Extraction(text, relations=found), Example(text, relations=wanted)

        def score() -> None:
            scorer = RelationScorer()
            scorer.add(prediction, gold)
            assert scorer.scores()["relaxed_f1"] == 0

        return score

    assert_grows_in_proportion(prepare, 80)


SPANS = st.tuples(st.integers(0, 7), st.integers(1, 3)).map(lambda at: (at[0], sum(at)))
PAIRS = st.lists(st.tuples(SPANS, SPANS), max_size=4)


@given(text=st.text("ab ", min_size=10, max_size=10), found=PAIRS, wanted=PAIRS)
def test_relaxed_is_never_below_strict(text, found, wanted):
    relations = [
        Relation("r", Value(text[slice(*h)], *h, 0.9), Value(text[slice(*t)], *t, 0.9), 0.9)
        for h, t in found
    ]
    gold = Example(text, relations=tuple(GoldRelation("r", *pair) for pair in wanted))
    scorer = RelationScorer()
    scorer.add(Extraction(text, relations=tuple(relations)), gold)
    assert scorer.scores()["relaxed_f1"] >= scorer.scores()["f1"]
