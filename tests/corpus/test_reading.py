import gzip
import json

import pytest

from onepass.corpus.example import Example, Mention
from onepass.corpus.public import read_any
from onepass.corpus.reading import Format, file_format, read_training_file
from onepass.errors import InputError

BO = Example("Bo barks.", (Mention(0, 2, "dog"),))
OWN = {"text": "Bo barks.", "entities": [{"start": 0, "end": 2, "label": "dog"}]}
THEIRS = {"input": "Bo barks.", "output": {"entities": {"dog": ["Bo"]}}}
OTHER = {"text": "Bo barks.", "schema": {"entities": {"dog": ["Bo"]}}}


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
@pytest.mark.parametrize(
    ("row", "form"),
    [(OWN, Format.ONEPASS), (THEIRS, Format.GLINER2), (OTHER, Format.GLINER2)],
)
def test_formats_are_told_apart_by_the_first_row(tmp_path, row, form, suffix):
    path = tmp_path / f"data{suffix}"
    content = ("\n" + json.dumps(row) + "\n").encode()
    path.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    assert file_format(path) is form
    assert list(read_training_file(path)) == [BO]


def test_a_row_in_another_format_is_refused_later(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(OWN) + "\n" + json.dumps(THEIRS))
    with pytest.raises(InputError, match="line 2: the row has the unknown key 'input'"):
        list(read_training_file(path))


LABEL_STUDIO = {
    "id": 1,
    "data": {"text": "Bo barks."},
    "annotations": [
        {"result": [{"type": "labels", "from_name": "label", "to_name": "text",
                     "value": {"start": 0, "end": 2, "labels": ["dog"]}}]}
    ],
}  # fmt: skip
PRODIGY = {
    "text": "Bo barks.",
    "tokens": [],
    "spans": [{"start": 0, "end": 2, "label": "dog"}],
    "answer": "accept",
}
MULTITASK = {**OWN, "label_set": ["dog"]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps([LABEL_STUDIO])),
        ("a.jsonl", json.dumps(PRODIGY)),
        ("a.jsonl", json.dumps(MULTITASK)),
        ("a.conll", "Bo B-dog\nbarks O\n. O\n"),
    ],
)
def test_other_formats_are_read_as_they_are_for_evaluation(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    assert file_format(path) is Format.OTHER
    (example,) = read_training_file(path)
    assert example.text.startswith("Bo barks")
    assert example.entities == (Mention(0, 2, "dog"),)


GLINER = {"tokenized_text": ["Bo", "barks."], "ner": [[0, 0, "dog"]]}


@pytest.mark.parametrize(
    ("row", "form"),
    [
        (OWN, Format.ONEPASS),
        (THEIRS, Format.GLINER2),
        (GLINER, Format.GLINER),
        (PRODIGY, Format.OTHER),
        (MULTITASK, Format.OTHER),
    ],
)
def test_rows_of_only_a_text_do_not_tell_the_format(tmp_path, row, form):
    path = tmp_path / "data.jsonl"
    plain = json.dumps({"text": "Al", "source": "here"}) + "\n"
    path.write_text(plain * 2 + json.dumps(row) + "\n")
    assert file_format(path) is form
    found = list(read_training_file(path))
    assert found == [Example("Al", source="here")] * 2 + [BO]
    assert found == list(read_any(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        (
            '{"tokens": ["Bo"], "ner": []}',
            "line 1: the row has no 'text' .its keys: ner, tokens",
        ),
        ("{}", "the row has no 'text' \\(its keys: none\\); expected onepass's own format"),
    ],
)
def test_an_unknown_or_empty_file_is_refused(tmp_path, content, message):
    path = tmp_path / "data.jsonl"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        list(read_training_file(path))


def test_one_list_of_rows_is_as_good_as_lines(tmp_path):
    path = tmp_path / "data.json"
    path.write_text('[{"text": "Bo"}, {"text": "It"}]')
    assert [example.text for example in read_training_file(path)] == ["Bo", "It"]
