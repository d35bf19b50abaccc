"""Files, folders and names that are not what they should be: one sentence, and nothing is lost."""

import gzip
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from onepass.batch import Job, Watch, run, stream
from onepass.batch.folder import JOURNAL, ROWS
from onepass.errors import InputError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

Load = Callable[[], Any]
SCHEMA = {"entities": ["city"]}
LONG = "a" * 5000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "Bo lives in Bern."}\n')
    return path


def refused(source: object, output: Path, *, resume: bool = False) -> str:
    with pytest.raises(InputError) as error:
        run(Job(input=source, output=output, schema=SCHEMA, resume=resume))  # type: ignore[arg-type]
    return str(error.value)


def test_a_folder_of_something_else_stays_as_it_is(source: Path, tmp_path: Path):
    mine = tmp_path / "out.jsonl.job" / "mine"
    mine.parent.mkdir()
    mine.write_text("mine")
    (mine.parent / ROWS).write_text("mine, too")
    assert "holds 'mine'; move it away" in refused(source, tmp_path / "out.jsonl")
    assert (mine.read_text(), (mine.parent / ROWS).read_text()) == ("mine", "mine, too")


@pytest.mark.parametrize(
    "journal", ["garbage\n", "[" * 100_000 + "\n", "{}\n3\n", '{}\n{"sizes": 3}\n']
)
@pytest.mark.parametrize("resume", [True, False])
def test_a_journal_that_cannot_be_read(source: Path, tmp_path: Path, journal: str, resume: bool):
    folder = tmp_path / "out.jsonl.job"
    folder.mkdir()
    (folder / JOURNAL).write_text(journal)
    (folder / ROWS).write_text("{}")
    assert "cannot be read; delete" in refused(source, tmp_path / "out.jsonl", resume=resume)
    assert (folder / ROWS).read_text() == "{}"


def test_a_file_where_the_folder_should_be(source: Path, tmp_path: Path):
    (tmp_path / "out.jsonl.job").write_text("mine")
    assert "cannot be written: File exists" in refused(source, tmp_path / "out.jsonl")


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow, as on a disk that is full; pytest's own log neither, so for a moment."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limits")
def test_a_disk_that_is_full_at_the_start(source: Path, tmp_path: Path):
    with full_disk():
        said = refused(source, tmp_path / "out.jsonl")
    assert said.startswith(f"{tmp_path / 'out.jsonl.job'} cannot be written: File too large")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_names_that_the_system_refuses(source: Path, tmp_path: Path):
    assert "cannot be read: File name too long" in refused(LONG, tmp_path / "out.jsonl")
    assert "cannot be written: File name too long" in refused(source, tmp_path / LONG)
    assert "name of an input is empty" in refused("", tmp_path / "out.jsonl")


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_parquet_with_strings_that_are_not_utf8(tmp_path: Path, load: Load, form: str):
    raw = pa.array([b"ok", b"\xff", b"fine"], pa.binary())
    bad = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2])
    texts = pa.array(["ok", "Bo lives in Bern.", "fine"])
    nested = pa.StructArray.from_arrays([bad], ["a"])
    pq.write_table(pa.table({"text": texts, "bad": bad, "more": nested}), tmp_path / "in.parquet")
    pq.write_table(pa.table({"text": bad}), tmp_path / "texts.parquet")
    if form != "parquet":  # which keeps the bytes as they are
        out = tmp_path / f"out.{form}"
        run(Job(input=tmp_path / "in.parquet", output=out, schema=SCHEMA), load=load)
        assert out.read_text().count("xff") == 2
    out = tmp_path / f"found.{form}"
    counts = run(Job(input=tmp_path / "texts.parquet", output=out, schema=SCHEMA), load=load)
    assert (counts.rows, counts.failed) == (3, 1)


def test_half_a_surrogate_pair_in_the_name_of_a_column(tmp_path: Path, load: Load):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.parquet"
    source.write_text('{"text": "Bo lives in Bern.", "\\ud800": "x"}\n')
    run(Job(input=source, output=out, schema=SCHEMA), load=load)
    assert pq.read_table(out).to_pylist()[0]["\\ud800"] == "x"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("b.csv", b"id,body\n1,Bo\n", "b.csv has no column 'text' (the columns are 'id', 'body')"),
        ("b.csv", b"id;body\n1;Bo\n", "columns are separated by commas here, in .tsv files by"),
        ("b.tsv", b"id,body\n1,Bo\n", "in .tsv files by tabs; write or name the file so"),
        ("b.tsv.gz", gzip.compress(b"id\tbody\n1\tBo\n", mtime=0), "has no column 'text'"),
        ("b.csv", b"text,text\n", "two columns of one name"),
        ("b.csv.gz", b"text\n", "gzip"),
        ("b.jsonl.gz", b"{}\n", "gzip"),
        ("b.jsonl", '{"text": "Bo"}\n'.encode("utf-16"), "is UTF-16"),
        ("b.parquet", {"body": ["Bo"]}, "b.parquet has no column 'text' (the columns are 'body')"),
        ("b.parquet", {"text": [1]}, "must hold strings, but it holds int64"),
        ("b.parquet", b"", "not a whole Parquet file"),
        ("b.parquet", b"PAR1" + b"\0" * 8 + b"\x08\0\0\0PAR1", "Invalid data); write it anew."),
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_later_file_with_a_wrong_start_stops_the_job_before_a_row_is_read(
    tmp_path: Path, load: Load, name: str, content: Any, message: str, form: str
):
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.jsonl").write_text('{"text": "Bo lives in Bern."}\n')
    if isinstance(content, bytes):
        (texts / name).write_bytes(content)
    else:
        pq.write_table(pa.table(content), texts / name)
    out = tmp_path / f"out.{form}"
    job = Job(input=texts, output=out, schema=SCHEMA, resume=True)
    seen: list[object] = []
    streamed = replace(job, resume=False)
    for go in (partial(run, job), partial(stream, streamed, seen.append)):
        with pytest.raises(InputError, match=re.escape(message)):
            go(watch=Watch(seen.append), load=load)
    assert seen == []
    (texts / name).unlink()
    assert run(job, load=load).rows == 1


@pytest.mark.parametrize("name", ["b.csv", "b.tsv", "b.csv.gz", "b.jsonl"])
@pytest.mark.parametrize("content", [b"", b"\n\r\n"])
def test_an_empty_file_has_no_rows(tmp_path: Path, load: Load, name: str, content: bytes):
    (tmp_path / "a.jsonl").write_text('{"text": "Bo lives in Bern."}\n')
    raw = gzip.compress(content) if name.endswith(".gz") and content else content
    (tmp_path / name).write_bytes(raw)
    given = [tmp_path / "a.jsonl", tmp_path / name]
    for form in ("jsonl", "csv", "parquet"):
        out = tmp_path / f"out.{form}"
        counts = run(Job(input=given, output=out, schema=SCHEMA), load=load)
        assert (counts.rows, counts.failed) == (1, 0)


def test_a_csv_file_that_starts_with_blank_lines(tmp_path: Path, load: Load):
    source = tmp_path / "in.csv"
    source.write_bytes(b"\n\r\nid,text\n1,Bo lives in Bern.\n")
    assert run(Job(input=source, output=tmp_path / "a.jsonl", schema=SCHEMA), load=load).rows == 1
    source.write_bytes("id,größe\n1,2\n".encode("latin-1"))
    assert "has a header that is not UTF-8" in refused(source, tmp_path / "b.jsonl")
