"""Whole jobs: every format out, bad rows, and going on after a stop at any place."""

import csv
import gzip
import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onepass.batch import Counts, Job, Watch, processes, run, states, stream
from onepass.batch.answering import Request
from onepass.batch.engines import Engine, in_this_process
from onepass.batch.job import ModelChoice
from onepass.batch.journal import Journal
from onepass.batch.packing import packed
from onepass.errors import BackendError, InputError
from onepass.results.types import Extraction

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

Load = Callable[[], Any]
SCHEMA = {"entities": ["city"]}
ALL = {
    "entities": ["city"],
    "classifications": {
        "tone": ["calm", "angry"],
        "topics": {"labels": ["a"], "multi_label": True},
    },
    "structures": {"place": ["name::str", "kinds"]},
    "relations": ["born in"],
}
ROWS = [
    {"id": 1, "text": "Maria was born in Warsaw.", "more": {"a": [1, None]}, "extraction": 5},
    {"id": 2.5, "text": "Bo lives in Bern, a big city. \ud83d", "tag": "x,\"y\"\n"},
    {"id": None, "other": True},
    {"id": 3, "text": "", "tag": None},
]  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)))
    return path


def lines(raw: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in raw.decode().splitlines()]


def test_jsonl_packed_or_not(source: Path, tmp_path: Path, load: Load):
    plain, gz, zst = (tmp_path / name for name in ("a.jsonl", "b.jsonl.gz", "c.jsonl.zst"))
    for out in (plain, gz, zst):
        counts = run(Job(input=source, output=out, schema=ALL), load=load)
        assert (counts.rows, counts.failed, counts.resumed) == (4, 1, 0)
    rows = lines(plain.read_bytes())
    assert [[*row] for row in rows] == [
        ["id", "text", "more", "extraction"],
        ["id", "text", "tag", "extraction"],
        ["row", "error"],
        ["id", "text", "tag", "extraction"],
    ]
    assert rows[0]["extraction"] == load().extract(ROWS[0]["text"], ALL).to_dict()
    assert gzip.decompress(gz.read_bytes()) == plain.read_bytes()
    assert zst.read_bytes() == packed(plain.read_bytes(), "zstd")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.jsonl", "b.jsonl.gz", "c.jsonl.zst", "in.jsonl"
    ]  # fmt: skip


def test_csv(source: Path, tmp_path: Path, load: Load):
    out = tmp_path / "out.csv"
    run(Job(input=source, output=out, schema=ALL), load=load)
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8"), newline="")))
    assert [*rows[0]] == ["id", "text", "more", "tag", "other", "extraction", "error"]
    assert [row["id"] for row in rows] == ["1", "2.5", "", "3"]
    assert (rows[0]["more"], rows[1]["tag"], rows[2]["other"]) == (
        '{"a": [1, null]}', 'x,"y"\n', "true"
    )  # fmt: skip
    assert Extraction.from_dict(json.loads(rows[0]["extraction"])).entities
    assert rows[2]["extraction"] == ""
    assert rows[2]["error"].startswith("row 3: no field 'text'")


def test_csv_keeps_every_cell_whole(tmp_path: Path, load: Load):
    texts = ["Anna Weiss\rBern", "\r", "a\r\nb", "a\nb", 'a "b", c', ",", " ", '"', "a\x0bb", ""]
    source, out = tmp_path / "in.jsonl", tmp_path / "out.csv"
    source.write_text("\n".join(json.dumps({"i\rd": 1, "text": text}) for text in texts))
    run(Job(input=source, output=out, schema=SCHEMA), load=load)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == texts
    assert [*rows[0]] == ["i\rd", "text", "extraction", "error"]
    back = tmp_path / "back.jsonl"
    assert run(Job(input=out, output=back, schema=SCHEMA), load=load).failed == 0
    assert [row["text"] for row in lines(back.read_bytes())] == texts


