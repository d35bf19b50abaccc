"""Chunks: every kind of file, packed or not, and reading on from where a chunk ended."""

import gzip
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.batch import parquet_reading
from onepass.batch.packing import opened, packed
from onepass.batch.reading import read_chunks
from onepass.batch.rows import BadRow, Cells, Chunk, Row, chunked
from onepass.batch.sources import Source, find_sources
from onepass.errors import InputError

pa = pytest.importorskip("pyarrow")

OPEN = "not valid CSV (a quotation mark opens in this record and none closes it)"


def rows_of(chunks: list[Chunk]) -> list[object]:
    return [row for chunk in chunks for row in chunk.rows]


@pytest.fixture
def sources(tmp_path: Path) -> tuple[Source, ...]:
    """Nine rows of each kind, some of them bad."""
    import pyarrow.parquet as pq

    texts = [f"text {n}" for n in range(9)]
    lines = [json.dumps({"text": text}) for text in texts]
    lines[2:2], lines[5] = ["", "  "], "{bad"
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    (tmp_path / "b.csv.gz").write_bytes(
        gzip.compress(("text,n\n" + "\n".join(f'"{t}\n",1' for t in texts[:4]) + "\n1\n").encode())
    )
    (tmp_path / "c.txt.zst").write_bytes(packed("\n".join(texts).encode(), "zstd"))
    (tmp_path / "docs").mkdir()
    for text in texts:
        (tmp_path / "docs" / f"{text}.txt").write_bytes(b"\xff" if "3" in text else text.encode())
    table = pa.table({"text": [*texts[:7], None, "text 8"]})
    pq.write_table(table, tmp_path / "d.parquet", row_group_size=2)
    names = ["a.jsonl", "b.csv.gz", "c.txt.zst", "docs", "d.parquet"]
    return find_sources([tmp_path / name for name in names])


@pytest.mark.usefixtures("small_chunks")
def test_reading_goes_on_where_any_chunk_ended(sources: tuple[Source, ...]):
    chunks = list(read_chunks(sources, "text"))
    assert [len(chunk.rows) for chunk in chunks] == [4, 4, 1, 4, 1, 4, 4, 1, 4, 4, 1, 4, 4, 1]
    bad = [row.place.rpartition("/")[2] for row in rows_of(chunks) if isinstance(row, BadRow)]
    assert bad == ["a.jsonl, row 6", "b.csv.gz, row 5", "text 3.txt, row 4", "d.parquet, row 8"]
    for number, chunk in enumerate(chunks, 1):
        rest = list(read_chunks(sources, "text", chunk.end))
        assert [c.end for c in rest] == [c.end for c in chunks[number:]]
        assert [c.texts for c in rest] == [c.texts for c in chunks[number:]]
    read = [chunk.bytes_read for chunk in chunks]
    assert read == sorted(read)
    assert read[-1] == sum(source.size() for source in sources)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 400_000), max_size=40))
def test_chunks_are_bounded_by_their_texts(lengths: list[int]):
    rows = [BadRow(number, "x" * length) for number, length in enumerate(lengths)]
    chunks = list(chunked(iter(rows)))
    assert [row for chunk in chunks for row in chunk] == rows
    for chunk in chunks:
        assert sum(len(row.error) for row in chunk[:-1] if isinstance(row, BadRow)) < 1_000_000


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_packed_files_may_have_members_and_must_be_whole(tmp_path: Path, how: str):
    path = tmp_path / ("a.gz" if how == "gzip" else "a.zst")
    data = packed(b"one\n", how) + packed(b"two\n", how)
    assert data == packed(b"one\n", how) + packed(b"two\n", how)
    path.write_bytes(data)
    with opened(path) as file:
        assert list(file.file) == [b"one\n", b"two\n"]
    for broken in (data[:-3], b"neither of them"):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="is not a whole"), opened(path) as file:
            file.file.read()


def test_a_file_that_is_one_text_keeps_its_name(sources: tuple[Source, ...], tmp_path: Path):
    alone = find_sources(tmp_path / "docs")
    for own, name in ((alone, "text 0.txt"), (sources[3:4], str(tmp_path / "docs/text 0.txt"))):
        chunk = next(read_chunks(own, "text"))
        assert dict(chunk.rows[0].values or {}) == {"file": name, "text": "text 0"}


