"""A job of several processes that is killed for good, and goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onepass.batch import Job, ModelChoice, run
from onepass.errors import OnepassError

ONEPASS = [sys.executable, "-c", "import sys; from onepass.cli import main; sys.exit(main())"]
ROWS = 900  # five chunks


@pytest.fixture
def source(tmp_path: Path) -> Path:
    rows = [json.dumps({"text": f"Bo {n} lives in Bern."}) for n in range(ROWS)]
    rows[-1] = "{bad"
    (tmp_path / "in.jsonl").write_text("\n".join(rows))
    return tmp_path / "in.jsonl"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_killed_and_resumed(source: Path, tmp_path: Path):
    out, journal = tmp_path / "out.jsonl", tmp_path / "out.jsonl.job" / "journal"
    command = [*ONEPASS, "extract", "-i", str(source), "-o", str(out), "-e", "city"]
    command += ["--workers", "2", "--resume"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not out.exists():
            if journal.exists() and journal.read_bytes().count(b"\n") >= 3:  # a chunk is done
                break
            time.sleep(0.01)
        process.kill()
        assert process.stderr is not None
        # This ends when every process that holds it has ended: no worker is left.
        assert "Traceback" not in process.stderr.read()
    assert process.returncode == -signal.SIGKILL
    assert not out.exists()
    # It may have come to the last chunk before the signal did; then only moving it is left.
    last = json.loads(journal.read_bytes().rpartition(b"\n")[0].splitlines()[-1])
    known = bool(last.get("finished")) or last["rows"] == ROWS  # the bad row is done
    assert run(Job(input=source, output=tmp_path / "whole.jsonl", schema={"entities": ["city"]}))
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    *said, summary = done.stderr.splitlines()
    assert summary == f"onepass: 1 of {ROWS} rows failed"
    bad_row = f"onepass: row {ROWS}: not valid JSON"
    assert [line[: len(bad_row)] for line in said] == ([] if known else [bad_row])
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not journal.parent.exists()


def test_an_error_of_a_worker_is_one_sentence(source: Path, tmp_path: Path):
    job = Job(
        input=source,
        output=tmp_path / "out.jsonl",
        schema={"entities": ["city"]},
        model=ModelChoice("./no-such-directory"),
        workers=2,
    )
    with pytest.raises(OnepassError, match="no-such-directory"):
        run(job)
    assert not (tmp_path / "out.jsonl.job").exists()
