"""Rows that are too long are recorded as bad, without ever being held in memory."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.batch import Job, rows, run
from onepass.batch.lines import LongLine, plain_lines
from onepass.batch.reading import read_chunks
from onepass.batch.rows import BadRow, Chunk, Row
from onepass.batch.sources import find_sources
from onepass.batch.tables import Quotes
from onepass.errors import InputError

MOST = 40
LONG = "a" * MOST


def read(path: Path | str, most: int = MOST, text_unit: str | None = None) -> list[Chunk]:
    sources = find_sources(path, text_unit=text_unit, most=most)
    return list(read_chunks(sources, "text"))


def shown(chunks: list[Chunk]) -> list[tuple[int, str]]:
    return [
        (row.number, row.text if isinstance(row, Row) else row.error)
        for chunk in chunks
        for row in chunk.rows
    ]


ERROR = "longer than 40 bytes; allow more with max_line (--max-line)"


def line(text: str) -> str:
    return json.dumps({"text": text})


@pytest.mark.parametrize("end", ["\n", ""])
def test_lines_of_jsonl(tmp_path: Path, end: str) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join([line("a"), line(LONG), "", line("b"), line(LONG)]) + end)
    assert shown(read(path)) == [(1, "a"), (2, ERROR), (4, "b"), (5, ERROR)]
    assert [error for _, error in shown(read(path, 1000)) if "longer" in error] == []


def test_a_line_of_just_the_limit_is_read() -> None:
    whole = b"a" * (MOST - 1) + b"\n"
    assert list(plain_lines(io.BytesIO(whole + b"b"), "x", MOST)) == [whole, b"b"]
    (one,) = plain_lines(io.BytesIO(b"a" + whole), "x", MOST)
    assert one == LongLine(MOST)
    assert list(plain_lines(io.BytesIO(b"a" * MOST), "x", MOST)) == [b"a" * MOST]


def test_lines_and_files_of_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"a\n{LONG}\nb\n")
    (tmp_path / "b.txt").write_text("short")
    assert shown(read(tmp_path / "a.txt")) == [(1, "a"), (2, ERROR), (3, "b")]
    assert shown(read(tmp_path)) == [(1, ERROR), (2, "short")]


@pytest.mark.parametrize(
    "long",
    [
        f"2,{LONG}",
        f'2,"{LONG}\nwith, a ""comma""\nand more"',  # it begins in a line that is too long
        f'2,"short\n{LONG}\nwith, a comma"',
        '2,"' + "\n1,a" * 20 + '"',  # each of its lines is short
        f'2,5" pipe {LONG}',  # the mark opens nothing
        f'2," 5"" pipe" of 3" {LONG}',
        f'2,"{LONG} 5"" pipe\nand more"',  # the two marks close nothing
    ],
)
@pytest.mark.parametrize("end", ["\n", ""])
def test_records_of_csv(tmp_path: Path, long: str, end: str) -> None:
    path = tmp_path / "in.csv"
    path.write_text(f'id,text\n1,"a\nb"\n{long}\n3,c\n{long}{end}')
    chunks = read(path)
    assert shown(chunks) == [(1, "a\nb"), (2, ERROR), (3, "c"), (4, ERROR)]
    assert "longer" not in str(shown(read(path, 1000)))


@given(
    st.text('",\rx', min_size=1, max_size=12), st.booleans(), st.sampled_from(["\n", "\r\n", ""]),
    st.integers(1, 4),
)  # fmt: skip
def test_marks_are_followed_as_the_reader_does(text: str, within: bool, end: str, size: int):
    raw = (text + end).encode()
    quotes = Quotes(",")
    quotes.begin(within)
    for at in range(0, len(raw), size):
        quotes.read(raw[at : at + size])
    left = iter(['"\n', text + end] if within else [text + end])
    asked = [False]

    def lines() -> Iterator[str]:
        yield from left
        asked[0] = True

    with suppress(csv.Error):
        next(csv.reader(lines()), None)
    assert quotes.are_open == asked[0]


def test_a_record_that_is_too_long_and_never_ends(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(f'id,text\n1,a\n2,5" pipe {LONG}\n3,b\n4,"{LONG}\n5,c\n')
    *_, (number, error) = shown(read(path))
    assert (number, error[: len(ERROR)]) == (4, ERROR)
    assert error.endswith("; a quotation mark opens in this record and none closes it")


def test_a_header_that_is_too_long_stops_the_job(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(f"text,{LONG}\na,b\n")
    with pytest.raises(InputError, match="no header that can be read: longer than 40 bytes"):
        read(path)


def test_texts_of_parquet(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        table = pa.table({"text": pa.array(["a", LONG + "b", None, LONG], pa.string()).cast(kind)})
        pq.write_table(table, tmp_path / "in.parquet")
        assert shown(read(tmp_path / "in.parquet"))[:2] == [(1, "a"), (2, ERROR)]
        assert shown(read(tmp_path / "in.parquet"))[3] == (4, LONG)


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO(f"{line('a')}\n{line(LONG)}\n".encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw))
    assert shown(read("-")) == [(1, "a"), (2, ERROR)]


@pytest.mark.parametrize("name", ["in.jsonl.gz", "in.csv.gz", "in.txt.gz"])
def test_what_is_passed_over_is_not_held(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    start = {"j": b'{"text": "', "c": b'text\nb\n"', "t": b""}[name[3]]
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(start)
        for _ in range(32):
            file.write(b"a" * (1 << 20))
    read(path, 1000)  # what is loaded once
    tracemalloc.start()
    try:
        found = shown(read(path, 1000))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20  # of 32 MiB
    finally:
        tracemalloc.stop()
    assert found[-1][1].startswith("longer than 1,000 bytes")


@pytest.mark.usefixtures("small_chunks")
def test_reading_goes_on_after_any_chunk(tmp_path: Path) -> None:
    texts = [LONG if n % 3 == 1 else f"text {n}" for n in range(12)]
    (tmp_path / "in.jsonl").write_text("\n".join(map(line, texts)))
    (tmp_path / "in.csv").write_text("text\n" + "\n".join(f'"{one}\n"' for one in texts))
    for name in ("in.jsonl", "in.csv"):
        sources = find_sources(tmp_path / name, most=MOST)
        chunks = list(read_chunks(sources, "text"))
        assert len(chunks) > 1
        for number, chunk in enumerate(chunks):
            assert list(read_chunks(sources, "text", chunk.end)) == chunks[number + 1 :]


def test_much_beside_the_texts_makes_chunks_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "CHUNK_BYTES", 200)
    beside = json.dumps({"text": "a", "more": "b" * 100})
    (tmp_path / "in.jsonl").write_text(f"{beside}\n" * 5)
    (tmp_path / "in.csv").write_text("text,more\n" + f"a,{'b' * 100}\n" * 5)
    for name in ("in.jsonl", "in.csv"):
        assert [len(chunk.rows) for chunk in read(tmp_path / name, 1000)] == [2, 2, 1]


def test_a_job_records_them(tmp_path: Path, load) -> None:
    (tmp_path / "in.jsonl").write_text(f"{line('Bo')}\n{line(LONG)}\n")
    out = tmp_path / "out.jsonl"
    job = Job(input=tmp_path / "in.jsonl", output=out, schema={"entities": ["dog"]}, max_line=MOST)
    assert run(job, load=load).failed == 1
    assert json.loads(out.read_text().splitlines()[1]) == {"row": 2, "error": ERROR}
    assert BadRow(2, ERROR).place == "row 2"
    with pytest.raises(InputError, match="may have one byte or more"):
        Job(input="a", output="b", schema={}, max_line=0)
