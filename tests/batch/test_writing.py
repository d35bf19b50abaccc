"""Records of CSV, whatever their rows were read from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from onepass.batch.rows import BadRow, Cells, Row
from onepass.batch.writing import CsvLines


class Numbers(Cells):
    """Cells of which those called "odd" are a number that JSON does not have."""

    def __getitem__(self, name: str) -> Any:
        return {"odd": None, "empty": None, "number": 0.5}[name]

    def __iter__(self) -> Iterator[str]:
        return iter(("odd", "empty", "number"))

    def __len__(self) -> int:
        return 3

    def beyond_json(self, name: str) -> str | None:
        return "NaN" if name == "odd" else None


def test_cells_say_themselves_what_json_does_not_have() -> None:
    lines = CsvLines(("odd", "empty", "number", "missing"))
    results = [(Row(1, Numbers(), "Ann"), "{}"), BadRow(2, "wrong", Numbers())]
    found = list(csv.reader(io.StringIO(lines.chunk(results).decode(), newline="")))
    assert found == [
        ["NaN", "", "0.5", "", "{}", ""],
        ["NaN", "", "0.5", "", "", "row 2: wrong"],
    ]


def test_cells_that_are_no_unicode_become_it() -> None:
    lines = CsvLines(("a",))
    assert lines.chunk([(Row(1, {"a": "x\ud83d"}, "x"), "{}")]) == "x\ufffd,{},\n".encode()
