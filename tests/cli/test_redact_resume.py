"""``onepass redact --input --output`` is stopped at any moment, and goes on to the same bytes."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import EchoModel, Onepass

from onepass.batch import journal, rows
from onepass.batch.rows import Position

ONEPASS = [sys.executable, "-c", "import sys; from onepass.cli import main; sys.exit(main())"]
KEY = "0123456789abcdef"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(rows, "CHUNK_ROWS", 3)
    lines = [
        json.dumps({"id": n, "text": f"person {n % 5} at user{n % 7}@example.org"})
        for n in range(10)
    ]
    lines[4] = "not json"
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    return tmp_path / "in.jsonl"


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stop the process, as a kill would, after the given number of chunks."""
    left: list[int] = []
    add = journal.Journal.add

    def counted(self: journal.Journal, data: bytes, position: Position = rows.START, **how: Any):
        add(self, data, position, **how)
        if left and how:
            left[0] -= 1
            if left[0] == 0:
                left.clear()
                raise KeyboardInterrupt

    monkeypatch.setattr(journal.Journal, "add", counted)
    return left


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
@pytest.mark.parametrize("chunks", [1, 2, 4])
def test_it_goes_on_with_pseudonyms_and_counts(
    onepass: Onepass, source: Path, tmp_path: Path, stopped: list[int], name: str, chunks: int
) -> None:
    command = ["redact", "-i", str(source), "-l", "person,email", "-a", "pseudonym"]
    whole, report = tmp_path / f"whole.{name}", tmp_path / "whole.json"
    assert onepass(*command, "-o", str(whole), "--report", str(report)).code == 1
    out, own = tmp_path / name, tmp_path / "own.json"
    command += ["-o", str(out), "--report", str(own)]
    stopped.append(chunks)
    done = onepass(*command)
    assert done.code == 130
    assert "--resume goes on from there" in done.err
    assert not out.exists()
    kept = b"".join(file.read_bytes() for file in (tmp_path / f"{name}.job").iterdir())
    assert b"@example.org" not in kept
    again = onepass(*command)
    assert again.code == 2
    assert "give resume=True (--resume)" in again.err
    resumed = onepass(*command, "--resume")
    assert resumed.code == 1
    assert "onepass: 1 of 10 rows failed\n" in resumed.err  # also where none was left to do
    assert out.read_bytes() == whole.read_bytes()
    assert json.loads(own.read_text()) == json.loads(report.read_text())
    assert not (tmp_path / f"{name}.job").exists()
    raw = gzip.decompress(out.read_bytes()) if name.endswith(".gz") else out.read_bytes()
    assert b"[email 6]" in raw
    assert b"[email 7]" not in raw


def test_numbers_that_stand_in_later_rows_are_left_out(
    onepass: Onepass, source: Path, tmp_path: Path, stopped: list[int]
) -> None:
    with source.open("a") as file:
        file.write('\n{"text": "[email 2] wrote."}\n')
    command = ["redact", "-i", str(source), "-l", "person,email", "-a", "pseudonym"]
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    assert onepass(*command, "-o", str(whole)).code == 1
    stopped.append(1)
    assert onepass(*command, "-o", str(out)).code == 130
    assert onepass(*command, "-o", str(out), "--resume").code == 1
    assert out.read_bytes() == whole.read_bytes()
    rows = [json.loads(line) for line in whole.read_text().splitlines()]
    given = {one["replacement"] for row in rows[:10] for one in row.get("redacted", [])}
    assert "[email 2]" not in given
    assert "[email 3]" in given


