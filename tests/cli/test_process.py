"""The command as a process of its own: exit codes, streams, signals, and the built-in model."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

ONEPASS = [sys.executable, "-c", "import sys; from onepass.cli import main; sys.exit(main())"]
TEXT = "Tim Cook announced the iPhone 15 for $999 in Cupertino yesterday."
LABELS = ["-e", "person", "-e", "product", "-e", "location", "-e", "price"]


def onepass(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*ONEPASS, *arguments], input=stdin, capture_output=True, timeout=120)


def test_first_command_of_the_readme():
    done = onepass("extract", TEXT, *LABELS)
    assert (done.returncode, done.stderr) == (0, b"")
    found = json.loads(done.stdout)
    assert [(e["label"], e["text"]) for e in found["entities"]] == [
        ("person", "Tim Cook"),
        ("product", "iPhone 15"),
        ("price", "$999"),
        ("location", "Cupertino"),
    ]
    for entity in found["entities"]:
        assert TEXT[entity["start"] : entity["end"]] == entity["text"]


# A child of this process would be counted as large as this process is.
TAKEN = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps([status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""


@pytest.mark.skipif(os.name == "nt", reason="what a process took is told by POSIX")
def test_cold_start(tmp_path: Path):
    """The whole process, with the model: under 400 MB, and 1.5 s, which benchmarks/speed measures.

    Seconds of the CPU here: those of the clock depend on what else the machine does. On a busy
    machine these grow, too, so that one of five counts, and the bound is higher. Modules are
    compiled once, as an installed package's are, whatever the environment of the tests says.
    """
    command = [sys.executable, "-c", TAKEN, *ONEPASS, "extract", TEXT, *LABELS, "--threads", "1"]
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    found = []
    for number in range(5):  # the first fills the caches
        done = subprocess.run(command, capture_output=True, check=True, env=os.environ | compiled)
        status, seconds, memory = json.loads(done.stdout)
        assert status == 0, done.stderr
        assert memory < 400 * (2**20 if sys.platform == "darwin" else 2**10)
        found.append(seconds)
        if number and min(found) < 2:
            break
    assert min(found) < 2


def test_extract_loads_no_more_than_it_needs():
    script = f"""
import sys
from onepass.cli import main
code = main({["extract", TEXT, *LABELS]!r})
loaded = {{name.partition(".")[0] for name in sys.modules}}
unwanted = {{"torch", "transformers", "huggingface_hub", "rich", "safetensors"}}
parts = {{
    "numpy.ma", "onepass.batch.keeping", "onepass.models.embedding.family", "onepass.typed.values",
    "onepass.models.gliclass.family", "onepass.models.gliner.family", "onepass.models.nli.family",
}}
print(*sorted(loaded & unwanted), *sorted(parts & {{*sys.modules}}), file=sys.stderr)
sys.exit(code)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_every_task_and_every_format(tmp_path: Path):
    schema = tmp_path / "schema.json"
    schema.write_text('{"relations": ["announced"], "entities": ["person"]}')
    asked = ["-c", "tone=positive,negative", "-s", "product: name::str, price"]
    options = ["--schema", str(schema), *asked, "--format"]
    shown = {
        form: onepass("extract", TEXT, *options, form)
        for form in ("json", "jsonl", "table", "html")
    }
    for done in shown.values():
        assert (done.returncode, done.stderr) == (0, b"")
    found = json.loads(shown["json"].stdout)
    assert found == json.loads(shown["jsonl"].stdout)
    assert list(found["classifications"]) == ["tone"]
    assert list(found["records"]) == ["product"]
    assert b"Tim Cook" in shown["table"].stdout
    assert shown["html"].stdout.startswith(b"<!DOCTYPE html>")


def test_rows_good_and_bad(tmp_path: Path):
    rows = [
        json.dumps({"id": 0, "text": TEXT}),
        '{"id": 1}',
        json.dumps({"id": 2, "text": ""}),
        "{bad",
        json.dumps(
            {"id": 4, "text": "lone \ud83d surrogate, zero\u200bwidth, NUL \0, 山田太郎 🙂"}
        ),
        json.dumps({"id": 5, "text": "word " * 5000}),
        json.dumps({"id": 6, "text": TEXT}),
    ]
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("\n".join(rows))
    done = onepass("extract", "--input", str(source), "-o", str(out), *LABELS)
    assert (done.returncode, done.stdout) == (1, b"")
    assert len(done.stderr.splitlines()) == 3
    found = [json.loads(line) for line in out.read_text("utf-8").split("\n")[:-1]]
    assert [row.get("id", row.get("row")) for row in found] == [0, 2, 2, 4, 4, 5, 6]
    assert found[0]["extraction"] == found[6]["extraction"]
    assert found[2]["extraction"]["entities"] == []
    assert found[5]["extraction"]["coverage"]["windows"] > 1
    assert found[5]["extraction"]["coverage"]["chars_read"] == 25_000
    for row in found:
        for entity in row.get("extraction", {"entities": []})["entities"]:
            assert row["text"][entity["start"] : entity["end"]] == entity["text"]


