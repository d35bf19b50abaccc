"""Counts by text: they add up to the scores, and fall into the right ranges."""

from __future__ import annotations

import pytest

from onepass.corpus.example import Example, GoldTask, Mention
from onepass.evaluation.bootstrap import score_of
from onepass.evaluation.run import evaluate
from onepass.results.types import Classification, Entity, Extraction, LabelScore


def dog(words: int, *, right: bool, asked=("dog",)) -> tuple[Example, Extraction]:
    text = " ".join(["Bo", *["ran"] * (words - 1)])
    found = (Entity("dog", "Bo", 0, 2, 0.9),) if right else ()
    return Example(text, (Mention(0, 2, "dog"),), asked), Extraction(text, found)


def test_ranges_of_words_and_labels(canned):
    labels = ("dog", *(f"l{number}" for number in range(70)))
    data = [
        dog(25, right=True),
        dog(26, right=False),
        dog(50, right=True, asked=labels[:6]),
        dog(501, right=True, asked=labels),
    ]
    report = evaluate(canned(*(doc for _, doc in data)), [example for example, _ in data])
    found = report.per_text.breakdowns()["entities"]
    assert found["words"] == {
        "1-25": {"texts": 1, "f1": 1.0},
        "26-50": {"texts": 2, "f1": pytest.approx(2 / 3)},
        "over 500": {"texts": 1, "f1": 1.0},
    }
    assert [row["texts"] for row in found["labels"].values()] == [2, 1, 1]
    assert list(found["labels"]) == ["1-2", "6-10", "over 50"]


def test_rows_add_up_to_the_scores(canned):
    tasks = (
        GoldTask("tone", ("calm", "angry"), ("calm",)),
        GoldTask("topics", ("a", "b"), ("a",), multi_label=True),
    )
    answers = {
        "tone": Classification((LabelScore("calm", 0.8),), {"calm": 0.8, "angry": 0.2}),
        "topics": Classification((), {"a": 0.1, "b": 0.2}),
    }
    example, doc = dog(30, right=True)
    both = Example(example.text, example.entities, example.asked, classifications=tasks)
    alone, missed = dog(31, right=False)
    model = canned(Extraction(doc.text, doc.entities, answers), missed)
    report = evaluate(model, [both, alone])
    rows = report.per_text.rows
    assert set(rows) == {
        ("entities", "f1"), ("classifications", "accuracy"), ("classifications", "micro_f1"),
    }  # fmt: skip
    for (section, score), counts in rows.items():
        assert score_of(counts.sum(axis=0)) == pytest.approx(report.scores[section][score])
    assert len(rows["entities", "f1"]) == 2
    assert len(rows["classifications", "accuracy"]) == 1


def test_texts_with_one_kind_of_task_count_once_and_ranges_are_in_order(canned):
    def task(words: int, name: str) -> Example:
        text = " ".join([name, *["ran"] * (words - 1)])
        return Example(
            text, classifications=(GoldTask(name, ("a", "b"), ("a",), name.startswith("m")),)
        )

    examples = [task(60, "s"), task(1, "s"), task(30, "m"), task(1, "m"), task(1, "m2")]
    right = Classification((LabelScore("a", 0.9),), {"a": 0.9, "b": 0.1})
    docs = [
        Extraction(one.text, classifications={one.classifications[0].name: right})
        for one in examples
    ]
    found = evaluate(canned(*docs), examples).per_text.breakdowns()["classifications"]["words"]
    assert list(found.items()) == [
        ("1-25", {"texts": 3, "accuracy": 1.0, "micro_f1": 1.0}),
        ("26-50", {"texts": 1, "micro_f1": 1.0}),
        ("51-100", {"texts": 1, "accuracy": 1.0}),
    ]
