"""Classification scores against counts made by hand, and against scikit-learn where it is there."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.corpus.example import Example, GoldTask
from onepass.evaluation.classes import ClassScorer
from onepass.results.types import Classification, Extraction, LabelScore

LABELS = ("a", "b", "c")


def scored(
    answers: Sequence[tuple[Sequence[str], Sequence[str]]], *, multi: bool = False
) -> ClassScorer:
    """Score (chosen, true) pairs of one task."""
    scorer = ClassScorer()
    for chosen, true in answers:
        picked = tuple(LabelScore(label, 0.9 - 0.1 * i) for i, label in enumerate(chosen))
        scores = dict.fromkeys(LABELS, 0.1) | {one.label: one.score for one in picked}
        scorer.add(
            Extraction("x", classifications={"task": Classification(picked, scores)}),
            Example("x", classifications=(GoldTask("task", LABELS, tuple(true), multi),)),
        )
    return scorer


def test_accuracy_and_macro_f1_of_single_answers():
    scorer = scored([("a", "a"), ("a", "b"), ("b", "b"), ("a", "a")])
    scores = scorer.scores()
    assert scores["accuracy"] == 0.75
    # a: 2 right, 3 chosen, 2 true -> 4/5; b: 1 right, 1 chosen, 2 true -> 2/3; c never occurs.
    assert scores["macro_f1"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert set(scores) == {"accuracy", "macro_f1", "ece"}


def test_only_the_best_label_of_a_single_answer_counts():
    assert scored([("ab", "b")]).scores()["accuracy"] == 0.0
    assert scored([("ba", "b")]).scores()["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("chosen", "true", "accuracy"), [("", "", 1.0), ("", "a", 0.0), ("a", "", 0.0)]
)
def test_no_answer_is_right_if_no_label_is_true(chosen, true, accuracy):
    assert scored([(chosen, true)]).scores()["accuracy"] == accuracy


def test_missing_answer_is_wrong():
    scorer = ClassScorer()
    scorer.add(Extraction("x"), Example("x", classifications=(GoldTask("t", LABELS, ("a",)),)))
    assert scorer.scores() == {"accuracy": 0.0, "macro_f1": 0.0, "ece": 0.0}


def test_micro_f1_and_exact_match_of_sets():
    scorer = scored([("ab", "a"), ("c", "bc"), ("", ""), ("ac", "ca")], multi=True)
    scores = scorer.scores()
    # Right: a, c, and a c = 4; chosen: 2 + 1 + 0 + 2 = 5; true: 1 + 2 + 0 + 2 = 5.
    assert scores["micro_f1"] == pytest.approx(2 * 4 / (5 + 5))
    assert scores["exact_match"] == 0.5
    # a: 2 right, 2 chosen, 2 true; b: 0 right, 1 chosen, 1 true; c: 2, 2, 2.
    assert scores["macro_f1"] == pytest.approx((1 + 0 + 1) / 3)
    assert "accuracy" not in scores


def test_tasks_are_told_apart():
    scorer = scored([("a", "a")])
    scorer.merge(scored([("a", "b"), ("b", "b")]))
    multi = scored([("a", "a")], multi=True)
    scorer.merge(multi)
    table = scorer.table()
    assert list(table) == ["task", "task (multi)"]
    assert table["task"]["accuracy"] == pytest.approx(2 / 3)
    assert table["task"]["questions"] == 3
    assert table["task (multi)"]["micro_f1"] == 1.0
    assert scorer.texts == 4


def test_macro_f1_is_a_mean_over_tasks():
    scorer = ClassScorer()
    tasks = GoldTask("one", LABELS, ("a",)), GoldTask("two", LABELS, ("b",))
    right = Classification((LabelScore("a", 1.0),), {"a": 1.0})
    answers = {"one": right, "two": right}
    scorer.add(Extraction("x", classifications=answers), Example("x", classifications=tasks))
    assert scorer.scores() == {"accuracy": 0.5, "macro_f1": 0.5, "ece": 0.5}


subsets = st.lists(st.sampled_from(LABELS), unique=True)
singles = st.lists(
    st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=20
)


@given(singles)
def test_single_answers_equal_scikit_learn(answers):
    metrics = pytest.importorskip("sklearn.metrics")
    chosen, true = zip(*answers, strict=True)
    scores = scored(answers).scores()
    assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(true, chosen))
    expected = metrics.f1_score(true, chosen, average="macro", zero_division=0)
    assert scores["macro_f1"] == pytest.approx(expected)


@given(st.lists(st.tuples(subsets, subsets), min_size=1, max_size=20))
def test_sets_of_answers_equal_scikit_learn(answers):
    metrics = pytest.importorskip("sklearn.metrics")
    true = [[label in row for label in LABELS] for _, row in answers]
    chosen = [[label in row for label in LABELS] for row, _ in answers]
    expected = metrics.f1_score(true, chosen, average="micro", zero_division=0)
    scores = scored(answers, multi=True).scores()
    assert scores["micro_f1"] == pytest.approx(expected)
    assert scores["exact_match"] == pytest.approx(metrics.accuracy_score(true, chosen))
