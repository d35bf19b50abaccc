"""``onepass redact``, with a model that finds a label where the label itself stands."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Done, EchoModel, Onepass

ROWS = '{"id": 1, "body": "person: a@b.org"}\nnot json\n{"id": 2, "body": "nobody"}\n'


def test_a_text(onepass: Onepass) -> None:
    done = onepass("redact", "A person at a@b.org.", "-l", "person,email")
    assert (done.code, done.out) == (0, "A [person] at [email].\n")
    assert done.err == "onepass: replaced in 1 text: 1 person, 1 email\n"
    piped = onepass("redact", "-", "-l", "person", "-a", "mask", stdin=b"A person.")
    assert piped.out == "A ******.\n"


def test_a_text_that_was_not_read_whole(onepass: Onepass) -> None:
    done = onepass("redact", f"A person. {'a' * 150}", "-l", "person")
    assert (done.code, done.out) == (0, f"A [person]. {'a' * 150}\n")
    assert "onepass: the text was not read whole\n" in done.err


def test_actions_by_label_and_a_key_from_a_file(onepass: Onepass, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"0123456789abcdef\n")
    arguments = ["redact", "person a@b.org", "-l", "person", "-l", "email",
                 "-a", "mask", "-a", "email=hash", "--key-file", str(key)]  # fmt: skip
    first = onepass(*arguments)
    assert first.out.startswith("****** [email ")
    assert onepass(*arguments).out == first.out


def test_a_key_from_the_environment(onepass: Onepass, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEPASS_REDACT_KEY", "short")
    done = onepass("redact", "a", "-a", "hash")
    assert done.code == 2
    assert "The key has 5 bytes" in done.err
    assert "short" not in done.err


def test_a_file(onepass: Onepass, tmp_path: Path) -> None:
    source, target, report = tmp_path / "in.jsonl", tmp_path / "out.jsonl", tmp_path / "r.json"
    source.write_text(ROWS)
    done = onepass("redact", "--input", str(source), "--text-field", "body", "-o", str(target),
                   "-l", "person,email", "--report", str(report))  # fmt: skip
    assert done.code == 1
    assert done.out == ""
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [row.get("id") for row in rows] == [1, None, 2]
    assert rows[0]["body"] == "[person]: [email]"
    assert [one["label"] for one in rows[0]["redacted"]] == ["person", "email"]
    assert "a@b.org" not in target.read_text() + report.read_text() + done.err
    assert rows[1]["row"] == 2
    assert rows[2] == {"id": 2, "body": "nobody", "redacted": []}
    counts = json.loads(report.read_text())
    assert (counts["texts"], counts["failed"]) == (2, 1)
    assert counts["found"]["email"]["pattern"] == 1


def test_a_directory_of_texts(onepass: Onepass, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out.jsonl"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("A person.\n")
    (folder / "b.txt").write_bytes(b"\xff")
    (folder / "sub" / "c.md").write_text("Nobody.")
    command = ["redact", "--input", str(folder), "-l", "person"]
    done = onepass(*command, "-o", str(out))
    assert done.code == 1
    assert done.err.startswith("onepass: b.txt, row 2: not UTF-8")
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["file"] for row in rows] == ["a.txt", "b.txt", "sub/c.md"]
    assert [row.get("text") for row in rows] == ["A [person].\n", None, "Nobody."]
    page = onepass(*command, "--format", "html")
    assert page.out.count('class="tag"') == 1
    assert "b.txt, row 2" in page.err
    inside = onepass(*command, "-o", str(folder / "b.txt"), "--format", "jsonl")
    assert (inside.code, (folder / "b.txt").read_bytes()) == (2, b"\xff")
    assert f"is the input {folder / 'b.txt'}, too" in inside.err


def test_several_files(onepass: Onepass, tmp_path: Path) -> None:
    lines, table = tmp_path / "a.jsonl", tmp_path / "b.csv"
    lines.write_text(ROWS)
    table.write_text("id,body\n3,a person\n4\n")
    command = ["redact", "--input", str(lines), "--input", str(table), "--text-field", "body",
               "-l", "person"]  # fmt: skip
    done = onepass(*command)
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [row.get("body") for row in rows] == ["[person]: a@b.org", None, "nobody",
                                                "a [person]", None]  # fmt: skip
    assert [row["file"] for row in rows] == [*[str(lines)] * 3, *[str(table)] * 2]
    pattern = onepass("redact", "-i", str(tmp_path / "*"), "--text-field", "body", "-l", "person")
    assert pattern.out == done.out
    report = onepass(*command, "--report", str(table))
    assert f"the input {table}, too" in report.err
    assert table.read_text().startswith("id,body")


def test_the_text_cannot_stand_where_the_places_are_written(
    onepass: Onepass, tmp_path: Path
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"redacted": "A person."}\n')
    done = onepass("redact", "--input", str(source), "--text-field", "redacted", "-l", "person")
    assert (done.code, done.out) == (2, "")
    assert "The texts stand in 'redacted'" in done.err
    page = onepass("redact", "--input", str(source), "--text-field", "redacted", "-f", "html")
    assert page.code == 0


def test_what_an_earlier_command_added_does_not_tell_what_was_there(
    onepass: Onepass, tmp_path: Path
) -> None:
    source, found, target = (tmp_path / name for name in ("a.jsonl", "b.jsonl", "c.jsonl"))
    source.write_text('{"id": 1, "text": "person: a@b.org", "more": {"extraction": 2}}\n')
    onepass("extract", "--input", str(source), "-o", str(found), "-e", "person")
    assert "extraction" in json.loads(found.read_text())
    onepass("redact", "--input", str(found), "-o", str(target), "-l", "person,email")
    row = json.loads(target.read_text())
    assert list(row) == ["id", "text", "more", "redacted"]
    assert "a@b.org" not in target.read_text()
    named = b'{"extraction": "A person."}\n'
    done = onepass("redact", "-i", "-", "--text-field", "extraction", "-l", "person", stdin=named)
    assert json.loads(done.out)["extraction"] == "A [person]."


@pytest.mark.parametrize("given", ["person=", ",", "a,b=c"])
def test_a_wrong_label_is_refused_by_the_name_of_its_flag(onepass: Onepass, given: str) -> None:
    done = onepass("redact", "Ann", "-l", given)
    assert done.code == 2
    assert done.err.startswith(f"onepass: In -l '{given}': ")


def test_nothing_lies_about_while_a_command_works(
    onepass: Onepass, tmp_path: Path, model: EchoModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[Path]] = []
    one = EchoModel._one

    def watching(self: EchoModel, *given: Any) -> Any:
        seen.append(list(tmp_path.iterdir()))
        return one(self, *given)

    monkeypatch.setattr(EchoModel, "_one", watching)
    report, out = tmp_path / "r.json", tmp_path / "o.txt"
    done = onepass("redact", "A person.", "-l", "person", "--report", str(report), "-o", str(out))
    assert done.code == 0
    assert seen == [[]]  # what a process that is killed here leaves
    assert sorted(tmp_path.iterdir()) == [out, report]


def test_numbers_of_later_texts_are_avoided_in_files_and_cannot_be_in_streams(
    onepass: Onepass, tmp_path: Path
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "Ask a@b.org."}\n{"text": "[EMAIL 1] and c@d.org."}\n')
    command = ["redact", "-l", "email", "-a", "pseudonym", "-i"]

    def texts(done: Done) -> list[str]:
        assert done.code == 0, done.err
        return [json.loads(line)["text"] for line in done.out.splitlines()]

    assert texts(onepass(*command, str(source))) == ["Ask [email 2].", "[EMAIL 1] and [email 3]."]
    piped = onepass(*command, "-", stdin=source.read_bytes())
    assert texts(piped) == ["Ask [email 1].", "[EMAIL 1] and [email 2]."]


def test_a_page(onepass: Onepass, tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("person one\nperson two\n")
    done = onepass("redact", "--input", str(source), "--format", "html", "-l", "person")
    assert done.code == 0
    assert done.out.count('class="tag"') == 2
    assert done.out.startswith("<!DOCTYPE html>")
    one = onepass("redact", "person", "-f", "json", "-l", "person")
    assert json.loads(one.out)["found"][0]["replacement"] == "[person]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a", "-a", "hash"], "--key-file or the variable ONEPASS_REDACT_KEY"),
        (["a", "-a", "person=drop"], "must be one of"),
        (["a", "-a", "human=mask"], "not among the labels"),
        (["a", "--text-field", "b"], "belongs to --input"),
        (["a", "--input", "x.jsonl"], "Both a TEXT and --input"),
        (["a", "--key-file", "/nowhere/key"], "cannot be read"),
        (["a", "-f", "xml"], "xml"),
    ],
)
def test_bad_input_is_one_sentence(onepass: Onepass, arguments: list[str], message: str) -> None:
    done = onepass("redact", *arguments)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


def test_the_name_of_the_output_says_the_format(onepass: Onepass, tmp_path: Path) -> None:
    rows = tmp_path / "in.jsonl"
    rows.write_text(ROWS)
    onepass("redact", "A person.", "-l", "person", "-o", str(tmp_path / "a.html"))
    assert (tmp_path / "a.html").read_text().startswith("<!DOCTYPE html>")
    onepass("redact", "A person.", "-l", "person", "-o", str(tmp_path / "a.json"))
    assert json.loads((tmp_path / "a.json").read_text())["text"] == "A [person]."
    done = onepass("redact", "--input", str(rows), "-o", str(tmp_path / "a.csv"))
    assert done.code == 2
    assert "give one that ends in .jsonl or .html" in done.err
    assert "jq" not in done.err
    for given in (["-o", str(tmp_path / "a.txt")], ["--format", "text"]):
        done = onepass("redact", "--input", str(rows), *given)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "for the texts alone end the command with '| jq -r .text', without --" in done.err


def test_a_report_is_no_directory(onepass: Onepass, tmp_path: Path):
    done = onepass("redact", "A person.", "-l", "person", "--report", f"{tmp_path}/counts/")
    assert (done.code, done.out) == (2, "")
    assert "counts/' is the name of a directory" in done.err
    assert not list(tmp_path.iterdir())


def test_a_report_goes_to_standard_output_alone(onepass: Onepass, tmp_path: Path):
    command = ("redact", "A person.", "-l", "person", "--report", "-")
    out = tmp_path / "o.txt"
    done = onepass(*command, "-o", str(out))
    assert (done.code, json.loads(done.out)["texts"]) == (0, 1)
    assert list(tmp_path.iterdir()) == [out]
    both = onepass(*command)
    assert (both.code, both.out) == (2, "")
    assert "would both go to standard output; give one of them a file" in both.err


def test_a_report_that_cannot_be_written_is_refused_first(onepass: Onepass, tmp_path: Path) -> None:
    done = onepass("redact", "A person.", "-l", "person", "--report", str(tmp_path / "no" / "r"))
    assert (done.code, done.out) == (2, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="it is Linux's")
def test_a_report_that_cannot_be_written_takes_no_counts_with_it(
    onepass: Onepass, tmp_path: Path
) -> None:
    out = tmp_path / "o.txt"
    done = onepass("redact", "A person.", "-l", "person", "--report", "/dev/full", "-o", str(out))
    assert done.code == 2
    counted, said = done.err.splitlines()
    assert counted == "onepass: replaced in 1 text: 1 person"
    assert said == (
        "onepass: The report /dev/full cannot be written: No space left on device; write "
        "it elsewhere."
    )
    assert out.exists()


@pytest.mark.parametrize("given", ["*.jsonl", "."])
def test_a_report_takes_the_place_of_no_file_that_is_read(
    onepass: Onepass, tmp_path: Path, given: str
) -> None:
    mails, out = tmp_path / "mails", tmp_path / "out.jsonl"
    mails.mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        (mails / name).write_text('{"text": "a person"}\n')
    done = onepass("redact", "-i", str(mails / given), "-l", "person", "-o", str(out),
                   "--report", str(mails / "a.jsonl"))  # fmt: skip
    assert done.code == 2
    assert f"is the input {mails / 'a.jsonl'}, too" in done.err
    assert (mails / "a.jsonl").read_text() == '{"text": "a person"}\n'
    assert not out.exists()


def test_a_report_takes_the_place_of_no_input_by_another_name(
    onepass: Onepass, tmp_path: Path
) -> None:
    rows, other = tmp_path / "a.jsonl", tmp_path / "other.jsonl"
    rows.write_text('{"text": "a person"}\n')
    os.link(rows, other)  # as a disk may take A.jsonl for the same name
    done = onepass("redact", "-i", str(rows), "-l", "person", "-o", str(tmp_path / "out.jsonl"),
                   "--report", str(other))  # fmt: skip
    assert done.code == 2
    assert f"The report {other} is the input {rows}, too" in done.err


def test_a_page_takes_the_place_of_no_file_that_is_read(onepass: Onepass, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("a person\n")
    for given in (["-i", str(tmp_path / "a.txt"), "-i", str(tmp_path / "b.txt")],
                  ["-i", str(tmp_path)]):  # fmt: skip
        done = onepass("redact", *given, "-l", "person", "-f", "html",
                       "-o", str(tmp_path / "a.txt"))  # fmt: skip
        assert done.code == 2
        assert f"is the input {tmp_path / 'a.txt'}, too" in done.err
    assert (tmp_path / "a.txt").read_text() == "a person\n"


def test_one_file_is_not_its_own_output(onepass: Onepass, tmp_path: Path) -> None:
    rows = tmp_path / "a.jsonl"
    rows.write_text('{"body": "a person"}\n')  # the field was forgotten
    for form in ("jsonl", "html"):
        done = onepass("redact", "-i", str(rows), "-f", form, "-o", str(rows))
        assert done.code == 2
        assert done.err.endswith(
            f"The output {rows} is the input {rows}, too; give it another name.\n"
        )
    assert rows.read_text() == '{"body": "a person"}\n'


@pytest.mark.parametrize("given", [["a person"], ["-i", "a.txt", "-f", "jsonl"]])
@pytest.mark.parametrize("option", ["--output", "--report"])
def test_nothing_takes_the_place_of_the_key(
    onepass: Onepass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], option: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("a person\n")
    Path("key").write_text("of many letters")
    done = onepass("redact", *given, "-a", "hash", "--key-file", "key", option, "key")
    assert done.code == 2
    what = option.removeprefix("--")
    assert done.err == f"onepass: The {what} key is the key file, too; give it another name.\n"
    assert Path("key").read_text() == "of many letters"


@pytest.mark.skipif(os.name == "nt", reason="devices of POSIX")
def test_a_device_can_be_all_at_once(onepass: Onepass) -> None:
    null = ["-o", "/dev/null", "--report", "/dev/null"]
    assert onepass("redact", "-i", "/dev/null", *null).code == 0
