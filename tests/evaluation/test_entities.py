"""Entity scores against counts made by hand."""

from __future__ import annotations

import pytest

from onepass.corpus.example import Example, Mention
from onepass.evaluation.entities import EntityScorer
from onepass.results.types import Entity, Extraction

TEXT = "Ann Lee met Bob in Oslo."
ANN, LEE, BOB, OSLO = (0, 7), (4, 7), (12, 15), (19, 23)


def gold(*mentions: tuple[tuple[int, int], str], asked=("person", "place")) -> Example:
    return Example(TEXT, tuple(Mention(*span, label) for span, label in mentions), asked)


def found(*mentions: tuple[tuple[int, int], str]) -> Extraction:
    return Extraction(
        TEXT,
        tuple(Entity(label, TEXT[start:end], start, end, 0.9) for (start, end), label in mentions),
    )


def scored(prediction: Extraction, example: Example) -> dict[str, float]:
    scorer = EntityScorer()
    scorer.add(prediction, example)
    return scorer.scores()


def test_exact_span_and_label():
    # Ann Lee right; Bob as place: right span, wrong label; "Lee" alone: wrong span; Oslo missed.
    scores = scored(
        found((ANN, "person"), (BOB, "place"), (LEE, "person")),
        gold((ANN, "person"), (BOB, "person"), (OSLO, "place")),
    )
    assert scores["precision"] == pytest.approx(1 / 3)
    assert scores["recall"] == pytest.approx(1 / 3)
    assert scores["f1"] == pytest.approx(1 / 3)
    assert scores["span_f1"] == pytest.approx(2 * 2 / (3 + 3))
    # person: 1 right of 2 found and 2 gold; place: 0 of 1 and 1.
    assert scores["macro_f1"] == pytest.approx((0.5 + 0.0) / 2)


def test_table_counts_each_label():
    scorer = EntityScorer()
    scorer.add(found((ANN, "person"), (BOB, "place")), gold((ANN, "person"), (BOB, "person")))
    table = scorer.table()
    assert list(table) == ["person", "place"]
    assert table["person"] == {
        "precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "gold": 2, "predicted": 1,
    }  # fmt: skip
    assert (table["place"]["gold"], table["place"]["predicted"], table["place"]["f1"]) == (0, 1, 0)


def test_repeated_mention_counts_once():
    scores = scored(found((ANN, "person"), (ANN, "person")), gold((ANN, "person")))
    assert scores["precision"] == 1.0


def test_two_labels_on_one_span_are_two_mentions_and_one_span():
    scores = scored(found((ANN, "person"), (ANN, "place")), gold((ANN, "person")))
    assert scores["precision"] == 0.5
    assert scores["span_f1"] == 1.0


def test_labels_that_were_not_asked_count_on_neither_side():
    scores = scored(found((ANN, "person"), (OSLO, "city")), gold((ANN, "person")))
    assert scores["precision"] == 1.0


def test_false_alarm_in_a_text_without_mentions():
    scorer = EntityScorer()
    scorer.add(found((ANN, "person")), gold((ANN, "person")))
    scorer.add(found((BOB, "person")), gold())
    assert scorer.texts == 2
    assert scorer.scores()["precision"] == 0.5
    assert scorer.scores()["recall"] == 1.0


def test_nothing_gold_and_nothing_found_is_zero_not_an_error():
    assert set(scored(found(), gold()).values()) == {0.0}


def test_texts_without_the_question_do_not_count():
    scorer = EntityScorer()
    scorer.add(found((ANN, "person")), Example(TEXT))
    assert scorer.texts == 0
    assert scorer.table() == {}