def test_each_row_of_several_sources_says_its_file(sources: tuple[Source, ...], tmp_path: Path):
    for source in sources:
        rows = rows_of(list(read_chunks([source], "text")))
        path = tmp_path / "docs" if source.kind == "files" else source.path
        for row in rows:
            assert isinstance(row, Row | BadRow)
            assert row.values is not None
            assert next(iter(row.values)) == "file"
            assert row.values["file"] == row.file
            assert str(row.file).startswith(str(path))
        (first, *_) = rows_of(list(read_chunks([replace(source, several=False)], "text")))
        assert isinstance(first, Row)
        assert ("file" in first.values) == (source.kind == "files")


def test_cells_of_large_columns_are_those_of_small_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import pyarrow.parquet as pq

    columns = {"text": ["a", "b"], "n": [0.5, math.inf], "m": [[b"x"], None]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    seen = []
    for most in (0, 1 << 20):
        monkeypatch.setattr(parquet_reading, "_LISTED", most)
        (chunk,) = read_chunks(find_sources(tmp_path / "a.parquet"), "text")
        cells = [row.values for row in chunk.rows if isinstance(row.values, Cells)]
        seen.append([(dict(one), one.beyond_json("n")) for one in cells])
    assert seen[0] == seen[1]
    assert seen[0][1] == ({"text": "b", "n": None, "m": None}, "inf")


def test_a_quotation_mark_that_none_closes_is_an_error_and_not_a_long_cell(tmp_path: Path):
    (tmp_path / "a.csv").write_text('id,text\n1,Ann\n2,"Bo\n3,Zoe\n')
    good, bad = rows_of(list(read_chunks(find_sources([tmp_path / "a.csv"]), "text")))
    assert isinstance(bad, BadRow)
    assert not isinstance(good, BadRow)
    assert bad.error == OPEN


@pytest.mark.parametrize("record", ['2,5" pipe,"see', '2,"",5" ","', '2,"a""b",3"\'","'])
@pytest.mark.parametrize("field", ["size", "note"])
def test_other_marks_do_not_hide_one_that_none_closes(tmp_path: Path, record: str, field: str):
    (tmp_path / "a.csv").write_text(f"id,size,note\n1,a,b\n{record}\n3,Anna,c\n4,Bo,d\n")
    good, bad = rows_of(list(read_chunks(find_sources([tmp_path / "a.csv"]), field)))
    assert not isinstance(good, BadRow)
    assert isinstance(bad, BadRow)
    assert (bad.number, bad.error) == (2, OPEN)


def test_lines_that_end_in_cr_are_called_so(tmp_path: Path):
    (tmp_path / "all.csv").write_bytes(b"id,text\r1,Ann\r2,Bo\r")
    with pytest.raises(InputError, match="a line ends in CR alone; lines must end in LF"):
        list(read_chunks(find_sources([tmp_path / "all.csv"]), "text"))
    (tmp_path / "one.csv").write_bytes(b'id,text\r\n1,"A\rnn"\n2,Bo\r3,Zoe\n4,Ida\n')
    first, bad, last = rows_of(list(read_chunks(find_sources([tmp_path / "one.csv"]), "text")))
    assert not isinstance(first, BadRow)
    assert not isinstance(last, BadRow)
    assert isinstance(bad, BadRow)
    assert bad.error == "a line ends in CR alone; lines must end in LF"


@pytest.mark.parametrize("code", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["text\nAnna Weiss\n", "text\n" + "Анна Вайс, Берн.\n" * 9])
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl", "a.txt.gz"])
def test_utf16_without_a_byte_order_mark(tmp_path: Path, name: str, text: str, code: str):
    raw = text.encode(code)
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    with pytest.raises(InputError, match=f"{name} is UTF-16; convert it to UTF-8"):
        list(read_chunks(find_sources(tmp_path / name), "text"))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_bytes(raw)
    (row,) = rows_of(list(read_chunks(find_sources(tmp_path / "docs"), "text")))
    assert isinstance(row, BadRow)
    assert "is UTF-16" in row.error


def test_a_few_zeros_are_no_utf16(tmp_path: Path):
    raw = b"A\0nna\nBo\0\0\0\0\0\0\nAnn\0\0\0\n"
    (tmp_path / "a.txt").write_bytes(raw)
    rows = rows_of(list(read_chunks(find_sources(tmp_path / "a.txt"), "text")))
    assert [row.text for row in rows] == raw.decode().splitlines()


def test_an_inch_sign_in_the_last_record_is_no_quotation_mark(tmp_path: Path):
    (tmp_path / "a.csv").write_text('id,text\n1,a 5" pipe\n')
    (row,) = rows_of(list(read_chunks(find_sources([tmp_path / "a.csv"]), "text")))
    assert not isinstance(row, BadRow)
