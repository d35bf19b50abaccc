"""Scores as text tables for a terminal, where names are nothing but text.

It knows nothing about what the scores mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from onepass.results.wording import counted, printable

_NAME = 40  # characters of a label's name that are shown
_ROWS = 60  # labels of a section that are shown
_MEANS = {
    "ner_micro_f1": "entity micro F1",
    "cls_accuracy": "classification accuracy",
    "cls_macro_f1": "classification macro F1",
}


class Scored(Protocol):
    """The part of a report that these tables show."""

    @property
    def scores(self) -> Mapping[str, Mapping[str, float]]:
        """Section to its scores."""

    @property
    def asked(self) -> Mapping[str, int]:
        """Section to its number of texts."""


def mean_title(name: str) -> str:
    """Return what a mean over files is called.

    >>> mean_title("cls_accuracy")
    'classification accuracy'
    """
    return _MEANS[name]


def skipped_line(skipped: int) -> str:
    """Return how many texts were not asked, for the end of a sentence.

    >>> skipped_line(2)
    '2 skipped (nothing annotated)'
    """
    return f"{skipped} skipped (nothing annotated)"


def speed_line(texts: int, skipped: int, seconds: float) -> str:
    """Return one line about texts and time.

    >>> speed_line(30, 1, 2.0)
    '30 texts in 2.0 s (15.0 texts/s), 1 skipped (nothing annotated)'
    """
    rate = texts / seconds if seconds else 0.0
    line = f"{counted(texts, 'text')} in {seconds:.1f} s ({rate:.1f} texts/s)"
    return f"{line}, {skipped_line(skipped)}" if skipped else line


def table(title: str, rows: Mapping[str, Mapping[str, float]], *, most: int | None = None) -> str:
    """Return rows of numbers under their names; a number that a row does not have is a dash.

    Args:
        title: of the first column.
        rows: row name to column name to number; fractions are shown with three digits, whole
            numbers (ints) as they are.
        most: characters of a row's name that are shown; None for all.

    >>> print(table("entities", {"a": {"f1": 0.5, "texts": 3}, "b": {"f1": 1.0}}))
    entities     f1  texts
    a         0.500      3
    b         1.000      -
    """
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = [[printable(title), *(column.replace("_", " ") for column in columns)]]
    for name, row in rows.items():
        shown = printable(" ".join(name.split()))
        if most is not None and len(shown) > most:
            shown = shown[: most - 3] + "..."
        lines.append([shown, *(format_number(row.get(column)) for column in columns)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        ).rstrip()
        for line in lines
    )


def format_number(value: float | None) -> str:
    """Return a count or a score as it stands in a table."""
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
        tables.append(table(f"{section}, one by one", shown, most=_NAME) + more)
    return tables


def interval_lines(
    scores: Mapping[str, Mapping[str, float]],
    intervals: Mapping[str, Mapping[str, tuple[float, float]]],
) -> str:
    """Return one line for each score that has an interval."""
    lines = [
        f"{section} {score.replace('_', ' ')} {scores[section][score]:.3f}, between {low:.3f} and "
        f"{high:.3f} in 95 % of the resampled sets of texts"
        for section, rows in intervals.items()
        for score, (low, high) in rows.items()
    ]
    return "\n".join(lines)


def breakdown_tables(
    breakdowns: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]],
    reliability: Mapping[str, Sequence[Mapping[str, float]]],
) -> list[str]:
    """Return tables of scores by words of a text, by labels asked, and by the model's score."""
    tables = [
        table(f"{section} by {size}", rows)
        for section, sizes in breakdowns.items()
        for size, rows in sizes.items()
    ]
    for section, curve in reliability.items():
        if curve:
            rows = {f"{one['score']:.2f}": _judged(one) for one in curve}
            tables.append(table(f"{section} by score", rows))
    return tables


def _judged(one: Mapping[str, float]) -> dict[str, float]:
    return {"right": one["right"], "findings": one["findings"]}