def test_parquet_has_the_shape_of_the_json(source: Path, tmp_path: Path, load: Load):
    out = tmp_path / "out.parquet"
    run(Job(input=source, output=out, schema=ALL), load=load)
    table = pq.read_table(out)
    assert [(f.name, str(f.type)) for f in table.schema][:5] == [
        ("id", "double"), ("text", "string"), ("more", "string"), ("tag", "string"),
        ("other", "bool"),
    ]  # fmt: skip
    rows = table.to_pylist(maps_as_pydicts="strict")
    assert [row["id"] for row in rows] == [1.0, 2.5, None, 3.0]
    assert rows[1]["text"].endswith(" \ufffd")  # Arrow's strings are Unicode
    assert rows[2]["extraction"] is None
    assert rows[2]["error"].startswith("row 3: ")
    assert without_none(rows[0]["extraction"]) == without_none(
        load().extract(ROWS[0]["text"], ALL).to_dict()
    )
    stored = table.to_pylist()[0]["extraction"]  # with maps as lists of pairs
    assert Extraction.from_dict(stored) == load().extract(ROWS[0]["text"], ALL)


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_offsets_after_half_a_surrogate_pair_stay(tmp_path: Path, load: Load, name: str):
    source, out = tmp_path / "in.jsonl", tmp_path / name
    source.write_text(json.dumps({"text": "Maria \ud83d lives in Warsaw."}))
    run(Job(input=source, output=out, schema=SCHEMA), load=load)
    if name == "out.csv":
        (row,) = csv.DictReader(io.StringIO(out.read_text("utf-8"), newline=""))
        found = json.loads(row["extraction"])  # JSON has an escape for it
        assert found["text"] == "Maria \ud83d lives in Warsaw."
    else:
        (row,) = pq.read_table(out).to_pylist()
        found = row["extraction"]
        assert found["text"] == row["text"]
    (city,) = found["entities"]
    assert row["text"] == "Maria \ufffd lives in Warsaw."
    assert row["text"][city["start"] : city["end"]] == city["text"] == "Warsaw"


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([2**53 + 1, 3], [2**53 + 1, 3]),
        ([2**53, 0.5], [2.0**53, 0.5]),
        ([2**53 + 1, 3, 0.5], ["9007199254740993", "3", "0.5"]),
        ([0.5, 3, 2**53 + 1], ["0.5", "3", "9007199254740993"]),
    ],
)
def test_integers_keep_their_value(tmp_path: Path, load: Load, values: list[Any], kept: list[Any]):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.parquet"
    source.write_text("\n".join(json.dumps({"text": "", "n": n}) for n in values))
    run(Job(input=source, output=out, schema=SCHEMA), load=load)
    assert pq.read_table(out).column("n").to_pylist() == kept


def without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_none(one) for key, one in value.items() if one is not None}
    return [without_none(one) for one in value] if isinstance(value, list) else value


def test_columns_of_parquet_keep_their_types(tmp_path: Path, load: Load):
    table = pa.table(
        {
            "body": pa.array(["in Warsaw", None, "in Bern"], pa.large_string()),
            "when": pa.array([1, 2, None], pa.timestamp("ns", "UTC")),
            "price": pa.array([Decimal("1.10"), None, Decimal("2.00")], pa.decimal128(9, 2)),
            "raw": [b"\xff", b"", None],
            "nested": [[{"a": 1}], [], None],
            "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
            "n": pa.array([1.5, float("nan"), 2.0], pa.float32()),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=2)
    job = Job(
        input=tmp_path / "in.parquet", output=tmp_path / "out.parquet", schema=SCHEMA,
        text_field="body",
    )  # fmt: skip
    counts = run(job, load=load)
    assert (counts.rows, counts.failed) == (3, 1)
    out = pq.read_table(tmp_path / "out.parquet")
    for name in ("body", "when", "price", "raw", "nested"):
        assert out.column(name).equals(table.column(name)), name
    assert out.column("kind").to_pylist() == ["x", "y", "x"]
    assert (
        out.column("error")[1].as_py() == "row 2: the field 'body' must be a string, but it is null"
    )
    run(Job(input=job.input, output=tmp_path / "out.jsonl", schema=SCHEMA, text_field="body"))
    first, failed, _ = lines((tmp_path / "out.jsonl").read_bytes())
    assert failed == {"row": 2, "error": "the field 'body' must be a string, but it is null"}
    assert (first["price"], first["raw"], first["nested"]) == ("1.10", "/w==", [{"a": 1}])
    assert datetime.fromisoformat(first["when"][:19]).year == 1970


def test_several_files_with_other_columns(tmp_path: Path, load: Load):
    (tmp_path / "a.csv").write_text("text,n\nin Bern,1\n")
    (tmp_path / "b.jsonl").write_text('{"text": "in Warsaw", "n": 2, "m": [1]}\n{bad\n')
    pq.write_table(pa.table({"text": ["in Rome"], "n": [3.5]}), tmp_path / "c.parquet")
    out = tmp_path / "out.parquet"
    inputs = [tmp_path / "a.csv", tmp_path / "b.jsonl", tmp_path / "c.parquet"]
    run(Job(input=inputs, output=out, schema=SCHEMA), load=load)
    rows = pq.read_table(out).to_pylist()
    assert [row["n"] for row in rows] == ["1", "2", None, "3.5"]
    assert [row["m"] for row in rows] == [None, "[1]", None, None]
    assert rows[2]["error"].startswith(f"{tmp_path / 'b.jsonl'}, row 2: not valid JSON")


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet"])
def test_results_of_several_files_say_which_one_also_after_a_stop(
    tmp_path: Path, load: Load, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"id": [1, 2, 3], "text": ["in Bern", None, "in Rome"]}), "a.parquet")
    Path("b.csv").write_text("id,text\n1,in Rome\n2\n")
    Path("c.jsonl").write_text('{"text": "in Oslo"}\n{bad\n' * 2)
    Path("d.txt").write_text("in Bern\nin Oslo\n")
    job = Job(input=["a.parquet", "b.csv", "c.jsonl", "d.txt"], output=name, schema=SCHEMA)
    files = [*["a.parquet"] * 3, *["b.csv"] * 2, *["c.jsonl"] * 4, *["d.txt"] * 2]
    counts = run(job, load=load)
    whole = Path(name).read_bytes()
    assert (counts.rows, counts.failed) == (11, 4)
    if name == "out.parquet":
        table = pq.read_table(name)
        assert table.schema.field(0) == pa.field("file", pa.string())
        found = table["file"].to_pylist()
    elif name == "out.csv":
        found = [row["file"] for row in csv.DictReader(io.StringIO(whole.decode(), newline=""))]
    else:
        found = [row["file"] for row in lines(whole)]
    assert found == files
    Path(name).unlink()
    stop_after(job, load, 2)
    other = replace(job, input=[tmp_path / one for one in job.input], resume=True)
    with pytest.raises(InputError, match="was begun with another input"):  # its results hold names
        run(other, load=load)
    run(replace(job, resume=True), load=load)
    assert Path(name).read_bytes() == whole


