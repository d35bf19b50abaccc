"""Public training sources become examples: read by the library, changed where training wants it."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes" / "builtin"))

import pytest
from convert import NAMES, bank, classification, extraction, multitask, other_names

from onepass.corpus.example import GoldField, GoldValue, Mention
from onepass.corpus.question import folded
from onepass.training.bank import read_bank


def write(path: Path, *rows: object) -> Path:
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    return path


def test_an_extraction_source(tmp_path: Path):
    sale = {"type": "sale", "fields": {"buyer": [{"start": 0, "end": 2}]}}
    ends = [{"start": 0, "end": 2, "label": "dog"}, {"start": 9, "end": 13, "label": "entity"}]
    row = {
        "text": "Bo owns  Acme",
        "entities": ends,
        "label_set": ["dog", "entity"],
        "relations": [{"head": 0, "tail": 1, "label": "owns"}],
        "relation_set": ["owns"],
        "records": [sale],
        "source": "tiny",
    }
    loan = {**row, "records": [{"type": "loan", "fields": {"sum": []}}]}
    path = write(tmp_path / "tiny.jsonl.gz", *[row] * 40, loan, {**row, "text": "Bo " * 500})
    labels = {"entity_labels": {"dog": "a pet"}, "relation_labels": {"owns": "has"}}
    (tmp_path / "tiny.labels.json").write_text(json.dumps(labels))
    found = list(extraction(path))
    assert len(found) == 41  # without the long text
    first = found[0]
    assert (first.entities, first.asked) == ((Mention(0, 2, "dog"),), ("dog",))
    assert (first.descriptions, first.relation_descriptions) == ({"dog": "a pet"}, {})
    assert first.relations[0].tail == (9, 13)
    assert first.structures[0].fields == (GoldField("buyer", dtype="list"),)
    absent = [one.structures[1] for one in found[:40] if len(one.structures) > 1]
    assert 0 < len(absent) < 20
    assert {(one.name, one.records) for one in absent} == {("loan", ())}


def test_a_classification_source(tmp_path: Path):
    row = {"text": "a " * 400, "task": "the_kind", "labels": ["x", "y"], "gold": ["y", "x"],
           "multi_label": True, "source": "tiny"}  # fmt: skip
    one_label = {**row, "labels": ["x"], "gold": ["x"]}
    (example,) = classification(write(tmp_path / "a.jsonl.gz", row, one_label, {**row, "text": ""}))
    assert len(example.text.split()) == 230
    assert example.classifications[0].name == "the kind"
    assert example.classifications[0].true == ("x", "y")


def test_a_value_in_several_places_stands_where_the_rest_of_its_record_does():
    def value(text: str, *starts: int) -> dict[str, object]:
        spans = [[start, start + len(text)] for start in starts]
        return {"values": [{"value": text, "spans": spans}]}

    row = {
        "text": "1 x, then 1 yy",
        "structures": [{
            "type": "item",
            "fields": {"count": {}, "name": {}, "price": {}},
            "records": [
                {"count": value("1", 0, 10), "name": value("yy", 12), "price": {"values": []}}
            ],
        }],
        "source": "tiny",
    }  # fmt: skip
    (example,) = multitask([row])
    (record,) = example.structures[0].records
    assert record == {"count": (GoldValue(10, 11),), "name": (GoldValue(12, 14),)}


@pytest.mark.parametrize("kind", ["fields", "records", "classes"])
def test_every_name_has_other_names_that_are_names(kind: str):
    lines = (NAMES / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()
    names = other_names(kind)
    assert len(names) == len(lines) > 1900  # each name stands there once, with others
    for name, others in names.items():
        assert len({folded(other) for other in others} - {folded(name)}) == len(others), name
        assert all(other == other.strip() and len(other.split()) <= 8 for other in others), name


def test_the_bank_of_the_recipe_is_one(tmp_path: Path):
    path = tmp_path / "bank.json"
    path.write_text(json.dumps(bank()), encoding="utf-8")
    read, pool = read_bank(path)
    tables = read.paraphrases, read.fields, read.records, read.classes
    assert [min(map(len, table.values())) > 0 for table in tables] == [False, True, True, True]
    assert {"cost", "money"} & read.synonyms("price")
    assert set(read.fields["birthplace"]) & {"place of birth", "born in"}
    assert len(pool) > 5000
