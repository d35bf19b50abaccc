"""Standard streams that are closed, pipes as outputs, and outputs that are other files, too."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from onepass.batch import reading
from onepass.batch.rows import Row

Onepass = Callable[..., Any]
COMMAND = f"{sys.executable} -m onepass"


def shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of bash, with the command as ``$P``."""
    return subprocess.run(
        ["bash", "-c", f"P='{COMMAND}'; {script}"], cwd=folder, capture_output=True, text=True
    )


def test_a_closed_output_is_said_and_a_closed_input_is_an_empty_one(tmp_path: Path):
    done = shell("$P models >&-", tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "onepass: Standard output cannot be written: it is closed.\n",
    )
    done = shell("$P extract -e person <&-", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("onepass: The text is empty; give a TEXT")


ROWS = r"""printf '{"text": "Ann"}\nbad\n{"text": "Bo"}\n'"""


def test_a_redirected_standard_input_by_its_name(tmp_path: Path):
    done = shell(f"{ROWS} > a; $P redact -i /dev/stdin -l x < a", tmp_path)
    assert done.returncode == 1
    assert [list(json.loads(line)) for line in done.stdout.splitlines()] == [
        ["text", "redacted"], ["row", "error"], ["text", "redacted"]
    ]  # fmt: skip


@pytest.mark.parametrize(
    "where",
    [
        "2>&-",
        pytest.param(
            "2>/dev/full",
            marks=pytest.mark.skipif(not os.path.exists("/dev/full"), reason="it is Linux's"),
        ),
    ],
)
def test_messages_that_cannot_be_written_end_nothing(tmp_path: Path, where: str):
    done = shell(f"{ROWS} > a.jsonl; $P extract -i a.jsonl -e x -o b.jsonl {where}", tmp_path)
    assert done.returncode == 1  # for the bad row
    assert (tmp_path / "b.jsonl").read_text().count("\n") == 3
    for arguments in ("", "extract -i missing.jsonl -e x", "extract --wrong", "redact Ann -l x="):
        assert shell(f"$P {arguments} {where}", tmp_path).returncode == 2
    done = shell(f"$P redact Ann -l x {where}", tmp_path)
    assert done.returncode == 0
    assert done.stdout


def test_an_output_may_be_a_pipe_behind_a_link(tmp_path: Path):
    done = shell("$P extract 'Ann in Oslo' -e person -f jsonl -o /dev/stdout | cat", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith('{"text": "Ann in Oslo"')


@pytest.mark.skipif(os.name == "nt", reason="names of POSIX")
def test_what_is_in_a_file_behind_a_stream_stays(onepass: Onepass, tmp_path: Path):
    (tmp_path / "a.txt").write_text("Ann\n")
    kept = tmp_path / "all.jsonl"
    kept.write_text("precious\n")
    given = (
        ("extract", "Ann", "-e", "x", "-f", "jsonl"),
        ("extract", "--input", str(tmp_path / "a.txt"), "-e", "x"),
        ("redact", "--input", str(tmp_path / "a.txt"), "-l", "x"),
    )
    with kept.open("a") as file:
        for command in given:
            assert onepass(*command, "-o", f"/dev/fd/{file.fileno()}").code == 0
        file.write("what follows\n")
    lines = kept.read_text().splitlines()
    assert (len(lines), lines[0], lines[-1]) == (5, "precious", "what follows")
    for command in given:
        assert onepass(*command, "-o", "/dev/stdout").out.startswith('{"text": "Ann"')


@pytest.mark.skipif(os.name == "nt", reason="names of POSIX")
def test_an_output_that_nobody_reads_on_ends_the_command(onepass: Onepass):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = onepass("extract", "Ann", "-e", "x", "-o", f"/dev/fd/{writer}")
    finally:
        os.close(writer)
    assert (done.code, done.err) == (141, "")


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_who_may_read_an_output_of_one_text_stays(onepass: Onepass, tmp_path: Path):
    out = tmp_path / "a.json"
    out.touch(0o600)
    assert onepass("extract", "Ann", "-e", "x", "-o", str(out)).code == 0
    assert out.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("command", [("extract", "-e", "x"), ("redact", "-l", "x")])
def test_a_stream_that_is_stopped_says_what_there_is(
    onepass: Onepass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
):
    def stopped(lines: Iterator[Row], *_: object, **__: object) -> Iterator[Row]:
        yield Row(1, {"text": "Ann"}, "Ann")
        raise KeyboardInterrupt

    monkeypatch.setattr(reading, "json_rows", stopped)
    out = tmp_path / "o.jsonl"
    done = onepass(*command, "-i", "-", "-o", str(out))
    assert done.code == 130
    assert f"onepass: {out} holds the first 1 rows; a stream cannot be read again" in done.err
    assert out.read_text().count("\n") == 1


@pytest.mark.parametrize("output", [(), ("-o", "-"), ("-o", "/dev/stdout")])
@pytest.mark.parametrize("command", [("extract", "-e", "x"), ("redact", "-l", "x")])
def test_a_stream_to_standard_output_that_is_stopped_says_how_many_rows_it_wrote(
    onepass: Onepass, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...],
    output: tuple[str, ...],
):  # fmt: skip
    def stopped(lines: Iterator[Row], *_: object, **__: object) -> Iterator[Row]:
        yield Row(1, {"text": "Ann"}, "Ann")
        yield Row(2, {"text": "Bo"}, "Bo")
        raise KeyboardInterrupt

    monkeypatch.setattr(reading, "json_rows", stopped)
    done = onepass(*command, "-i", "-", *output)
    assert (done.code, done.out.count("\n")) == (130, 2)
    assert done.err == "onepass: stopped; 2 rows were written\n"


def test_help_that_nobody_reads(tmp_path: Path):
    done = shell("$P --help | true; exit ${PIPESTATUS[0]}", tmp_path)
    assert (done.returncode, done.stderr) in ((141, ""), (0, ""))  # 0 if the pipe took all of it


@pytest.mark.parametrize("name", ["one.csv", "one.tsv", "one.parquet", "one.csv.gz"])
def test_the_name_of_an_output_that_asks_for_a_table_of_one_text(
    onepass: Onepass, tmp_path: Path, name: str
):
    done = onepass("extract", "Ann", "-e", "person", "-o", str(tmp_path / name))
    assert (done.code, done.out) == (2, "")
    assert "which is for --input" in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["b.tsv", "b.xlsx", "b.parqet", "b.json", "b.jsonl.bz2"])