def test_a_column_file_of_the_input_stays(tmp_path: Path, load: Load):
    pq.write_table(pa.table({"text": ["in Bern"], "file": [7]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"file": [8], "text": ["in Rome"]}), tmp_path / "b.parquet")
    inputs, out = [tmp_path / "a.parquet", tmp_path / "b.parquet"], tmp_path / "out.parquet"
    run(Job(input=inputs, output=out, schema=SCHEMA), load=load)
    table = pq.read_table(out)
    assert (table["file"].to_pylist(), table["file"].type) == ([7, 8], pa.int64())
    assert table.schema.names == ["text", "file", "extraction", "error"]
    (tmp_path / "c.jsonl").write_text('{"text": "in Bern", "file": null}\n{"text": "in Rome"}\n')
    inputs.append(tmp_path / "c.jsonl")
    kept = [7, 8, None, str(tmp_path / "c.jsonl")]
    run(Job(input=inputs, output=out, schema=SCHEMA), load=load)
    assert pq.read_table(out)["file"].to_pylist() == ["7", "8", *kept[2:]]
    run(Job(input=inputs, output=tmp_path / "out.jsonl", schema=SCHEMA), load=load)
    assert [row["file"] for row in lines((tmp_path / "out.jsonl").read_bytes())] == kept


@pytest.mark.parametrize(
    ("kind", "cells", "values", "kept"),
    [
        (
            "float32",
            [0.5, float("nan")],
            [0.1, 16777217.5, 1e300],
            [0.5, "nan", 0.1, 16777217.5, 1e300],
        ),
        ("float64", [0.5], [0.1, 3], [0.5, 0.1, 3.0]),
        ("float16", [float("nan"), 0.5], [0.1], ["nan", 0.5, 0.1]),
        ("int32", [7], [2**40, 3], [7, 2**40, 3]),
        ("int32", [7], [0.5], [7.0, 0.5]),
        ("int64", [2**53 + 1], [3], [2**53 + 1, 3]),
        ("int64", [2**53 + 1], [0.5], ["9007199254740993", "0.5"]),
        ("uint64", [2**63], [-1], ["9223372036854775808", "-1"]),
        ("bool", [True], [False, None], [True, False, None]),
        ("large_string", ["a"], ["b"], ["a", "b"]),
        ("float32", [0.5], [None], [0.5, None]),
        ("null", [None], [0.1], [None, 0.1]),
        ("float", [0.5], ["x"], ["0.5", "x"]),
    ],
)
def test_a_column_of_two_kinds_of_files_keeps_its_values(
    tmp_path: Path, load: Load, kind: str, cells: list[Any], values: list[Any], kept: list[Any]
):
    column = pa.array(cells, pa.type_for_alias(kind))
    pq.write_table(pa.table({"text": [""] * len(cells), "x": column}), tmp_path / "one.parquet")
    written = "\n".join(json.dumps({"text": "", "x": value}) for value in values)
    (tmp_path / "two.jsonl").write_text(written)
    files = [tmp_path / "one.parquet", tmp_path / "two.jsonl"]
    for inputs, turned in ((files, False), (files[::-1], True)):
        out = tmp_path / f"out{turned}.parquet"
        run(Job(input=inputs, output=out, schema=SCHEMA), load=load)
        found = pq.read_table(out).column("x").to_pylist()
        found = ["nan" if one != one else one for one in found]
        expected = kept[len(cells) :] + kept[: len(cells)] if turned else kept
        assert found == expected
        assert list(map(type, found)) == list(map(type, expected))


