"""``onepass eval`` from files to its report."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onepass.batch.job import ModelChoice
from onepass.corpus.example import Example, Mention
from onepass.corpus.jsonl import write_examples

Onepass = Callable[..., Any]


@pytest.fixture
def gold(tmp_path: Path) -> str:
    path = tmp_path / "gold.jsonl"
    examples = [
        Example("a dog", (Mention(2, 5, "dog"),), ("dog", "cat")),
        Example("Bo", (Mention(0, 2, "dog"),), ("dog",)),
    ]
    write_examples(path, examples)
    return str(path)


def test_table(onepass: Onepass, gold: str):
    done = onepass("eval", "--data", gold)
    assert (done.code, done.err) == (0, "")
    assert "gold" in done.out
    assert done.out.endswith("texts/s)\n")


def test_json_file(onepass: Onepass, gold: str, tmp_path: Path, model: Any):
    out = tmp_path / "report.json"
    done = onepass(
        "eval", "-d", gold, "--limit", "1", "-t", "0.2", "--overlap", "all",
        "--on-long", "truncate", "--solver", "exact",
        "--format", "json", "-o", str(out),
    )  # fmt: skip
    assert (done.code, done.out) == (0, "")
    report = json.loads(out.read_text())
    assert report["means"]["ner_micro_f1"] == 1.0
    assert report["files"]["gold"]["texts"] == 1
    assert model.options[0] == {
        "threshold": 0.2, "overlap": "all", "on_long": "truncate", "solver": "exact",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("report.html", "<!DOCTYPE html>"),
        ("report.json", "{"),
        ("report.txt", "entities"),
        ("report", "entities"),
    ],
)
def test_the_name_of_the_output_says_the_format(
    onepass: Onepass, gold: str, tmp_path: Path, name: str, start: str
):
    done = onepass("eval", "-d", gold, "-o", str(tmp_path / name))
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / name).read_text().startswith(start)


def test_thresholds_by_name(onepass: Onepass, gold: str, model: Any):
    assert onepass("eval", "-d", gold, "-t", "entities=0.2", "-t", "choices=0.4").code == 0
    assert model.options[0]["threshold"] == {"entities": 0.2, "choices": 0.4}


@pytest.fixture
def named(onepass: Onepass, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any name opens a model of that name, in place of the one that ``onepass`` opens."""
    from tests.cli.conftest import EchoModel

    from onepass.cli import loading

    def load(chosen: ModelChoice) -> EchoModel:
        model = EchoModel()
        model.name = str(chosen.name)
        return model

    monkeypatch.setattr(loading, "load_model", load)


@pytest.mark.usefixtures("named")
def test_several_models_stand_side_by_side(onepass: Onepass, gold: str):
    done = onepass("eval", "-d", gold, "-m", "one", "-m", "two")
    assert done.code == 0
    header, *rows = done.out.split("\n\n")[0].splitlines()
    assert header.startswith("entities")
    assert [row.split()[0] for row in rows] == ["one", "two"]
    assert "two: mean entity micro F1" in done.out
    done = onepass("eval", "-d", gold, "-m", "one", "-m", "two", "--format", "json")
    assert list(json.loads(done.out)) == ["one", "two"]


@pytest.mark.usefixtures("named")
def test_rows_that_nobody_accepted_are_counted_once(onepass: Onepass, tmp_path: Path):
    source = tmp_path / "prodigy.jsonl"
    spans = [{"start": 0, "end": 2, "label": "dog"}]
    rows = [{"text": "Bo", "spans": spans, "answer": answer} for answer in ("accept", "ignore")]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for models in ((), ("--model", "one", "--model", "two")):
        done = onepass("eval", "--data", str(source), *models)
        assert (done.code, done.err) == (
            0, f"{source}: 1 row is left out: rejected or ignored.\n"
        )  # fmt: skip


def test_missing_data(onepass: Onepass):
    done = onepass("eval", "--data", "no/such.jsonl")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("onepass: There is no file or directory no/such.jsonl")


def test_data_that_is_not_annotated(onepass: Onepass, tmp_path: Path):
    (tmp_path / "gold.jsonl").write_text("{bad\n")
    done = onepass("eval", "--data", str(tmp_path))
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
