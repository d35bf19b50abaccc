"""Scores as text tables for a terminal.

It knows nothing about what the scores mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

_NAME = 40  # characters of a row's name that are shown
_ROWS = 60  # labels of a section that are shown


class Scored(Protocol):
    """The part of a report that these tables show."""

    @property
    def scores(self) -> Mapping[str, Mapping[str, float]]:
        """Section to its scores."""

    @property
    def asked(self) -> Mapping[str, int]:
        """Section to its number of texts."""


def table(title: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """Return rows of numbers under their names; a number that a row does not have is a dash.

    Args:
        title: of the first column.
        rows: row name to column name to number; fractions are shown with three digits, whole
            numbers (ints) as they are.

    >>> print(table("entities", {"a": {"f1": 0.5, "texts": 3}, "b": {"f1": 1.0}}))
    entities     f1  texts
    a         0.500      3
    b         1.000      -
    """
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = [[title, *(column.replace("_", " ") for column in columns)]]
    for name, row in rows.items():
        shown = name if len(name) <= _NAME else name[: _NAME - 3] + "..."
        lines.append([" ".join(shown.split()), *(_number(row.get(column)) for column in columns)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        ).rstrip()
        for line in lines
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def section_tables(reports: Mapping[str, Scored]) -> list[str]:
    """Return one table for each section, with a row for each report that has it."""
    sections = dict.fromkeys(section for report in reports.values() for section in report.scores)
    return [
        table(
            section,
            {
                name: {"texts": report.asked[section], **report.scores[section]}
                for name, report in reports.items()
                if section in report.scores
            },
        )
        for section in sections
    ]


def detail_tables(details: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    """Return one table for each section, with a row for each label, task, structure or type."""
    tables = []
    for section, rows in details.items():
        shown = dict(list(rows.items())[:_ROWS])
        if not shown:
            continue
        more = f"\n... and {len(rows) - _ROWS} more" if len(rows) > _ROWS else ""
        tables.append(table(f"{section}, one by one", shown) + more)
    return tables
