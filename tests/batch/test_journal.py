"""The journal of an unfinished job: what is said of one that was begun."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from onepass.batch import journal as module
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


@pytest.mark.skipif(sys.platform != "linux", reason="what is open is looked up in /proc")
def test_a_job_ends_where_files_that_are_open_stay(tmp_path: Path, monkeypatch):
    """As on Windows, where what is open to read cannot be synced either."""
    fds = Path("/proc/self/fd")
    unlink, fsync = Path.unlink, os.fsync

    def removed(path: Path, missing_ok: bool = False) -> None:
        if any(os.path.realpath(fd) == os.path.realpath(path) for fd in fds.iterdir()):
            raise PermissionError(13, "it is being used by another process", str(path))
        unlink(path, missing_ok=missing_ok)

    def synced(handle: int) -> None:
        flags = Path(f"/proc/self/fdinfo/{handle}").read_text().split("flags:")[1].split()[0]
        if int(flags, 8) & os.O_ACCMODE == os.O_RDONLY and not (fds / str(handle)).is_dir():
            raise OSError(9, "Bad file descriptor")
        fsync(handle)

    monkeypatch.setattr(Path, "unlink", removed)
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(module, "sys", SimpleNamespace(platform="win32"))
    folder, output = tmp_path / "out.jsonl.job", tmp_path / "out.jsonl"
    journal = Journal(folder, {INPUT: "a digest"}, resume=False)
    journal.add(b"one\n", rows=1)
    journal.finish()
    journal.move(journal.rows_file, output)
    journal.close(remove=True)
    assert output.read_bytes() == b"one\n"
    assert not folder.exists()
