"""Files of texts: every kind, rows that fail, order, memory, and when the output appears."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Onepass = Callable[..., Any]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.removesuffix("\n").split("\n")]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes], str]:
    def write_file(name: str, content: bytes) -> str:
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return str(path)

    return write_file


def test_rows_keep_their_fields_and_their_order(onepass: Onepass, write: Any):
    rows = [{"id": n, "body": f"{n} person", "more": [n, None, {"é": 0.5}]} for n in range(600)]
    path = write("in.jsonl", "\n".join(map(json.dumps, rows)).encode())
    done = onepass("extract", "--input", path, "--text-field", "body", "-e", "person")
    assert (done.code, done.err) == (0, "")
    found = lines(done.out)
    assert [{k: v for k, v in row.items() if k != "extraction"} for row in found] == rows
    for row in found:
        assert row["extraction"]["text"] == row["body"]
        assert row["extraction"]["entities"][0]["text"] == "person"


@pytest.mark.parametrize("name", ["in.jsonl", "in.ndjson", "in.JSONL", "in.jsonl.gz"])
def test_jsonl(onepass: Onepass, write: Any, name: str):
    path = write(name, b'\xef\xbb\xbf{"text": "a"}\r\n\n  \n{"text": ""}\n{"text": "b"}')
    found = lines(onepass("extract", "-i", path, "-e", "x").out)
    assert [row["text"] for row in found] == ["a", "", "b"]
    assert found[1]["extraction"]["coverage"]["chars"] == 0


@pytest.mark.parametrize("name", ["in.txt", "in.txt.gz"])
def test_text_file_has_one_text_a_line(onepass: Onepass, write: Any, name: str):
    path = write(name, "é\r\n\nb\x85b\u2028b\n c ".encode())
    found = lines(onepass("extract", "-i", path, "-e", "x").out)
    assert [row["text"] for row in found] == ["é", "", "b\x85b\u2028b", " c "]
    assert {*found[0]} == {"text", "extraction"}


def test_text_file_has_no_fields(onepass: Onepass, write: Any):
    done = onepass("extract", "-i", write("in.txt", b"a"), "--text-field", "body", "-e", "x")
    assert (done.code, done.out) == (2, "")
    assert "have no fields" in done.err


def test_csv(onepass: Onepass, write: Any):
    path = write(
        "in.csv",
        b'\xef\xbb\xbfid,body\r\n1,"a ""person"", and\r\nmore"\r\n\r\n2,b,c\r\n3,\xff\r\n4,\r\n',
    )
    done = onepass("extract", "-i", path, "--text-field", "body", "-e", "person")
    assert done.code == 1
    first, second, third, fourth = lines(done.out)
    assert (first["id"], first["body"]) == ("1", 'a "person", and\r\nmore')
    assert first["extraction"]["entities"][0]["start"] == 3
    assert second == {"row": 2, "error": "3 values for 2 columns"}
    assert third == {"row": 3, "error": "not UTF-8; save the table in UTF-8"}
    assert fourth["extraction"]["text"] == ""


def test_csv_with_a_long_cell(onepass: Onepass, write: Any):
    path = write("in.csv", b"text\n" + b"a" * 200_000 + b"\n")
    (row,) = lines(onepass("extract", "-i", path, "-e", "x").out)
    assert row["extraction"]["coverage"]["chars"] == 200_000


def test_jsonl_from_standard_input(onepass: Onepass):
    done = onepass("extract", "--input", "-", "-e", "x", stdin=b'{"text": "a"}\n')
    assert lines(done.out)[0]["text"] == "a"


BAD_ROWS = [
    (b"{bad", "not valid JSON (Expecting property name"),
    (b'{"text": "a"} {}', "not valid JSON (Extra data"),
    (b'{"text": "a', "not valid JSON (Unterminated string starting at column 10)"),
    (b'{"text": "a\tb"}', "not valid JSON (Invalid control character at column 12)"),
    (b'{"id": 1}', "no field 'text' (the fields are 'id'); name it with text_field (--text-field)"),
    (b"{}", "no field 'text' (the fields are none)"),
    (b'{"text": null}', "the field 'text' must be a string, but it is null"),
    (b'{"text": 5}', "but it is a number"),
    (b'{"text": true}', "but it is a boolean"),
    (b'{"text": ["a"]}', "but it is an array"),
    (b"[1]", "expected a JSON object, got an array"),
    (b'"a"', "expected a JSON object, got a string"),
    (b'{"text": "\xff"}', "not UTF-8 (byte 0xff at position 10 of the line)"),
    (b'{"text": "a", "n": NaN}', "NaN is not JSON"),
    (b'{"text": "a", "n": -Infinity}', "-Infinity is not JSON"),
    (b'{"text": "a", "n": 1e999}', "1e999 is too large"),
    (b"[" * 100_000, "not JSON that can be read"),
    (b'{"text": "a", "n": ' + b"9" * 5000 + b"}", "not JSON that can be read"),
]


@pytest.mark.parametrize(("bad", "message"), BAD_ROWS)
def test_a_bad_row_is_recorded_and_the_rest_goes_on(
    onepass: Onepass, write: Any, bad: bytes, message: str
):
    path = write("in.jsonl", b'{"text": "a"}\n\n' + bad + b'\n{"text": "b"}\n')
    done = onepass("extract", "--input", path, "-e", "x")
    assert done.code == 1
    first, failed, last = lines(done.out)
    assert (first["text"], last["text"]) == ("a", "b")
    assert failed["row"] == 3
    assert message in failed["error"]
    assert set(failed) == {"row", "error"}
    assert done.err == f"onepass: row 3: {failed['error']}\nonepass: 1 of 3 rows failed\n"


def test_a_text_that_the_model_refuses_is_a_bad_row(onepass: Onepass, write: Any):
    texts = ["a", "b", "c" * 150, "d", "e", "f" * 150, "g"]
    path = write("in.txt", "\n".join(texts).encode())
    done = onepass("extract", "--input", path, "-e", "x", "--on-long", "error")
    assert done.code == 1
    found = lines(done.out)
    assert [row.get("text", row.get("row")) for row in found] == ["a", "b", 3, "d", "e", 6, "g"]
    assert found[2]["error"] == "The text has 150 characters; 100 fit."


@pytest.mark.parametrize("output", [(), ("-o", "out.jsonl"), ("-o", "out.html")])
@pytest.mark.parametrize("command", [("extract", "-e", "x"), ("redact", "-l", "x")])
def test_texts_that_were_not_read_whole_are_counted(
    onepass: Onepass, write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...], output: tuple[str, ...],
):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write("in.txt", b"a\n" + b"b" * 150 + b" c\nd\n\xff\n")
    done = onepass(*command, "-i", "in.txt", *output)
    assert done.code == 1
    assert "rows failed\nonepass: 1 of 4 rows were not read whole\n" in done.err


def test_a_lone_surrogate_is_written_as_it_was_read(onepass: Onepass, write: Any, tmp_path: Path):
    path = write("in.jsonl", b'{"text": "a \\ud83d b"}\n')
    onepass("extract", "--input", path, "-e", "x", "-o", str(tmp_path / "out.jsonl"))
    (row,) = lines((tmp_path / "out.jsonl").read_text("utf-8"))
    assert row["text"] == row["extraction"]["text"] == "a \ud83d b"


def test_few_messages_for_many_bad_rows(onepass: Onepass, write: Any):
    done = onepass("extract", "--input", write("in.jsonl", b"x\n" * 1500), "-e", "x")
    assert len(lines(done.out)) == 1500
    assert len(done.err.splitlines()) == 21
    assert done.err.endswith("onepass: 1,500 of 1,500 rows failed\n")


def test_html_page_of_all_rows(onepass: Onepass, write: Any):
    path = write("in.txt", b"a person\nno one\n")
    done = onepass("extract", "--input", path, "-e", "person", "--format", "html")
    assert done.out.count("<!DOCTYPE html>") == 1
    assert done.out.count('<div class="onepass">') == 2


def test_no_row_is_read_for_a_page_if_the_header_of_a_later_file_is_wrong(
    onepass: Onepass, write: Any, model: Any
):
    paths = ["-i", write("a.txt", b"a person\n"), "-i", write("b.csv", b"id,body\n1,a\n")]
    done = onepass("extract", *paths, "-e", "person", "--format", "html")
    assert (done.code, done.out) == (2, "")
    assert "has no column 'text'" in done.err
    assert model.taken == 0


@pytest.mark.parametrize("form", ["jsonl", "html"])
def test_a_field_of_text_files_is_refused(onepass: Onepass, write: Any, form: str):
    path = write("in.txt", b"a person\n")
    done = onepass("extract", "-i", path, "--text-field", "body", "-e", "person", "-f", form)
    assert (done.code, done.out) == (2, "")
    assert "Text files have no fields" in done.err


@pytest.mark.parametrize("command", [["extract", "-e", "person"], ["redact"]])
def test_a_second_field_of_the_text_is_refused(onepass: Onepass, write: Any, command: list[str]):
    fields = ["--text-field", "subject", "--text-field", "body"]
    done = onepass(*command, "-i", write("in.jsonl", b"{}"), *fields)
    assert (done.code, done.out) == (2, "")
    assert "--text-field was given 2 times ('subject' and 'body')" in done.err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"[]", "The kind of the input file"),
        ("a.csv", b"id,body\n1,a\n", "has no column 'text' (the columns are 'id', 'body')"),
        ("a.csv", b"text,b,b\n", "two columns of one name"),
        ("a.jsonl", '{"text": "a"}'.encode("utf-16"), "is UTF-16; convert it to UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    onepass: Onepass, write: Any, name: str, content: bytes, message: str
):
    done = onepass("extract", "--input", write(name, content), "-e", "x")
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1


BROKEN = gzip.compress(b'{"text": "a"}\n' * 9, mtime=0)[:-9]  # without the time: a name of a test


@pytest.mark.parametrize("content", [b"not gzip", BROKEN])
def test_a_broken_gzip_file_leaves_no_output(onepass: Onepass, tmp_path: Path, content: bytes):
    (tmp_path / "in.jsonl.gz").write_bytes(content)
    out = tmp_path / "out.jsonl"
    out.write_text("before")
    done = onepass("extract", "-i", str(tmp_path / "in.jsonl.gz"), "-e", "x", "-o", str(out))
    assert done.code == 2
    assert "is not a whole gzip file" in done.err
    assert out.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl.gz", "out.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "missing.jsonl"], "There is no input file missing.jsonl"),
        (["--input", "empty"], "The directory empty holds nothing that can be read"),
        (["--input", "*.nothing"], "No file fits the pattern *.nothing"),
        (["--input", "-", "--format", "table"], "--format table is for one text"),
        (["--input", "-", "--format", "json"], "--format json is for one text"),
    ],
)
def test_wrong_input_options(
    onepass: Onepass, arguments: list[str], message: str, tmp_path: Path, monkeypatch: Any
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    done = onepass("extract", "-e", "x", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_output_file_is_there_when_all_is_done(onepass: Onepass, write: Any, tmp_path: Path):
    path = write("in.jsonl", b'{"text": "a"}\n{bad\n')
    out = tmp_path / "out.jsonl"
    out.write_text("old")
    done = onepass("extract", "--input", path, "-e", "x", "-o", str(out))
    assert (done.code, done.out) == (1, "")
    assert [*lines(out.read_text())[1]] == ["row", "error"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_output_is_packed_by_its_name(onepass: Onepass, write: Any, tmp_path: Path):
    out = tmp_path / "out.jsonl.gz"
    onepass("extract", "-i", write("in.txt", "é".encode()), "-e", "x", "-o", str(out))
    assert json.loads(gzip.decompress(out.read_bytes()))["text"] == "é"


def test_output_through_a_link(onepass: Onepass, write: Any, tmp_path: Path):
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "real.jsonl")
    onepass("extract", "-i", write("in.txt", b"a"), "-e", "x", "-o", str(tmp_path / "link.jsonl"))
    assert (tmp_path / "link.jsonl").is_symlink()
    assert "extraction" in (tmp_path / "real.jsonl").read_text()
