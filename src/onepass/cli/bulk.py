"""Results of many rows, written while they come: lines of JSONL, or one page for all.

It does not know where the rows come from or where the text goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from onepass.cli.inputs import BadRow
from onepass.cli.output import Write, json_line
from onepass.cli.progress import Progress

if TYPE_CHECKING:
    from onepass.cli.rows import Found
    from onepass.results.types import Extraction


def write_lines(done: Iterator[list[Found | BadRow]], write: Write) -> int:
    """Write a line for each row: what was read, with its "extraction", or the row and its "error".

    Args:
        done: results, some rows at a time.
        write: takes the lines.

    Returns:
        How many rows failed.
    """
    with Progress() as progress:
        for chunk in done:
            write("".join(map(_line, chunk)))
            _count(chunk, progress)
    return progress.failed


def write_page(done: Iterator[list[Found | BadRow]], write: Write) -> int:
    """Write one HTML page of all rows that did not fail; it is built in memory.

    Args:
        done: results, some rows at a time.
        write: takes the page.

    Returns:
        How many rows failed.
    """
    from onepass.results.render import to_html

    docs: list[Extraction] = []
    with Progress() as progress:
        for chunk in done:
            docs.extend(row[1] for row in chunk if not isinstance(row, BadRow))
            _count(chunk, progress)
    write(to_html(docs))
    return progress.failed


def _line(row: Found | BadRow) -> str:
    if isinstance(row, BadRow):
        return json_line({"row": row.number, "error": row.error})
    return json_line({**row[0].values, "extraction": row[1].to_dict()})


def _count(chunk: list[Found | BadRow], progress: Progress) -> None:
    for row in chunk:
        if isinstance(row, BadRow):
            progress.fail(row.number, row.error)
    progress.add(len(chunk))
