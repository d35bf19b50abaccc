"""Where outputs may go."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

READ = """
from pathlib import Path
from onepass.batch.places import check_apart, read_from
from onepass.batch.sources import find_sources

check_apart(Path("a.jsonl"), "output", read_from(find_sources("-")))
"""


@pytest.mark.skipif(os.name == "nt", reason="names of POSIX")
def test_no_output_takes_the_place_of_the_file_on_standard_input(tmp_path: Path):
    rows = tmp_path / "a.jsonl"
    rows.write_text('{"text": "Ann"}\n')
    command = [sys.executable, "-c", READ]
    with rows.open() as stdin:
        done = subprocess.run(command, stdin=stdin, cwd=tmp_path, capture_output=True, text=True)
    assert "The output a.jsonl is the standard input, too; give it another name." in done.stderr
    rows.unlink()
    other = subprocess.run(command, input="", cwd=tmp_path, capture_output=True, text=True)
    assert (other.returncode, other.stderr) == (0, "")
