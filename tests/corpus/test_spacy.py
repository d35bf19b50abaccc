"""Training data of spaCy: pairs of a text and its annotations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onepass.corpus.example import Example, GoldTask, Mention
from onepass.corpus.formats import Format, format_of, read_any, read_each
from onepass.errors import InputError


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_entities(tmp_path: Path):
    pairs = [
        ["Bo ran.", {"entities": [[0, 2, "dog"]]}],
        ["Al ran.", {"entities": []}],
        ["It ran.", {"heads": [1, 1]}],
        ["Lima", {"entities": [[0, 4, "city"]], "links": {}}],
    ]
    path = write(tmp_path / "a.json", pairs)
    assert format_of(path) is Format.SPACY
    assert list(read_any(path)) == [
        Example("Bo ran.", (Mention(0, 2, "dog"),), ("city", "dog")),
        Example("Al ran.", asked=("city", "dog")),
        Example("It ran."),
        Example("Lima", (Mention(0, 4, "city"),), ("city", "dog")),
    ]


@pytest.mark.parametrize(
    ("second", "true", "several"),
    [({"a": 0.0, "b": 1}, ("b",), False), ({"a": True, "b": 0.5}, ("a", "b"), True)],
)
def test_categories(tmp_path: Path, second: dict[str, float], true: tuple[str, ...], several: bool):
    pairs = [["x", {"cats": {"a": 1.0, "b": 0.0}}], ["y", {"cats": second}]]
    first, last = read_any(write(tmp_path / "a.json", pairs))
    assert first.classifications == (GoldTask("class", ("a", "b"), ("a",), several),)
    assert last.classifications == (GoldTask("class", ("a", "b"), true, several),)
    assert last.asked == ()


def test_no_categories_ask_nothing(tmp_path: Path):
    pairs = [
        ["Bo ran.", {"cats": {"a": 1, "b": 0}}],
        ["Al ran.", {"entities": [[0, 2, "dog"]], "cats": {}}],
    ]
    first, last = read_any(write(tmp_path / "a.json", pairs))
    assert first.classifications == (GoldTask("class", ("a", "b"), ("a",)),)
    assert last == Example("Al ran.", (Mention(0, 2, "dog"),), ("dog",))
    (alone,) = read_any(write(tmp_path / "b.json", pairs[1:]))
    assert alone == last


GOOD = ["Bo", {"entities": [[0, 2, "dog"]]}]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (["Bo", {"entities": [[0, 2]]}], "must be [start, end, label], but [0, 2] was given"),
        (["Bo", {"entities": ["B-dog"]}], "an item of entities must be a list"),
        (["Bo", {"entities": [[0, 3, "dog"]]}], "lies outside the text of 2 characters"),
        (["Bo", {"entities": [[0, "2", "dog"]]}], "must be integers"),
        (["Bo", {"cats": ["a"]}], "cats must be an object"),
        (["Bo", {"cats": {"a": 3}}], "the share of 'a' in cats must be from 0 to 1"),
        (["Bo", {"cats": {"a": "yes"}}], "the share of 'a' in cats must be from 0 to 1"),
        (["Bo", 3], "expected a JSON object, got list"),
        ([3, {}], "expected a JSON object, got list"),
        ({"text": 3, "annotations": {}}, "the text must be a string"),
    ],
)
def test_a_wrong_pair_spoils_no_other(tmp_path: Path, bad: object, message: str):
    path = write(tmp_path / "a.json", [GOOD, bad, GOOD])
    first, (place, error), last = read_each(path)
    assert isinstance(first[1], Example)
    assert first[1] == last[1]
    assert isinstance(error, InputError)
    assert place == "entry 2"
    assert message in str(error)
