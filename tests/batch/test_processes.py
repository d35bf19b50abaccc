"""Worker processes: how they start, and how they are stopped in the middle of an answer."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from onepass.batch import processes
from onepass.batch.answering import Request
from onepass.batch.job import ModelChoice
from onepass.batch.processes import _out_of_this_directory, in_processes
from onepass.batch.rows import Chunk, Position, Row
from onepass.errors import InputError
from onepass.schema import Schema

LONG = "Bo lives in Bern. " * 200_000  # takes minutes


def chunks() -> Iterator[Chunk]:
    for number, text in enumerate(["Bo lives in Bern.", LONG, LONG]):
        yield Chunk((Row(number, {}, text),), Position(0, number))


def test_nobody_waits_for_an_answer_that_is_not_wanted():
    request = Request(Schema().entities(["city"]))
    with closing(in_processes(ModelChoice(threads=1), request, 1)(chunks())) as answered:
        _, answers = next(answered)
        time.sleep(1)  # until the next one is under way
        begun = time.monotonic()
    assert '"Bern"' in str(answers)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("before", [None, "", "1"])
def test_modules_of_the_current_directory_are_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
):
    for name in ("types", "signal", "socket"):  # as Python's own, which a new process loads first
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken for another')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONSAFEPATH", before)
    request = Request(Schema().entities(["city"]))
    chunk = Chunk((Row(0, {}, "Bo lives in Bern."),), Position(0, 0))
    [(_, answers)] = in_processes(ModelChoice(threads=1), request, 1)([chunk])
    assert '"Bern"' in str(answers)
    assert os.environ.get("PYTHONSAFEPATH") == before


def test_jobs_of_two_threads_set_the_environment_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    inside, may_leave = threading.Event(), threading.Event()

    def other() -> None:
        with _out_of_this_directory():
            inside.set()
            may_leave.wait(20)

    thread = threading.Thread(target=other)
    with _out_of_this_directory():
        thread.start()
        assert not inside.wait(0.2)
    assert inside.wait(20)
    assert os.environ["PYTHONSAFEPATH"] == "1"
    may_leave.set()
    thread.join()
    assert "PYTHONSAFEPATH" not in os.environ


def test_the_environment_changes_only_while_a_process_starts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    seen: list[str] = []
    putenv = os.putenv

    def noted(name: bytes, value: bytes) -> None:
        seen.append(os.fsdecode(name))
        putenv(name, value)

    monkeypatch.setattr(os, "putenv", noted)
    request = Request(Schema().entities(["city"]))
    rows = [Chunk((Row(n, {}, "Bo lives in Bern."),), Position(0, n)) for n in range(9)]
    assert len(list(in_processes(ModelChoice(threads=1), request, 1)(rows))) == 9
    assert seen.count("PYTHONSAFEPATH") == 2  # of the pool, and of its only process


def test_more_processes_than_windows_takes_are_refused_there(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "sys", SimpleNamespace(platform="win32"))
    request = Request(Schema().entities(["city"]))
    in_processes(ModelChoice(threads=1), request, 61)
    with pytest.raises(InputError, match=r"at most 61 worker processes, but 62 .* fewer workers"):
        in_processes(ModelChoice(threads=1), request, 62)
