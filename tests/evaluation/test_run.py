"""Evaluation of a model: grouping, options, report."""

from __future__ import annotations

import json

import pytest

from onepass.corpus.example import Example, GoldTask, Mention
from onepass.evaluation.run import evaluate
from onepass.results.types import Classification, Entity, Extraction, LabelScore
from onepass.schema import Schema
from onepass.schema.options import CallOptions


def dog(text: str, *, asked=("dog",)) -> Example:
    return Example(text, (Mention(0, 2, "dog"),), asked)


def said(text: str) -> Extraction:
    return Extraction(text, (Entity("dog", text[:2], 0, 2, 0.9),))


def test_scores_predictions_against_the_right_examples(canned):
    examples = [
        dog("Bo ran"),
        dog("Al ran", asked=("cat",)),
        dog("Cy ran"),
        Example("Hm", asked=("dog",)),
    ]
    report = evaluate(canned(said("Bo ran"), said("Al ran"), said("Hm")), examples)
    # Found: Bo, Al and a false alarm in "Hm"; Cy is missed.
    assert report.scores["entities"]["precision"] == pytest.approx(2 / 3)
    assert report.scores["entities"]["recall"] == pytest.approx(2 / 3)
    assert (report.texts, report.skipped, report.asked) == (4, 0, {"entities": 4})


def test_equal_schemas_go_to_the_model_together(canned):
    model = canned()
    evaluate(model, [dog("A1 x"), dog("B1 x", asked=("cat",)), dog("C1 x"), dog("D1 x")])
    assert [texts for texts, *_ in model.calls] == [["A1 x", "C1 x", "D1 x"], ["B1 x"]]
    assert model.calls[1][1] == Schema().entities(["cat", "dog"])


def test_options_reach_the_model(canned):
    model = canned()
    least = {"entities": 0.3}
    evaluate(model, [dog("Bo")], threshold=least, overlap="nested", on_long="error", solver="exact")
    assert model.calls[0][2] == CallOptions(least, "nested", "error", "exact")
    evaluate(model, [dog("Bo")])
    assert model.calls[1][2] == CallOptions()


def test_examples_are_read_as_needed(canned):
    model = canned()
    seen = []

    def stream():
        for number in range(600):
            yield dog(f"Bo {number}")
            seen.append(len(model.calls))

    report = evaluate(model, stream(), progress=None)
    assert report.texts == 600
    assert len(model.calls) == 3
    assert max(seen[:255]) == 0
    assert seen[300] == 1


def test_progress_counts_every_example(canned):
    told = []
    evaluate(canned(), [dog("Bo"), Example("nothing asked"), dog("Al")], progress=told.append)
    assert told[-1] == 3
    assert told == sorted(told)


def test_examples_that_ask_nothing_are_skipped_and_said(canned):
    model = canned()
    report = evaluate(model, [Example("nothing asked"), dog("Bo")])
    assert (report.texts, report.skipped) == (1, 1)
    assert len(model.calls) == 1
    assert "1 skipped" in report.to_table()


def test_no_examples(canned):
    report = evaluate(canned(), [])
    assert report.scores == {}
    assert report.texts_per_second == 0.0
    assert report.to_table() == "0 texts in 0.0 s (0.0 texts/s)"


def test_a_model_that_loses_texts_is_refused():
    class Lossy:
        def extract(self, texts, schema, **options):
            return []

    with pytest.raises(ValueError, match="0 results for 1 texts"):
        evaluate(Lossy(), [dog("Bo")])


def test_report_as_dict_is_plain_json(canned):
    report = evaluate(canned(said("Bo ran")), [dog("Bo ran")])
    again = json.loads(json.dumps(report.to_dict()))
    assert again["scores"]["entities"]["f1"] == 1.0
    assert again["details"]["entities"]["dog"]["gold"] == 1
    assert again["texts"] == 1
    assert again["texts_per_second"] == pytest.approx(again["texts"] / again["seconds"])


def test_report_as_table(canned):
    task = GoldTask("tone", ("calm", "angry"), ("calm",))
    example = Example("Bo ran", (Mention(0, 2, "dog"),), classifications=(task,))
    answer = Classification((LabelScore("calm", 0.8),), {"calm": 0.8, "angry": 0.2})
    doc = Extraction("Bo ran", said("Bo ran").entities, {"tone": answer})
    lines = evaluate(canned(doc), [example]).to_table().splitlines()
    assert lines[0].split() == [
        "entities", "texts", "precision", "recall", "f1", "macro", "f1", "span", "f1",
        "partial", "f1", "type", "f1", "ece",
    ]  # fmt: skip
    assert lines[1].split() == ["all", "texts", "1", *["1.000"] * 7, "0.100"]
    assert lines[3].split() == ["classifications", "texts", "accuracy", "macro", "f1", "ece"]
    assert "entities by words" in "\n".join(lines)
    assert any(line.split()[0] == "dog" for line in lines if line)
    assert lines[-1].startswith("1 text in ")
