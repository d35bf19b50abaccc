"""Evaluation of files and directories, and the means over them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from onepass.errors import InputError
from onepass.evaluation.comparison import compared
from onepass.evaluation.files import evaluate_paths, suite
from onepass.evaluation.page import report_page
from onepass.results.types import Classification, Entity, Extraction, LabelScore
from onepass.schema.options import CallOptions

NER = {"text": "Bo ran", "entities": [{"start": 0, "end": 2, "label": "dog"}], "label_set": ["dog"]}
MISSED = {
    "text": "Al ran",
    "entities": [{"start": 0, "end": 2, "label": "dog"}],
    "label_set": ["dog"],
}
CLS = {"text": "Lovely!", "task": "tone", "labels": ["good", "bad"], "gold": ["good"]}
WRONG = {"text": "Awful!", "task": "tone", "labels": ["good", "bad"], "gold": ["bad"]}
BOTH = {**NER, "classifications": [{"task": "tone", "labels": ["good", "bad"], "gold": ["bad"]}]}


def write(path: Path, *rows: dict[str, object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.fixture
def model(canned):
    good = Classification((LabelScore("good", 0.9),), {"good": 0.9, "bad": 0.1})
    return canned(
        Extraction("Bo ran", (Entity("dog", "Bo", 0, 2, 0.9),), {"tone": good}),
        Extraction("Lovely!", classifications={"tone": good}),
        Extraction("Awful!", classifications={"tone": good}),
    )


@pytest.fixture
def data(tmp_path):
    write(tmp_path / "ner" / "one.jsonl", NER)
    write(tmp_path / "ner" / "two.jsonl.gz", NER, MISSED)
    write(tmp_path / "cls" / "tone.jsonl.gz", CLS, WRONG, WRONG, WRONG)
    write(tmp_path / "mixed.jsonl", BOTH)
    (tmp_path / "ner" / "one.labels.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("not data")
    return tmp_path


def test_a_directory_is_searched_for_annotated_files(model, data):
    report = evaluate_paths(model, [data])
    assert list(report.reports) == ["cls/tone", "mixed", "ner/one", "ner/two"]
    assert report.reports["ner/two"].scores["entities"]["f1"] == pytest.approx(2 / 3)


def test_means_are_unweighted_and_leave_mixed_files_out(model, data):
    means = evaluate_paths(model, [data]).means()
    assert means["ner_micro_f1"] == pytest.approx((1 + 2 / 3) / 2)
    assert means["cls_accuracy"] == 0.25
    # good: 1 right, 4 chosen, 1 true -> 2/5; bad: none -> 0.
    assert means["cls_macro_f1"] == pytest.approx(0.2)


def test_a_mean_over_no_file_is_left_out(model, data):
    assert list(evaluate_paths(model, [data / "ner"]).means()) == ["ner_micro_f1"]
    assert evaluate_paths(model, [data / "mixed.jsonl"]).means() == {}


def test_limit_is_per_file(model, data):
    report = evaluate_paths(model, [data], limit=1)
    assert {one.texts for one in report.reports.values()} == {1}
    with pytest.raises(InputError, match="limit must be at least 1"):
        evaluate_paths(model, [data], limit=0)


def test_options_and_progress(model, data):
    told = []
    suite(
        model,
        {"mine": data / "ner" / "one.jsonl"},
        threshold=0.4,
        overlap="all",
        on_long="truncate",
        solver="exact",
        progress=lambda name, done: told.append((name, done)),
    )
    assert told == [("mine", 1)]
    assert model.calls[0][2] == CallOptions(0.4, "all", "truncate", "exact")


def test_table_and_dict(model, data):
    report = evaluate_paths(model, [data])
    lines = report.to_table().splitlines()
    assert [line.split()[0] for line in lines if line and "f1" in line and "mean" not in line] == [
        "classifications", "entities",
    ]  # fmt: skip
    assert "mean entity micro F1 over 2 files: 0.8333" in lines
    assert "mean classification accuracy over 1 file: 0.2500" in lines
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["means"] == report.means()
    assert plain["files"]["ner/one"]["scores"]["entities"]["recall"] == 1.0


def test_the_table_of_one_file_shows_its_labels(model, data):
    table = evaluate_paths(model, [data / "ner" / "one.jsonl"]).to_table()
    assert "entities, one by one" in table


def test_a_comparison_names_means_as_a_single_report_does(model, data):
    reports = {name: evaluate_paths(model, [data / "cls"]) for name in ("one", "two")}
    means = "mean classification accuracy 0.2500, mean classification macro F1 0.2000"
    assert compared(reports).splitlines()[-2:] == [f"one: {means}", f"two: {means}"]


def test_a_comparison_without_a_mean_ends_with_its_tables(model, data):
    table = compared({"one": evaluate_paths(model, [data / "mixed.jsonl"])})
    assert not table.splitlines()[-1].startswith("one:")
    assert table == table.rstrip()


def test_what_cannot_be_evaluated_is_said(model, tmp_path):
    with pytest.raises(InputError, match="no file or directory"):
        evaluate_paths(model, [tmp_path / "missing"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"has no \.jsonl or \.jsonl\.gz file"):
        evaluate_paths(model, [tmp_path / "empty"])
    blank = write(tmp_path / "blank.jsonl")
    with pytest.raises(InputError, match="no annotated example"):
        evaluate_paths(model, [blank])
    bad = write(tmp_path / "bad.jsonl", NER, {**NER, "label_set": "dog"})
    with pytest.raises(InputError, match=r"bad\.jsonl, line 2: .*label_set"):
        evaluate_paths(model, [bad])


def test_reports_say_how_many_texts_were_skipped(model, data):
    file = write(data / "some.jsonl", {**NER, "source": "x"}, {"text": "x", "label_set": []})
    report = evaluate_paths(model, [file, data / "ner" / "one.jsonl"])
    assert report.to_table().endswith("texts/s), 1 skipped (nothing annotated)")
    assert "1 text, 1 skipped (nothing annotated)" in report_page({"mine": report})
    both = compared({"mine": report, "other": report})
    assert both.endswith("\ntexts: 1 skipped (nothing annotated)")