def test_an_ending_that_says_no_format_is_refused(onepass: Onepass, tmp_path: Path, name: str):
    (tmp_path / "a.txt").write_text("Ann\n")
    out = str(tmp_path / name)
    many = ("--input", str(tmp_path / "a.txt"), "-o", out)
    for command in (("extract", "-e", "x", *many), ("redact", "-l", "x", *many)):
        done = onepass(*command)
        assert done.code == 2
        assert f"ends in {Path(name).suffix}" in done.err
        assert done.err.count("\n") == 1
    done = onepass("extract", "Ann", "-e", "x", "-o", out)
    assert done.code == (0 if name == "b.json" else 2)
    assert onepass("extract", "-e", "x", *many, "--format", "jsonl").code == 0


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_pipe_and_a_name_without_an_ending_say_no_format(onepass: Onepass, tmp_path: Path):
    (tmp_path / "a.txt").write_text("Ann\n")
    pipe = tmp_path / "a.pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        for out in (
            pipe,
            tmp_path / "found",
            tmp_path / "found.2024-11-26",
            tmp_path / "t.aB3dE6gH9k",
        ):
            for given in (("Ann",), ("--input", str(tmp_path / "a.txt"))):
                assert onepass("extract", *given, "-e", "x", "-o", str(out)).code == 0
            many = ("--input", str(tmp_path / "a.txt"), "-o", str(out))
            assert onepass("redact", "-l", "x", *many).code == 0
    finally:
        os.close(reader)


def test_an_output_does_not_take_the_place_of_what_is_read(onepass: Onepass, tmp_path: Path):
    data = tmp_path / "a.jsonl"
    data.write_text('{"text": "Bo ran", "entities": [], "asked": ["dog"]}\n')
    before = data.read_text()
    for arguments, said in (
        (("eval", "--data", data, "-o", data), "The output"),
        (("redact", "--input", data, "-o", tmp_path / "b", "--report", data), "The report"),
        (("redact", "--input", data, "-o", tmp_path / "b", "--report", tmp_path / "b"), "report"),
    ):
        done = onepass(*map(str, arguments))
        assert done.code == 2
        assert said in done.err
        assert "too; give it another name." in done.err
    assert data.read_text() == before