def test_rows_without_a_tensor_that_others_have(tmp_path: Path, load: Load):
    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(np.zeros((2, 2), dtype=np.float32))
    pq.write_table(pa.table({"text": ["a", "b"], "x": tensors}), tmp_path / "one.parquet")
    pq.write_table(pa.table({"text": ["c"]}), tmp_path / "two.parquet")
    out = tmp_path / "out.parquet"
    files = [tmp_path / "one.parquet", tmp_path / "two.parquet"]
    run(Job(input=files, output=out, schema=SCHEMA), load=load)
    assert pq.read_table(out).column("x").null_count == 1


def nested_dictionaries() -> dict[str, Any]:
    words = pa.array(["x", "y"]).dictionary_encode()
    listed = pa.ListArray.from_arrays([0, 1, 2], words)
    return {
        "list": listed,
        "large": pa.LargeListArray.from_arrays([0, 1, 2], words),
        "fixed": pa.FixedSizeListArray.from_arrays(words, 1),
        "struct": pa.StructArray.from_arrays([words, pa.array([1, 2])], ["a", "b"]),
        "map": pa.MapArray.from_arrays([0, 1, 2], pa.array(["k", "l"]), words),
        "deep": pa.StructArray.from_arrays([listed], ["a"]),
    }


def test_dictionaries_inside_of_other_columns(tmp_path: Path, load: Load):
    table = pa.table({"text": ["in Bern", ""], **nested_dictionaries()})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=1)
    for name in ("out.parquet", "out.jsonl"):
        job = Job(input=tmp_path / "in.parquet", output=tmp_path / name, schema=SCHEMA)
        assert run(job, load=load).failed == 0
    out = pq.read_table(tmp_path / "out.parquet").drop_columns(["extraction", "error"])
    assert out.to_pylist() == table.to_pylist()
    assert "dictionary" not in str(out.schema)
    first = lines((tmp_path / "out.jsonl").read_bytes())[0]
    assert (first["deep"], first["map"]) == ({"a": ["x"]}, [["k", "x"]])


def test_what_arrow_cannot_write_is_refused_in_one_sentence(
    tmp_path: Path, load: Load, source: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object, **__: object) -> None:
        raise pa.ArrowNotImplementedError("no such type")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", refuse)
    with pytest.raises(InputError, match=r"as Parquet \(no such type\); write JSONL"):
        run(Job(input=source, output=tmp_path / "out.parquet", schema=SCHEMA), load=load)


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
def test_cells_that_python_does_not_have(tmp_path: Path, load: Load, name: str):
    late = pa.array([10**12], pa.timestamp("s", "UTC"))
    fine = pa.array([10**18 + 1], pa.timestamp("ns"))
    one = [0, 1]
    columns = {
        "twice": pa.StructArray.from_arrays([pa.array([1]), fine], ["a", "a"]),
        "late": pa.ListArray.from_arrays(one, late),
        "fine": pa.StructArray.from_arrays([fine, pa.array([[None, b"\xff"]])], ["a", "b"]),
        "map": pa.MapArray.from_arrays(one, pa.array(["k"]), fine),
        "gap": pa.array([15 * 10**8 + 1], pa.duration("ns")),
        "gaps": pa.ListArray.from_arrays(one, pa.array([10**18], pa.duration("s"))),
        "zone": pa.array([0], pa.timestamp("s", "Nowhere/At_all")),
    }
    pq.write_table(pa.table({"text": ["in Bern"], **columns}), tmp_path / "in.parquet")
    out = tmp_path / name
    run(Job(input=tmp_path / "in.parquet", output=out, schema=SCHEMA), load=load)
    moment = "2001-09-09T01:46:40.000000001"
    expected = {
        "twice": [["a", 1], ["a", moment]],
        "late": ["-31878-09-27T01:46:40+00:00"],
        "fine": {"a": moment, "b": [None, "/w=="]},
        "map": [["k", moment]],
        "gap": 1.500000001,
        "gaps": [1e18],
        "zone": "1970-01-01T00:00:00+00:00",
    }
    if name == "out.jsonl":
        (row,) = lines(out.read_bytes())
        assert {key: row[key] for key in expected} == expected
    else:
        (row,) = csv.DictReader(io.StringIO(out.read_text("utf-8"), newline=""))
        assert json.loads(row["twice"]) == expected["twice"]
        assert json.loads(row["late"]) == expected["late"]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize(("zone", "shown"), [(None, ""), ("UTC", "+00:00"), ("+01:00", "+01:00")])
