"""Extractions as aligned plain text, for a terminal.

It shows foreign text, of which nothing reaches the terminal as anything but text.
"""

from __future__ import annotations

from collections.abc import Sequence

from onepass.results import arguments
from onepass.results.types import Extraction, FieldValue
from onepass.results.values import values_in
from onepass.results.wording import called, columns, coverage_line, none_fits, printable

_CELL = 60  # columns of a terminal that one cell may take


def to_table(doc: Extraction) -> str:
    """Return an extraction as aligned plain text.

    Args:
        doc: the extraction to show.

    Returns:
        One section for each kind of finding that is there, and a line that says what was read.
        Control characters are shown as escapes, long values are shortened.

    Raises:
        InputError: if something else is given.

    >>> from onepass.results.types import Classification, Entity
    >>> doc = Extraction("Tim Cook", entities=(Entity("person", "Tim Cook", 0, 8, 0.97),))
    >>> print(to_table(doc))
    Entities
      person  Tim Cook  0:8  0.970
    <BLANKLINE>
    0 of 0 characters read in 0 windows.
    """
    arguments.extraction(doc)
    sections: list[list[str]] = []
    if doc.entities:
        rows = [(called(e), e.text, f"{e.start}:{e.end}", f"{e.score:.3f}") for e in doc.entities]
        sections.append(["Entities", *aligned(rows)])
    for task, answer in doc.classifications.items():
        chosen = {choice.label for choice in answer.labels}
        marks = [("*" if k in chosen else "", k, f"{s:.3f}") for k, s in answer.scores.items()]
        none = [f"  {words}"] if (words := none_fits(answer)) else []
        sections.append([f"Class: {_cell(task)}", *none, *aligned(marks)])
    for name, records in doc.records.items():
        columns = list(dict.fromkeys(key for record in records for key in record))
        cells = [[_joined(record.get(key)) or "-" for key in columns] for record in records]
        shown = aligned([columns, *cells]) if records else ["  none"]
        sections.append([f"Records: {_cell(name)}", *shown])
    if doc.relations:
        pairs = [(r.head.text, r.type, r.tail.text, f"{r.score:.3f}") for r in doc.relations]
        arrows = [(head, f"-- {kind} ->", tail, score) for head, kind, tail, score in pairs]
        sections.append(["Relations", *aligned(arrows)])
    sections.append(([] if sections else ["Nothing was found."]) + [coverage_line(doc)])
    return "\n\n".join("\n".join(lines) for lines in sections)


def _joined(held: FieldValue) -> str:
    return ", ".join(value.text for value in values_in(held))


def _cell(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _CELL else shown[: _CELL - 1] + "…"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines of cells as columns, each a little in; cells are nothing but text."""
    shown = [[_cell(cell) for cell in row] for row in rows]
    widths = [max(columns(cell) for cell in column) for column in zip(*shown, strict=True)]
    lines = []
    for row in shown:
        padded = (c + " " * (w - columns(c)) for c, w in zip(row, widths, strict=True))
        lines.append(("  " + "  ".join(padded)).rstrip())
    return lines