def test_another_key_or_action_cannot_go_on(
    onepass: Onepass, source: Path, tmp_path: Path, stopped: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("ONEPASS_REDACT_KEY", KEY)
    command = ["redact", "-i", str(source), "-l", "person,email", "-o", str(tmp_path / "o.jsonl")]
    stopped.append(2)
    assert onepass(*command, "-a", "hash").code == 130
    other = onepass(*command, "-a", "mask", "--resume")
    assert other.code == 2
    assert "was begun with another action" in other.err
    monkeypatch.setenv("ONEPASS_REDACT_KEY", KEY[::-1])
    other = onepass(*command, "-a", "hash", "--resume")
    assert other.code == 2
    assert "was begun with another key" in other.err
    journal_text = (tmp_path / "o.jsonl.job" / "journal").read_text()
    assert KEY not in journal_text
    monkeypatch.setenv("ONEPASS_REDACT_KEY", KEY)
    assert onepass(*command, "-a", "hash", "--resume").code == 1


def test_another_state_of_the_model_cannot_go_on(
    onepass: Onepass, source: Path, tmp_path: Path, stopped: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    settings = Path("echo", "onepass.json")
    settings.parent.mkdir()
    settings.write_text("{}")
    command = ["redact", "-i", str(source), "-l", "person", "-o", str(tmp_path / "o.jsonl")]
    command += ["--model", "echo"]
    stopped.append(2)
    assert onepass(*command).code == 130
    settings.write_text('{"thresholds": {"entities": 0.9}}')
    other = onepass(*command, "--resume")
    assert other.code == 2
    assert "was begun with another model" in other.err


def test_names_of_faker_go_on_with_the_key(
    onepass: Onepass, source: Path, tmp_path: Path, stopped: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    pytest.importorskip("faker")
    monkeypatch.setenv("ONEPASS_REDACT_KEY", KEY)
    command = ["redact", "-i", str(source), "-l", "person,email", "-a", "pseudonym"]
    command += ["--faker", "en_US"]
    onepass(*command, "-o", str(tmp_path / "whole.jsonl"))
    command += ["-o", str(tmp_path / "out.jsonl"), "--resume"]
    stopped.append(2)
    assert onepass(*command).code == 130
    assert onepass(*command).code == 1
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_a_text_that_the_model_refuses_is_a_bad_row(
    onepass: Onepass, source: Path, tmp_path: Path, model: EchoModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from onepass.errors import InputError

    one = EchoModel._one

    def refusing(self: EchoModel, text: str, *rest: Any) -> Any:
        if "person 2" in text:
            raise InputError("The text is refused.")
        return one(self, text, *rest)

    monkeypatch.setattr(EchoModel, "_one", refusing)
    out = tmp_path / "out.jsonl"
    done = onepass("redact", "-i", str(source), "-l", "person", "-o", str(out))
    assert done.code == 1
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["row"] for row in written if "error" in row] == [3, 5, 8]
    assert len(written) == 10


def test_what_cannot_go_on_is_one_sentence(onepass: Onepass, source: Path, tmp_path: Path) -> None:
    command = ["redact", "-i", str(source), "--resume"]
    for arguments, message in (
        ([], "needs a file"),
        (["-o", str(tmp_path / "a.html")], "made in one go"),
    ):
        done = onepass(*command, *arguments)
        assert (done.code, done.out) == (2, "")
        assert message in done.err
    assert "belongs to --input" in onepass("redact", "a person", "--resume").err
    piped = onepass("redact", "-i", "-", "-o", str(tmp_path / "a.jsonl"), "--resume", stdin=b"{}")
    assert "A stream cannot be read again" in piped.err


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_killed_for_good(tmp_path: Path) -> None:
    texts = ["" if n % 8 else f"Anna Weiss wrote to bo{n % 7}@example.com." for n in range(600)]
    (tmp_path / "in.txt").write_text("\n".join(texts))
    command = [*ONEPASS, "redact", "-i", str(tmp_path / "in.txt"), "-l", "person,email"]
    command += ["-a", "pseudonym", "--resume"]
    out, folder = tmp_path / "out.jsonl", tmp_path / "out.jsonl.job"
    with subprocess.Popen([*command, "-o", str(out)], stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            lines = folder / "journal"
            if lines.exists() and lines.read_bytes().count(b"\n") >= 3:  # a chunk is done
                break
            time.sleep(0.005)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    for name in ("out.jsonl", "whole.jsonl"):
        subprocess.run([*command, "-o", str(tmp_path / name)], check=True, capture_output=True)
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not folder.exists()