def test_times_have_one_form(tmp_path: Path, load: Load, unit: str, zone: str | None, shown: str):
    parts = {"ms": [0, 120], "us": [0, 120_000, 7], "ns": [0, 120_000_000, 7_000, 123_456_789]}
    fractions = ["", ".120000", ".000007", ".123456789"]
    hour = 1 if zone == "+01:00" else 0
    moments = pa.array(parts[unit], pa.timestamp(unit, zone))
    table = {"text": [""] * len(moments), "when": moments}
    if unit != "ms":
        table["clock"] = pa.array(parts[unit], pa.time64(unit))
    pq.write_table(pa.table(table), tmp_path / "in.parquet")
    expected = [f"1970-01-01T0{hour}:00:00{end}{shown}" for end in fractions[: len(moments)]]
    for name in ("out.jsonl", "out.csv"):
        out = tmp_path / name
        run(Job(input=tmp_path / "in.parquet", output=out, schema=SCHEMA), load=load)
        raw = out.read_text("utf-8")
        rows = lines(raw.encode()) if name == "out.jsonl" else [*csv.DictReader(io.StringIO(raw))]
        assert [row["when"] for row in rows] == expected
        if unit != "ms":
            clocks = [f"00:00:00{end}" for end in fractions[: len(moments)]]
            assert [row["clock"] for row in rows] == clocks


def test_numbers_that_json_does_not_have(tmp_path: Path, load: Load):
    numbers = [float("nan"), float("inf"), float("-inf"), None, 0.5]
    columns = {
        "n": pa.array(numbers, pa.float32()),
        "d": pa.array(numbers).dictionary_encode(),
        "list": [[number] for number in numbers],
    }
    pq.write_table(pa.table({"text": [""] * 5, **columns}), tmp_path / "in.parquet")
    for name in ("out.jsonl", "out.csv"):
        run(Job(input=tmp_path / "in.parquet", output=tmp_path / name, schema=SCHEMA), load=load)
    rows = lines((tmp_path / "out.jsonl").read_bytes())
    for column in ("n", "d"):
        assert [row[column] for row in rows] == [None, None, None, None, 0.5]
    records = [*csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text("utf-8")))]
    for column in ("n", "d"):
        assert [record[column] for record in records] == ["NaN", "inf", "-inf", "", "0.5"]
    assert records[0]["list"] == "[null]"


class Stopped(Exception):
    """Stands in for a kill."""


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, load: Load) -> dict[str, Path]:
    """Jobs that were stopped near their end, by the format of their output."""
    place = tmp_path_factory.mktemp("stopped")
    rows = [json.dumps({"text": f"Bo {n} lives in Bern."}) for n in range(22)]
    rows[7] = "{bad"
    (place / "in.jsonl").write_text("\n".join(rows))
    return {name: place / name for name in ("out.jsonl", "out.csv.gz", "out.parquet")}


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("name", ["out.jsonl", "out.csv.gz", "out.parquet"])
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_job_goes_on_from_any_state_of_the_disk(
    stopped: dict[str, Path], load: Load, name: str, data: st.DataObject
):
    out = stopped[name]
    folder, whole = out.with_name(f"{name}.job"), out.with_name(f"whole-{name}")
    job = Job(input=out.with_name("in.jsonl"), output=out, schema=SCHEMA, resume=True)
    if not whole.exists():
        run(job, load=load)
        out.rename(whole)
        kept = out.with_name(f"kept-{name}")
        stop_after(job, load, 5)
        folder.rename(kept)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(out.with_name(f"kept-{name}"), folder)
    journal = folder / "journal"
    cut = data.draw(st.integers(0, journal.stat().st_size))
    with journal.open("r+b") as file:  # what was not yet on disk
        file.truncate(cut)
    with (folder / "rows").open("ab") as file:  # what was, but is not in the journal
        file.write(data.draw(st.binary(max_size=40)))
    counts = run(job, load=load)
    assert (counts.rows, counts.failed) == (22, 1)
    assert out.read_bytes() == whole.read_bytes()
    assert not folder.exists()


