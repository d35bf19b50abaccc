import gzip
import json

import pytest

from onepass.corpus.example import Example, Mention
from onepass.corpus.formats import Format, format_of, read_any, read_each
from onepass.errors import InputError
from onepass.results.types import Extraction

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
    assert format_of(path) is form
    assert list(read_any(path)) == [BO]


def test_a_row_in_another_format_is_refused_later(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(OWN) + "\n" + json.dumps(THEIRS))
    with pytest.raises(InputError, match="line 2: the row has the unknown key 'input'"):
        list(read_any(path))


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
    ("name", "content", "form"),
    [
        ("a.json", json.dumps([LABEL_STUDIO]), Format.LABEL_STUDIO),
        ("a.jsonl", json.dumps(PRODIGY), Format.PRODIGY),
        ("a.jsonl", json.dumps(MULTITASK), Format.RECORDS),
        ("a.conll", "Bo B-dog\nbarks O\n. O\n", Format.COLUMNS),
    ],
)
def test_formats_of_tools_and_data_sets_have_names(tmp_path, name, content, form):
    path = tmp_path / name
    path.write_text(content)
    assert format_of(path) is form
    (example,) = read_any(path)
    assert example.text.startswith("Bo barks")
    assert example.entities == (Mention(0, 2, "dog"),)


GLINER = {"tokenized_text": ["Bo", "barks."], "ner": [[0, 0, "dog"]]}
TAGGED = {"tokens": ["Bo", "barks."], "ner_tags": ["B-dog", "O"]}
DOCCANO = {"id": 1, "text": "Bo barks.", "label": [[0, 2, "dog"]]}


@pytest.mark.parametrize(
    ("row", "form"),
    [
        (OWN, Format.ONEPASS),
        (THEIRS, Format.GLINER2),
        (GLINER, Format.GLINER),
        (PRODIGY, Format.PRODIGY),
        (MULTITASK, Format.RECORDS),
        (TAGGED, Format.TAGGED),
        (DOCCANO, Format.DOCCANO),
    ],
)
def test_rows_of_only_a_text_do_not_tell_the_format(tmp_path, row, form):
    path = tmp_path / "data.jsonl"
    plain = json.dumps({"text": "Al", "source": "here"}) + "\n"
    path.write_text(plain * 2 + json.dumps(row) + "\n")
    assert format_of(path) is form
    assert list(read_any(path)) == [Example("Al", source="here")] * 2 + [BO]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '{"tokens": ["Bo"], "ner": []}',
            "line 1: the row has no 'text' .its keys: ner, tokens",
        ),
        ("{}", "the row has no 'text' \\(its keys: none\\); expected onepass's own format"),
        ("Bo B-dog\nbarks O\n", "holds columns of words and tags, which are known by the end of"),
    ],
)
def test_an_unknown_file_is_refused(tmp_path, content, message):
    path = tmp_path / "data.jsonl"
    path.write_text(content)
    for read in (format_of, lambda path: list(read_any(path))):
        with pytest.raises(InputError, match=message):
            read(path)


@pytest.mark.parametrize("name", ["data.xlsx", "data.XML.gz", "data.parquet.gz"])
def test_a_kind_of_file_that_is_not_read_is_named(tmp_path, name):
    content = b"text,label\nBo barks.,dog\n"
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    with pytest.raises(InputError, match=r"is of a kind that annotated texts are not read from"):
        list(read_any(path))


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file_has_no_format(tmp_path, content):
    path = tmp_path / "data.jsonl"
    path.write_text(content)
    with pytest.raises(InputError, match="is empty; expected one JSON object a line"):
        format_of(path)


PRODIGY_TOO = {"text": "Bo barks.", "ner": [[0, 2, "dog"]], "spans": [], "answer": "accept"}


def test_a_row_of_two_formats_is_in_the_one_that_is_asked_first(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(PRODIGY_TOO))
    assert format_of(path) is Format.PRODIGY
    assert next(read_any(path)).entities == ()


@pytest.mark.parametrize(
    "form", [lambda found: found, lambda found: {"id": 1, "extraction": found}]
)
def test_a_result_of_onepass_is_no_annotation(tmp_path, form):
    path = tmp_path / "found.jsonl"
    path.write_text(
        json.dumps({"text": "Bo"}) + "\n" + json.dumps(form(Extraction("Bo").to_dict()))
    )
    with pytest.raises(InputError, match=r", line 2: the row is a result .*to_label_studio\(\)"):
        list(read_any(path))


def test_a_result_over_several_lines_is_told_once(tmp_path):
    path = tmp_path / "found.jsonl"
    path.write_text(Extraction("Bo").to_json(indent=2))
    ((place, error),) = read_each(path)
    assert place == "entry 1"
    assert "the row is a result of onepass" in str(error)


def test_an_object_over_several_lines_is_a_row(tmp_path):
    path = tmp_path / "data.json"
    path.write_text("\n" + json.dumps(OWN, indent=2))
    assert list(read_any(path)) == [BO]
    path.write_text(json.dumps(OWN, indent=2) + "\n{}")
    with pytest.raises(InputError, match="more follows it in line 11; write one object a line"):
        list(read_any(path))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"data": {"text": "a"}, "annotations": []}, "not annotated, or only with"),
        ({**PRODIGY, "answer": "ignore"}, "rejected or ignored"),
    ],
)
def test_what_is_left_out_is_told_once(tmp_path, row, reason):
    good = LABEL_STUDIO if "data" in row else PRODIGY
    path = tmp_path / "data.json"
    told = []
    path.write_text(json.dumps([good, row, row]))
    assert len(list(read_any(path, on_left_out=told.append))) == 1
    assert len(told) == 1
    assert told[0].startswith(f"{path}: 2 rows are left out: {reason}")
    path.write_text(json.dumps([good]))
    assert len(list(read_any(path, on_left_out=told.append))) == len(told)


def test_a_list_a_line_is_told(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text('[{"text": "Bo"}]\n[{"text": "It"}]\n')
    with pytest.raises(InputError, match="more follows it in line 2; write one object a line"):
        list(read_any(path))


def test_one_list_of_rows_is_as_good_as_lines(tmp_path):
    path = tmp_path / "data.json"
    path.write_text('[{"text": "Bo"}, {"text": "It"}]')
    assert [example.text for example in read_any(path)] == ["Bo", "It"]
