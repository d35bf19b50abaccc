"""Tables of texts and labels, and the same as rows of JSON: what is read, and what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from onepass.corpus import tables
from onepass.corpus.example import Example, GoldTask
from onepass.corpus.files import find_files
from onepass.corpus.formats import Format, format_of, read_any, read_each
from onepass.errors import InputError, MissingExtra

LABELS = ("bad", "good")
ROWS = [("Fine, I think.", "good"), ('He said "no".\nTwice.', "bad")]
EXAMPLES = [
    Example(text, classifications=(GoldTask("class", LABELS, (own,)),)) for text, own in ROWS
]
CSV = 'text,label\n"Fine, I think.",good\n"He said ""no"".\nTwice.", bad \n'


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV),
        ("a.CSV", "\ufeff" + CSV.replace("good\n", "good\r\n")),
        ("a.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("a.csv", "\n" + CSV.replace("text,label", "Sentence, CATEGORY ")),
        ("a.csv", 'id;label;text\n1;good;Fine, I think.\n\n2;bad;"He said ""no"".\nTwice."\n'),
        ("a.tsv", 'target\tcontent\ngood\tFine, I think.\nbad\t"He said ""no"".\nTwice."\n'),
        ("a.csv", 'label,text,class\ngood,"Fine, I think.",x\nbad,"He said ""no"".\nTwice.",y\n'),
        ("a.jsonl", "\n".join(json.dumps({"text": t, "label": own}) for t, own in ROWS)),
    ],
)  # fmt: skip
def test_a_text_and_its_label_are_a_task(tmp_path: Path, name: str, content: str | bytes):
    path = write(tmp_path / name, content)
    assert list(read_any(path)) == EXAMPLES
    assert format_of(path) is (Format.LABELED if name == "a.jsonl" else Format.TABLE)


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        (b"Hello, world,good\n", "line 2", "the row has 3 cells, but the header has 2; put a cell"),
        (b"Hello\n", "line 2", "the row has 1 cells, but the header has 2"),
        (b",good\n", "line 2", "the text is empty; give one"),
        (b"a, \n", "line 2", "the label is empty; give one"),
        (b"caf\xe9,good\n", "line 2", "not UTF-8; save the file as CSV in UTF-8"),
        (b'"a "b" c",good\n', "line 2", "not valid CSV"),
        (b'"two\nlines",bad\nc,good\n"open,bad\nd,good\n', "line 5", "none closes it"),
        (b"a,good\rb,bad\n", "line 2", "a line ends in CR alone"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, content, place, message):
    path = write(tmp_path / "a.csv", b"text,label\n" + content)
    (found,) = [(where, str(one)) for where, one in read_each(path) if isinstance(one, InputError)]
    assert found[0] == place
    assert message in found[1]
    assert "\n" not in found[1]


def test_rows_behind_a_bad_one_are_read(tmp_path: Path):
    path = write(tmp_path / "a.csv", 'text,label\na,b,c\n"x "y",bad\nz,good\n')
    assert [isinstance(one, Example) for _, one in read_each(path)] == [False, False, True]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.csv", "comment,grade"),
        ("a.csv", "text,title"),
        ("a.csv", "text,label,label"),
        ("a.csv", "text,class,target"),
        ("a.csv", "Great phone.,positive"),
    ],
)
def test_columns_that_are_not_there_or_not_clear(tmp_path: Path, name: str, header: str):
    path = write(tmp_path / name, f"{header}\n1,2,3\n")
    with pytest.raises(
        InputError, match=r"one column of texts \(text, sentence, content\) and one"
    ):
        list(read_any(path))


def test_a_tsv_is_a_table_if_its_header_says_so(tmp_path: Path):
    tagged = write(tmp_path / "a.tsv", "Bo\tB-dog\n")
    assert format_of(tagged) is Format.COLUMNS
    with pytest.raises(InputError, match=r"has no tag .* and no header with text and label"):
        list(read_any(write(tmp_path / "b.tsv", "comment\tgrade\nfine\tgood\n")))


def test_an_empty_table(tmp_path: Path):
    with pytest.raises(InputError, match="is empty; expected a header with the columns text and"):
        list(read_any(write(tmp_path / "a.csv", "\n")))
    assert list(read_any(write(tmp_path / "b.csv", "text,label\n"))) == []


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_label_for_every_row_is_no_class(tmp_path: Path, name: str):
    rows = [(f"t{number}", f"{number / 7}") for number in range(200)]
    if name == "a.csv":
        content = "text,target\n" + "".join(f"{text},{label}\n" for text, label in rows)
    else:
        content = "".join(json.dumps({"text": t, "label": own}) + "\n" for t, own in rows)
    with pytest.raises(InputError, match="has 200 labels in 200 rows; expected classes"):
        list(read_any(write(tmp_path / name, content)))


def test_parquet(tmp_path: Path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    texts, names = zip(*ROWS, strict=True)
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [1, 2], "text": texts, "label": names}), path)
    assert list(read_any(path)) == EXAMPLES
    kept = {"info": {"features": {"label": {"names": LABELS, "_type": "ClassLabel"}}}}
    numbered = pa.table({"text": texts, "label": [LABELS.index(name) for name in names]})
    named = numbered.replace_schema_metadata({"huggingface": json.dumps(kept)})
    pq.write_table(named, path)  # a ClassLabel of Hugging Face
    assert list(read_any(path)) == EXAMPLES
    missing = pa.table({"text": [*texts, "c"], "label": [*numbered["label"].to_pylist(), -1]})
    pq.write_table(missing.replace_schema_metadata(named.schema.metadata), path)
    *found, (place, error) = read_each(path)
    assert [example for _, example in found] == EXAMPLES
    assert (place, "the label is empty; give one, or leave" in str(error)) == ("row 3", True)
    pq.write_table(numbered, path)
    assert [example.classifications[0].true for example in read_any(path)] == [("1",), ("0",)]


def test_several_labels_in_a_list(tmp_path: Path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["a", "b"], "label": [["x", "y"], []]}), path)
    rows = [{"text": "a", "label": ["x", "y"]}, {"text": "b", "label": []}]
    lines = write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    for file in (path, lines):
        tasks = [example.classifications[0] for example in read_any(file)]
        assert tasks == [
            GoldTask("class", ("x", "y"), true, multi_label=True) for true in (("x", "y"), ())
        ]


def test_bad_parquet(tmp_path: Path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    nan = float("nan")
    pq.write_table(pa.table({"text": ["a", None, "c"], "label": [1.0, 1.0, nan]}), path)
    errors = [str(one) for _, one in read_each(path) if isinstance(one, InputError)]
    assert "row 2: the text must be a string, but None" in errors[0]
    assert "row 3: the label is empty" in errors[1]
    pq.write_table(pa.table({"body": ["a"], "label": ["x"]}), path)
    with pytest.raises(InputError, match="but its columns are 'body', 'label'; rename them"):
        list(read_any(path))
    with pytest.raises(InputError, match=r"a.parquet is not a Parquet file that can be read"):
        list(read_any(write(path, b"PAR1")))


def test_parquet_without_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tables, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="Reading Parquet files needs the extra 'data'"):
        list(read_any(write(tmp_path / "a.parquet", b"")))


def test_tables_of_a_directory_are_read_where_nothing_else_is(tmp_path: Path):
    table = write(tmp_path / "reviews.csv", CSV)
    assert find_files([tmp_path]) == {"reviews": table}
    told: list[Path] = []
    columns = write(tmp_path / "a.conll", "Bo B-dog\n")
    assert find_files([tmp_path], left_out=told.append) == {"a": columns}
    rows = write(tmp_path / "b.jsonl", "")
    assert find_files([tmp_path], left_out=told.append) == {"b": rows}
    assert told == [table, columns, table]


def test_rows_of_json_that_are_wrong(tmp_path: Path):
    rows = [{"text": "a", "label": "x"}, {"text": "b"}, {"text": "b", "label": {}}, {"label": "x"}]
    path = write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    messages = [str(one) for _, one in read_each(path) if isinstance(one, InputError)]
    assert "line 2: the row needs the key 'label'" in messages[0]
    assert "line 3: the label must be a string or a number" in messages[1]
    assert "line 4: the row needs the key 'text'" in messages[2]


def test_a_label_beside_annotations_of_our_own_is_refused(tmp_path: Path):
    row = {"text": "Bo", "label": "x", "asked": ["dog"]}
    with pytest.raises(InputError, match="the row has the unknown key 'label'"):
        list(read_any(write(tmp_path / "a.jsonl", json.dumps(row))))