def stop_after(job: Job, load: Load, chunks: int) -> None:
    seen: list[Counts] = []

    def progress(counts: Counts) -> None:
        seen.append(counts)
        if len(seen) == chunks:
            raise Stopped

    with pytest.raises(Stopped):
        run(job, load=load, watch=Watch(progress))


@pytest.mark.usefixtures("small_chunks")
def test_a_job_that_was_stopped_is_not_lost_by_mistake(tmp_path: Path, load: Load):
    (tmp_path / "in.txt").write_text("in Bern\n" * 10)
    job = Job(input=tmp_path / "in.txt", output=tmp_path / "out.jsonl", schema=SCHEMA)
    stop_after(job, load, 1)
    with pytest.raises(InputError, match=r"unfinished job of 4 rows; give resume=True"):
        run(job, load=load)
    other = Job(input=job.input, output=job.output, schema={"entities": ["x"]}, resume=True)
    with pytest.raises(InputError, match=r"was begun with another request \(schema\); give what"):
        run(other, load=load)
    said = r'another request \(overlap "flat", now "nested"; threshold not given, now 0.5\); give'
    with pytest.raises(InputError, match=said):
        run(replace(job, threshold=0.5, overlap="nested", resume=True), load=load)
    (tmp_path / "in.txt").write_text("in Bern\n" * 11)
    with pytest.raises(InputError, match="was begun with another input; give what"):
        run(Job(input=job.input, output=job.output, schema=SCHEMA, resume=True), load=load)
    shutil.rmtree(tmp_path / "out.jsonl.job")
    assert run(job, load=load).rows == 11


@pytest.mark.usefixtures("small_chunks")
def test_texts_that_were_not_read_whole_are_counted_also_by_a_job_that_goes_on(
    tmp_path: Path, load: Load
):
    texts = ["in Bern", "word " * 1000, "in Bern", "a" * 5000, "in Oslo", "word " * 1000]
    (tmp_path / "in.txt").write_text("\n".join(texts))
    job = Job(input=tmp_path / "in.txt", output=tmp_path / "out.jsonl", schema=SCHEMA, resume=True)
    assert run(replace(job, output=tmp_path / "all.jsonl"), load=load).truncated == 1
    job = replace(job, on_long="truncate")
    stop_after(job, load, 1)
    seen: list[Counts] = []
    assert run(job, load=load, watch=Watch(seen.append)).truncated == 3
    assert [(one.rows, one.truncated) for one in seen] == [(4, 2), (6, 3)]


@pytest.mark.usefixtures("small_chunks")
def test_a_job_goes_on_with_the_backend_that_it_was_begun_with(tmp_path: Path, load: Load):
    (tmp_path / "in.txt").write_text("in Bern\n" * 10)
    job = Job(input=tmp_path / "in.txt", output=tmp_path / "out.jsonl", schema=SCHEMA, resume=True)
    stop_after(job, load, 1)
    journal = tmp_path / "out.jsonl.job" / "journal"
    begun = journal.read_text()
    assert '"backend": "onnx", "precision": "int8"' in begun  # and not "auto"
    other = replace(job, model=ModelChoice(backend="torch"))
    said = r'was begun with another model \(backend "onnx", now "torch"\); give what'
    with pytest.raises(InputError, match=said):
        run(other, load=lambda: SimpleNamespace(backend="torch", precision="fp32"))
    journal.write_text(begun.replace('"backend": "onnx"', '"backend": "jax"'))
    with pytest.raises(BackendError, match="backend 'jax' is not known"):  # it is what is opened
        run(job)
    journal.write_text(begun)
    assert run(job).resumed == 4


def test_workers_are_told_which_backend_runs(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "in.txt").write_text("in Bern\n")
    given: list[ModelChoice] = []

    def in_processes(choice: ModelChoice, request: Request, workers: int) -> Engine:
        given.append(choice)
        return in_this_process(load, request)

    monkeypatch.setattr(processes, "in_processes", in_processes)
    out = tmp_path / "out.jsonl"
    assert run(Job(input=tmp_path / "in.txt", output=out, schema=SCHEMA, workers=2)).rows == 1
    assert given == [ModelChoice(backend="onnx", precision="int8")]


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("name", ["onepass.json", "onnx/int8/spans.weights", "tokenizer.json"])
def test_a_job_does_not_go_on_with_a_model_that_has_changed(tmp_path: Path, load: Load, name: str):
    (tmp_path / "in.txt").write_text("in Bern\n" * 10)
    model = tmp_path / "model"
    file = model / name
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    choice = ModelChoice(str(model))
    job = Job(
        input=tmp_path / "in.txt", output=tmp_path / "out.jsonl", schema=SCHEMA, model=choice,
        resume=True,
    )  # fmt: skip
    stop_after(job, load, 1)
    (model / "README.md").write_text("of no account")
    (model / "state").mkdir()
    state = file.stat()
    file.write_text("{ }")
    with pytest.raises(InputError, match=r"was begun with another model \(files\); give what"):
        run(job, load=load)
    file.write_text("[]")  # of the same size
    with pytest.raises(InputError, match=r"was begun with another model \(files\); give what"):
        run(job, load=load)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert run(job, load=load).resumed == 4


