"""The folder where a job is kept: who may use it, who may read it, and what it may hold."""

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from onepass.batch import folder as module
from onepass.batch.journal import Journal
from onepass.errors import InputError


def begin(folder: Path) -> None:
    journal = Journal(folder, {}, resume=False)
    journal.add(b"one\n", rows=1)
    journal.close(remove=False)


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_others_cannot_read_what_is_kept(tmp_path: Path):
    folder = tmp_path / "out.jsonl.job"
    begin(folder)
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_others_cannot_write_into_a_folder_that_was_there(tmp_path: Path):
    folder = tmp_path / "out.jsonl.job"
    folder.mkdir()
    folder.chmod(0o777)
    begin(folder)
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
@pytest.mark.parametrize("name", ["journal", "rows", "result"])
def test_links_in_a_folder_are_not_followed(tmp_path: Path, name: str):
    victim, folder = tmp_path / "victim", tmp_path / "out.jsonl.job"
    victim.write_text("kept")
    folder.mkdir()
    (folder / name).symlink_to(victim)
    with pytest.raises(
        InputError, match=f"{name} is where the job would be kept .* is a link; delete it"
    ):
        begin(folder)
    assert victim.read_text() == "kept"


@pytest.mark.parametrize("name", ["out.jsonl.job", "journal"])
def test_what_another_user_made_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    folder, check = tmp_path / "out.jsonl.job", module._check_own
    begin(folder)

    def checked(path: Path, owner: int) -> None:
        check(path, owner + (path.name == name))

    monkeypatch.setattr(module, "_check_own", checked)
    with pytest.raises(InputError, match=rf"{name} is .* another user made it; .* \(chown -R\)"):
        begin(folder)
    assert (folder / "rows").read_text() == "one\n"


def test_a_disk_without_modes_takes_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(Path, "chmod", refused)
    begin(tmp_path / "out.jsonl.job")
    assert (tmp_path / "out.jsonl.job" / "rows").read_text() == "one\n"


def test_a_journal_that_is_never_the_same_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_is_at", lambda *_: False)
    with pytest.raises(InputError, match="another file each of 10 times"):
        begin(tmp_path / "out.jsonl.job")


def test_a_folder_of_something_else_stays_as_it_is(tmp_path: Path):
    folder = tmp_path / "out.jsonl.job"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "letters").touch()
    with pytest.raises(InputError, match="it holds 'letters'"):
        begin(folder)
    assert folder.stat().st_mode & 0o777 == 0o755


@pytest.mark.skipif(os.name == "nt", reason="an open file stays there on Windows")
def test_a_job_that_ends_while_another_one_opens_its_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder, lock, calls = tmp_path / "out.jsonl.job", module._lock, []
    begin(folder)

    def late(file: object, place: Path) -> None:
        if not calls:
            shutil.rmtree(folder)  # as the other job does at its end
        calls.append(1)
        lock(file, place)

    monkeypatch.setattr(module, "_lock", late)
    begin(folder)  # no unfinished job is told of
    assert len(calls) == 2
    assert (folder / "journal").exists()


def test_an_interrupt_before_anything_is_kept_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_check_own", stopped)
    (tmp_path / "there.job").mkdir()
    for name in ("new.job", "there.job"):
        with pytest.raises(KeyboardInterrupt):
            begin(tmp_path / name)
    assert os.listdir(tmp_path) == ["there.job"]


@pytest.mark.skipif(os.name == "nt", reason="it stands in for what is there")
def test_two_jobs_do_not_write_to_one_folder_on_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder, held = tmp_path / "out.jsonl.job", []

    def locking(handle: int, mode: int, count: int) -> None:
        place = os.lseek(handle, 0, os.SEEK_CUR)
        assert (mode, count) == (2, 1)
        assert 2**30 < place < 2**31  # behind the journal, as nobody can read what is locked
        if held:
            raise PermissionError(errno.EACCES, "Permission denied")
        held.append(handle)

    system = SimpleNamespace(locking=locking, LK_NBLCK=2)
    monkeypatch.setattr(module, "msvcrt", system, raising=False)
    monkeypatch.setattr(module, "sys", SimpleNamespace(platform="win32"))
    first = Journal(folder, {}, resume=False)
    with pytest.raises(InputError, match="is running now; wait for it"):
        begin(folder)
    first.add(b"one\n", rows=1)
    first.close(remove=False)
    held.clear()  # as the system does with what is closed
    with pytest.raises(InputError, match="unfinished job of 1 rows"):
        begin(folder)
    assert (folder / "journal").stat().st_size < 1000
