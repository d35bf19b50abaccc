"""The journal of an unfinished job: what is said of one that was begun."""

from pathlib import Path

import pytest

from onepass.batch.journal import INPUT, STREAM, Journal
from onepass.errors import InputError


def begin(folder: Path, given: str) -> None:
    journal = Journal(folder, {INPUT: given}, resume=False)
    journal.add(b"one\n", rows=1)
    journal.close(remove=False)


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ("a digest", r"give resume=True \(--resume\) to go on"),
        (STREAM, "from a stream, which cannot be read again"),
    ],
)
def test_an_unfinished_job_says_what_can_be_done(tmp_path: Path, given: str, advice: str):
    folder = tmp_path / "out.jsonl.job"
    begin(folder, given)
    with pytest.raises(InputError, match=f"unfinished job of 1 rows.*{advice}.*delete it"):
        Journal(folder, {INPUT: given}, resume=False)