def test_long_text_is_a_bad_row_if_asked(tmp_path: Path):
    source = tmp_path / "in.txt"
    source.write_text("short\n" + "word " * 5000 + "\nshort\n")
    done = onepass("extract", "-i", str(source), "--on-long", "error", *LABELS)
    assert done.returncode == 1
    found = [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]
    assert ["extraction" in row for row in found] == [True, False, True]
    assert found[1]["row"] == 2


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["", "-e", "x"], b"", b"The text is empty"),
        (["-e", "x"], b"\xff\xfe", b"UTF-16"),
        (["a", "-e", "x", "--model", "no/such-model-here"], b"", b"no/such-model-here"),
        (["a", "-e", "x", "--model", "./no-such-dir"], b"", b"./no-such-dir"),
        (["a", "-e", "x", "--schema", "missing.json"], b"", b"missing.json"),
        (["-i", "missing.jsonl", "-e", "x"], b"", b"missing.jsonl"),
        (["a", "-e", ","], b"", b"In -e ','"),
    ],
)
def test_bad_input(arguments: list[str], stdin: bytes, message: bytes):
    done = onepass("extract", *arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"onepass: ")
    assert done.stderr.count(b"\n") == 1
    assert message in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_interrupt_is_quiet_and_leaves_no_file(tmp_path: Path):
    out = tmp_path / "out.jsonl"
    command = [*ONEPASS, "extract", "--input", "-", "-e", "x", "-o", str(out)]
    pipe = subprocess.PIPE
    heeded = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # background jobs ignore it
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, preexec_fn=heeded
    ) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.02)  # until it has opened its output
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (130, b"", b"")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("workers", "name", "code"),
    [("1", "SIGTERM", 143), ("2", "SIGTERM", 143), ("2", "SIGHUP", 129)],
)
def test_a_signal_stops_a_job_in_order(tmp_path: Path, workers: str, name: str, code: int):
    heed = f"import signal; signal.signal(signal.{name}, signal.SIG_DFL); "  # nohup ignores some
    (tmp_path / "in.txt").write_text("a person\n" * 200_000)
    out = tmp_path / "out.jsonl"
    arguments = ["extract", "-i", str(tmp_path / "in.txt"), "-e", "person", "--workers", workers]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*ONEPASS[:-1], heed + ONEPASS[-1], *arguments, "-o", str(out)], stdout=pipe, stderr=pipe
    ) as process:
        journal = tmp_path / "out.jsonl.job" / "journal"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:  # until it says that some are done
            if journal.exists() and journal.read_bytes().count(b"\n") > 2:
                break
            time.sleep(0.05)
        process.send_signal(signal.Signals[name])
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (code, b"")
    assert b"--resume goes on from there" in stderr
    assert stderr.count(b"\n") == 1  # no warning of what was left behind
    assert not out.exists()


def closed_after_one_line(*arguments: str) -> tuple[int, bytes]:
    """Run a command whose reader stops after one line."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*ONEPASS, *arguments], stdout=pipe, stderr=pipe) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        stderr = process.stderr.read()
    return process.returncode, stderr


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_closed_pipe_is_quiet(tmp_path: Path):
    (tmp_path / "in.txt").write_text("a person\n" * 2000)
    done = closed_after_one_line("extract", "-i", str(tmp_path / "in.txt"), "-e", "person")
    assert done == (141, b"")


def test_doctor_passes():
    done = onepass("doctor", "--format", "json")
    assert (done.returncode, done.stderr) == (0, b"")
    report = json.loads(done.stdout)
    assert report["selftest"]["differences"] == []
    assert report["selftest"]["cases"] >= 4


def test_json_is_utf8_whatever_the_locale():
    environment = os.environ | {"LC_ALL": "C", "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [*ONEPASS, "extract", "-e", "person"],
        input="山田太郎 é".encode(),
        capture_output=True,
        env=environment,
    )
    assert json.loads(done.stdout.decode("utf-8"))["text"] == "山田太郎 é"
