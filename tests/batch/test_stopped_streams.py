"""A stream that is stopped: what was read of it cannot be had again, so none of it is lost."""

import gzip
import io
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from onepass.batch import Counts, Job, Watch, run, stream
from onepass.errors import InputError

SCHEMA = {"entities": ["city"]}
Load = Callable[[], Any]

pytestmark = pytest.mark.usefixtures("small_chunks")


class Live(io.BytesIO):
    """A stream that has given all it has, and is waited for until somebody has enough."""

    def readline(self, size: int | None = -1) -> bytes:
        line = super().readline(size)
        if not line:
            raise KeyboardInterrupt
        return line


def give(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    lines = b"".join(b'{"text": "Bo lives in Bern."}\n' for _ in range(rows))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Live(lines)))


def found(lines: Iterable[str]) -> list[str]:
    return [json.loads(line)["extraction"]["entities"][0]["text"] for line in lines]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_read_is_answered_and_written(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch, workers: int
):
    give(monkeypatch, 6)  # a chunk and a half
    out, left = tmp_path / "out.jsonl", []
    job = Job(input="-", output=out, schema=SCHEMA, workers=workers)
    with pytest.raises(KeyboardInterrupt):
        run(job, load=load, watch=Watch(left=lambda *given: left.append(given)))
    assert found(out.read_text().splitlines()) == ["Bern"] * 6
    assert left == [(6, out)]
    assert list(tmp_path.iterdir()) == [out]


def test_what_was_read_is_answered_where_results_are_taken_as_they_come(
    load: Load, monkeypatch: pytest.MonkeyPatch
):
    give(monkeypatch, 6)
    got: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        stream(Job(input="-", output="-", schema=SCHEMA), got.append, load=load)
    assert found("".join(got).splitlines()) == ["Bern"] * 6


def test_a_stream_that_gave_nothing_leaves_nothing(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
):
    give(monkeypatch, 0)
    with pytest.raises(KeyboardInterrupt):
        run(Job(input="-", output=tmp_path / "out.jsonl", schema=SCHEMA), load=load)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_an_interruption_of_the_work_leaves_what_was_done(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch, name: str
):
    def interrupt(counts: Counts) -> None:
        if counts.rows == 8:
            raise KeyboardInterrupt

    give(monkeypatch, 12)
    out, left = tmp_path / name, []
    watch = Watch(interrupt, left=lambda *given: left.append(given))
    with pytest.raises(KeyboardInterrupt):
        run(Job(input="-", output=out, schema=SCHEMA), load=load, watch=watch)
    assert left == [(8, out)]
    assert list(tmp_path.iterdir()) == [out]
    written = out.read_bytes()
    text = gzip.decompress(written) if name.endswith(".gz") else written
    assert found(text.decode().splitlines()) == ["Bern"] * 8


def test_a_failure_leaves_what_was_done_in_the_folder(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
):
    def fail(counts: Counts) -> None:
        raise InputError("It fails.")

    give(monkeypatch, 12)
    left: list[Any] = []
    job = Job(input="-", output=tmp_path / "out.jsonl", schema=SCHEMA)
    watch = Watch(fail, left=lambda *given: left.append(given))
    with pytest.raises(InputError, match="It fails"):
        run(job, load=load, watch=watch)
    rows = tmp_path / "out.jsonl.job" / "rows"
    assert left == [(4, rows)]
    assert found(rows.read_text().splitlines()) == ["Bern"] * 4
    with pytest.raises(InputError, match="unfinished job of 4 rows from a stream"):
        run(job, load=load)