@pytest.mark.usefixtures("small_chunks")
def test_a_job_that_was_killed_when_its_output_was_in_place(tmp_path: Path, load: Load):
    (tmp_path / "in.txt").write_text("in Bern\n" * 5)
    job = Job(input=tmp_path / "in.txt", output=tmp_path / "out.jsonl", schema=SCHEMA, resume=True)
    stop_after(job, load, 2)
    folder = tmp_path / "out.jsonl.job"
    with (folder / "journal").open("ab") as file:
        file.write(b'{"finished": true}\n')
    (folder / "rows").rename(tmp_path / "out.jsonl")
    before = (tmp_path / "out.jsonl").read_bytes()
    told: list[Counts] = []
    counts = run(job, load=load, watch=Watch(told.append))
    assert (counts.rows, counts.resumed) == (5, 5)
    assert told == [counts]
    assert (tmp_path / "out.jsonl").read_bytes() == before
    assert not folder.exists()


def killed_at_the_end(job: Job, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave what a job leaves that is killed when its output is in place."""
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "close", lambda *_, **__: None)
        run(job, load=load)


def test_a_finished_job_without_its_output_is_not_done(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "in.txt").write_text("in Bern\n")
    out = tmp_path / "out.jsonl"
    job = Job(input=tmp_path / "in.txt", output=out, schema=SCHEMA, resume=True)
    killed_at_the_end(job, load, monkeypatch)
    out.rename(tmp_path / "moved.jsonl")
    with pytest.raises(InputError, match=r"is finished, but its output .* is not there any more"):
        run(job, load=load)
    (tmp_path / "moved.jsonl").rename(out)
    assert run(job, load=load).resumed == 1


@pytest.mark.parametrize("engine", ["local", "ray"])
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_no_output_takes_the_place_of_its_input(source: Path, load: Load, engine: Any, form: Any):
    before = source.read_bytes()
    job = Job(input=source, output=source, schema=SCHEMA, engine=engine, format=form)
    with pytest.raises(InputError, match=r"in\.jsonl, too; give it another name"):
        run(job, load=load)
    assert source.read_bytes() == before
    assert not source.with_name("in.jsonl.job").exists()


def test_no_output_takes_the_place_of_an_input_by_another_name(tmp_path: Path, load: Load):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("Bo lives in Bern.\n")
    other = tmp_path / "A.jsonl"  # as a disk may take another case for the same name
    os.link(tmp_path / "a.txt", other)
    job = Job(input=[tmp_path / "a.txt", tmp_path / "b.txt"], output=other, schema=SCHEMA)
    with pytest.raises(InputError, match=r"is the input .*a\.txt, too"):
        run(job, load=load)


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_who_may_read_an_output_stays(source: Path, load: Load):
    for name in ("out.jsonl", "out.parquet"):
        out = source.with_name(name)
        out.touch(0o600)
        run(Job(input=source, output=out, schema=SCHEMA), load=load)
        assert out.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name == "nt", reason="names of POSIX")
def test_the_name_of_a_stream_is_no_file(source: Path, load: Load):
    other = source.with_name("other")
    other.write_text("precious")
    with other.open("a") as file:
        output = f"/dev/fd/{file.fileno()}"
        with pytest.raises(InputError, match=r"is no file; results can be streamed to it only"):
            run(Job(input=source, output=output, schema=SCHEMA), load=load)
    assert other.read_text() == "precious"


def test_two_runs_of_one_job_at_once(tmp_path: Path, load: Load):
    (tmp_path / "in.txt").write_text("in Bern\n")
    job = Job(input=tmp_path / "in.txt", output=tmp_path / "out.jsonl", schema=SCHEMA)

    def progress(_: Counts) -> None:
        with pytest.raises(InputError, match="is running now"):
            run(job, load=load)

    assert run(job, load=load, watch=Watch(progress)).rows == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "xml"}, "The format 'xml' is not known"),
        ({"engine": "dask"}, "The engine 'dask' is not known"),
        ({"address": "auto"}, "An address is for the engine ray"),
        ({"workers": 0}, "at least one worker"),
        ({"workers": "2"}, "at least one worker, but workers is '2'"),
        ({"workers": 1.5}, "at least one worker, but workers is 1.5"),
        ({"input": 5}, "input must be a path or a list of paths, but 5 was given"),
        ({"input": ["a.csv", None]}, "input must be a path or a list of paths"),
        ({"input": b"a.csv"}, "input must be a path or a list of paths"),
        ({"output": "a.parqet"}, "The output a.parqet ends in .parqet"),
        ({"output": "a.tsv.gz"}, "The output a.tsv.gz ends in .tsv"),
        ({"output": None}, "output must be a path, but None was given"),
        ({"text_field": None}, "text_field must be a string, but None was given"),
        ({"overlap": ["flat"]}, r"overlap \['flat'\] is not known; all, nested,"),
        ({"threshold": "high"}, "The threshold must be a number from 0 to 1, but 'high'"),
        ({"threshold": {"city": None}}, "The threshold of 'city' must be a number from 0 to 1"),
        ({"model": "builtin"}, "model must be a ModelChoice, but 'builtin' was given"),
        ({"output": "a.parquet.gz", "format": "parquet"}, "Parquet is packed inside"),
    ],
)
def test_a_job_that_makes_no_sense(changes: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        Job(**{"input": "a.csv", "output": "b.jsonl", "schema": SCHEMA, **changes})


def test_an_empty_input(tmp_path: Path, load: Load):
    (tmp_path / "in.jsonl").write_text("")
    for name in ("out.jsonl", "out.csv", "out.parquet"):
        job = Job(input=tmp_path / "in.jsonl", output=tmp_path / name, schema=SCHEMA)
        assert run(job, load=load).rows == 0
    assert (tmp_path / "out.jsonl").read_bytes() == b""
    assert (tmp_path / "out.csv").read_text() == "extraction,error\n"
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("change", ["append", "write over", "remove"])
def test_an_input_that_changes_is_not_done(tmp_path: Path, load: Load, change: str):
    source, out = tmp_path / "in.txt", tmp_path / "out.jsonl"
    source.write_text("Bern\n" * 9)

    def changed(counts: Counts) -> None:
        if counts.rows != 4:
            return
        if change == "remove":
            source.unlink()
        else:
            with source.open("a" if change == "append" else "w") as file:
                file.write("Basel, once more\n" * 9)

    with pytest.raises(InputError, match=r"changed while it was read.*out\.jsonl\.job"):
        run(Job(input=source, output=out, schema=SCHEMA), watch=Watch(progress=changed), load=load)
    assert not out.exists()
    assert (tmp_path / "out.jsonl.job" / "rows").exists()


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("seconds", [0.0, 1000.0])
def test_an_input_that_changes_is_told_soon_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Load, streamed: bool, seconds: float
):
    monkeypatch.setattr(states, "_LOOK", seconds)
    monkeypatch.setattr(states, "_SHARE", 0)
    source, told, written = tmp_path / "in.txt", [], []
    source.write_text("Bern\n" * 9)

    def changed(counts: Counts) -> None:
        told.append(counts.rows)
        if len(told) == 2:
            with source.open("a") as file:
                file.write("Basel, once more\n")

    job = Job(input=source, output=tmp_path / "out.jsonl", schema=SCHEMA)
    watch = Watch(progress=changed)
    done = partial(stream, job, written.append) if streamed else partial(run, job)
    with pytest.raises(InputError, match="changed while it was read") as caught:
        done(watch=watch, load=load)
    assert (len(told) == 2) == (seconds == 0)
    assert ("Delete that folder and begin again" in str(caught.value)) != streamed
    assert len("".join(written).splitlines()) == (told[-1] if streamed else 0)


def test_names_of_files_that_are_not_utf_8_go_to_parquet_and_back(tmp_path: Path, load: Load):
    one, other = (tmp_path / f"{name}\udcff.parquet" for name in "ab")
    pq.write_table(pa.table({"text": ["Bo lives in Bern."]}), tmp_path / "in.parquet")
    try:
        for path in (one, other):
            shutil.copy(tmp_path / "in.parquet", path)
    except OSError:
        pytest.skip("the system has no such names")
    out = tmp_path / "out\udcff.parquet"
    assert run(Job(input=[one, other], output=out, schema=SCHEMA), load=load).failed == 0
    table = pq.read_table(pa.BufferReader(out.read_bytes()))
    assert table["file"].to_pylist() == [str(tmp_path / f"{name}\ufffd.parquet") for name in "ab"]
