"""Lists of words and tags, as JSON and as Parquet files of Hugging Face's data sets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.corpus.example import Example, GoldTask, Mention
from onepass.corpus.formats import Format, format_of, read_any, read_each
from onepass.errors import InputError

WORDS = ["Ann", "Lee", "left", "Oslo"]
TAGS = ["B-PER", "I-PER", "O", "B-LOC"]
NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
ANN = Example("Ann Lee left Oslo", (Mention(0, 7, "PER"), Mention(13, 17, "LOC")), ("LOC", "PER"))
NOBODY = Example("Nobody", asked=("LOC", "PER"))


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def surfaces(example: Example) -> list[tuple[str, str]]:
    return [(example.text[m.start : m.end], m.label) for m in example.entities]


def errors(path: Path) -> list[str | None]:
    """Return the error of every row, None for one that can be read."""
    return [str(found) if isinstance(found, InputError) else None for _, found in read_each(path)]


@pytest.mark.parametrize("key", ["ner_tags", "tags", "fine_ner_tags"])
def test_rows_of_json(tmp_path: Path, key: str):
    rows = [
        {"id": "0", "tokens": WORDS, key: TAGS, "pos_tags": [1, 2, 3, 4]},
        {"id": "1", "tokens": ["Nobody"], key: ["O"]},
        {"id": "2", "tokens": [], key: []},
    ]
    path = lines(tmp_path / "a.jsonl", *rows)
    assert format_of(path) is Format.TAGGED
    assert list(read_any(path)) == [ANN, NOBODY, Example("", asked=("LOC", "PER"))]
    path.write_text(json.dumps(rows))
    assert list(read_any(path))[:2] == [ANN, NOBODY]


def test_the_first_of_several_tags_counts(tmp_path: Path):
    row = {"tokens": ["Jaws"], "fine_ner_tags": ["B-film"], "ner_tags": ["B-art"]}
    (example,) = read_any(lines(tmp_path / "a.jsonl", row))
    assert surfaces(example) == [("Jaws", "art")]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("I-a I-a B-a O", [("w0 w1", "a"), ("w2", "a")]),  # IOB1
        ("B-a E-a S-b O", [("w0 w1", "a"), ("w2", "b")]),
        ("art-film art-film person O", [("w0 w1", "art film"), ("w2", "person")]),
        ("O person O person", [("w1", "person"), ("w3", "person")]),
        ("B_a I_a O O", [("w0 w1", "a")]),
    ],
)
def test_schemes(tmp_path: Path, tags: str, expected: list[tuple[str, str]]):
    row = {"tokens": ["w0", "w1", "w2", "w3"], "ner_tags": tags.split()}
    (example,) = read_any(lines(tmp_path / "a.jsonl", row))
    assert surfaces(example) == expected


GOOD = {"tokens": WORDS, "ner_tags": TAGS}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"tokens": ["Bo"], "ner_tags": ["dog"]}, "word 1: the tag 'dog' of 'Bo' is not known"),
        ({"tokens": ["Bo"], "ner_tags": ["B"]}, "word 1: the tag 'B' of 'Bo' is not known"),
        ({"tokens": ["Bo"], "ner_tags": []}, "the row has 1 tokens and 0 tags; expected a tag for"),
        ({"tokens": ["Bo"], "ner_tags": [3]}, "the tag 3 of 'Bo' is a number whose name the file"),
        ({"tokens": ["Bo"], "ner_tags": [None]}, "a tag must be a string, but None"),
        ({"tokens": ["Bo"], "ner_tags": "O"}, "the tags must be a list, but 'O'"),
        ({"tokens": [3], "ner_tags": ["O"]}, "a word of tokens must be a string, but 3"),
        ({"tokens": "Bo", "ner_tags": ["O"]}, "tokens must be a list, but 'Bo'"),
        ({"tokens": ["Bo"]}, "the row needs the key 'ner_tags', which is missing"),
        ({"ner_tags": ["O"]}, "the row needs the key 'tokens', which is missing"),
        ({"tokens": [""], "ner_tags": ["B-dog"]}, "word 1: no word stands before the tag 'B-dog'"),
        ({"tokens": ["Bo"], "ner_tags": ["B-\ud800"]}, "the label of an entity"),
        ([], "expected a JSON object, got list"),
    ],
)
def test_a_wrong_row_spoils_no_other(tmp_path: Path, bad: object, message: str):
    path = lines(tmp_path / "a.jsonl", GOOD, bad, GOOD)
    before, error, behind = errors(path)
    assert (before, behind) == (None, None)
    assert error is not None
    assert error.startswith(f"{path}, line 2: ")
    assert message in error


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([1, 0], "the tags are numbers whose names the file does not have; write names such as"),
        (["O", "O"], "the file has no tag such as B-person"),
        (["NN", "VB"], "the file has tags such as 'NN' and neither B-person nor O"),
        (["b-per", "o"], "the file has tags such as 'b-per' and neither B-person nor O"),
        (["B", "O"], "the file has no tag such as B-person"),
    ],
)
def test_tags_that_are_none(tmp_path: Path, tags: list[object], message: str):
    (error,) = errors(lines(tmp_path / "a.jsonl", {"tokens": ["Bo", "ran"], "ner_tags": tags}))
    assert error is not None
    assert message in error


def test_words_in_a_count_are_none(tmp_path: Path):
    row = {"text": "Fine.", "label": "good", "tokens": 2, "tags": ["news"]}
    assert format_of(lines(tmp_path / "a.jsonl", row)) is Format.LABELED


def write_data_set(
    path: Path, columns: Mapping[str, Sequence[Any]], features: Mapping[str, Any] | None
) -> Path:
    """Write a Parquet file as `datasets` does, which keeps its features beside the schema."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table(dict(columns))
    if features is not None:
        kept = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": kept})
    pq.write_table(table, path)
    return path


