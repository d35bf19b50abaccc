"""``onepass extract`` from files to files: options, formats, progress."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onepass.batch import Counts
from onepass.cli.progress import Progress

Onepass = Callable[..., Any]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("a person\nand more")
    (tmp_path / "in" / "b.csv").write_text("text,n\na person,1\n2\n")
    return tmp_path


def test_a_directory_to_jsonl(onepass: Onepass, place: Path):
    done = onepass("extract", "-i", "in", "-e", "person")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row["file"] for row in rows] == ["in/b.csv", "in/b.csv", "in/a.txt"]
    assert rows[1] == {"file": "in/b.csv", "row": 2, "error": "1 values for 2 columns"}
    assert rows[2]["text"] == "a person\nand more"
    assert done.code == 1
    assert done.err.startswith("onepass: in/b.csv, row 2: 1 values for 2 columns\n")


def test_several_inputs_to_csv(onepass: Onepass, place: Path):
    command = ["-i", "in/*.txt", "-i", "in/b.csv", "-e", "person", "-o", "out.csv"]
    assert onepass("extract", *command).code == 1
    with (place / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == ["a person", "and more", "a person", ""]
    assert [row["n"] for row in rows] == ["", "", "1", ""]
    assert [row["file"] for row in rows] == ["in/a.txt", "in/a.txt", "in/b.csv", "in/b.csv"]
    assert rows[3]["error"] == "in/b.csv, row 2: 1 values for 2 columns"
    assert json.loads(rows[0]["extraction"])["entities"][0]["label"] == "person"


def test_csv_to_standard_output(onepass: Onepass, place: Path):
    done = onepass("extract", "-i", "in/a.txt", "-e", "person", "--format", "csv")
    assert (done.code, done.out.splitlines()[0]) == (0, "text,extraction,error")


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["text", "--workers", "2"], "--workers belongs to --input"),
        (["text", "--resume"], "--resume belongs to --input"),
        (["text", "--format", "csv"], "--format csv is for --input"),
        (["-i", "in", "--resume"], "resume=True (--resume) needs a file"),
        (["-i", "in", "--format", "parquet"], "Parquet and packed results need a file"),
        (["-i", "-", "-o", "a.csv"], "CSV and Parquet need to know all columns"),
        (["-i", "-", "-o", "a.jsonl", "--resume"], "A stream cannot be read again"),
        (["-i", "in/b.csv", "--text-unit", "line"], "No text file is among the inputs"),
        (["-i", "-", "--text-unit", "file"], "leave text_unit 'file' (--text-unit) out"),
        (["-i", "-", "--text-unit", "line", "--text-field", "a"], "Text files have no fields"),
        (["-i", "in", "-o", "in"], "The output in is a directory"),
        (["-i", "in", "-o", "none/a.jsonl"], "There is no directory"),
        (["-i", "in", "-o", "in/b.csv"], "is the input in/b.csv, too"),
        (["-i", "in/b.csv", "-o", "in/b.csv"], "is the input in/b.csv, too"),
        (["-i", "in/b.csv", "-o", "in/b.csv", "--resume"], "is the input in/b.csv, too"),
        (["-i", "in/b.csv", "-o", "in/b.csv", "-f", "html"], "is the input in/b.csv, too"),
        (["-i", "in", "-o", "in/b.csv", "-f", "html"], "is the input in/b.csv, too"),
        (["-i", "in", "-o", "a.html", "--workers", "2"], "A page is made in one go"),
        (["-i", "in", "-o", "a.jsonl", "--address", "auto"], "An address is for the engine ray"),
    ],
)
def test_what_makes_no_sense(onepass: Onepass, place: Path, arguments: list[str], message: str):
    before = {path.name: path.read_bytes() for path in (place / "in").iterdir()}
    done = onepass("extract", "-e", "x", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1
    assert [path.name for path in place.iterdir()] == ["in"]
    assert {path.name: path.read_bytes() for path in (place / "in").iterdir()} == before


@pytest.mark.parametrize("command", [["extract", "-e", "person"], ["redact", "-l", "person"]])
def test_files_of_other_kinds_in_a_directory_are_counted(
    onepass: Onepass, place: Path, command: list[str]
):
    one = "onepass: 1 file of another kind was left out (.pdf)"
    several = "onepass: 4 files of other kinds were left out (.html, .pdf, no ending)"
    (place / "in" / "sub").mkdir()
    (place / "in" / ".hidden.pdf").touch()
    assert "left out" not in onepass(*command, "-i", "in").err
    (place / "in" / "sub" / "c.PDF").touch()
    assert onepass(*command, "-i", "in").err.splitlines()[0] == one
    for name in ("d.html", "e.html", "f"):
        (place / "in" / name).touch()
    done = onepass(*command, "-i", "in", "--format", "html")
    assert done.err.splitlines()[0] == several
    assert "left out" not in onepass(*command, "-i", "in/*.csv").err


@pytest.mark.parametrize("command", [["extract", "-e", "person"], ["redact", "-l", "person"]])
def test_standard_input_of_plain_lines(onepass: Onepass, command: list[str]):
    plain = [*command, "-i", "-", "--text-unit", "line"]
    done = onepass(*plain, stdin=b"\xef\xbb\xbfa person\r\n\n\xff\n{}")
    rows = [json.loads(line) for line in done.out.splitlines()]
    shown = "a [person]" if command[0] == "redact" else "a person"
    assert [row.get("text") for row in rows] == [shown, "", None, "{}"]
    assert (done.code, rows[2]["row"]) == (1, 3)


def test_lines_of_standard_input_to_csv(onepass: Onepass, place: Path):
    plain = ["-i", "-", "--text-unit", "line", "-e", "person", "-o", "out.csv"]
    assert onepass("extract", *plain, stdin=b"a person\nnobody\n").code == 0
    with (place / "out.csv").open(newline="") as file:
        assert [row["text"] for row in csv.DictReader(file)] == ["a person", "nobody"]


@pytest.mark.parametrize("command", [["extract", "-e", "person"], ["redact", "-l", "person"]])
def test_a_stream_that_is_no_json_gets_a_hint_once(onepass: Onepass, command: list[str]):
    hint = "are read as JSONL; for plain lines give text_unit 'line' (--text-unit line)"
    done = onepass(*command, "-i", "-", stdin=b"\n a person\nnobody\n")
    assert [hint in line for line in done.out.splitlines()] == [True, False]
    for given in (b'{"text": 1}\nno json\n', b'{"text"\n'):
        assert hint not in onepass(*command, "-i", "-", stdin=given).out


def test_a_file_of_lines_gets_no_hint(onepass: Onepass, place: Path):
    (place / "a.jsonl").write_text("a person\n")
    assert "--text-unit" not in onepass("extract", "-e", "person", "-i", "a.jsonl").err


def test_time_that_is_left(monkeypatch: pytest.MonkeyPatch):
    progress, shown = Progress(), []
    monkeypatch.setattr(progress._line, "draw", shown.append)
    progress.show(Counts(500, 1, resumed=400, bytes_read=50, bytes_begun=40, bytes_total=100,
                         seconds=10.0))  # fmt: skip
    assert shown[0].startswith("500 rows, ")
    assert shown[0].endswith(" a second, 50%, 50 s left")
    assert (progress.rows, progress.failed) == (500, 1)


def test_a_long_job_without_a_terminal_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("onepass.cli.progress._LOG_EVERY", 0.0)
    progress = Progress()
    progress.show(Counts(5, bytes_read=1, bytes_total=4, seconds=3.0))
    err = capsys.readouterr().err
    assert err.startswith("onepass: 5 rows, ")
    assert err.endswith(", 25%, 9 s left\n")


def test_a_dash_is_standard_output(onepass: Onepass, place: Path):
    done = onepass("extract", "-i", "in/a.txt", "-e", "person", "-o", "-")
    assert (done.code, len(done.out.splitlines())) == (0, 2)
    assert onepass("extract", "a person", "-e", "person", "-o", "-").out.startswith("{")
    assert not (place / "-").exists()


def test_what_the_system_refuses_is_one_sentence(onepass: Onepass, place: Path):
    for arguments in (["--schema", "a" * 5000], ["-e", "person", "-o", "a" * 5000]):
        done = onepass("extract", "a person", *arguments)
        assert done.code == 2
        assert done.err.startswith("onepass: The operating system reported: File name too long (")
        assert done.err.count("\n") == 1


def test_a_page_of_several_files_names_the_file_of_a_row(onepass: Onepass, place: Path):
    done = onepass("extract", "-i", "in", "--on-long", "error", "-e", "a", "-o", "page.HTML")
    assert (place / "page.HTML").read_text().startswith("<!DOCTYPE html>")
    assert "in/b.csv, row 2" in done.err
    assert onepass("extract", "a", "-e", "a", "-o", "a.json.zst").code == 2


@pytest.mark.parametrize("command", ["extract", "redact"])
def test_a_row_that_is_too_long_fails(onepass: Onepass, tmp_path: Path, command: str):
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "a"}\n{"text": "' + "b" * 100 + '"}\n')
    label = ["-e" if command == "extract" else "-l", "person"]
    done = onepass(command, "-i", str(source), *label, "--max-line", "50")
    assert done.code == 1
    assert "row 2: longer than 50 bytes; allow more with max_line (--max-line)" in done.err
    assert onepass(command, "-i", str(source), *label).code == 0
    alone = onepass(command, "a", *label, "--max-line", "50")
    assert alone.code == 2
    assert "--max-line belongs to --input" in alone.err


def test_a_json_list_is_refused_before_a_row_of_it_fails(onepass: Onepass, place: Path):
    (place / "x.jsonl").write_text('[\n{"text": "a person"},\n{"text": "b"}\n]\n')
    done = onepass("extract", "-i", "x.jsonl", "-e", "person", "-o", "out.jsonl")
    assert (done.code, done.out, (place / "out.jsonl").exists()) == (2, "", False)
    assert done.err == (
        "onepass: The file x.jsonl is a JSON list, but JSONL has one object a line; write it so, "
        "for example with  jq -c '.[]'\n"
    )