LABEL = {"names": NAMES, "_type": "ClassLabel"}
STRING = {"dtype": "string", "_type": "Value"}
NUMBERED = {"id": ["0", "1"], "tokens": [WORDS, ["Nobody"]], "ner_tags": [[1, 2, 0, 3], [0]]}


@pytest.mark.parametrize(
    "feature",
    [
        {"feature": LABEL, "length": -1, "_type": "Sequence"},  # datasets 2 and 3
        {"feature": LABEL, "length": -1, "_type": "List"},  # datasets 4
        {"feature": LABEL, "_type": "LargeList"},
        [LABEL],
    ],
)
def test_numbers_of_a_data_set(tmp_path: Path, feature: object):
    features = {"id": STRING, "tokens": {"feature": STRING, "_type": "List"}, "ner_tags": feature}
    path = write_data_set(tmp_path / "a.parquet", NUMBERED, features)
    assert format_of(path) is Format.TABLE
    assert list(read_any(path)) == [ANN, NOBODY]


def test_names_in_parquet(tmp_path: Path):
    columns = {"Tokens": [WORDS, ["Nobody"]], "tags": [TAGS, ["O"]]}
    assert list(read_any(write_data_set(tmp_path / "a.parquet", columns, None))) == [ANN, NOBODY]


@pytest.mark.parametrize(
    "features",
    [
        None,
        {},
        {"ner_tags": {"feature": {"dtype": "int64", "_type": "Value"}, "_type": "List"}},
        {"ner_tags": {"feature": 3}},
        {"ner_tags": []},
        {"ner_tags": {"feature": {"names": 3}}},
    ],
)
def test_numbers_without_names_are_refused(tmp_path: Path, features: Mapping[str, Any] | None):
    path = write_data_set(tmp_path / "a.parquet", NUMBERED, features)
    with pytest.raises(InputError, match=r"a.parquet, all rows: the tags are numbers whose names"):
        list(read_any(path))


def test_wrong_rows_of_parquet(tmp_path: Path):
    columns = {
        "tokens": [WORDS, WORDS, None, WORDS, WORDS],
        "ner_tags": [[1, 2, 0, 3], [1, -100, 0, 0], [0], [0], [9, 0, 0, 0]],
    }
    path = write_data_set(tmp_path / "a.parquet", columns, {"ner_tags": [LABEL]})
    first, *others = errors(path)
    assert first is None
    for number, (error, message) in enumerate(
        zip(
            others,
            (
                "the tag -100 of 'Lee'",
                "tokens must be a list",
                "the row has 4 tokens and 1 ",
                "the tag 9",
            ),
            strict=True,
        ),
        2,
    ):
        assert error is not None
        assert error.startswith(f"{path}, row {number}: {message}")


def test_columns_of_neither_kind(tmp_path: Path):
    columns = {"words": [WORDS], "ner_tags": [TAGS]}
    with pytest.raises(
        InputError, match=r"one column of texts .* or one of words \(tokens\) and one of"
    ):
        list(read_any(write_data_set(tmp_path / "a.parquet", columns, None)))


def test_words_and_tags_come_before_a_text_and_its_label(tmp_path: Path):
    columns = {"text": ["?"], "label": ["x"], "tokens": [WORDS], "ner_tags": [TAGS]}
    assert list(read_any(write_data_set(tmp_path / "a.parquet", columns, None))) == [ANN]
    rows = [{key: cells[0] for key, cells in columns.items()}]
    assert list(read_any(lines(tmp_path / "a.jsonl", *rows))) == [ANN]


def test_a_list_of_numbers_of_classes_has_names_too(tmp_path: Path):
    columns = {"text": ["a", "b"], "label": [[1, 0], [1]]}
    features = {"label": {"feature": {"names": ["x", "y"], "_type": "ClassLabel"}}}
    path = write_data_set(tmp_path / "a.parquet", columns, features)
    tasks = [example.classifications[0] for example in read_any(path)]
    assert tasks == [GoldTask("class", ("x", "y"), true, True) for true in (("y", "x"), ("y",))]


@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=4), st.sampled_from(["O", "B-x", "I-x", "B-y"])),
        max_size=8,
    )
)
def test_mentions_are_the_words_that_are_tagged(tmp_path_factory: Any, pairs: list[Any]):
    words, tags = [word for word, _ in pairs], [tag for _, tag in pairs]
    path = tmp_path_factory.mktemp("tagged") / "a.jsonl"
    rows = [{"tokens": ["Bo"], "ner_tags": ["B-x"]}, {"tokens": words, "ner_tags": tags}]
    _, example = read_any(lines(path, *rows))
    assert example.text == " ".join(words)
    marked = [word for word, tag in pairs if tag != "O"]
    assert " ".join(surface for surface, _ in surfaces(example)) == " ".join(marked)
